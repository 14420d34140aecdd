/* SPDX-License-Identifier: Apache-2.0 */
/* The bootloader message as text: made, taken apart, hostile. */
#include "misc/internal.h"
#include "suites.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const two[] = {"--update_package=/usrdata/cache/fota/ipth_package.bin", "--locale=en_US"};

START_TEST(test_round_trip)
{
	struct misc_message message;
	char text[768];
	char *arguments[MISC_ARGUMENTS_MAX];

	ck_assert_int_eq(misc_make_message(two, 2, &message, NULL), 0);
	ck_assert(misc_is_armed(&message));
	ck_assert_str_eq(message.command, "boot-recovery");
	ck_assert_str_eq(message.recovery,
	                 "recovery\n--update_package=/usrdata/cache/fota/ipth_package.bin\n--locale=en_US\n");
	ck_assert_uint_eq(misc_split_arguments(&message, text, arguments), 2);
	ck_assert_str_eq(arguments[0], two[0]);
	ck_assert_str_eq(arguments[1], two[1]);
}
END_TEST

START_TEST(test_no_arguments)
{
	struct misc_message message;
	char text[768];
	char *arguments[MISC_ARGUMENTS_MAX];

	ck_assert_int_eq(misc_make_message(NULL, 0, &message, NULL), 0);
	ck_assert_str_eq(message.recovery, "recovery\n");
	ck_assert_uint_eq(misc_split_arguments(&message, text, arguments), 0);
}
END_TEST

START_TEST(test_refused_arguments)
{
	static const char *const broken[] = {"a\nb", "a\rb", ""};
	const char *many[MISC_ARGUMENTS_MAX + 1];
	struct misc_message message;
	struct error error;

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(misc_make_message(&broken[i], 1, &message, &error), -EINVAL);
	for (int i = 0; i <= MISC_ARGUMENTS_MAX; i++)
		many[i] = "x";
	ck_assert_int_eq(misc_make_message(many, MISC_ARGUMENTS_MAX, &message, &error), 0);
	ck_assert_int_eq(misc_make_message(many, MISC_ARGUMENTS_MAX + 1, &message, &error), -E2BIG);
}
END_TEST

/* "recovery\n" + text + "\n" + NUL fill 768 bytes exactly with 757 bytes of text. */
START_TEST(test_longest_argument)
{
	char text[759];
	const char *argument = text;
	struct misc_message message;

	memset(text, 'x', sizeof(text));
	text[757] = '\0';
	ck_assert_int_eq(misc_make_message(&argument, 1, &message, NULL), 0);
	ck_assert_uint_eq(strlen(message.recovery), 767);
	text[757] = 'x';
	text[758] = '\0';
	ck_assert_int_eq(misc_make_message(&argument, 1, &message, NULL), -E2BIG);
}
END_TEST

/* Foreign writers: CR LF, empty lines, no final newline, a different first line. */
START_TEST(test_foreign_forms)
{
	static const struct {
		const char *recovery;
		unsigned count;
		const char *first;
	} cases[] = {
		{"recovery\r\n--a\r\n\r\n--b\r\n", 2, "--a"},
		{"recovery\n--a", 1, "--a"},
		{"recovery\n\n\n--a\n", 1, "--a"},
		{"recovery", 0, NULL},
		{"recoveryx\n--a\n", 0, NULL},
		{"update\n--a\n", 0, NULL},
		{"\nrecovery\n--a\n", 0, NULL},
		{"", 0, NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct misc_message message = {0};
		char text[768];
		char *arguments[MISC_ARGUMENTS_MAX];

		(void)snprintf(message.recovery, sizeof(message.recovery), "%s", cases[i].recovery);
		ck_assert_uint_eq(misc_split_arguments(&message, text, arguments), cases[i].count);
		if (cases[i].first)
			ck_assert_str_eq(arguments[0], cases[i].first);
	}
}
END_TEST

START_TEST(test_clean)
{
	struct misc_message message;

	memset(&message, 0xFF, sizeof(message));
	misc_clean_message(&message);
	for (size_t i = 0; i < sizeof(message); i++)
		ck_assert_uint_eq(((const uint8_t *)&message)[i], 0);
	memset(&message, 'A', sizeof(message));
	misc_clean_message(&message);
	ck_assert_uint_eq(strlen(message.command), sizeof(message.command) - 1);
	ck_assert_uint_eq(strlen(message.recovery), sizeof(message.recovery) - 1);
	ck_assert_uint_eq(strlen(message.stage), sizeof(message.stage) - 1);
}
END_TEST

static void take_apart(struct misc_message *message)
{
	char text[768];
	char *arguments[MISC_ARGUMENTS_MAX];
	unsigned count;

	misc_clean_message(message);
	(void)misc_is_armed(message);
	count = misc_split_arguments(message, text, arguments);
	ck_assert_uint_le(count, MISC_ARGUMENTS_MAX);
	for (unsigned i = 0; i < count; i++) {
		ck_assert_uint_gt(strlen(arguments[i]), 0);
		ck_assert_ptr_null(strchr(arguments[i], '\n'));
		ck_assert_uint_lt((size_t)(arguments[i] - text), sizeof(text));
	}
}

/* A message cut at any byte, by zeros or by blank NAND, and with any bit flipped: never out of bounds, never armed by
 * half a command. */
START_TEST(test_truncated_and_flipped)
{
	struct misc_message whole;
	struct misc_message message;

	ck_assert_int_eq(misc_make_message(two, 2, &whole, NULL), 0);
	for (size_t length = 0; length < sizeof(whole); length++) {
		message = whole;
		memset((char *)&message + length, 0, sizeof(message) - length);
		take_apart(&message);
		ck_assert_int_eq(misc_is_armed(&message), length >= strlen("boot-recovery"));
		message = whole;
		memset((char *)&message + length, 0xFF, sizeof(message) - length);
		take_apart(&message);
		ck_assert_int_eq(misc_is_armed(&message), length > strlen("boot-recovery"));
	}
	for (size_t bit = 0; bit < 8 * sizeof(whole); bit++) {
		message = whole;
		((uint8_t *)&message)[bit / 8] ^= (uint8_t)(1u << bit % 8);
		take_apart(&message);
		ck_assert_int_eq(misc_is_armed(&message), bit / 8 > strlen("boot-recovery"));
	}
}
END_TEST

TCase *message_tests(void)
{
	TCase *tests = tcase_create("message");

	tcase_add_test(tests, test_round_trip);
	tcase_add_test(tests, test_no_arguments);
	tcase_add_test(tests, test_refused_arguments);
	tcase_add_test(tests, test_longest_argument);
	tcase_add_test(tests, test_foreign_forms);
	tcase_add_test(tests, test_clean);
	tcase_add_test(tests, test_truncated_and_flipped);
	return tests;
}
