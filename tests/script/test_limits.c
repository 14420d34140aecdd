/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/script/harness.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALL_STACK ((size_t)128 * 1024)
#define DEEP_STACK  ((size_t)4 * 1024 * 1024) /* with what sanitizers add to frames */

/* before, then part count times, then after; freed by the caller. */
static char *repeat(const char *before, const char *part, size_t count, const char *after)
{
	size_t length = strlen(part);
	char *text = malloc(strlen(before) + count * length + strlen(after) + 1);
	char *end;

	ck_assert_ptr_nonnull(text);
	end = stpcpy(text, before);
	for (size_t i = 0; i < count; i++)
		end = stpcpy(end, part);
	(void)stpcpy(end, after);
	return text;
}

struct job {
	const char *text;
	struct outcome outcome;
};

static void *run_job(void *ctx)
{
	struct job *job = ctx;

	job->outcome = harness_run_text(job->text);
	return NULL;
}

static struct outcome run_with_stack(const char *text, size_t stack)
{
	static struct job job; /* not on anybody's small stack */
	pthread_attr_t attributes;
	pthread_t thread;

	job.text = text;
	ck_assert_int_eq(pthread_attr_init(&attributes), 0);
	ck_assert_int_eq(pthread_attr_setstacksize(&attributes, stack), 0);
	ck_assert_int_eq(pthread_create(&thread, &attributes, run_job, &job), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(pthread_attr_destroy(&attributes), 0);
	return job.outcome;
}

struct long_script {
	const char *before, *part;
	size_t count;
	const char *after, *value;
};

static const struct long_script long_scripts[] = {
	{"", "concat(a, b);\n", 100000, "", "ab"},
	{"", "a;", 200000, "end", "end"},
	{"", ";", 0, "a", "a"},
	{"a", ";", 200000, "", "a"},
	{"is_substring(xyx, x", " + y + x", 50000, ")", "t"},
	{"", "\"\" || ", 100000, "a", "a"},
	{"", "a && ", 100000, "b", "b"},
	{"a", " != b == t", 50000, "", "t"},
	{"", "!", 200000, "a", "t"},
	{"", "!", 200001, "a", ""},
	{"concat(", "\"\", ", 100000, "a)", "a"},
	{"backwards(", "\"\", ", 2000, "a)", "a"},
	{"", "if a == b then c else if a then d endif endif;", 20000, "", "d"},
	{"assert(", "a,", 100000, "b)", ""},
	{"\"", "0123456789", 100000, "\" == \"\"", ""},
	{"", "x", 100000, " == x", ""},
	{"# ", "comment ", 100000, "\na", "a"},
};

START_TEST(length_costs_no_stack)
{
	const struct long_script *script = &long_scripts[_i];
	char *text = repeat(script->before, script->part, script->count, script->after);
	struct outcome outcome = run_with_stack(text, SMALL_STACK);

	free(text);
	ck_assert_msg(outcome.parsed == 0, "%s", outcome.findings);
	ck_assert_msg(outcome.rc == 0, "%s", outcome.error.message);
	ck_assert_str_eq(outcome.text, script->value);
}
END_TEST

START_TEST(an_abort_far_down_has_its_line)
{
	char *text = repeat("", "concat(a,\n\tb);\n", 50000, "\n  fail();\na");
	struct outcome outcome = run_with_stack(text, SMALL_STACK);

	free(text);
	ck_assert_int_lt(outcome.rc, 0);
	ck_assert_uint_eq(outcome.where.line, 100002);
	ck_assert_uint_eq(outcome.where.column, 3);
}
END_TEST

/* What nests, so that depth levels of it are before * depth, middle, after * depth. */
static const struct {
	const char *before, *after, *value;
	const char *token; /* that goes too deep */
	unsigned column;   /* of the token in before */
} nests[] = {
	{"(", ")", "x", "(", 1},
	{"!(", ")", "t", "(", 2},
	{"concat(", ")", "x", "(", 7},
	{"if a then ", " endif", "x", "if", 1},
	{"if ", " then x endif", "x", "if", 1},
	{"(\"\";\"\"||a&&\"\"==\"\"+", ")", "", "(", 1},
};

static char *nest(const char *before, const char *after, size_t depth)
{
	char *inner = repeat("", before, depth, "x");
	char *text = repeat(inner, after, depth, "");

	free(inner);
	return text;
}

START_TEST(depth_up_to_the_limit)
{
	char *text = nest(nests[_i].before, nests[_i].after, SCRIPT_MAX_DEPTH);
	struct outcome outcome = run_with_stack(text, DEEP_STACK);

	free(text);
	ck_assert_msg(outcome.parsed == 0, "%s", outcome.findings);
	ck_assert_msg(outcome.rc == 0, "%s", outcome.error.message);
	if (nests[_i].value[0])
		ck_assert_str_eq(outcome.text, nests[_i].value);
}
END_TEST

START_TEST(depth_beyond_the_limit)
{
	for (size_t depth = SCRIPT_MAX_DEPTH + 1; depth < 300000; depth *= 20) {
		char *text = nest(nests[_i].before, nests[_i].after, depth);
		struct outcome outcome = run_with_stack(text, DEEP_STACK);
		char expected[128];

		(void)snprintf(expected, sizeof(expected), "1:%zu: \"%s\" is nested more than %d levels deep\n",
		               strlen(nests[_i].before) * SCRIPT_MAX_DEPTH + nests[_i].column, nests[_i].token,
		               SCRIPT_MAX_DEPTH);
		free(text);
		ck_assert_int_eq(outcome.parsed, -EINVAL);
		ck_assert_str_eq(outcome.findings, expected);
	}
}
END_TEST

START_TEST(too_many_errors)
{
	char *text = repeat("", "foo();\n", 3 * (size_t)SCRIPT_MAX_FINDINGS, "");
	struct outcome outcome = harness_run_text(text);

	free(text);
	ck_assert_int_eq(outcome.parsed, -EINVAL);
	ck_assert_uint_eq(outcome.finding_count, SCRIPT_MAX_FINDINGS);
	ck_assert_str_eq(outcome.error.message, "1:1: unknown function \"foo\"");
}
END_TEST

START_TEST(too_long)
{
	char *text = repeat("", "a;a;a;a;", SCRIPT_MAX_LENGTH / 8, "b");
	struct outcome outcome = harness_run_text(text);

	free(text);
	ck_assert_int_eq(outcome.parsed, -EINVAL);
	ck_assert_str_eq(outcome.findings, "1:1: the script is longer than 8388608 bytes\n");
}
END_TEST

Suite *suite_limits(void)
{
	Suite *suite = suite_create("script limits");
	TCase *tests = tcase_create("limits");
	const int nest_count = (int)(sizeof(nests) / sizeof(nests[0]));

	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, length_costs_no_stack, 0, (int)(sizeof(long_scripts) / sizeof(long_scripts[0])));
	tcase_add_test(tests, an_abort_far_down_has_its_line);
	tcase_add_loop_test(tests, depth_up_to_the_limit, 0, nest_count);
	tcase_add_loop_test(tests, depth_beyond_the_limit, 0, nest_count);
	tcase_add_test(tests, too_many_errors);
	tcase_add_test(tests, too_long);
	suite_add_tcase(suite, tests);
	return suite;
}
