/* SPDX-License-Identifier: Apache-2.0 */
/* What asks for an upgrade, and in which form. */
#include "module.h"
#include "recovery/arguments.h"
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCRIPT "ui_print(\"x\");"
#define OTHER  "/usrdata/cache/ufs/update.zip"

static struct module *module;

static void setup(void)
{
	module = module_new();
	module_put_package(module, PACKAGE_PATH, SCRIPT, NULL);
	module_put_package(module, OTHER, SCRIPT, NULL);
}

static void teardown(void)
{
	module_free(module);
}

static void check_upgraded(const char *package)
{
	ck_assert_uint_eq(module->runs, 1);
	ck_assert_str_eq(module->package, package);
	ck_assert_ptr_nonnull(strstr(module_urcs(module), END(0)));
	ck_assert(!module_is_armed(module));
	ck_assert(!module_has(module, package));
	ck_assert(!module_has(module, COMMAND_PATH));
}

START_TEST(test_idle)
{
	module_put(module, "/cache/recovery/log", "what happened last\n");
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_IDLE);
	ck_assert_str_eq(module_text(module, "/cache/recovery/log"), "what happened last\nnothing to do\n");
	ck_assert_uint_eq(module->runs, 0);
	ck_assert_str_eq(module_urcs(module), "");
	ck_assert(module_has(module, PACKAGE_PATH));
}
END_TEST

START_TEST(test_armed_without_arguments)
{
	struct misc_message message = {.command = "boot-recovery"};

	module_set_message(module, &message);
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	check_upgraded(PACKAGE_PATH);
}
END_TEST

/* LK erases the command before it starts recovery: armed again first, with the command file as the second source. */
START_TEST(test_lk_form)
{
	struct misc_message message = {
		.status = "OKAY", .recovery = "recovery\n--update_package=" OTHER "\n", .stage = "2/3"};

	module_set_message(module, &message);
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert(module->armed_when_run);
	ck_assert(module->command_when_run);
	check_upgraded(OTHER);
}
END_TEST

/* Armed without arguments, LK leaves nothing but its status. */
START_TEST(test_lk_form_without_arguments)
{
	struct misc_message message = {.status = "OKAY"};

	if (_i)
		(void)strcpy(message.recovery, "recovery\n");
	module_set_message(module, &message);
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert(module->armed_when_run);
	ck_assert(module->command_when_run);
	check_upgraded(PACKAGE_PATH);
	ck_assert_str_eq(module_message(module).status, "");
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_IDLE);
}
END_TEST

/* Arguments that no message can hold do not keep it from being armed: the command file has them. */
START_TEST(test_unfit_arguments)
{
	module_put(module, COMMAND_PATH, "--reason=a\rb\n--update_package=" OTHER "\n");
	module->end.status = 7;
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert(module->armed_when_run);
	ck_assert(module_is_armed(module));
	module->end.status = 0;
	module->runs = 0;
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	check_upgraded(OTHER);
}
END_TEST

START_TEST(test_lk_form_retry)
{
	struct misc_message message = {
		.status = "OKAY", .recovery = "recovery\n--update_package=" OTHER "\n", .stage = "2/3"};

	module_set_message(module, &message);
	module->end.status = 7;
	for (unsigned i = 1; i < RECOVERY_ATTEMPTS_MAX; i++) {
		ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
		ck_assert(module_is_armed(module));
		ck_assert_str_eq(module_message(module).stage, "2/3");
		module_set_message(module, &message); /* the bootloader again */
	}
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert_uint_eq(module->runs, 5);
	ck_assert_str_eq(module_message(module).recovery, "");
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_IDLE);
}
END_TEST

/* With a bootloader that leaves the message alone, arming again writes nothing. */
START_TEST(test_armed_already)
{
	static const char *const arguments[] = {"--update_package=" OTHER, NULL};

	module_arm(module, arguments);
	module->end.status = 7;
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	for (unsigned i = 0; i < module->step_count; i++)
		ck_assert_str_ne(module->steps[i].text, "write /dev/misc 0");
	ck_assert(!module_has(module, COMMAND_PATH));
}
END_TEST

