/* SPDX-License-Identifier: Apache-2.0 */
/* Endings in surroundings that do not help: journals of other upgrades, full and read-only volumes. */
#include "module.h"
#include "suites.h"

#include <stdio.h>
#include <string.h>

#define SCRIPT       "ui_print(\"x\");"
#define OTHER_SCRIPT "ui_print(\"another\");"
#define WRONG_MD5    "00000000000000000000000000000000  system/file\n"

static const char *const standard[] = {MISC_DEFAULT_ARGUMENT, NULL};

/* ---- An ending is cut, and a tool that knows no journal sets the flag for another package ---- */

/* A module whose next boot ends the upgrade: with success, refusal, or the fifth failure. */
static struct module *module_before_end(int how)
{
	struct module *module = module_new();

	module_put_package(module, PACKAGE_PATH, SCRIPT, how == 1 ? WRONG_MD5 : NULL);
	module_arm(module, standard);
	if (how == 2) {
		module->end.status = 7;
		for (int i = 1; i < RECOVERY_ATTEMPTS_MAX; i++)
			ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	}
	return module;
}

static void check_runs_anew(struct module *module)
{
	struct misc_message message = {.command = "boot-recovery", .recovery = "recovery\n" MISC_DEFAULT_ARGUMENT "\n"};
	const char *urcs;

	if (module_has(module, EFFECT_PATH))
		module_put(module, EFFECT_PATH, "");
	module_put(module, "/channel", "");
	module_put_package(module, PACKAGE_PATH, OTHER_SCRIPT, NULL);
	module_set_message(module, &message);
	module->end.status = 0;
	module->runs = 0;
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert_uint_eq(module->runs, 1);
	ck_assert(!module->retry);
	ck_assert_str_eq(module_text(module, EFFECT_PATH), "done");
	urcs = module_urcs(module);
	ck_assert_ptr_nonnull(strstr(urcs, START UPDATING(0)));
	ck_assert_ptr_nonnull(strstr(urcs, UPDATING(100) END(0)));
	ck_assert(!module_is_armed(module));
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_IDLE);
}

START_TEST(test_another_upgrade)
{
	bool cut = true;
	unsigned stale = 0;

	for (unsigned step = 1; cut; step++) {
		struct module *module = module_before_end(_i);

		cut = module_boot_cut(module, step);
		if (!module_is_armed(module)) {
			stale += module_attempts(module).begun > 0;
			check_runs_anew(module);
		}
		module_free(module);
	}
	ck_assert_uint_gt(stale, 0); /* there is such a moment */
}
END_TEST

/* The same package, armed anew by such a tool while its first attempts still count: they go on counting. */
START_TEST(test_same_upgrade)
{
	struct module *module = module_before_end(2);
	struct misc_message message = module_message(module);
	struct misc_message blank = {0};

	module_set_message(module, &blank);
	module_set_message(module, &message);
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert(module->retry);
	ck_assert_ptr_nonnull(strstr(module_urcs(module), END(510)));
	ck_assert(!module_is_armed(module));
	module_free(module);
}
END_TEST

/* Attempts that came before the package could be read are not forgotten when it can be, and the other way round. */
START_TEST(test_unreadable_at_times)
{
	struct module *module = module_new();
	unsigned boots = 0;

	module->end.status = 7;
	module_put_package(module, PACKAGE_PATH, SCRIPT, NULL);
	module_arm(module, standard);
	while (module_is_armed(module)) {
		module->no_open = boots % 2 == 0 ? PACKAGE_PATH : NULL;
		ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
		ck_assert_uint_lt(++boots, 8);
	}
	ck_assert_uint_ge(boots, RECOVERY_ATTEMPTS_MAX);
	ck_assert(!module_has(module, PACKAGE_PATH));
	module_free(module);
}
END_TEST

/* ---- Volumes ---- */

/* No room for anything until the package is gone: the result is there in the end. */
START_TEST(test_full_volume)
{
	static const char *const lines[] = {"log cause: no room for the backup", "log error: 511", NULL};
	struct module *module = module_before_end(2);

	module->lines = lines;
	module->full_beside = PACKAGE_PATH;
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert(!module_is_armed(module));
	ck_assert(!module_has(module, PACKAGE_PATH));
	ck_assert_ptr_nonnull(strstr(module_urcs(module), END(511)));
	ck_assert_str_eq(module_status(module), "IP_PREVIOUS_UPDATE_CHECK_FILE_FAILED 511\n");
	ck_assert_ptr_nonnull(strstr(module_text(module, "/cache/recovery/last_install"), "no room for the backup\n"));
	module_free(module);
}
END_TEST

/* Nothing can ever be written but misc: five attempts all the same, END, and the flag is gone. */
START_TEST(test_no_volume)
{
	struct module *module = module_new();
	unsigned boots = 0;

	module->end.status = _i ? 7 : 0;
	module_put_package(module, PACKAGE_PATH, SCRIPT, NULL);
	module_arm(module, standard);
	module->full_beside = "/"; /* which never goes */
	module->no_effect = true;
	while (module_is_armed(module)) {
		ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
		ck_assert_uint_le(++boots, RECOVERY_ATTEMPTS_MAX);
	}
	ck_assert_uint_eq(module->runs, _i ? 5 : 1);
	ck_assert_ptr_nonnull(strstr(module_urcs(module), _i ? END(510) : UPDATING(100) END(0)));
	ck_assert(!module_has(module, STATUS_PATH));
	module_free(module);
}
END_TEST

TCase *trouble_tests(void)
{
	TCase *tests = tcase_create("trouble");

	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, test_another_upgrade, 0, 3);
	tcase_add_test(tests, test_same_upgrade);
	tcase_add_test(tests, test_unreadable_at_times);
	tcase_add_test(tests, test_full_volume);
	tcase_add_loop_test(tests, test_no_volume, 0, 2);
	return tests;
}
