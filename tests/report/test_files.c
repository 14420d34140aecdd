/* SPDX-License-Identifier: Apache-2.0 */
/* Status file, log, last_log, last_install. */
#include "report/report.h"
#include "suites.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct scratch scratch;

static void setup(void)
{
	scratch_open(&scratch);
}

static void teardown(void)
{
	scratch_close(&scratch);
}

START_TEST(test_status)
{
	static const struct {
		enum report_status status;
		int code;
		const char *text;
	} cases[] = {
		{REPORT_IN_PROGRESS, 0, "IP_PREVIOUS_UPDATE_IN_PROGRESS 0\n"},
		{REPORT_SUCCESSFUL, 200, "IP_PREVIOUS_UPDATE_SUCCESSFUL 200\n"},
		{REPORT_FAILED, 510, "IP_PREVIOUS_UPDATE_CHECK_FILE_FAILED 510\n"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(report_write_status(scratch.storage, "/a/b/status.txt", cases[i].status, cases[i].code,
		                                     NULL, NULL),
		                 0);
		ck_assert_str_eq(scratch_text(&scratch, "a/b/status.txt"), cases[i].text);
	}
}
END_TEST

START_TEST(test_code_texts)
{
	for (int code = -1; code < 1000; code++)
		ck_assert_uint_gt(strlen(report_code_text(code)), 0);
	ck_assert_str_eq(report_code_text(RESULT_VERIFY), "file verification failed");
	ck_assert_str_ne(report_code_text(RESULT_UNPACK), report_code_text(-7));
}
END_TEST

static void note_line(void *ctx, const char *text)
{
	(void)snprintf(ctx, 64, "%s", text);
}

START_TEST(test_log)
{
	char seen[64] = "";
	struct log also = {.line = note_line, .ctx = seen};
	struct report_log *live;
	struct log log;

	ck_assert_int_eq(report_log_open(scratch.storage, "/a/recovery", true, &also, &live, NULL), 0);
	log = report_log_io(live);
	log_printf(&log, "one %d", 1);
	ck_assert_str_eq(seen, "one 1");
	ck_assert_str_eq(scratch_text(&scratch, "a/recovery/log"), "one 1\n"); /* at once */
	report_log_close(live);
	ck_assert_int_eq(report_log_open(scratch.storage, "/a/recovery", false, NULL, &live, NULL), 0);
	log = report_log_io(live);
	log_printf(&log, "two");
	ck_assert_str_eq(scratch_text(&scratch, "a/recovery/log"), "one 1\ntwo\n");
	report_log_close(live);
	ck_assert_int_eq(report_log_open(scratch.storage, "/a/recovery", true, NULL, &live, NULL), 0);
	ck_assert_str_eq(scratch_text(&scratch, "a/recovery/log"), "");
	report_log_close(live);
}
END_TEST

START_TEST(test_log_bound)
{
	struct report_log *live;
	struct log log;
	char line[1000];
	size_t length;
	const char *text;

	memset(line, 'l', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	ck_assert_int_eq(report_log_open(scratch.storage, "/a/recovery", true, NULL, &live, NULL), 0);
	log = report_log_io(live);
	for (int i = 0; i < 700; i++)
		log_printf(&log, "%d %s", i, line);
	text = scratch_text(&scratch, "a/recovery/log");
	length = strlen(text);
	ck_assert_uint_le(length, (size_t)256 * 1024);
	ck_assert_ptr_nonnull(strstr(text, "699 lll"));
	ck_assert_ptr_nonnull(strstr(text, "were dropped"));
	report_log_close(live);
	/* And when it is opened again it still knows how long it is. */
	ck_assert_int_eq(report_log_open(scratch.storage, "/a/recovery", false, NULL, &live, NULL), 0);
	log = report_log_io(live);
	for (int i = 0; i < 260; i++)
		log_printf(&log, "again %s", line);
	ck_assert_uint_le(strlen(scratch_text(&scratch, "a/recovery/log")), (size_t)256 * 1024);
	report_log_close(live);
}
END_TEST

/* A log that someone made too long does not stay so, and a line of any length is one line. */
START_TEST(test_log_hostile)
{
	static char huge[300 * 1024];
	struct report_log *live;
	struct log log;

	memset(huge, 'h', sizeof(huge) - 1);
	ck_assert_int_eq(storage_save(scratch.storage, "/a/recovery/log", huge, sizeof(huge), 0644, NULL), 0);
	ck_assert_int_eq(report_log_open(scratch.storage, "/a/recovery", false, NULL, &live, NULL), 0);
	log = report_log_io(live);
	log.line(log.ctx, huge);
	log.line(log.ctx, "next");
	ck_assert_uint_lt(strlen(scratch_text(&scratch, "a/recovery/log")), 4096);
	ck_assert_ptr_nonnull(strstr(scratch_text(&scratch, "a/recovery/log"), "h\nnext\n"));
	ck_assert_int_eq(report_log_finish(live, "/a/p", 510, NULL, NULL), 0);
	report_log_close(live);
}
END_TEST

START_TEST(test_finish)
{
	struct report_log *live;
	struct stat stat_buffer;
	char path[256];
	char text[64];

	for (int i = 0; i < REPORT_LOGS_KEPT + 3; i++) {
		struct log log;

		ck_assert_int_eq(report_log_open(scratch.storage, "/a/recovery", true, NULL, &live, NULL), 0);
		log = report_log_io(live);
		log_printf(&log, "run %d", i);
		ck_assert_int_eq(report_log_finish(live, "/a/package.zip", 510, "it did not fit", NULL), 0);
		report_log_close(live);
	}
	ck_assert_str_eq(scratch_text(&scratch, "a/recovery/last_log"), "run 7\n");
	for (int i = 1; i <= REPORT_LOGS_KEPT; i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "a/recovery/last_log.%d", i);
		(void)snprintf(text, sizeof(text), "run %d\n", REPORT_LOGS_KEPT + 2 - i);
		ck_assert_str_eq(scratch_text(&scratch, name), text);
	}
	ck_assert_str_eq(scratch_text(&scratch, "a/recovery/last_log.6"), "");
	ck_assert_str_eq(scratch_text(&scratch, "a/recovery/last_install"),
	                 "/a/package.zip\n0\nerror: 510\ncause: it did not fit\n");
	ck_assert_int_eq(stat(scratch_path(&scratch, "a/recovery/last_log", path), &stat_buffer), 0);
	ck_assert_uint_eq(stat_buffer.st_mode & 07777, 0640);
	ck_assert_int_eq(stat(scratch_path(&scratch, "a/recovery/last_install", path), &stat_buffer), 0);
	ck_assert_uint_eq(stat_buffer.st_mode & 07777, 0644);
	ck_assert_int_eq(report_log_open(scratch.storage, "/a/recovery", false, NULL, &live, NULL), 0);
	ck_assert_int_eq(report_log_finish(live, "/a/package.zip", 0, NULL, NULL), 0);
	ck_assert_str_eq(scratch_text(&scratch, "a/recovery/last_install"), "/a/package.zip\n1\n");
	report_log_close(live);
}
END_TEST

/* Nothing was ever logged: the end of the run is written all the same. */
START_TEST(test_finish_without_log)
{
	struct report_log *live;

	ck_assert_int_eq(report_log_open(scratch.storage, "/a/recovery", true, NULL, &live, NULL), 0);
	ck_assert_int_eq(report_log_finish(live, "/a/package.zip", 502, NULL, NULL), 0);
	ck_assert_str_eq(scratch_text(&scratch, "a/recovery/last_install"), "/a/package.zip\n0\nerror: 502\ncause: \n");
	report_log_close(live);
}
END_TEST

TCase *files_tests(void)
{
	TCase *tests = tcase_create("files");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_status);
	tcase_add_test(tests, test_code_texts);
	tcase_add_test(tests, test_log);
	tcase_add_test(tests, test_log_bound);
	tcase_add_test(tests, test_log_hostile);
	tcase_add_test(tests, test_finish);
	tcase_add_test(tests, test_finish_without_log);
	return tests;
}