START_TEST(test_command_file)
{
	module_put(module, COMMAND_PATH, "--locale=en_US\r\n\r\n--update_package=" OTHER "\r\n--unknown");
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert(module->armed_when_run);
	check_upgraded(OTHER);
}
END_TEST

/* More than the message can hold: it is armed all the same, and the file says what for. */
START_TEST(test_long_command_file)
{
	char text[4096];

	(void)snprintf(text, sizeof(text), "--update_package=" OTHER "\n--reason=%03000d\n", 7);
	module_put(module, COMMAND_PATH, text);
	module->end.status = 7;
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert(module_is_armed(module));
	module->end.status = 0;
	module->runs = 0;
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	check_upgraded(OTHER);
}
END_TEST

START_TEST(test_argv_goes_first)
{
	static const char *const message[] = {MISC_DEFAULT_ARGUMENT, NULL};
	static const char *const argv[] = {"--update_package=" OTHER, "--send_intent=hello there", NULL};

	module_arm(module, message);
	ck_assert_int_eq(module_boot(module, argv), RECOVERY_REBOOT);
	check_upgraded(OTHER);
	ck_assert(module_has(module, PACKAGE_PATH));
	ck_assert_str_eq(module_text(module, "/cache/recovery/intent"), "hello there");
}
END_TEST

START_TEST(test_cache_prefix)
{
	static const char *const argv[] = {"--update_package=CACHE:fota/p.zip", NULL};

	module_put_package(module, "/cache/fota/p.zip", SCRIPT, NULL);
	ck_assert_int_eq(module_boot(module, argv), RECOVERY_REBOOT);
	check_upgraded("/cache/fota/p.zip");
}
END_TEST

/* How many UPDATING lines a host wants; what is no such number changes nothing. */
START_TEST(test_updating_max)
{
	static const struct {
		const char *argument;
		const char *urcs;
	} cases[] = {
		{"--update_urc_max=0", START END(0)},
		{"--update_urc_max=2", START UPDATING(0) UPDATING(100) END(0)},
		{"--update_urc_max=100", START UPDATING(0) UPDATING(3) UPDATING(5) UPDATING(52) UPDATING(100) END(0)},
		{"--update_urc_max=101", START UPDATING(0) UPDATING(3) UPDATING(5) UPDATING(52) UPDATING(100) END(0)},
		{"--update_urc_max=-1", START UPDATING(0) UPDATING(3) UPDATING(5) UPDATING(52) UPDATING(100) END(0)},
		{"--update_urc_max=", START UPDATING(0) UPDATING(3) UPDATING(5) UPDATING(52) UPDATING(100) END(0)},
		{"--update_urc_max=5x", START UPDATING(0) UPDATING(3) UPDATING(5) UPDATING(52) UPDATING(100) END(0)},
	};
	static const char *const lines[] = {"progress 1 0", "set_progress 0.5", NULL};
	const char *const arguments[] = {MISC_DEFAULT_ARGUMENT, cases[_i].argument, NULL};

	module->lines = lines;
	module_arm(module, arguments);
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert_str_eq(module_urcs(module), cases[_i].urcs);
	check_upgraded(PACKAGE_PATH);
}
END_TEST

/* The limit is kept over attempts: it is armed again with the rest. */
START_TEST(test_updating_max_is_armed_again)
{
	struct misc_message message = {
		.status = "OKAY",
		.recovery = "recovery\n--update_package=" OTHER "\n--update_urc_max=0\n",
	};

	module_set_message(module, &message);
	module->end.status = 7;
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert(module_is_armed(module));
	ck_assert_ptr_nonnull(strstr(module_message(module).recovery, "\n--update_urc_max=0\n"));
	ck_assert_str_eq(module_urcs(module), START);
}
END_TEST

/* Wiping is not done, but neither does it stop an upgrade, or keep the module in recovery. */
START_TEST(test_unsupported)
{
	static const char *const both[] = {"--wipe_data", MISC_DEFAULT_ARGUMENT, NULL};
	static const char *const wipe[] = {"--wipe_data", NULL};
	static const char *const leave[] = {"--just_exit", NULL};
	static const char *const look[] = {"--show_text", NULL};

	module_arm(module, wipe);
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert(!module_is_armed(module));
	module_arm(module, leave);
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert(!module_is_armed(module));
	ck_assert_uint_eq(module->runs, 0);
	ck_assert_int_eq(module_boot(module, look), RECOVERY_IDLE);
	module_arm(module, both);
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	check_upgraded(PACKAGE_PATH);
}
END_TEST

