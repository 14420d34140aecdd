/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for a reader that does not read. */
#include "fotad/outbox.h"
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct outbox outbox;

static void setup(void)
{
	memset(&outbox, 0, sizeof(outbox));
}

static bool put(enum outbox_kind kind, const char *text)
{
	return outbox_put(&outbox, kind, text, strlen(text));
}

/* All that waits, as one text. */
static const char *drain(void)
{
	static char text[2 * OUTBOX_SHARE + 1];
	const char *data;
	size_t length = outbox_next(&outbox, &data);

	memcpy(text, data, length);
	text[length] = '\0';
	outbox_take(&outbox, length);
	ck_assert_uint_eq(outbox_next(&outbox, &data), 0);
	ck_assert_uint_eq(outbox_room(&outbox), OUTBOX_SHARE);
	return text;
}

START_TEST(test_order)
{
	ck_assert(put(OUTBOX_ANSWER, "a") && put(OUTBOX_ANSWER, "b"));
	ck_assert(put(OUTBOX_LINE, "[1]") && put(OUTBOX_PROGRESS, "[2]"));
	ck_assert(put(OUTBOX_ANSWER, "c"));
	ck_assert_uint_eq(outbox_room(&outbox), OUTBOX_SHARE - 3);
	ck_assert_str_eq(drain(), "ab[1][2]c");
	ck_assert_str_eq(drain(), "");
	for (unsigned i = 0; i < 10000; i++)
		ck_assert(put(OUTBOX_ANSWER, ""));
	ck_assert_uint_eq(outbox.count, 0);
}
END_TEST

/* Progress goes first, the oldest first; then lines; never one that is half gone, and never an answer. */
START_TEST(test_full_of_lines)
{
	char line[32];
	const char *left;

	ck_assert(put(OUTBOX_PROGRESS, "[begun]") && put(OUTBOX_LINE, "[start]") && put(OUTBOX_ANSWER, "answer"));
	outbox_take(&outbox, 2);
	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(line, sizeof(line), "[%u]", i);
		ck_assert(put(OUTBOX_PROGRESS, line));
	}
	ck_assert(put(OUTBOX_LINE, "[end]"));
	left = drain();
	ck_assert_ptr_eq(strstr(left, "egun][start]answer["), left);
	ck_assert_ptr_null(strstr(left, "[900]"));
	ck_assert_ptr_nonnull(strstr(left, "[998][999][end]"));

	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(line, sizeof(line), "[%u]", i);
		ck_assert(put(OUTBOX_LINE, line));
	}
	ck_assert(!put(OUTBOX_PROGRESS, "[progress]"));
	left = drain();
	ck_assert_ptr_null(strstr(left, "[progress]"));
	ck_assert_ptr_nonnull(strstr(left, "[998][999]"));
}
END_TEST

START_TEST(test_shares)
{
	char large[OUTBOX_SHARE + 1];

	memset(large, 'x', sizeof(large));
	ck_assert(!outbox_put(&outbox, OUTBOX_LINE, large, OUTBOX_SHARE + 1));
	ck_assert(!outbox_put(&outbox, OUTBOX_ANSWER, large, OUTBOX_SHARE + 1));
	ck_assert(outbox_put(&outbox, OUTBOX_LINE, large, OUTBOX_SHARE));
	ck_assert(outbox_put(&outbox, OUTBOX_ANSWER, large, OUTBOX_SHARE));
	ck_assert_uint_eq(outbox_room(&outbox), 0);
	ck_assert(!put(OUTBOX_ANSWER, "y"));
	ck_assert(put(OUTBOX_LINE, "[last]"));
	ck_assert_uint_eq(strlen(drain()), OUTBOX_SHARE + strlen("[last]"));
}
END_TEST

START_TEST(test_restart)
{
	ck_assert(put(OUTBOX_LINE, "[one]") && put(OUTBOX_ANSWER, "answer") && put(OUTBOX_PROGRESS, "[two]"));
	outbox_take(&outbox, 3);
	outbox_restart(&outbox);
	ck_assert_str_eq(drain(), "[one][two]");
	ck_assert(put(OUTBOX_ANSWER, "answer"));
	outbox_take(&outbox, 3);
	outbox_restart(&outbox);
	ck_assert_str_eq(drain(), "");
}
END_TEST

/* Any sequence of operations keeps lines whole and in order. */
START_TEST(test_random)
{
	unsigned seed = 5;
	char seen[64] = "";
	size_t length = 0;
	unsigned next = 1;
	unsigned last = 0;

	for (unsigned i = 0; i < 200000; i++) {
		unsigned what = (unsigned)rand_r(&seed) >> 4;
		const char *data;
		size_t waiting;

		if (what % 3 == 0) {
			char line[16];

			(void)snprintf(line, sizeof(line), "[%u]", next++);
			(void)put(what % 5 ? OUTBOX_PROGRESS : OUTBOX_LINE, line);
		} else if (what % 3 == 1 && outbox_room(&outbox) > 8) {
			ck_assert(put(OUTBOX_ANSWER, "........" + what % 7));
		}
		waiting = outbox_next(&outbox, &data);
		if (what % 16 != 0 || waiting == 0)
			continue;
		waiting = 1 + what % waiting;
		for (size_t at = 0; at < waiting; at++) {
			if (data[at] == '.')
				continue;
			ck_assert_uint_lt(length, sizeof(seen) - 1);
			seen[length++] = data[at];
			seen[length] = '\0';
			if (data[at] == ']') {
				unsigned number = 0;

				ck_assert_int_eq(seen[0], '[');
				number = (unsigned)strtoul(seen + 1, NULL, 10);
				ck_assert_uint_gt(number, last);
				last = number;
				length = 0;
			}
		}
		outbox_take(&outbox, waiting);
	}
	ck_assert_uint_gt(last, 1000);
}
END_TEST

Suite *suite_outbox(void)
{
	Suite *suite = suite_create("outbox");
	TCase *tests = tcase_create("outbox");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, test_order);
	tcase_add_test(tests, test_full_of_lines);
	tcase_add_test(tests, test_shares);
	tcase_add_test(tests, test_restart);
	tcase_add_test(tests, test_random);
	suite_add_tcase(suite, tests);
	return suite;
}
