/* SPDX-License-Identifier: Apache-2.0 */
/* Which rollback index a package carries. */
#include "suites.h"

#include "harness.h"

#include <stdlib.h>
#include <string.h>

#define INDEX_FILE "SYSTEM/etc/quectel-rollback-index"
#define FALLS      "warning: the rollback index falls from "

static const struct {
	const char *parts;
	const char *source; /* NULL: it has none */
	const char *target;
	const char *package; /* NULL: it carries none */
	const char *warning; /* of the log; NULL: none */
} cases[] = {
	{"a", NULL, NULL, NULL, NULL},
	{"a", NULL, "0", "0", NULL},
	{"a", "6\n", "7\n", "7\n", NULL},
	{"l", " 7 ", "7", "7", NULL},
	{"mo", "6", "7", "6", NULL},
	{"o", NULL, "7", NULL, NULL},
	{"a", "7", "6", "6", FALLS "7 to 6: modules will refuse the package"},
	{"a", "7", NULL, NULL, FALLS "7 to 0: modules will refuse the package"},
	/* Linux stays, and with it the index. */
	{"mo", "7", "6", "7", NULL},
};

static void start(struct run *run, const char *parts, const char *source, const char *target)
{
	const struct item old[] = {{INDEX_FILE, source ? S_IFREG : 0, 0644, .text = source}, ITEM_END};
	const struct item new[] = {{INDEX_FILE, target ? S_IFREG : 0, 0644, .text = target},
	                           ITEM_FILE("BOOTABLE_IMAGES/boot.img", 0644, "another kernel"),
	                           ITEM_END};

	run_start(run, parts, old, new);
}

START_TEST(test_cases)
{
	struct run run;
	size_t size;
	char *text;

	start(&run, cases[_i].parts, cases[_i].source, cases[_i].target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	ck_assert_int_eq(has_entry(&run, PACKAGE_ROLLBACK_INDEX), cases[_i].package != NULL);
	if (cases[_i].package) {
		ck_assert_int_eq(package_load(run.package, PACKAGE_ROLLBACK_INDEX, 100, &text, &size, NULL), 0);
		ck_assert_str_eq(text, cases[_i].package);
		free(text);
	}
	if (cases[_i].warning)
		ck_assert_ptr_nonnull(strstr(run.log, cases[_i].warning));
	else
		ck_assert_ptr_null(strstr(run.log, FALLS));
	run_end(&run);
}
END_TEST

START_TEST(test_malformed)
{
	struct run run;

	start(&run, "o", _i ? "1" : "seven", _i ? "seven" : "1");
	ck_assert_int_lt(run.result, 0);
	ck_assert_ptr_nonnull(strstr(run.error.message, _i ? "/target.zip: " INDEX_FILE ": the rollback index is no"
	                                                   : "/source.zip: " INDEX_FILE ": the rollback index is no"));
	run_end(&run);
}
END_TEST

START_TEST(test_no_file)
{
	static const struct item none[] = {ITEM_END};
	static const struct item link[] = {ITEM_LINK(INDEX_FILE, "elsewhere"), ITEM_END};
	static const struct item large[] = {ITEM_NOISE(INDEX_FILE, 65, 0), ITEM_END};
	struct run run;

	run_start(&run, "a", none, _i ? link : large);
	ck_assert_int_lt(run.result, 0);
	ck_assert_ptr_nonnull(strstr(run.error.message, INDEX_FILE ": no file, or one of more than 64 bytes"));
	run_end(&run);
}
END_TEST

TCase *rollback_tests(void)
{
	TCase *tests = tcase_create("rollback");

	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, test_cases, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_loop_test(tests, test_malformed, 0, 2);
	tcase_add_loop_test(tests, test_no_file, 0, 2);
	return tests;
}
