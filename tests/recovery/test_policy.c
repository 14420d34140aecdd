/* SPDX-License-Identifier: Apache-2.0 */
/* How upgrades end: success, failure at once, failure after five attempts. */
#include "module.h"
#include "recovery/internal.h"
#include "suites.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SCRIPT "ui_print(\"x\");"

static const char *const standard[] = {MISC_DEFAULT_ARGUMENT, NULL};
static struct module *module;

static void setup(void)
{
	module = module_new();
	module_put_package(module, PACKAGE_PATH, SCRIPT, NULL);
	module_arm(module, standard);
}

static void teardown(void)
{
	module_free(module);
}

static void check_over(const char *status)
{
	ck_assert(!module_is_armed(module));
	ck_assert_uint_eq(module_attempts(module).begun, 0);
	ck_assert(!module_has(module, PACKAGE_PATH));
	ck_assert(!module_has(module, COMMAND_PATH));
	ck_assert(!module_has(module, PERCENT_PATH));
	ck_assert_str_eq(module_status(module), status);
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_IDLE);
}

static void check_retry(unsigned begun, int code)
{
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert(module_is_armed(module));
	ck_assert_uint_eq(module_attempts(module).begun, begun);
	ck_assert_int_eq(module_attempts(module).last_code, code);
	ck_assert(module_has(module, PACKAGE_PATH));
	ck_assert_ptr_null(strstr(module_urcs(module), "END"));
	ck_assert_str_eq(module_status(module), "IP_PREVIOUS_UPDATE_IN_PROGRESS 0\n");
}

START_TEST(test_success)
{
	static const char *const lines[] = {"progress 0.5 0", "ui_print hello",   "set_progress 0.5",
	                                    "progress 0.5 0", "set_progress 1.0", NULL};

	module->lines = lines;
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert_str_eq(module_urcs(module), START UPDATING(0) UPDATING(3) UPDATING(5) UPDATING(28) UPDATING(52)
	                                              UPDATING(99) UPDATING(100) END(0));
	ck_assert_uint_eq(module->runs, 1);
	ck_assert(!module->retry);
	ck_assert_str_eq(module->package, PACKAGE_PATH);
	ck_assert(module->armed_when_run);
	ck_assert_ptr_nonnull(strstr(module_text(module, "/cache/recovery/last_log"), "hello\n"));
	ck_assert_str_eq(module_text(module, "/cache/recovery/last_install"), PACKAGE_PATH "\n1\n");
	check_over("IP_PREVIOUS_UPDATE_SUCCESSFUL 200\n");
}
END_TEST

/* Effects, their sync, the journal, result file, logs, END, package, flag. */
START_TEST(test_success_order)
{
	unsigned effect;
	unsigned synced;
	unsigned status;
	unsigned last_log;
	unsigned package;
	unsigned flag;
	const char *end;

	module_put(module, COMMAND_PATH, MISC_DEFAULT_ARGUMENT "\n");
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	effect = module_step(module, "effect " EFFECT_PATH);
	synced = module_step(module, "sync all");
	status = module_step(module, "rename to " STATUS_PATH);
	last_log = module_step(module, "rename to /cache/recovery/last_install");
	package = module_step(module, "unlink " PACKAGE_PATH);
	flag = module_step(module, "write /dev/misc 0");
	ck_assert_uint_lt(effect, synced);
	ck_assert_uint_lt(synced, status);
	ck_assert_uint_lt(status, last_log);
	ck_assert_uint_lt(last_log, package);
	ck_assert_uint_lt(package, module_step(module, "unlink " COMMAND_PATH));
	ck_assert_uint_lt(module_step(module, "unlink " COMMAND_PATH), flag);
	end = strstr(module_text(module, "/channel"), "\"END\"");
	ck_assert_ptr_nonnull(end);
	/* END is told between the logs and the flag. */
	ck_assert_uint_lt(module->steps[last_log].channel_bytes, strlen(module_text(module, "/channel")));
	ck_assert_uint_eq(module->steps[package].channel_bytes, strlen(module_text(module, "/channel")));
}
END_TEST

