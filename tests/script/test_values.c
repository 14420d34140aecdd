/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/script/harness.h"

#include <string.h>

struct row {
	const char *script;
	const char *value;
	const char *trace; /* NULL: none */
};

static void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct outcome outcome = harness_run_text(rows[i].script);

		ck_assert_msg(outcome.parsed == 0, "%s: %s", rows[i].script, outcome.findings);
		ck_assert_msg(outcome.rc == 0, "%s: %s", rows[i].script, outcome.error.message);
		ck_assert_msg(strcmp(outcome.text, rows[i].value) == 0, "%s: got \"%s\"", rows[i].script, outcome.text);
		ck_assert_msg(!rows[i].trace || strcmp(outcome.trace, rows[i].trace) == 0, "%s: traced \"%s\"",
		              rows[i].script, outcome.trace);
		ck_assert_int_eq(outcome.blobs, 0);
		ck_assert(!outcome.marked);
	}
}

#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

START_TEST(words_and_strings)
{
	static const struct row rows[] = {
		{"a", "a", NULL},
		{"0755", "0755", NULL},
		{"da39a3ee5e6b4b0d3255bfef95601890afd80709", "da39a3ee5e6b4b0d3255bfef95601890afd80709", NULL},
		{"/dev/block/mtd:boot_1.img", "/dev/block/mtd:boot_1.img", NULL},
		{"iffy", "iffy", NULL},
		{"endif2", "endif2", NULL},
		{"thenelse", "thenelse", NULL},
		{"If", "If", NULL},
		{"\"if\"", "if", NULL},
		{"\"endif\" + \"then\"", "endifthen", NULL},
		{"\"\"", "", NULL},
		{"\"-1\"", "-1", NULL},
		{"\"a b\"", "a b", NULL},
		{"\"a\\nb\\tc\"", "a\nb\tc", NULL},
		{"\"\\\"q\\\"\"", "\"q\"", NULL},
		{"\"\\\\\"", "\\", NULL},
		{"\"\\\\n\"", "\\n", NULL},
		{"\"\\x41\\x7a\\xfF\"", "Az\xff", NULL},
		{"\"\\x414\"", "A4", NULL},
		{"\"\\x4\"", "\\x4", NULL},
		{"\"\\x\"", "\\x", NULL},
		{"\"\\x4g\"", "\\x4g", NULL},
		{"\"\\X41\"", "\\X41", NULL},
		{"\"a\\qb\"", "a\\qb", NULL},
		{"\"a\\\nb\"", "a\\\nb", NULL},
		{"\"line\nline\"", "line\nline", NULL},
		{"\"line\r\nline\"", "line\r\nline", NULL},
		{"\"# no comment\"", "# no comment", NULL},
		{"\"gr\xc3\xbc\xc3\x9f\"", "gr\xc3\xbc\xc3\x9f", NULL},
	};

	CHECK_ROWS(rows);
}
END_TEST

START_TEST(blanks_and_comments)
{
	static const struct row rows[] = {
		{" \t\n a \t\n", "a", NULL},
		{"# first\na", "a", NULL},
		{"a # after\n", "a", NULL},
		{"a # at the end of the file", "a", NULL},
		{"a #", "a", NULL},
		{"a;#;b\nc", "c", NULL},
		{"# one\r\n\"a\" +\r\n\tb;\r\n", "ab", NULL},
		{"a;\r\nb\r\n# end\r\n", "b", NULL},
		{"concat (a , b\n)", "ab", NULL},
	};

	CHECK_ROWS(rows);
}
END_TEST

START_TEST(operators)
{
	static const struct row rows[] = {
		{"a + b", "ab", NULL},
		{"a + b + c + d", "abcd", NULL},
		{"\"\" + \"\"", "", NULL},
		{"a == a", "t", NULL},
		{"a == b", "", NULL},
		{"a != b", "t", NULL},
		{"a != a", "", NULL},
		{"\"\" == \"\"", "t", NULL},
		{"\"a\" == a", "t", NULL},
		{"01 == 1", "", NULL},
		{"!a", "", NULL},
		{"!\"\"", "t", NULL},
		{"!!a", "t", NULL},
		{"!!!a", "", NULL},
		{"! ! \"\"", "", NULL},
		{"!0", "", NULL},
		{"!false", "", NULL},
		{"a && b", "b", NULL},
		{"a && \"\"", "", NULL},
		{"\"\" && a", "", NULL},
		{"a && b && c", "c", NULL},
		{"a || b", "a", NULL},
		{"\"\" || b", "b", NULL},
		{"\"\" || \"\" || c", "c", NULL},
		{"\"\" || \"\"", "", NULL},
		{"trace(a) && trace(b) && trace(c)", "c", "abc"},
		{"trace(a) && trace(\"\") && trace(c)", "", "a"},
		{"trace(a) || trace(b)", "a", "a"},
		{"trace(\"\") || trace(b) || trace(c)", "b", "b"},
		{"trace(a) == trace(b) + trace(c)", "", "abc"},
		{"kind(a && blob())", "blob", NULL},
		{"kind(\"\" || blob())", "blob", NULL},
	};

	CHECK_ROWS(rows);
}
END_TEST

