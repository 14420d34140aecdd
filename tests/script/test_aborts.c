/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/script/harness.h"

#include <stdio.h>
#include <string.h>

struct row {
	const char *script;
	unsigned line, column;
	int code;
	const char *message;
};

static void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct outcome outcome = harness_run_text(rows[i].script);

		ck_assert_msg(outcome.parsed == 0, "%s: %s", rows[i].script, outcome.findings);
		ck_assert_msg(outcome.rc < 0, "%s: no abort", rows[i].script);
		ck_assert_str_eq(outcome.error.message, rows[i].message);
		ck_assert_msg(outcome.error.code == rows[i].code, "%s: code %d", rows[i].script, outcome.error.code);
		ck_assert_msg(outcome.where.line == rows[i].line && outcome.where.column == rows[i].column,
		              "%s: at %u:%u", rows[i].script, outcome.where.line, outcome.where.column);
		ck_assert_int_eq(outcome.blobs, 0);
	}
}

#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

START_TEST(by_the_script)
{
	static const struct row rows[] = {
		{"abort()", 1, 1, 0, "called abort()"},
		{"a;\n  abort(\"no \" + more)", 2, 3, 0, "no more"},
		{"abort(\"\")", 1, 1, 0, ""},
		{"\"\" || abort(b)", 1, 7, 0, "b"},
		{"abort(abort(inner))", 1, 7, 0, "inner"},
		{"abort(\"two\\nlines\")", 1, 1, 0, "two lines"},
		{"abort(\"100%s\")", 1, 1, 0, "100%s"},
		{"assert(\"\")", 1, 1, 0, "assert failed: \"\""},
		{"assert(a == b)", 1, 1, 0, "assert failed: a == b"},
		{"assert( a,  a  ==\tb , c)", 1, 1, 0, "assert failed: a  == b"},
		{"assert((a == b))", 1, 1, 0, "assert failed: (a == b)"},
		{"assert(!(a))", 1, 1, 0, "assert failed: !(a)"},
		{"assert(a; \"\" ; )", 1, 1, 0, "assert failed: a; \"\""},
		{"assert(if a then \"\" endif)", 1, 1, 0, "assert failed: if a then \"\" endif"},
		{"assert(concat( ))", 1, 1, 0, "assert failed: concat( )"},
		{"assert(less_than_int(4, 3) || \"x\\\"\" == y)", 1, 1, 0,
	         "assert failed: less_than_int(4, 3) || \"x\\\"\" == y"},
		{"assert(a); assert(\"\" # why\n + \"\")", 1, 12, 0, "assert failed: \"\" # why  + \"\""},
		{"assert(a, assert(b))", 1, 1, 0, "assert failed: assert(b)"}, /* success of assert is "" */
	};

	CHECK_ROWS(rows);
}
END_TEST

START_TEST(by_functions)
{
	static const struct row rows[] = {
		{"fail()", 1, 1, FAIL_CODE, "fail: no reason"},
		{"a;\r\nb;\r\n\t( fail())", 3, 4, FAIL_CODE, "fail: no reason"},
		{"concat(a,\n fail())", 2, 2, FAIL_CODE, "fail: no reason"},
		{"if fail() then a endif", 1, 4, FAIL_CODE, "fail: no reason"},
		{"if a then fail() else b endif", 1, 11, FAIL_CODE, "fail: no reason"},
		{"!fail()", 1, 2, FAIL_CODE, "fail: no reason"},
		{"a == fail() == b", 1, 6, FAIL_CODE, "fail: no reason"},
		{"a + b + fail() + c", 1, 9, FAIL_CODE, "fail: no reason"},
		{"a && fail()", 1, 6, FAIL_CODE, "fail: no reason"},
		{"fail() || a", 1, 1, FAIL_CODE, "fail: no reason"},
		{"assert(fail())", 1, 8, FAIL_CODE, "fail: no reason"},
		{"abort(fail())", 1, 7, FAIL_CODE, "fail: no reason"},
		{"sleep(fail())", 1, 7, FAIL_CODE, "fail: no reason"},
		{"stdout(a, fail())", 1, 11, FAIL_CODE, "fail: no reason"},
		{"is_substring(a, fail())", 1, 17, FAIL_CODE, "fail: no reason"},
		{"less_than_int(fail(), a)", 1, 15, FAIL_CODE, "fail: no reason"},
		{"messy()", 1, 1, FAIL_CODE, "first line"},
		{"deaf(fail()) || a", 1, 6, FAIL_CODE, "fail: no reason"},
		{"nothing()", 1, 1, 0, "nothing(): no result"},
		{"a; broken()", 1, 4, 0, "broken(): Input/output error"},
		{"trace(a, broken())", 1, 10, 0, "broken(): Input/output error"},
		{"beyond(a)", 1, 1, 0, "beyond(): there is no argument 2"},
	};

	CHECK_ROWS(rows);
}
END_TEST