START_TEST(test_count_comes_first)
{
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	for (unsigned i = 0; i < module->step_count; i++) {
		if (strcmp(module->steps[i].text, "write /dev/misc 5120") == 0) { /* behind the record of the arming */
			ck_assert_uint_eq(module->steps[i].channel_bytes, 0);     /* before START */
			ck_assert_uint_lt(i, module_step(module, "effect " EFFECT_PATH));
			return;
		}
	}
	ck_abort_msg("the attempt was not counted");
}
END_TEST

START_TEST(test_five_failures)
{
	static const char *const lines[] = {"progress 1 0", "set_progress 0.2",
	                                    "log cause: /system/bin/app has unexpected contents", "log error: 510",
	                                    NULL};

	module->lines = lines;
	module->end.status = 7;
	for (unsigned i = 1; i <= 4; i++) {
		check_retry(i, 510);
		ck_assert_int_eq(module->retry, i > 1);
		ck_assert_ptr_nonnull(strstr(module_text(module, "/cache/recovery/last_log"), "unexpected contents"));
	}
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert_uint_eq(module->runs, 5);
	ck_assert_str_eq(module_urcs(module),
	                 START UPDATING(0) UPDATING(3) UPDATING(5) UPDATING(23) START UPDATING(23) START UPDATING(23)
	                         START UPDATING(23) START UPDATING(23) END(510));
	ck_assert_ptr_nonnull(strstr(module_text(module, "/cache/recovery/last_install"), "error: 510\ncause: "));
	ck_assert_ptr_nonnull(strstr(module_text(module, "/cache/recovery/last_install"), "/system/bin/app"));
	check_over("IP_PREVIOUS_UPDATE_CHECK_FILE_FAILED 510\n");
}
END_TEST

START_TEST(test_failure_then_success)
{
	module->end = (struct recovery_child){.exited = false, .status = 11};
	check_retry(1, 502);
	module->end = (struct recovery_child){.exited = true, .status = 0};
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert(module->retry);
	ck_assert_ptr_nonnull(strstr(module_urcs(module), UPDATING(100) END(0)));
	check_over("IP_PREVIOUS_UPDATE_SUCCESSFUL 200\n");
}
END_TEST

/* What each way to end means, and whether it is worth another attempt. */
START_TEST(test_endings)
{
	static const char *const says_511[] = {"log error: 511", NULL};
	static const char *const says_nonsense[] = {"log error: 0", "log error: -5", "log error: 100000",
	                                            "log error: x", "log error",     NULL};
	static const struct {
		struct recovery_child end;
		const char *const *lines;
		int start_error;
		int code;
		bool again;
	} cases[] = {
		{{true, 7}, says_511, 0, 511, true},      {{true, 7}, NULL, 0, 510, true},
		{{true, 7}, says_nonsense, 0, 510, true}, {{true, 6}, NULL, 0, 504, false},
		{{true, 5}, NULL, 0, 504, false},         {{true, 4}, NULL, 0, 504, false},
		{{true, 3}, NULL, 0, 501, false},         {{true, 2}, NULL, 0, 502, true},
		{{true, 1}, NULL, 0, 502, true},          {{true, 127}, NULL, 0, 502, true},
		{{true, 255}, says_511, 0, 502, true},    {{false, 9}, NULL, 0, 502, true},
		{{true, 0}, NULL, -ENOENT, 502, true},
	};
	char end[64];

	module->end = cases[_i].end;
	module->lines = cases[_i].lines;
	module->start_error = cases[_i].start_error;
	if (cases[_i].again) {
		check_retry(1, cases[_i].code);
		return;
	}
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	(void)snprintf(end, sizeof(end), "\"END\",%d\n", cases[_i].code);
	ck_assert_ptr_nonnull(strstr(module_urcs(module), end));
	ck_assert_uint_eq(module->runs, 1);
	(void)snprintf(end, sizeof(end), "IP_PREVIOUS_UPDATE_CHECK_FILE_FAILED %d\n", cases[_i].code);
	check_over(end);
}
END_TEST