START_TEST(precedence)
{
	static const struct row rows[] = {
		{"!a == \"\"", "t", NULL}, /* (!a) == "" */
		{"!(a == \"\")", "t", NULL},        {"!a == b", "", NULL},
		{"!\"\" + x", "tx", NULL},                                         /* (!"") + x */
		{"x + !\"\"", "xt", NULL},          {"a + b == ab", "t", NULL},    /* + before == */
		{"ab == a + b", "t", NULL},         {"a == b == \"\"", "t", NULL}, /* from the left: "" == "" */
		{"a == (b == \"\")", "", NULL},     {"a == a == t", "t", NULL},
		{"a != b != t", "", NULL}, /* "t" != "t" */
		{"a != (b != t)", "t", NULL},       {"a == a != \"\"", "t", NULL},
		{"a == b != c == t", "t", NULL},    /* ((a == b) != c) == t */
		{"\"\" && b == b || c", "c", NULL}, /* == before && before || */
		{"a || b && \"\"", "a", NULL},      {"(a || b) && \"\"", "", NULL},
		{"\"\" && a || b", "b", NULL},      {"\"\" && (a || b)", "", NULL},
		{"b == b && c", "c", NULL},         {"c && b == b", "t", NULL},
		{"\"\" || b == c", "", NULL},       {"a && b || c && d", "b", NULL},
		{"a; b || c", "b", NULL},           {"a || b; c", "c", NULL},
		{"a + b; c == c", "t", NULL},       {"((((a))))", "a", NULL},
	};

	CHECK_ROWS(rows);
}
END_TEST

START_TEST(sequences_and_ifs)
{
	static const struct row rows[] = {
		{"a; b; c", "c", NULL},
		{"a;", "a", NULL},
		{"a;;", "a", NULL},
		{"a;;;b;;", "b", NULL},
		{"trace(a); trace(b);; trace(c);", "c", "abc"},
		{"(a; b)", "b", NULL},
		{"(a; b;)", "b", NULL},
		{"(trace(a); \"\") || trace(c)", "c", "ac"},
		{"concat(a; b, c;)", "bc", NULL},
		{"concat(trace(a); b, trace(c))", "bc", "ac"},
		{"if a then b endif", "b", NULL},
		{"if \"\" then b endif", "", NULL},
		{"if a then b else c endif", "b", NULL},
		{"if \"\" then b else c endif", "c", NULL},
		{"if 0 then b else c endif", "b", NULL},
		{"if trace(a) then trace(b) else trace(c) endif", "b", "ab"},
		{"if !trace(a) then trace(b) else trace(c) endif", "c", "ac"},
		{"if x; \"\"; then a; b; else c; d; endif", "d", NULL},
		{"if a == a && b then c endif; d", "d", NULL},
		{"if a then if \"\" then b else c endif endif", "c", NULL},
		{"if if a then b endif then c endif", "c", NULL},
		{"if a then b endif + c", "bc", NULL},
		{"!if a then b endif", "", NULL},
		{"c + if a then b else d endif", "cb", NULL},
		{"kind(if a then blob() endif)", "blob", NULL},
	};

	CHECK_ROWS(rows);
}
END_TEST

