/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/script/harness.h"

/* Where the mark of a soft failure goes. */
struct row {
	const char *script;
	const char *value; /* NULL: aborted at the column, with the message */
	unsigned column;
	const char *message;
};

#define SOFT "soft failed"

static const struct row discarded[] = {
	{"soft()", NULL, 1, SOFT},
	{"soft(); a", NULL, 1, SOFT},
	{"a; soft(); b", NULL, 4, SOFT},
	{"soft(text); a", NULL, 1, SOFT},
	{"(soft())", NULL, 2, SOFT},
	{"((a; soft())); b", NULL, 6, SOFT},
	{"soft(\"\", first); soft(\"\", second)", NULL, 1, "first"},
	{"a; (b; soft());", NULL, 8, SOFT},
	{"if a then soft() endif", NULL, 11, SOFT},
	{"if a then b; soft() else c endif; d", NULL, 14, SOFT},
	{"if \"\" then b else soft() endif", NULL, 19, SOFT},
	{"if soft() then a endif", NULL, 4, SOFT}, /* the value of the condition is the value */
	{"ifelse(soft(), a)", NULL, 8, SOFT},
	{"ifelse(a, soft())", NULL, 11, SOFT},
	{"ifelse(a, soft(), b)", NULL, 11, SOFT},
	{"ifelse(\"\", a, soft()); b", NULL, 15, SOFT},
	{"if soft() then a else soft(\"\", other) endif", NULL, 23, "other"},
	{"soft() && a", NULL, 1, SOFT},
	{"a && soft()", NULL, 6, SOFT},
	{"a && soft() && b", NULL, 6, SOFT},
	{"\"\" || soft()", NULL, 7, SOFT},
	{"soft() || soft(\"\", other)", NULL, 11, "other"},
	{"soft(true) || a", NULL, 1, SOFT}, /* a true one is returned, not looked at */
	{"soft(true) && soft()", NULL, 15, SOFT},
	{"concat(a; soft(); b)", NULL, 11, SOFT},
	{"trace(soft(); a)", NULL, 7, SOFT},
	{"late(a)", NULL, 1, "late failed"},
	{"late(soft())", NULL, 1, "late failed"},
	{"!soft(); soft()", NULL, 10, SOFT},
	{"soft(\"\", \"two\\nlines %d\")", NULL, 1, "two lines %d"},
};

static const struct row looked_at[] = {
	{"!soft()", "t", 0, NULL},
	{"!!soft()", "", 0, NULL},
	{"!(a; soft())", "t", 0, NULL},
	{"soft() == \"\"", "t", 0, NULL},
	{"a != soft()", "t", 0, NULL},
	{"soft() + a", "a", 0, NULL},
	{"a + soft(b) + c", "abc", 0, NULL},
	{"soft() || a", "a", 0, NULL},
	{"soft() || soft() || a", "a", 0, NULL},
	{"(soft() && b) || a", "a", 0, NULL},
	{"a && soft() || b", "b", 0, NULL},
	{"soft() || \"\"", "", 0, NULL},
	{"soft(true) && a", "a", 0, NULL},
	{"if soft() then a else b endif", "b", 0, NULL},
	{"if soft(true) then a endif", "a", 0, NULL},
	{"if !soft() then a endif", "a", 0, NULL},
	{"ifelse(soft(), a, b)", "b", 0, NULL},
	{"(if a then soft() endif) || b", "b", 0, NULL},
	{"ifelse(soft(), a) || b", "b", 0, NULL},
	{"concat(soft(), a)", "a", 0, NULL},
	{"concat(soft())", "", 0, NULL},
	{"stdout(soft())", "", 0, NULL},
	{"kind(soft())", "text", 0, NULL},
	{"trace(soft(x))", "x", 0, NULL},
	{"late(a) || b", "b", 0, NULL},
	{"is_substring(soft(), a); b", "b", 0, NULL},
	/* Looked at and then aborted by the script. */
	{"assert(soft())", NULL, 1, "assert failed: soft()"},
	{"soft() || abort(\"no mount\")", NULL, 11, "no mount"},
	{"abort(soft(x))", NULL, 1, "x"},
	/* A call knows whether something else than abort() is tried when it is false. */
	{"choice()", "last", 0, NULL},
	{"choice() || a", "a", 0, NULL},
	{"choice() || choice() || a", "a", 0, NULL},
	{"choice() || choice()", "last", 0, NULL},
	{"choice() || abort(a)", "last", 0, NULL},
	{"choice() || choice() || abort(a)", "last", 0, NULL},
	{"choice(\"\" || a) || b", "b", 0, NULL},
	{"trace(choice()) || a", "last", 0, NULL},
	{"choice() && a", "a", 0, NULL},
	/* A plain "" is nobody's failure. */
	{"\"\"; a == b; concat(); assert(a); !b", "", 0, NULL},
};

static void check_row(const struct row *row, int code)
{
	struct outcome outcome = harness_run_text(row->script);

	ck_assert_msg(outcome.parsed == 0, "%s: %s", row->script, outcome.findings);
	ck_assert_msg((outcome.rc == 0) == (row->value != NULL), "%s: %s", row->script, outcome.error.message);
	if (row->value) {
		ck_assert_str_eq(outcome.text, row->value);
		ck_assert(!outcome.marked);
		return;
	}
	ck_assert_str_eq(outcome.error.message, row->message);
	ck_assert_msg(outcome.where.line == 1 && outcome.where.column == row->column, "%s: at %u:%u", row->script,
	              outcome.where.line, outcome.where.column);
	if (code >= 0)
		ck_assert_int_eq(outcome.error.code, code);
}

START_TEST(a_discarded_failure_aborts)
{
	const struct row *row = &discarded[_i];

	check_row(row, row->message[0] == 'l' ? FAIL_CODE : SOFT_CODE); /* late()'s is the other code */
}
END_TEST

START_TEST(a_look_drops_the_mark)
{
	check_row(&looked_at[_i], 0);
}
END_TEST

START_TEST(the_rest_does_not_run)
{
	struct outcome outcome = harness_run_text("trace(a); soft(); trace(b)");

	ck_assert_int_lt(outcome.rc, 0);
	ck_assert_str_eq(outcome.trace, "a");
}
END_TEST

Suite *suite_soft(void)
{
	Suite *suite = suite_create("script soft failures");
	TCase *tests = tcase_create("soft failures");

	tcase_add_loop_test(tests, a_discarded_failure_aborts, 0, (int)(sizeof(discarded) / sizeof(discarded[0])));
	tcase_add_loop_test(tests, a_look_drops_the_mark, 0, (int)(sizeof(looked_at) / sizeof(looked_at[0])));
	tcase_add_test(tests, the_rest_does_not_run);
	suite_add_tcase(suite, tests);
	return suite;
}
