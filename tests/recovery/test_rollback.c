/* SPDX-License-Identifier: Apache-2.0 */
/* Packages that lead back to an older version. */
#include "base/error.h"
#include "module.h"
#include "suites.h"

#include <errno.h>
#include <string.h>

#define LAST_LOG   "/cache/recovery/last_log"
#define INDEX_PATH "/system_volume/etc/quectel-rollback-index"
#define LARGE      "1                                                                "
#define MOUNT      "mount /system noatime,nodiratime,nodev,ro"

static const char *const standard[] = {MISC_DEFAULT_ARGUMENT, NULL};
static struct module *module;

static void setup(void)
{
	module = module_new();
	module_put(module, "/res/recovery.fstab", "/system ubifs rootfs\n");
	module_put(module, "/system_volume/bin/app", "the app");
	module_arm(module, standard);
}

static void teardown(void)
{
	module_free(module);
}

static bool has_step(const char *text)
{
	for (unsigned i = 0; i < module->step_count; i++)
		if (strcmp(module->steps[i].text, text) == 0)
			return true;
	return false;
}

static const struct {
	const char *package; /* its index; NULL: it has none */
	const char *module;
	bool refused;
	const char *said; /* in the log; NULL: nothing about a rollback index */
} cases[] = {
	{NULL, NULL, false, NULL},
	{"7", NULL, false, NULL},
	{"7", "7\n", false, NULL},
	{"8\n", "7", false, NULL},
	{"6\n", "7", true, "the package leads back to rollback index 6, this system has 7"},
	{NULL, "1", true, "the package leads back to rollback index 0, this system has 1"},
	{"9", "10", true, "the package leads back to rollback index 9, this system has 10"},
	{"0", "4294967295", true, "this system has 4294967295"},
	/* What the module's file does not tell protects nothing. */
	{"0", "seven", false, "/system/etc/quectel-rollback-index counts as 0: the rollback index is no number"},
	{"0", "", false, "/system/etc/quectel-rollback-index counts as 0: the rollback index is no number"},
	{"0", LARGE, false, "/system/etc/quectel-rollback-index counts as 0: "},
};

START_TEST(test_cases)
{
	module_put_indexed(module, PACKAGE_PATH, "ui_print(\"x\");", cases[_i].package);
	if (cases[_i].module)
		module_put(module, INDEX_PATH, cases[_i].module);
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert_uint_eq(module->runs, cases[_i].refused ? 0 : 1);
	ck_assert_str_eq(module_status(module), cases[_i].refused ? "IP_PREVIOUS_UPDATE_CHECK_FILE_FAILED 523\n"
	                                                          : "IP_PREVIOUS_UPDATE_SUCCESSFUL 200\n");
	if (cases[_i].refused)
		ck_assert_str_eq(module_urcs(module), START UPDATING(0) END(523));
	if (cases[_i].said)
		ck_assert_ptr_nonnull(strstr(module_text(module, LAST_LOG), cases[_i].said));
	else
		ck_assert_ptr_null(strstr(module_text(module, LAST_LOG), "rollback index"));
	ck_assert(!module_has(module, PACKAGE_PATH));
	ck_assert(!module_is_armed(module));
	/* Looked at, and left as it was. */
	ck_assert(has_step(MOUNT));
	ck_assert(!module->system_mounted);
	ck_assert_str_eq(module_text(module, "/system_volume/bin/app"), "the app");
	ck_assert_str_eq(module_text(module, INDEX_PATH), cases[_i].module ? cases[_i].module : "");
}
END_TEST

/* What is no index in a package makes a package of it that nobody made. */
START_TEST(test_malformed)
{
	module_put_indexed(module, PACKAGE_PATH, "ui_print(\"x\");", "seven");
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert_uint_eq(module->runs, 0);
	ck_assert_str_eq(module_status(module), "IP_PREVIOUS_UPDATE_CHECK_FILE_FAILED 504\n");
}
END_TEST

/* Where there is no system any more an upgrade may bring one. */
START_TEST(test_no_mount)
{
	module_put_indexed(module, PACKAGE_PATH, "ui_print(\"x\");", "6");
	module_put(module, INDEX_PATH, "7");
	module->mount_error = -EUCLEAN;
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert_uint_eq(module->runs, 1);
	ck_assert_ptr_nonnull(strstr(module_text(module, LAST_LOG), "no rollback index to compare with: mount of "));
}
END_TEST

START_TEST(test_unreadable)
{
	module_put_indexed(module, PACKAGE_PATH, "ui_print(\"x\");", "6");
	module_put(module, INDEX_PATH, "7");
	module->no_open = "/system/etc/quectel-rollback-index";
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert_uint_eq(module->runs, 1);
	ck_assert_ptr_nonnull(strstr(module_text(module, LAST_LOG), "counts as 0: /system/etc/quectel-rollback-index"));
}
END_TEST

/* The updater could write nothing there: another attempt may. */
START_TEST(test_no_unmount)
{
	module_put_indexed(module, PACKAGE_PATH, "ui_print(\"x\");", "7");
	module->unmount_error = -EBUSY;
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert_uint_eq(module->runs, 0);
	ck_assert(module_is_armed(module));
	ck_assert(module_has(module, PACKAGE_PATH));
	ck_assert_int_eq(module_attempts(module).last_code, RESULT_ABNORMAL);
}
END_TEST

/* A system that init has mounted stays so. */
START_TEST(test_mounted)
{
	module->system_mounted = true;
	module_put(module, "/system/etc/quectel-rollback-index", "7");
	module_put_indexed(module, PACKAGE_PATH, "ui_print(\"x\");", "6");
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert_str_eq(module_status(module), "IP_PREVIOUS_UPDATE_CHECK_FILE_FAILED 523\n");
	ck_assert(module->system_mounted);
	ck_assert(!has_step(MOUNT));
}
END_TEST

TCase *rollback_tests(void)
{
	TCase *tests = tcase_create("rollback");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, test_cases, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tests, test_malformed);
	tcase_add_test(tests, test_no_mount);
	tcase_add_test(tests, test_unreadable);
	tcase_add_test(tests, test_no_unmount);
	tcase_add_test(tests, test_mounted);
	return tests;
}