static void check_refused(const char *end, const char *status)
{
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert_uint_eq(module->runs, 0);
	ck_assert_ptr_nonnull(strstr(module_urcs(module), end));
	ck_assert(!module_has(module, EFFECT_PATH));
	check_over(status);
}

START_TEST(test_no_archive)
{
	module_put(module, PACKAGE_PATH, "this is no archive");
	check_refused(END(504), "IP_PREVIOUS_UPDATE_CHECK_FILE_FAILED 504\n");
}
END_TEST

START_TEST(test_no_script)
{
	module_put_package(module, PACKAGE_PATH, NULL, NULL);
	check_refused(END(504), "IP_PREVIOUS_UPDATE_CHECK_FILE_FAILED 504\n");
}
END_TEST

START_TEST(test_wrong_md5)
{
	module_put_package(module, PACKAGE_PATH, SCRIPT, "00000000000000000000000000000000  system/file\n");
	check_refused(END(503), "IP_PREVIOUS_UPDATE_CHECK_FILE_FAILED 503\n");
}
END_TEST

START_TEST(test_no_package)
{
	struct storage *storage = module_storage(module);

	ck_assert_int_eq(storage_remove(storage, PACKAGE_PATH, NULL), 0);
	storage_close(storage);
	check_refused(END(501), "IP_PREVIOUS_UPDATE_CHECK_FILE_FAILED 501\n");
}
END_TEST

/* ---- What the journal says about boots before this one ---- */

static void begin_attempts(unsigned count, unsigned progress)
{
	struct storage *storage = module_storage(module);
	struct recovery_config config = {.storage = storage};
	struct boot boot = {.config = &config, .request = {.package = PACKAGE_PATH}};
	uint32_t upgrade = attempt_fingerprint(&boot);
	struct misc_message armed = module_message(module);
	struct misc *misc;

	ck_assert_uint_ne(upgrade, 0);
	ck_assert_int_eq(misc_open(storage, "misc", &misc, NULL), 0);
	for (unsigned i = 0; i < count; i++)
		ck_assert_int_eq(misc_attempt_begin(misc, &armed, upgrade, progress, NULL), 0);
	misc_close(misc);
	storage_close(storage);
}

/* Boots that never came to their end, none further than the one before: something that looks like power cuts. */
START_TEST(test_stalled)
{
	begin_attempts(RECOVERY_STALLS_MAX, 30);
	module_put(module, PERCENT_PATH, "30 0\n");
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert_uint_eq(module->runs, 0);
	ck_assert_str_eq(module_urcs(module), START END(502));
	check_over("IP_PREVIOUS_UPDATE_CHECK_FILE_FAILED 502\n");
}
END_TEST

/* Fewer, or one that got further than any before it: power cuts are not held against the upgrade. */
START_TEST(test_power_cuts_forgiven)
{
	begin_attempts(_i ? RECOVERY_STALLS_MAX : RECOVERY_STALLS_MAX - 1, 30);
	module_put(module, PERCENT_PATH, _i ? "31 0\n" : "30 0\n");
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert_uint_eq(module->runs, 1);
	ck_assert_ptr_nonnull(strstr(module_urcs(module), UPDATING(100) END(0)));
	check_over("IP_PREVIOUS_UPDATE_SUCCESSFUL 200\n");
}
END_TEST

