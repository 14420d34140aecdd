/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packages that are not to be trusted, end to end: the code that the host hears, and that nothing of the module was
 * written but recovery's own records. Which bit leads to which code is tests/package/test_sweep.c's, where every bit is
 * tried.
 */
#include "base/error.h"
#include "module.h"
#include "suites.h"
#include "tests/package/signing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SCRIPT "ui_print(\"x\");"
#define STRIDE 61 /* bits between two that are changed; odd, so that all bits of a byte have their turn */

static const char *const standard[] = {MISC_DEFAULT_ARGUMENT, NULL};
static struct module *module;
static struct module_keys keys;
static uint8_t bytes[8192]; /* of the signed package */
static size_t size;

static void sign(const char *key)
{
	FILE *file;

	signing_sign_file(key, keys.package);
	file = fopen(keys.package, "r");
	ck_assert_ptr_nonnull(file);
	size = fread(bytes, 1, sizeof(bytes), file);
	ck_assert_uint_lt(size, sizeof(bytes));
	ck_assert_int_eq(fclose(file), 0);
}

static void put(size_t length)
{
	FILE *file = fopen(keys.package, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
	ck_assert_int_eq(fclose(file), 0);
}

static void setup(void)
{
	module = module_new_trusting(&keys);
	module_put(module, "/system/bin/app", "the app");
	module_put(module, "/system/etc/quectel-rollback-index", "7\n");
	module_put_indexed(module, PACKAGE_PATH, SCRIPT, "7\n");
}

static void teardown(void)
{
	module_free(module);
}

/* Flag and journal, logs and attempts, status and percentage; the package goes. */
static bool is_record(const char *step)
{
	static const char *const places[] = {"write /dev/misc ",
	                                     " /cache/recovery",
	                                     " /usrdata/cache/fota/ipth_config_dfs.txt",
	                                     " /usrdata/cache/fota/ipth_percent.txt",
	                                     " /usrdata/cache/fota/.fota-new",
	                                     "unlink " PACKAGE_PATH,
	                                     "unlink " NEXT_PATH};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strstr(step, places[i]))
			return true;
	return strcmp(step, "mkdir /cache") == 0;
}

/* One upgrade; returns the code of its END. */
static int boot(void)
{
	static const char lines[] = START UPDATING(0) "+QIND: \"FOTA\",\"END\",";
	size_t heard = strlen(module_urcs(module));
	const char *said;
	int code;

	module_arm(module, standard);
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	said = module_urcs(module) + heard;
	ck_assert_int_eq(strncmp(said, lines, sizeof(lines) - 1), 0);
	code = (int)strtol(said + sizeof(lines) - 1, NULL, 10);
	ck_assert_uint_eq(module->runs, 0);
	ck_assert(!module_is_armed(module));
	ck_assert(!module_has(module, PACKAGE_PATH));
	for (unsigned i = 0; i < module->step_count; i++)
		ck_assert_msg(is_record(module->steps[i].text), "%s", module->steps[i].text);
	ck_assert_str_eq(module_text(module, "/system/bin/app"), "the app");
	ck_assert_str_eq(module_text(module, "/system/etc/quectel-rollback-index"), "7\n");
	return code;
}

START_TEST(test_flipped_bits)
{
	sign(keys.trusted);
	for (size_t bit = 0; bit < size * 8; bit += STRIDE) {
		int code;

		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		put(size);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		code = boot();
		ck_assert_msg(code >= RESULT_UNSIGNED && code <= RESULT_TAMPERED, "bit %zu: %d", bit, code);
	}
	put(size);
	module_arm(module, standard);
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert_uint_eq(module->runs, 1);
}
END_TEST

START_TEST(test_truncated)
{
	sign(keys.trusted);
	for (size_t length = size - 1; length > 0; length -= length < STRIDE ? length : STRIDE) {
		/* Two bytes of a signature may happen to be those of a footer. */
		bool claims = length >= 28 && bytes[length - 4] == 0xff && bytes[length - 3] == 0xff;

		put(length);
		ck_assert_int_eq(boot(), claims ? RESULT_TAMPERED : RESULT_UNSIGNED);
	}
	put(0);
	ck_assert_int_eq(boot(), RESULT_UNSIGNED);
}
END_TEST

START_TEST(test_foreign)
{
	sign(keys.foreign);
	ck_assert_int_eq(boot(), RESULT_UNTRUSTED);
}
END_TEST

START_TEST(test_older)
{
	module_put_indexed(module, PACKAGE_PATH, SCRIPT, "6\n");
	sign(keys.trusted);
	ck_assert_int_eq(boot(), RESULT_ROLLBACK);
}
END_TEST

TCase *sweep_tests(void)
{
	TCase *tests = tcase_create("sweep");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, test_flipped_bits);
	tcase_add_test(tests, test_truncated);
	tcase_add_test(tests, test_foreign);
	tcase_add_test(tests, test_older);
	return tests;
}