/* A path that is no place for packages is refused like any other file, but not removed. */
START_TEST(test_no_system_file_is_removed)
{
	static const char *const paths[] = {"/system/bin/sh", "/usrdata/../system/bin/sh"};
	char argument[128];
	const char *arguments[] = {argument, NULL};

	module_put(module, "/system/bin/sh", "important");
	(void)snprintf(argument, sizeof(argument), "--update_package=%s", paths[_i]);
	module_put(module, "/usrdata/x", "");
	module_arm(module, arguments);
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert_ptr_nonnull(strstr(module_urcs(module), _i ? END(501) : END(504)));
	ck_assert_str_eq(module_text(module, "/system/bin/sh"), "important");
	ck_assert(!module_is_armed(module));
}
END_TEST

/* ---- The command file's text ---- */

START_TEST(test_split)
{
	static const struct {
		const char *text;
		unsigned count;
		const char *last;
	} cases[] = {
		{"", 0, NULL},         {"\n\n\r\n", 0, NULL},         {"a", 1, "a"},
		{"a\r\nb", 2, "b"},    {"a\n\nb\n\r\n", 2, "b"},      {"a b\n", 1, "a b"},
		{"a\rb\n", 1, "a\rb"}, {"\xff\xfe\n", 1, "\xff\xfe"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *items[MISC_ARGUMENTS_MAX];
		char *text = strdup(cases[i].text);

		ck_assert_uint_eq(arguments_split(text, items, NULL), cases[i].count);
		if (cases[i].last)
			ck_assert_str_eq(items[cases[i].count - 1], cases[i].last);
		free(text);
	}
}
END_TEST

START_TEST(test_split_limits)
{
	const char *items[MISC_ARGUMENTS_MAX];
	char *text = malloc((size_t)3 * (COMMAND_LINE_MAX + 2));
	char lines[3 * (MISC_ARGUMENTS_MAX + 5) + 1];

	memset(text, 'x', COMMAND_LINE_MAX + 1);
	memcpy(text + COMMAND_LINE_MAX + 1, "\nok\n", 5);
	ck_assert_uint_eq(arguments_split(text, items, NULL), 1); /* one byte too long */
	ck_assert_str_eq(items[0], "ok");
	memset(text, 'x', COMMAND_LINE_MAX);
	memcpy(text + COMMAND_LINE_MAX, "\nok\n", 5);
	ck_assert_uint_eq(arguments_split(text, items, NULL), 2);
	free(text);
	for (size_t i = 0; i < MISC_ARGUMENTS_MAX + 5; i++)
		memcpy(lines + 3 * i, "ab\n", 4);
	ck_assert_uint_eq(arguments_split(lines, items, NULL), MISC_ARGUMENTS_MAX);
}
END_TEST

TCase *request_tests(void)
{
	TCase *tests = tcase_create("request");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_idle);
	tcase_add_test(tests, test_armed_without_arguments);
	tcase_add_test(tests, test_lk_form);
	tcase_add_loop_test(tests, test_lk_form_without_arguments, 0, 2);
	tcase_add_test(tests, test_unfit_arguments);
	tcase_add_test(tests, test_lk_form_retry);
	tcase_add_test(tests, test_armed_already);
	tcase_add_test(tests, test_command_file);
	tcase_add_test(tests, test_long_command_file);
	tcase_add_test(tests, test_argv_goes_first);
	tcase_add_test(tests, test_cache_prefix);
	tcase_add_loop_test(tests, test_updating_max, 0, 7);
	tcase_add_test(tests, test_updating_max_is_armed_again);
	tcase_add_test(tests, test_unsupported);
	tcase_add_loop_test(tests, test_no_system_file_is_removed, 0, 2);
	tcase_add_test(tests, test_split);
	tcase_add_test(tests, test_split_limits);
	return tests;
}
