/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypted packages, end to end. */
#include "base/error.h"
#include "module.h"
#include "suites.h"
#include "tests/package/signing.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SCRIPT "ui_print(\"x\");"

static const char *const standard[] = {MISC_DEFAULT_ARGUMENT, NULL};
static struct module *module;
static char package[128];

static const char *key_path(const char *name)
{
	static char paths[2][128];
	static unsigned next;
	char *path = paths[next++ % 2];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", module->keys, name);
	return path;
}

static void setup(void)
{
	module = module_new();
	(void)snprintf(module->keys, sizeof(module->keys), "%s/keys", module->root);
	(void)snprintf(package, sizeof(package), "%s" PACKAGE_PATH, module->root);
	ck_assert_int_eq(mkdir(module->keys, 0755), 0);
	signing_write_crypt_pair(key_path("a.key"), key_path("a.pub"));
	module_put(module, "/system/etc/quectel-rollback-index", "7");
	module_put_indexed(module, PACKAGE_PATH, SCRIPT, "7");
	module_arm(module, standard);
}

static void teardown(void)
{
	module_free(module);
}

static void check_end(int code)
{
	char text[128];

	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert_uint_eq(module->runs, code == 0);
	ck_assert(!module_has(module, PACKAGE_PATH));
	(void)snprintf(text, sizeof(text), "+QIND: \"FOTA\",\"END\",%d\n", code);
	ck_assert_ptr_nonnull(strstr(module_urcs(module), text));
	ck_assert_ptr_null(strstr(module_text(module, "/cache/recovery/last_log"), "ui_print"));
}

START_TEST(test_signed)
{
	signing_write_pair(SIGNING_ED25519, key_path("b.private"), key_path("b.pem"));
	signing_sign_file(key_path("b.private"), package);
	signing_encrypt_file(key_path("a.pub"), package);
	check_end(0);
}
END_TEST

/* What signatures are about is the plain package. */
START_TEST(test_unsigned)
{
	signing_write_pair(SIGNING_ED25519, key_path("b.private"), key_path("b.pem"));
	signing_encrypt_file(key_path("a.pub"), package);
	check_end(RESULT_UNSIGNED);
}
END_TEST

START_TEST(test_not_signed_where_it_need_not_be)
{
	signing_encrypt_file(key_path("a.pub"), package);
	check_end(0);
}
END_TEST

START_TEST(test_for_others)
{
	signing_encrypt_file(key_path("a.pub"), package);
	signing_write_crypt_pair(key_path("a.key"), key_path("other.pub"));
	check_end(RESULT_SEALED);
}
END_TEST

START_TEST(test_no_keys)
{
	signing_encrypt_file(key_path("a.pub"), package);
	module->keys[0] = '\0';
	check_end(RESULT_SEALED);
}
END_TEST

START_TEST(test_damaged)
{
	FILE *file;
	int byte;

	signing_encrypt_file(key_path("a.pub"), package);
	file = fopen(package, "r+");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fseek(file, -20, SEEK_END), 0);
	byte = fgetc(file);
	ck_assert_int_eq(fseek(file, -20, SEEK_END), 0);
	ck_assert_int_ne(fputc(byte ^ 1, file), EOF);
	ck_assert_int_eq(fclose(file), 0);
	check_end(RESULT_FORGED);
}
END_TEST

/* A chunk that is only read with the content. */
START_TEST(test_damaged_inside)
{
	static char script[200000];
	FILE *file;

	memset(script, ' ', sizeof(script) - 1);
	module_put_package(module, PACKAGE_PATH, script, NULL);
	module_put(module, "/system/etc/quectel-rollback-index", "0");
	signing_encrypt_file(key_path("a.pub"), package);
	file = fopen(package, "r+");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fseek(file, 100000, SEEK_SET), 0);
	ck_assert_uint_eq(fwrite("damaged", 1, 7, file), 7);
	ck_assert_int_eq(fclose(file), 0);
	check_end(RESULT_FORGED);
}
END_TEST

START_TEST(test_older)
{
	module_put_indexed(module, PACKAGE_PATH, SCRIPT, "6");
	signing_encrypt_file(key_path("a.pub"), package);
	check_end(RESULT_ROLLBACK);
}
END_TEST

TCase *crypt_tests(void)
{
	TCase *tests = tcase_create("crypt");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_signed);
	tcase_add_test(tests, test_unsigned);
	tcase_add_test(tests, test_not_signed_where_it_need_not_be);
	tcase_add_test(tests, test_for_others);
	tcase_add_test(tests, test_no_keys);
	tcase_add_test(tests, test_damaged);
	tcase_add_test(tests, test_damaged_inside);
	tcase_add_test(tests, test_older);
	return tests;
}
