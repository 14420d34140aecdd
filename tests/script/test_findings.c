/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/script/harness.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct row {
	const char *script;
	const char *findings; /* all of them, a line each */
};

static void check_findings(const char *script, size_t length, const char *findings)
{
	struct outcome outcome = harness_run(script, length);
	size_t first = strcspn(findings, "\n");

	ck_assert_msg(outcome.parsed == -EINVAL, "%s: parsed", script);
	ck_assert_msg(strcmp(outcome.findings, findings) == 0, "%s:\nexpected %sgot      %s", script, findings,
	              outcome.findings);
	ck_assert_int_eq(outcome.error.code, RESULT_FORMAT);
	ck_assert_uint_eq(strlen(outcome.error.message), first);
	ck_assert(memcmp(outcome.error.message, findings, first) == 0);
}

#define CHECK_ROWS(rows)                                                                                               \
	do {                                                                                                           \
		for (size_t i = 0; i < sizeof(rows) / sizeof((rows)[0]); i++)                                          \
			check_findings((rows)[i].script, strlen((rows)[i].script), (rows)[i].findings);                \
	} while (0)

START_TEST(syntax)
{
	static const struct row rows[] = {
		{"", "1:1: the script is empty\n"},
		{" \n# nothing\n", "1:1: the script is empty\n"},
		{";", "1:1: unexpected \";\"\n"},
		{";a", "1:1: unexpected \";\"\n"},
		{"a)", "1:2: unexpected \")\"\n"},
		{"a b", "1:3: unexpected \"b\"\n"},
		{"a \"b c\"", "1:3: unexpected string \"b c\"\n"},
		{"\"a\"\n  + ;", "2:5: unexpected \";\"\n"},
		{"a +", "1:4: unexpected end of the script\n"},
		{"a == == b", "1:6: unexpected \"==\"\n"},
		{"!", "1:2: unexpected end of the script\n"},
		{"a ! b", "1:3: unexpected \"!\"\n"},
		{"()", "1:2: unexpected \")\"\n"},
		{"(;)", "1:2: unexpected \";\"\n"},
		{"(a", "1:3: unexpected end of the script, the \"(\" at 1:1 is not closed\n"},
		{"\n concat(a,\nb;", "3:3: unexpected end of the script, the \"(\" at 2:8 is not closed\n"},
		{"concat(a,)", "1:10: unexpected \")\"\n"},
		{"concat(,a)", "1:8: unexpected \",\"\n"},
		{"concat(a,,b)", "1:10: unexpected \",\"\n"},
		{"concat(a b)", "1:10: unexpected \"b\"\n"},
		{"a, b", "1:2: unexpected \",\"\n"},
		{"if a b endif", "1:6: unexpected \"b\"\n"},
		{"if a endif", "1:6: unexpected \"endif\"\n"},
		{"if a else b endif", "1:6: unexpected \"else\"\n"},
		{"if then b endif", "1:4: unexpected \"then\"\n"},
		{"if a then endif", "1:11: unexpected \"endif\"\n"},
		{"if a then b else endif", "1:18: unexpected \"endif\"\n"},
		{"if a then b else c else d endif", "1:20: unexpected \"else\"\n"},
		{"if a then b", "1:12: unexpected end of the script, the \"if\" at 1:1 is not closed\n"},
		{"if a then b; c )", "1:16: unexpected \")\"\n"},
		{"(a endif", "1:4: unexpected \"endif\"\n"},
		{"endif", "1:1: unexpected \"endif\"\n"},
		{"then(a)", "1:1: unexpected \"then\"\n"},
		{"(a)(b)", "1:4: unexpected \"(\"\n"},
		{"concat(a)(b)", "1:10: unexpected \"(\"\n"},
	};

	CHECK_ROWS(rows);
}
END_TEST