/* The status file says whether the module may hold parts of both versions, and why. */
START_TEST(test_failure_told)
{
	static const char *const lines[] = {"log cause: /system/x: expected a, found b", "log error: 510", NULL};

	module->lines = lines;
	module->end.status = 7;
	for (unsigned begun = 1; begun < RECOVERY_ATTEMPTS_MAX; begun++)
		check_retry(begun, 510);
	if (_i)
		module_put(module, "/cache/recovery/finished", "made before the first change");
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert_ptr_nonnull(strstr(module_text(module, STATUS_PATH),
	                             _i ? "\nsystem: may hold parts of both versions\n" : "\nsystem: unchanged\n"));
	ck_assert_ptr_nonnull(strstr(module_text(module, STATUS_PATH), "cause: Error in " PACKAGE_PATH));
	ck_assert_ptr_nonnull(strstr(module_text(module, STATUS_PATH), "/system/x: expected a, found b\n"));
	ck_assert_ptr_nonnull(strstr(module_text(module, "/cache/recovery/last_log"), "/system/x: expected a"));
}
END_TEST

/* A percentage that an earlier upgrade left behind is no progress of this one. */
START_TEST(test_stale_percentage)
{
	module_put(module, PERCENT_PATH, "77\n");
	module->end.status = 1;
	check_retry(1, 502);
	ck_assert_str_eq(module_urcs(module), START UPDATING(0) UPDATING(3) UPDATING(5));
}
END_TEST

/* The flag is armed by something that knows no journal: what an earlier upgrade left there does not count. */
START_TEST(test_foreign_arming)
{
	struct misc_message message = module_message(module);

	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	module_put_package(module, PACKAGE_PATH, SCRIPT, NULL);
	module_set_message(module, &message);
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert_uint_eq(module->runs, 2);
	ck_assert(!module->retry);
}
END_TEST

/* Without misc nothing can be counted: one attempt, asked for by the command file. */
START_TEST(test_no_misc)
{
	module->no_misc = true;
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_IDLE);
	module_put(module, COMMAND_PATH, MISC_DEFAULT_ARGUMENT "\n");
	module->end.status = _i ? 7 : 0;
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
	ck_assert_uint_eq(module->runs, 1);
	ck_assert_ptr_nonnull(strstr(module_urcs(module), _i ? END(510) : END(0)));
	ck_assert_int_eq(module_boot(module, NULL), RECOVERY_IDLE);
}
END_TEST

/* A long step fills by itself, and when nothing moves the last percentage is repeated. */
START_TEST(test_time_passes)
{
	static const char *const lines[] = {"progress 0.5 60", "ui_print a", "ui_print b", "ui_print c", NULL};

	module->lines = lines;
	module->ms_per_line = 30000;
	module->end.status = 1;
	check_retry(1, 502);
	ck_assert_str_eq(module_urcs(module),
	                 START UPDATING(0) UPDATING(3) UPDATING(5) UPDATING(28) UPDATING(52) UPDATING(52) UPDATING(52));
}
END_TEST

TCase *policy_tests(void)
{
	TCase *tests = tcase_create("policy");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_success);
	tcase_add_test(tests, test_success_order);
	tcase_add_test(tests, test_count_comes_first);
	tcase_add_test(tests, test_five_failures);
	tcase_add_test(tests, test_failure_then_success);
	tcase_add_loop_test(tests, test_endings, 0, 13);
	tcase_add_test(tests, test_no_archive);
	tcase_add_test(tests, test_no_script);
	tcase_add_test(tests, test_wrong_md5);
	tcase_add_test(tests, test_no_package);
	tcase_add_test(tests, test_stalled);
	tcase_add_loop_test(tests, test_power_cuts_forgiven, 0, 2);
	tcase_add_loop_test(tests, test_failure_told, 0, 2);
	tcase_add_test(tests, test_stale_percentage);
	tcase_add_test(tests, test_foreign_arming);
	tcase_add_loop_test(tests, test_no_misc, 0, 2);
	tcase_add_test(tests, test_time_passes);
	return tests;
}
