/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/outcome.h"
#include "report/report.h"
#include "scene.h"
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS "/usrdata/cache/fota/ipth_config_dfs.txt"

struct bench {
	struct scene scene;
	struct storage *storage;
	struct link_result result;
	struct error error;
};

static void bench_open(struct bench *bench)
{
	memset(bench, 0, sizeof(*bench));
	scene_open(&bench->scene);
	ck_assert_int_eq(storage_open_linux(bench->scene.root, NULL, NULL, &bench->storage, &bench->error), 0);
}

static void bench_close(struct bench *bench)
{
	storage_close(bench->storage);
	scene_close(&bench->scene);
}

static void status(struct bench *bench, enum report_status state, int code, const char *note)
{
	ck_assert_int_eq(report_write_status(bench->storage, STATUS, state, code, note, &bench->error), 0);
}

static void expect(struct bench *bench, const char *target)
{
	ck_assert_int_eq(outcome_expect(bench->storage, "A01", target, &bench->error), 0);
}

START_TEST(nothing)
{
	struct bench bench;

	bench_open(&bench);
	outcome_load(bench.storage, &bench.result);
	ck_assert_int_eq(bench.result.code, -1);
	/* Recovery was started by other means: its result is not ours. */
	status(&bench, REPORT_SUCCESSFUL, 200, NULL);
	ck_assert_int_eq(outcome_settle(bench.storage, "A02", NULL, &bench.result), 0);
	ck_assert_int_eq(bench.result.code, -1);
	bench_close(&bench);
}
END_TEST

START_TEST(kept)
{
	struct bench bench;

	bench_open(&bench);
	bench.result = (struct link_result){.code = 510, .object = "/system/bin/sh", .reason = "neither old nor new"};
	ck_assert_int_eq(outcome_save(bench.storage, &bench.result, &bench.error), 0);
	memset(&bench.result, 0, sizeof(bench.result));
	outcome_load(bench.storage, &bench.result);
	ck_assert_int_eq(bench.result.code, 510);
	ck_assert_str_eq(bench.result.object, "/system/bin/sh");
	ck_assert_str_eq(bench.result.reason, "neither old nor new");
	bench_close(&bench);
}
END_TEST

static const struct {
	const char *target;
	enum report_status state;
	int code;
	const char *note;
	const char *running;
	int result;
	const char *reason; /* part of it */
} endings[] = {
	{"A02", REPORT_SUCCESSFUL, 200, NULL, "A02", 0, ""},
	{"", REPORT_SUCCESSFUL, 200, NULL, "A01", 0, ""},
	{"A02", REPORT_SUCCESSFUL, 200, NULL, "A01", 502, "A01 runs, not A02"},
	{"A02", REPORT_FAILED, 510, "system: unchanged\ncause: /system/x: neither\n", "A01", 510, "/system/x: neither"},
	{"A02", REPORT_FAILED, 0, NULL, "A01", 502, ""},
	{"A02", REPORT_IN_PROGRESS, 0, NULL, "A01", 502, "not reported its end"},
};

START_TEST(settled)
{
	struct bench bench;
	struct link_result again;

	bench_open(&bench);
	expect(&bench, endings[_i].target);
	status(&bench, endings[_i].state, endings[_i].code, endings[_i].note);
	ck_assert_int_eq(outcome_settle(bench.storage, endings[_i].running, NULL, &bench.result), 1);
	ck_assert_int_eq(bench.result.code, endings[_i].result);
	ck_assert_msg(strstr(bench.result.reason, endings[_i].reason), "%s", bench.result.reason);
	outcome_load(bench.storage, &again);
	ck_assert_int_eq(again.code, bench.result.code);
	ck_assert_str_eq(again.reason, bench.result.reason);
	/* Once. */
	ck_assert_int_eq(outcome_settle(bench.storage, endings[_i].running, NULL, &bench.result), 0);
	bench_close(&bench);
}
END_TEST

/* The first package of two: no result, but recovery has run. */
START_TEST(part)
{
	struct bench bench;

	bench_open(&bench);
	expect(&bench, "A02");
	status(&bench, REPORT_IN_PROGRESS, 0, "part: 1 of 2 is installed\n");
	scene_put_text(&bench.scene, "/usrdata/cache/fota/next_package", "update-2.zip\n");
	ck_assert_int_eq(outcome_settle(bench.storage, "A01", NULL, &bench.result), 0);
	outcome_load(bench.storage, &bench.result);
	ck_assert_int_eq(bench.result.code, -1);
	/* The second one failed, and power went before recovery took back what it had asked for. */
	expect(&bench, "A02");
	status(&bench, REPORT_FAILED, 510, NULL);
	ck_assert_int_eq(outcome_settle(bench.storage, "A01", NULL, &bench.result), 1);
	ck_assert_int_eq(bench.result.code, 510);
	bench_close(&bench);
}
END_TEST

/* Power went between the note and the flag: an older upgrade's result is not this one's. */
START_TEST(never_begun)
{
	struct bench bench;

	bench_open(&bench);
	status(&bench, REPORT_SUCCESSFUL, 200, NULL);
	expect(&bench, "A02");
	ck_assert_int_eq(outcome_settle(bench.storage, "A01", NULL, &bench.result), 0);
	outcome_load(bench.storage, &bench.result);
	ck_assert_int_eq(bench.result.code, -1);
	expect(&bench, "A02");
	ck_assert_int_eq(outcome_expect_nothing(bench.storage, &bench.error), 0);
	ck_assert_int_eq(outcome_expect_nothing(bench.storage, &bench.error), 0);
	status(&bench, REPORT_FAILED, 510, NULL);
	ck_assert_int_eq(outcome_settle(bench.storage, "A01", NULL, &bench.result), 0);
	bench_close(&bench);
}
END_TEST

/* Recovery writes these files, but so may a power cut. */
START_TEST(nonsense)
{
	static const char *const texts[] = {"", "\n", "IP_PREVIOUS_UPDATE_CHECK_FILE_FAILED", "\xff\xff\xff", "code\n"};
	struct bench bench;

	bench_open(&bench);
	scene_put_text(&bench.scene, OUTCOME_RESULT_PATH, texts[_i]);
	outcome_load(bench.storage, &bench.result);
	ck_assert_int_eq(bench.result.code, -1);
	scene_put_text(&bench.scene, OUTCOME_ARMED_PATH, texts[_i]);
	scene_put_text(&bench.scene, STATUS, texts[_i]);
	ck_assert_int_eq(outcome_settle(bench.storage, "A01", NULL, &bench.result), 1);
	ck_assert_int_eq(bench.result.code, 502);
	bench_close(&bench);
}
END_TEST

Suite *suite_outcome(void)
{
	Suite *suite = suite_create("outcome");
	TCase *tests = tcase_create("outcome");

	tcase_add_test(tests, nothing);
	tcase_add_test(tests, kept);
	tcase_add_loop_test(tests, settled, 0, sizeof(endings) / sizeof(endings[0]));
	tcase_add_test(tests, part);
	tcase_add_test(tests, never_begun);
	tcase_add_loop_test(tests, nonsense, 0, 5);
	suite_add_tcase(suite, tests);
	return suite;
}
