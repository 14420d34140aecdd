/* SPDX-License-Identifier: Apache-2.0 */
/* Packages that must be signed. */
#include "base/error.h"
#include "module.h"
#include "suites.h"
#include "tests/package/signing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LAST_LOG "/cache/recovery/last_log"

static const char *const standard[] = {MISC_DEFAULT_ARGUMENT, NULL};
static struct module *module;
static struct module_keys keys;

static void setup(void)
{
	module = module_new_trusting(&keys);
	module_put_package(module, PACKAGE_PATH, "ui_print(\"x\");", NULL);
	module_arm(module, standard);
}

static void teardown(void)
{
	module_free(module);
}

/* Refused at the first attempt, which is the last: nothing of it is run, nothing is left to try again. */
static void check_refused(int code)
{
	char text[128];

	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert_uint_eq(module->runs, 0);
	ck_assert(!module_has(module, EFFECT_PATH));
	ck_assert(!module_has(module, PACKAGE_PATH));
	ck_assert(!module_is_armed(module));
	(void)snprintf(text, sizeof(text), START UPDATING(0) "+QIND: \"FOTA\",\"END\",%d\n", code);
	ck_assert_str_eq(module_urcs(module), text);
	(void)snprintf(text, sizeof(text), "IP_PREVIOUS_UPDATE_CHECK_FILE_FAILED %d\n", code);
	ck_assert_str_eq(module_status(module), text);
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_IDLE);
}

static void check_installed(void)
{
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert_uint_eq(module->runs, 1);
	ck_assert(module_has(module, EFFECT_PATH));
	ck_assert_str_eq(module_status(module), "IP_PREVIOUS_UPDATE_SUCCESSFUL 200\n");
}

START_TEST(test_signed)
{
	signing_sign_file(keys.trusted, keys.package);
	check_installed();
	ck_assert_ptr_nonnull(strstr(module_text(module, LAST_LOG), "must be signed by one of 1 keys"));
	ck_assert_ptr_null(strstr(module_text(module, LAST_LOG), "NOT verified"));
}
END_TEST

START_TEST(test_unsigned)
{
	check_refused(RESULT_UNSIGNED);
}
END_TEST

START_TEST(test_foreign)
{
	signing_sign_file(keys.foreign, keys.package);
	check_refused(RESULT_UNTRUSTED);
}
END_TEST

START_TEST(test_tampered)
{
	FILE *file;

	signing_sign_file(keys.trusted, keys.package);
	file = fopen(keys.package, "r+");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fseek(file, 40, SEEK_SET), 0);
	ck_assert_int_ne(fputc('!', file), EOF);
	ck_assert_int_eq(fclose(file), 0);
	check_refused(RESULT_TAMPERED);
}
END_TEST

/* What is no archive is no signed one either: nothing of it is looked at. */
START_TEST(test_no_archive)
{
	module_put(module, PACKAGE_PATH, "this is no archive, whatever else it may be");
	check_refused(RESULT_UNSIGNED);
}
END_TEST

/* A sound signature does not make a package of it. */
START_TEST(test_signed_without_script)
{
	module_put_package(module, PACKAGE_PATH, NULL, NULL);
	signing_sign_file(keys.trusted, keys.package);
	check_refused(RESULT_FORMAT);
}
END_TEST

/* Every upgrade says so. */
START_TEST(test_no_keys)
{
	char expected[160];

	if (_i) {
		module->keys[0] = '\0';
		(void)snprintf(expected, sizeof(expected), "packages are NOT verified: no keys\n");
	} else {
		(void)snprintf(module->keys, sizeof(module->keys), "%s/none", module->root);
		(void)snprintf(expected, sizeof(expected), "packages are NOT verified: no keys in %s\n", module->keys);
	}
	check_installed();
	ck_assert_ptr_nonnull(strstr(module_text(module, LAST_LOG), expected));
}
END_TEST

TCase *trust_tests(void)
{
	TCase *tests = tcase_create("trust");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_signed);
	tcase_add_test(tests, test_unsigned);
	tcase_add_test(tests, test_foreign);
	tcase_add_test(tests, test_tampered);
	tcase_add_test(tests, test_no_archive);
	tcase_add_test(tests, test_signed_without_script);
	tcase_add_loop_test(tests, test_no_keys, 0, 2);
	return tests;
}
