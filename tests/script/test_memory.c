/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/script/harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Allocations of the room (the linker sends them here) fail from the chosen one on. What leaks then, or ends twice, the
 * address sanitizer tells.
 */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_reallocarray(void *memory, size_t count, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);
char *__wrap_strdup(const char *text);

static long allocations_left = -1; /* negative: no limit */

static bool may_allocate(void)
{
	if (allocations_left > 0)
		allocations_left--;
	return allocations_left != 0;
}

void *__wrap_malloc(size_t size)
{
	return may_allocate() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return may_allocate() ? __real_calloc(count, size) : NULL;
}

void *__wrap_realloc(void *memory, size_t size)
{
	return may_allocate() ? __real_realloc(memory, size) : NULL;
}

void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
	return may_allocate() ? __real_reallocarray(memory, count, size) : NULL;
}

char *__wrap_strdup(const char *text)
{
	return may_allocate() ? __real_strdup(text) : NULL;
}

/* Runs the script with less and less memory, down to none. */
static void starve(const char *script, int parsed, int rc)
{
	long allocations = 1000000;
	struct outcome outcome;

	allocations_left = allocations;
	outcome = harness_run_text(script);
	allocations -= allocations_left;
	allocations_left = -1;
	ck_assert_int_eq(outcome.parsed, parsed);
	ck_assert_int_eq(outcome.rc, rc);
	ck_assert_int_gt(allocations, 0);
	for (long i = 1; i <= allocations; i++) {
		allocations_left = i;
		outcome = harness_run_text(script);
		allocations_left = -1;
		ck_assert_int_eq(outcome.parsed < 0 ? outcome.parsed : outcome.rc, -ENOMEM);
		ck_assert_int_eq(outcome.blobs, 0);
		ck_assert_msg(strstr(outcome.error.message, "emory"), "%s", outcome.error.message);
	}
}

START_TEST(while_it_runs)
{
	starve("trace(a, b + c); concat(d, e) == de && !f || blob(); kind(blob()); soft(\"\", h) || i;\n"
	       "if ifelse(j, is_substring(k, l)) then sleep(1) else less_than_int(1, 2) + stdout(m) endif; assert(n)",
	       0, 0);
}
END_TEST

START_TEST(while_it_parses)
{
	static char script[20000]; /* one operand that is larger than what the arena takes at once */

	memset(script, 'x', sizeof(script) - 1);
	starve(script, 0, 0);
}
END_TEST

START_TEST(while_it_finds_errors)
{
	starve("foo(); bar(); x y; two(a);;-;;(;)((;;;,;;,;,;,;,;,;,;,;,;,;,;,;,;,;,;", -EINVAL, 1);
}
END_TEST

Suite *suite_memory(void)
{
	Suite *suite = suite_create("script without memory");
	TCase *tests = tcase_create("memory");

	tcase_add_test(tests, while_it_runs);
	tcase_add_test(tests, while_it_parses);
	tcase_add_test(tests, while_it_finds_errors);
	suite_add_tcase(suite, tests);
	return suite;
}