START_TEST(builtin_functions)
{
	static const struct row rows[] = {
		{"ifelse(a, b)", "b", NULL},
		{"ifelse(\"\", b)", "", NULL},
		{"ifelse(a, b, c)", "b", NULL},
		{"ifelse(\"\", b, c)", "c", NULL},
		{"ifelse(trace(a), trace(b), trace(c))", "b", "ab"},
		{"kind(ifelse(a, blob()))", "blob", NULL},
		{"concat()", "", NULL},
		{"concat(a)", "a", NULL},
		{"concat(a, \"\", b, c)", "abc", NULL},
		{"\"concat\"(a, b)", "ab", NULL},
		{"\"con\\x63at\"(a, b)", "ab", NULL},
		{"concat(a, b, concat(c, d + e))", "abcde", NULL},
		{"assert(a)", "", NULL},
		{"assert()", "", NULL},
		{"assert(trace(a), trace(b))", "", "ab"},
		{"assert(a) || b", "b", NULL},
		{"is_substring(b, abc)", "t", NULL},
		{"is_substring(abc, b)", "", NULL},
		{"is_substring(\"\", b)", "t", NULL},
		{"is_substring(\"\", \"\")", "t", NULL},
		{"less_than_int(3, 4)", "t", NULL},
		{"less_than_int(4, 4)", "", NULL},
		{"less_than_int(10, 9)", "", NULL},
		{"less_than_int(\"-2\", 1)", "t", NULL},
		{"less_than_int(\" 2\", 010)", "t", NULL},
		{"less_than_int(0x2, 4)", "", NULL},
		{"less_than_int(\"\", 4)", "", NULL},
		{"less_than_int(3, \"\")", "", NULL},
		{"less_than_int(3x, 4)", "", NULL},
		{"less_than_int(3, \"4 \")", "", NULL},
		{"less_than_int(1443000000, 4294967296)", "t", NULL},
		{"greater_than_int(4, 3)", "t", NULL},
		{"greater_than_int(3, 3)", "", NULL},
		{"greater_than_int(x, 3)", "", NULL},
		{"greater_than_int(3, y)", "", NULL},
		{"backwards(a, b, c)", "cba", NULL},
		{"trace(a) || abort()", "a", "a"},
	};

	CHECK_ROWS(rows);
}
END_TEST

START_TEST(output_and_sleep)
{
	struct outcome outcome =
		harness_run_text("stdout(a, \"b\\n\") + sleep(2) + sleep(\"\") + sleep(3s) + sleep(\"-5\")");

	ck_assert_int_eq(outcome.rc, 0);
	ck_assert_str_eq(outcome.text, "23s-5");
	ck_assert_str_eq(outcome.output, "ab\n");
	ck_assert_uint_eq(outcome.slept, 5);
}
END_TEST

START_TEST(environment_without_hooks)
{
	static const char text[] = "stdout(a); sleep(1)";
	const struct script_environment environment = {0};
	struct script_value value;
	struct script *script;

	ck_assert_int_eq(script_parse(text, strlen(text), NULL, NULL, NULL, &script, NULL), 0);
	ck_assert_int_eq(script_run(script, &environment, &value, NULL, NULL), 0);
	ck_assert_str_eq(value.text, "1");
	script_value_clear(&value);
	script_value_clear(&value); /* zeroed: again is fine */
	script_free(script);
	script_free(NULL);
}
END_TEST

START_TEST(a_script_runs_again)
{
	static const char text[] = "soft(a) + concat(b, c)";
	const struct script_functions functions = harness_functions();
	const struct script_environment environment = {0};
	struct script_value value;
	struct script *script;

	ck_assert_int_eq(script_parse(text, strlen(text), &functions, NULL, NULL, &script, NULL), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(script_run(script, &environment, &value, NULL, NULL), 0);
		ck_assert_str_eq(value.text, "abc");
		script_value_clear(&value);
	}
	script_free(script);
}
END_TEST

START_TEST(a_blob_may_be_the_value)
{
	struct outcome outcome = harness_run_text("blob(); blob()");

	ck_assert_int_eq(outcome.rc, 0);
	ck_assert(outcome.blob);
	ck_assert_int_eq(outcome.blobs, 0);
}
END_TEST

START_TEST(builtins_are_listed)
{
	static const char *const names[] = {"ifelse", "abort", "assert",        "concat",          "is_substring",
	                                    "stdout", "sleep", "less_than_int", "greater_than_int"};
	struct script_functions builtins = script_builtins();

	ck_assert_uint_eq(builtins.count, sizeof(names) / sizeof(names[0]));
	for (size_t i = 0; i < builtins.count; i++)
		ck_assert_str_eq(builtins.list[i].name, names[i]);
}
END_TEST

Suite *suite_values(void)
{
	Suite *suite = suite_create("script values");
	TCase *tests = tcase_create("values");

	tcase_add_test(tests, words_and_strings);
	tcase_add_test(tests, blanks_and_comments);
	tcase_add_test(tests, operators);
	tcase_add_test(tests, precedence);
	tcase_add_test(tests, sequences_and_ifs);
	tcase_add_test(tests, builtin_functions);
	tcase_add_test(tests, output_and_sleep);
	tcase_add_test(tests, environment_without_hooks);
	tcase_add_test(tests, a_script_runs_again);
	tcase_add_test(tests, a_blob_may_be_the_value);
	tcase_add_test(tests, builtins_are_listed);
	suite_add_tcase(suite, tests);
	return suite;
}