START_TEST(tokens)
{
	static const struct row rows[] = {
		{"-1", "1:1: unexpected \"-\"\n"},
		{"a-b", "1:2: unexpected \"-\"\n"},
		{"a = b", "1:3: unexpected \"=\"\n"},
		{"a === b", "1:5: unexpected \"=\"\n"},
		{"a & b", "1:3: unexpected \"&\"\n"},
		{"a | b", "1:3: unexpected \"|\"\n"},
		{"a &", "1:3: unexpected \"&\"\n"},
		{"a@@@%b", "1:2: unexpected \"@@@%\"\n"},
		{"\xef\xbb\xbf"
	         "a",
	         "1:1: unexpected \"\\xef\\xbb\\xbf\"\n"},
		{"a;\n  'b'", "2:3: unexpected \"'\"\n2:5: unexpected \"'\"\n"},
		{"\"abc", "1:1: unterminated string \"abc\n"},
		{"a;\n\tb + \"c\\\";\nd;", "2:6: unterminated string \"c\\\";\\x0ad;\n"},
		{"\"", "1:1: unterminated string \"\n"},
		{"\"\\", "1:1: unterminated string \"\\\n"},
		{"concat(\"a\\x00b\")", "1:10: NUL byte \"\\x00\" in a string\n"},
		{"\"\\\\x00\" + \"\\x00\"", "1:12: NUL byte \"\\x00\" in a string\n"},
		{"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	         "1:1: unterminated string \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\n"},
	};

	CHECK_ROWS(rows);
}
END_TEST

START_TEST(nul_bytes)
{
	static const char in_text[] = "a;\nb\0;c", in_string[] = "\"a\0b\"", in_comment[] = "a #\0\n",
			  tail[] = "a;\0\0\0\0";

	check_findings(in_text, sizeof(in_text) - 1, "2:2: NUL byte in the text\n");
	check_findings(in_string, sizeof(in_string) - 1, "1:3: NUL byte in the text\n");
	check_findings(in_comment, sizeof(in_comment) - 1, "1:4: NUL byte in the text\n");
	check_findings(tail, sizeof(tail) - 1, "1:3: NUL byte in the text\n");
	check_findings("\0", 1, "1:1: NUL byte in the text\n");
	check_findings(NULL, 0, "1:1: the script is empty\n");
}
END_TEST

START_TEST(functions)
{
	static const struct row rows[] = {
		{"foo()", "1:1: unknown function \"foo\"\n"},
		{"\"if\"(a)", "1:1: unknown function \"if\"\n"},
		{"\"a\\nb\"(c)", "1:1: unknown function \"a\\x0ab\"\n"},
		{"foo(bar(a), concat(baz(b)))",
	         "1:1: unknown function \"foo\"\n1:5: unknown function \"bar\"\n1:20: unknown function \"baz\"\n"},
		{"two(a)", "1:1: two() expects 2 arguments, got 1\n"},
		{"two(a, b, c)", "1:1: two() expects 2 arguments, got 3\n"},
		{"kind()", "1:1: kind() expects 1 argument, got 0\n"},
		{"trace()", "1:1: trace() expects at least 1 argument, got 0\n"},
		{"odd()", "1:1: odd() expects at least 3 arguments, got 0\n"},
		{"odd(a, b, c, d)", "1:1: odd() expects an odd number of arguments, got 4\n"},
		{"even(a, b, c)", "1:1: even() expects an even number of arguments, got 3\n"},
		{"up_to_one(a, b)", "1:1: up_to_one() expects 0 to 1 arguments, got 2\n"},
		{"blob(a)", "1:1: blob() expects 0 arguments, got 1\n"},
		{"is_substring(a)", "1:1: is_substring() expects 2 arguments, got 1\n"},
		{"sleep()", "1:1: sleep() expects 1 argument, got 0\n"},
		{"abort(a, b)", "1:1: abort() expects 0 to 1 arguments, got 2\n"},
		{"ifelse(a)", "1:1: ifelse() expects 2 to 3 arguments, got 1\n"},
		{"less_than_int(1)", "1:1: less_than_int() expects 2 arguments, got 1\n"},
		{"greater_than_int(1, 2, 3)", "1:1: greater_than_int() expects 2 arguments, got 3\n"},
		{"two(kind(), sleep(), b)", "1:1: two() expects 2 arguments, got 3\n"
	                                    "1:5: kind() expects 1 argument, got 0\n"
	                                    "1:13: sleep() expects 1 argument, got 0\n"},
	};

	CHECK_ROWS(rows);
}
END_TEST

START_TEST(all_errors_of_a_script)
{
	static const char text[] = "mount(\"a\");\n"
				   "concat(a b, nope(c), two(d));\n"
				   "x = frob(1);\r\n"
				   "assert(a == , b);\n"
				   ") ; a + + b;\n"
				   "if a then foo(); b + ; bar() else ) endif;\n"
				   "c d other(two(), (e; f)); g\n"
				   "\"never ends;\n";

	check_findings(text, strlen(text),
	               "1:1: unknown function \"mount\"\n"
	               "2:10: unexpected \"b\"\n"
	               "2:13: unknown function \"nope\"\n"
	               "2:22: two() expects 2 arguments, got 1\n"
	               "3:3: unexpected \"=\"\n"
	               "3:5: unknown function \"frob\"\n"
	               "4:13: unexpected \",\"\n"
	               "5:1: unexpected \")\"\n"
	               "5:9: unexpected \"+\"\n"
	               "6:11: unknown function \"foo\"\n"
	               "6:22: unexpected \";\"\n"
	               "6:24: unknown function \"bar\"\n"
	               "6:35: unexpected \")\"\n"
	               "7:3: unexpected \"d\"\n"
	               "7:5: unknown function \"other\"\n"
	               "8:1: unterminated string \"never ends;\\x0a\n");
}
END_TEST

START_TEST(all_unknown_functions_at_once)
{
	char text[8192] = "", expected[4096] = "";
	size_t used = 0, told = 0;

	for (unsigned i = 1; i <= 100; i++) {
		used += (size_t)snprintf(text + used, sizeof(text) - used, "  unknown_%u(concat(a, b));\n", i);
		told += (size_t)snprintf(expected + told, sizeof(expected) - told,
		                         "%u:3: unknown function \"unknown_%u\"\n", i, i);
	}
	check_findings(text, used, expected);
}
END_TEST

START_TEST(crlf_positions)
{
	static const char text[] = "a;\r\nb;\r\n\tfoo(c);\r\n# comment\r\nd e";

	check_findings(text, strlen(text), "3:2: unknown function \"foo\"\n5:3: unexpected \"e\"\n");
}
END_TEST

START_TEST(nobody_listens)
{
	struct script *script = (struct script *)1;

	ck_assert_int_eq(script_parse("foo(", 4, NULL, NULL, NULL, &script, NULL), -EINVAL);
	ck_assert_ptr_null(script);
}
END_TEST

Suite *suite_findings(void)
{
	Suite *suite = suite_create("script findings");
	TCase *tests = tcase_create("findings");

	tcase_add_test(tests, syntax);
	tcase_add_test(tests, tokens);
	tcase_add_test(tests, nul_bytes);
	tcase_add_test(tests, functions);
	tcase_add_test(tests, all_errors_of_a_script);
	tcase_add_test(tests, all_unknown_functions_at_once);
	tcase_add_test(tests, crlf_positions);
	tcase_add_test(tests, nobody_listens);
	suite_add_tcase(suite, tests);
	return suite;
}