START_TEST(blob_as_text)
{
	static const struct row rows[] = {
		{"concat(a, blob())", 1, 1, 0, "concat(): expecting text, argument 2 is a blob"},
		{"assert(blob())", 1, 1, 0, "assert(): expecting text, argument 1 is a blob"},
		{"abort(blob())", 1, 1, 0, "abort(): expecting text, argument 1 is a blob"},
		{"sleep(blob())", 1, 1, 0, "sleep(): expecting text, argument 1 is a blob"},
		{"is_substring(a, blob())", 1, 1, 0, "is_substring(): expecting text, argument 2 is a blob"},
		{"less_than_int(1, blob())", 1, 1, 0, "less_than_int(): expecting text, argument 2 is a blob"},
		{"ifelse(blob(), a)", 1, 1, 0, "ifelse(): expecting text, argument 1 is a blob"},
		{"\nif blob() then a endif", 2, 1, 0, "ifelse(): expecting text, argument 1 is a blob"},
		{"!blob()", 1, 2, 0, "!: expecting text, an operand is a blob"},
		{"blob() && a", 1, 1, 0, "&&: expecting text, an operand is a blob"},
		{"a && blob() && b", 1, 6, 0, "&&: expecting text, an operand is a blob"},
		{"blob() || a", 1, 1, 0, "||: expecting text, an operand is a blob"},
		{"a + blob()", 1, 5, 0, "+: expecting text, an operand is a blob"},
		{"blob() == a", 1, 1, 0, "==: expecting text, an operand is a blob"},
		{"a == blob()", 1, 6, 0, "==: expecting text, an operand is a blob"},
		{"a == a != blob()", 1, 11, 0, "!=: expecting text, an operand is a blob"},
	};

	CHECK_ROWS(rows);
}
END_TEST

START_TEST(blobs_are_released)
{
	static const char *const scripts[] = {
		"blob(); blob(); a",         "kind(blob())",   "kind(blob(); blob())",         "deaf(blob())",
		"if a then blob() endif; b", "blob(); fail()", "kind(blob()); concat(blob())", "two(blob(), blob())",
	};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		ck_assert_int_eq(harness_run_text(scripts[i]).blobs, 0);
}
END_TEST

START_TEST(nothing_runs_after_an_abort)
{
	struct outcome outcome = harness_run_text("trace(a); trace(b, fail(), trace(c)); trace(d)");

	ck_assert_int_lt(outcome.rc, 0);
	ck_assert_str_eq(outcome.trace, "ab");
}
END_TEST

START_TEST(long_messages_are_cut)
{
	char script[2048], word[2000];

	memset(word, 'x', sizeof(word));
	(void)snprintf(script, sizeof(script), "abort(%.*s)", (int)sizeof(word), word);
	ck_assert_uint_eq(strlen(harness_run_text(script).error.message), sizeof(((struct error *)0)->message) - 1);
}
END_TEST

Suite *suite_aborts(void)
{
	Suite *suite = suite_create("script aborts");
	TCase *tests = tcase_create("aborts");

	tcase_add_test(tests, by_the_script);
	tcase_add_test(tests, by_functions);
	tcase_add_test(tests, blob_as_text);
	tcase_add_test(tests, blobs_are_released);
	tcase_add_test(tests, nothing_runs_after_an_abort);
	tcase_add_test(tests, long_messages_are_cut);
	suite_add_tcase(suite, tests);
	return suite;
}
