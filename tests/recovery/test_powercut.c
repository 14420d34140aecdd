/* SPDX-License-Identifier: Apache-2.0 */
/* Power goes at every durable step of every boot of an upgrade, until the upgrade is over. */
#include "module.h"
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCRIPT "ui_print(\"x\");"

static const char *const standard[] = {MISC_DEFAULT_ARGUMENT, NULL};
static const char *const lines[] = {"progress 1 0", "set_progress 0.3", "set_progress 0.6", "set_progress 1", NULL};

/* Percentages never fall, and END is always the same; returns how often END was told. */
static unsigned check_urcs(struct module *module, const char *end)
{
	static const char head[] = "+QIND: \"FOTA\",\"UPDATING\",";
	const char *text = module_urcs(module);
	unsigned ends = 0;
	int last = -1;

	for (; *text; text = strchr(text, '\n') + 1) {
		if (strncmp(text, head, strlen(head)) == 0) {
			int percent = (int)strtol(text + strlen(head), NULL, 10);

			ck_assert_int_ge(percent, last);
			ck_assert_uint_eq(ends, 0); /* once ended, no boot starts to update again */
			last = percent;
		} else if (strncmp(text, end, strlen(end)) == 0) {
			ends++;
		} else {
			ck_assert_int_eq(strncmp(text, START, strlen(START)), 0);
		}
	}
	return ends;
}

/* From the cut on the module boots normally until nothing leads into recovery. */
static void check_end(struct module *module, const char *end, const char *status)
{
	ck_assert_uint_ge(check_urcs(module, end), 1);
	ck_assert_str_eq(module_status(module), status);
	ck_assert(!module_has(module, PACKAGE_PATH));
	ck_assert(!module_has(module, COMMAND_PATH));
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_IDLE);
}

START_TEST(test_success_cut_anywhere)
{
	bool cut = true;

	for (unsigned step = 1; cut; step++) {
		struct module *module = module_new();

		module->lines = lines;
		module_put_package(module, PACKAGE_PATH, SCRIPT, NULL);
		module_arm(module, standard);
		cut = module_boot_cut(module, step);
		module_boot_to_the_end(module);
		ck_assert(module_has(module, EFFECT_PATH));
		check_end(module, END(0), "IP_PREVIOUS_UPDATE_SUCCESSFUL 200\n");
		module_free(module);
	}
}
END_TEST

START_TEST(test_refusal_cut_anywhere)
{
	bool cut = true;

	for (unsigned step = 1; cut; step++) {
		struct module *module = module_new();

		module_put_package(module, PACKAGE_PATH, SCRIPT, "00000000000000000000000000000000  system/file\n");
		module_arm(module, standard);
		cut = module_boot_cut(module, step);
		module_boot_to_the_end(module);
		ck_assert(!module_has(module, EFFECT_PATH));
		check_end(module, END(503), "IP_PREVIOUS_UPDATE_CHECK_FILE_FAILED 503\n");
		module_free(module);
	}
}
END_TEST

/*
 * A bootloader that erases the command: writing it again erases the block, so that all of the message may be lost. From
 * before that on, until END is told, the command file leads back to the upgrade.
 */
START_TEST(test_message_lost_anywhere)
{
	struct misc_message lk = {.status = "OKAY", .recovery = "recovery\n" MISC_DEFAULT_ARGUMENT "\n"};
	struct misc_message blank = {0};
	bool cut = true;

	for (unsigned step = 1; cut; step++) {
		struct module *module = module_new();

		module->lines = lines;
		module_put_package(module, PACKAGE_PATH, SCRIPT, NULL);
		module_set_message(module, &lk);
		cut = module_boot_cut(module, step);
		if (!strstr(module_urcs(module), END(0)) &&
		    (module_is_armed(module) || module_attempts(module).begun)) {
			ck_assert(module_has(module, COMMAND_PATH));
			module_set_message(module, &blank);
			ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
			check_end(module, END(0), "IP_PREVIOUS_UPDATE_SUCCESSFUL 200\n");
		}
		module_free(module);
	}
}
END_TEST

/* Without a journal the upgrade is run again after a cut, but a success is never turned into a failure. */
START_TEST(test_no_journal_cut_anywhere)
{
	bool cut = true;

	for (unsigned step = 1; cut; step++) {
		struct module *module = module_new_sized(2048);

		module->lines = lines;
		module_put_package(module, PACKAGE_PATH, SCRIPT, NULL);
		module_arm(module, standard);
		cut = module_boot_cut(module, step);
		module_boot_to_the_end(module);
		ck_assert(module_has(module, EFFECT_PATH));
		ck_assert_str_eq(module_status(module), "IP_PREVIOUS_UPDATE_SUCCESSFUL 200\n");
		ck_assert_ptr_nonnull(strstr(module_urcs(module), END(0)));
		ck_assert_ptr_null(strstr(module_urcs(module), "\"END\",5"));
		module_free(module);
	}
}
END_TEST

/* What counts the attempts then is a file, which may hold anything. */
START_TEST(test_no_journal_failures)
{
	static const char *const texts[] = {
		"", "x", "1 2 3", "1 2 3 4 5 6", "1 9 502 0 0 0 other\n", "1 99999999 1 0 0 0 x\n"};
	struct module *module = module_new_sized(2048);

	module->end = (struct recovery_child){.exited = false, .status = 11};
	module_put_package(module, PACKAGE_PATH, SCRIPT, NULL);
	module_put(module, "/cache/recovery/attempts", texts[_i]);
	module_arm(module, standard);
	for (unsigned run = 1; run <= RECOVERY_ATTEMPTS_MAX; run++) {
		ck_assert(module_is_armed(module));
		ck_assert_ptr_null(strstr(module_urcs(module), "END"));
		ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
		ck_assert_uint_eq(module->runs, run);
		ck_assert_int_eq(module->retry, run > 1);
	}
	ck_assert_ptr_nonnull(strstr(module_urcs(module), END(502)));
	ck_assert(!module_is_armed(module));
	ck_assert(!module_has(module, "/cache/recovery/attempts"));
	module_free(module);
}
END_TEST

/* Power goes in every boot, a little later each time: the module comes through all the same. */
START_TEST(test_cut_in_every_boot)
{
	struct module *module = module_new();
	unsigned boots = 0;

	module->lines = lines;
	module_put_package(module, PACKAGE_PATH, SCRIPT, NULL);
	module_arm(module, standard);
	while (module_is_armed(module)) {
		(void)module_boot_cut(module, 4 + 4 * boots);
		ck_assert_uint_lt(++boots, 60);
	}
	ck_assert_uint_gt(boots, 5);
	check_end(module, END(0), "IP_PREVIOUS_UPDATE_SUCCESSFUL 200\n");
	module_free(module);
}
END_TEST

TCase *powercut_tests(void)
{
	TCase *tests = tcase_create("powercut");

	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, test_success_cut_anywhere);
	tcase_add_loop_test(tests, test_no_journal_failures, 0, 6);
	tcase_add_test(tests, test_refusal_cut_anywhere);
	tcase_add_test(tests, test_message_lost_anywhere);
	tcase_add_test(tests, test_no_journal_cut_anywhere);
	tcase_add_test(tests, test_cut_in_every_boot);
	return tests;
}
