/* SPDX-License-Identifier: Apache-2.0 */
/* The updater's lines, and what a hostile updater makes of them. */
#include "recovery/pipe.h"
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void say(struct pipe_state *state, uint64_t now, const char *text)
{
	char *copy = strdup(text);

	pipe_line(state, copy, now, NULL);
	free(copy);
}

static int permille(struct pipe_state *state, uint64_t now)
{
	return (int)(pipe_fraction(state, now) * 1000 + 0.5);
}

START_TEST(test_segments)
{
	struct pipe_state state = {0};

	ck_assert_int_eq(permille(&state, 0), 0);
	say(&state, 0, "set_progress 0.5"); /* of no segment */
	ck_assert_int_eq(permille(&state, 0), 0);
	say(&state, 0, "progress 0.800000 0");
	ck_assert_int_eq(permille(&state, 99999999), 0);
	say(&state, 0, "set_progress 0.25");
	ck_assert_int_eq(permille(&state, 0), 200);
	say(&state, 0, "set_progress 0.1"); /* never back */
	ck_assert_int_eq(permille(&state, 0), 200);
	say(&state, 1000, "progress 0.2 10");
	ck_assert_int_eq(permille(&state, 1000), 800);
	ck_assert_int_eq(permille(&state, 6000), 900);
	say(&state, 6000, "set_progress 0.9");
	ck_assert_int_eq(permille(&state, 6000), 980);
	ck_assert_int_eq(permille(&state, 100000), 1000);
	say(&state, 100000, "progress 0.5 0"); /* more than all */
	say(&state, 100000, "set_progress 1");
	ck_assert_int_eq(permille(&state, 100000), 1000);
}
END_TEST

/* Whatever is said, the fraction stays in [0, 1] and never falls. */
START_TEST(test_hostile_numbers)
{
	static const char *const numbers[] = {"nan",
	                                      "-nan",
	                                      "inf",
	                                      "-inf",
	                                      "-1",
	                                      "1e308",
	                                      "-1e308",
	                                      "1e-308",
	                                      "0x1p1000",
	                                      "0",
	                                      "1",
	                                      "0.5",
	                                      "2",
	                                      "",
	                                      " ",
	                                      "x",
	                                      "0.1.2",
	                                      "1,5",
	                                      "99999999999999999999999999999999999999999999"};
	const size_t count = sizeof(numbers) / sizeof(numbers[0]);
	struct pipe_state state = {0};
	double last = 0;

	for (size_t i = 0; i < count * count; i++) {
		char text[256];
		double now;

		(void)snprintf(text, sizeof(text), "progress %s %s", numbers[i / count], numbers[i % count]);
		say(&state, i * 977, text);
		(void)snprintf(text, sizeof(text), "set_progress %s", numbers[i % count]);
		say(&state, i * 977, text);
		now = pipe_fraction(&state, i * 977 + 500);
		ck_assert(now >= last && now <= 1.0000001);
		last = now;
	}
}
END_TEST

START_TEST(test_small_steps_add_up)
{
	struct pipe_state state = {0};

	for (int i = 0; i < 100000; i++)
		say(&state, 0, "progress 0.0001 0");
	ck_assert(pipe_fraction(&state, 0) <= 1.0000001);
}
END_TEST

START_TEST(test_log_lines)
{
	struct pipe_state state = {0};
	char text[1200];

	say(&state, 0, "log error: 511");
	say(&state, 0, "log cause: no room: need 5, have 3");
	ck_assert_int_eq(state.code, 511);
	ck_assert_str_eq(state.cause, "no room: need 5, have 3");
	say(&state, 0, "log error: 0");
	say(&state, 0, "log error: -3");
	say(&state, 0, "log error: 99999999999999999999");
	say(&state, 0, "log error:");
	say(&state, 0, "log error");
	say(&state, 0, "log bytes_written_system: 5");
	say(&state, 0, "log");
	say(&state, 0, "log ");
	ck_assert_int_eq(state.code, 511);
	memset(text, 'c', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "log cause: ", 11);
	say(&state, 0, text);
	ck_assert_uint_eq(strlen(state.cause), sizeof(state.cause) - 1);
}
END_TEST

static void keep_line(void *ctx, const char *text)
{
	(void)snprintf(ctx, 256, "%s", text);
}

START_TEST(test_what_is_logged)
{
	static const struct {
		const char *line;
		const char *logged;
	} cases[] = {
		{"ui_print Patching system files", "Patching system files"},
		{"ui_print", ""},
		{"ui_print  two  blanks", " two  blanks"},
		{"clear_display", NULL},
		{"enable_reboot", NULL},
		{"retry_update", NULL},
		{"wipe_cache", NULL},
		{"progress 0.1 0", NULL},
		{"firmware x", "updater: not understood: firmware x"},
		{"", "updater: not understood: "},
		{"ui_printx", "updater: not understood: ui_printx"},
		{"progress", "updater: not understood: progress"},
		{"set_progress x", "updater: not understood: set_progress x"},
		{"ui_print %s%n%s", "%s%n%s"},
		{"%s%n%s", "updater: not understood: %s%n%s"},
		{"a_verb_that_is_much_too_long_to_be_one",
	         "updater: not understood: a_verb_that_is_much_too_long_to_be_one"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pipe_state state = {0};
		char logged[256] = "nothing";
		struct log log = {.line = keep_line, .ctx = logged};
		char *copy = strdup(cases[i].line);

		pipe_line(&state, copy, 0, &log);
		ck_assert_str_eq(logged, cases[i].logged ? cases[i].logged : "nothing");
		free(copy);
	}
}
END_TEST

TCase *pipe_tests(void)
{
	TCase *tests = tcase_create("pipe");

	tcase_add_test(tests, test_segments);
	tcase_add_test(tests, test_hostile_numbers);
	tcase_add_test(tests, test_small_steps_add_up);
	tcase_add_test(tests, test_log_lines);
	tcase_add_test(tests, test_what_is_logged);
	return tests;
}
