/* SPDX-License-Identifier: Apache-2.0 */
/* What a channel answers. */
#include "fotad/at.h"
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct at_session session;
static char output[1 << 16];
static size_t output_length;

static void to_output(void *ctx, const char *data, size_t length)
{
	(void)ctx;
	if (output_length + length >= sizeof(output))
		output_length = 0; /* of a flood only the end counts */
	memcpy(output + output_length, data, length);
	output_length += length;
	output[output_length] = '\0';
}

static bool run(void *ctx, const struct at_command *command, struct at_reply *reply)
{
	(void)ctx;
	if (strcmp(command->name, "+NAME") == 0 && command->form == AT_READ) {
		at_say(reply, "+NAME: \"%s\"", "module");
		return true;
	}
	if (strcmp(command->name, "+LONG") == 0) {
		char text[2000];

		memset(text, 'x', sizeof(text) - 1);
		text[sizeof(text) - 1] = '\0';
		at_say(reply, "%s", text);
		return true;
	}
	return false;
}

static void setup(void)
{
	session = (struct at_session){.run = run, .write = to_output};
	at_session_reset(&session);
	session.echo = false;
	output_length = 0;
	output[0] = '\0';
}

static const char *answer(const char *input)
{
	output_length = 0;
	output[0] = '\0';
	at_session_feed(&session, input, strlen(input));
	return output;
}

START_TEST(test_answers)
{
	static const struct {
		const char *input;
		const char *wanted;
	} talks[] = {
		{"AT\r", "\r\nOK\r\n"},
		{"at\r\n\n", "\r\nOK\r\n"},
		{" \tAT\r", "\r\nOK\r\n"},
		{"-e  at\r\n \n", "\r\nOK\r\n"},
		{"-e\r", "\r\nERROR\r\n"},
		{"\r\n\r\r", ""},
		{"AT", ""},
		{"\r", "\r\nOK\r\n"},
		{"AT+NAME?\r", "\r\n+NAME: \"module\"\r\n\r\nOK\r\n"},
		{"AT+NAME?;+NOTHING;+NAME?\r", "\r\n+NAME: \"module\"\r\n\r\nERROR\r\n"},
		{"AT+NOTHING\r", "\r\nERROR\r\n"},
		{"ATE2\r", "\r\nERROR\r\n"},
		{"AX\bT\r", "\r\nOK\r\n"},
		{"hello\r", "\r\nERROR\r\n"},
		{"A\x01T\rAT\r", "\r\nERROR\r\n\r\nOK\r\n"},
		{"AT\rAT\r", "\r\nOK\r\n\r\nOK\r\n"},
		{"\xFF\xFE\x80\r", "\r\nERROR\r\n"},
	};

	for (size_t i = 0; i < sizeof(talks) / sizeof(talks[0]); i++)
		ck_assert_str_eq(answer(talks[i].input), talks[i].wanted);
}
END_TEST

START_TEST(test_settings)
{
	ck_assert_str_eq(answer("ATE1\r"), "\r\nOK\r\n");
	ck_assert_str_eq(answer("AT\r\n"), "AT\r\r\nOK\r\n");
	ck_assert_str_eq(answer("ATE0\r"), "ATE0\r\r\nOK\r\n");
	ck_assert_str_eq(answer("ATV0\r"), "0\r");
	ck_assert_str_eq(answer("AT+NAME?\r"), "+NAME: \"module\"\r\n0\r");
	ck_assert_str_eq(answer("AT+NOTHING\r"), "4\r");
	ck_assert_str_eq(answer("ATQ1\r"), "");
	ck_assert_str_eq(answer("AT+NAME?\r"), "+NAME: \"module\"\r\n");
	ck_assert_str_eq(answer("ATZ\r"), "\r\nOK\r\n");
	ck_assert_str_eq(answer("AT\r"), "AT\r\r\nOK\r\n");
	ck_assert_str_eq(answer("ATE&FE0\r"), "ATE&FE0\r\r\nOK\r\n");
	at_session_tell(&session, "+QIND: \"FOTA\",\"START\"");
	ck_assert_ptr_nonnull(strstr(output, "\r\n+QIND: \"FOTA\",\"START\"\r\n"));
}
END_TEST

/* Byte by byte is the same as at once. */
START_TEST(test_split)
{
	static const char input[] = "\r\nat+name?\r\nATE1;+NAME?\rx\rAT+NAME";
	char whole[1024];

	(void)snprintf(whole, sizeof(whole), "%s", answer(input));
	setup();
	for (size_t i = 0; i < strlen(input); i++)
		at_session_feed(&session, &input[i], 1);
	ck_assert_str_eq(output, whole);
}
END_TEST

START_TEST(test_long_lines)
{
	char line[2 * AT_LINE_MAX];

	for (size_t length = AT_LINE_MAX - 1; length <= AT_LINE_MAX + 1; length++) {
		memset(line, ' ', length);
		line[0] = 'A';
		line[1] = 'T';
		memcpy(line + length, "\r", 2);
		ck_assert_str_eq(answer(line), length <= AT_LINE_MAX ? "\r\nOK\r\n" : "\r\nERROR\r\n");
	}
	(void)answer("AT+LONG\r");
	ck_assert_uint_lt(output_length, 600);
	ck_assert_ptr_nonnull(strstr(output, "x\r\n\r\nOK\r\n"));
}
END_TEST

START_TEST(test_noise)
{
	unsigned seed = 1;

	for (unsigned i = 0; i < 1000000; i++) {
		char byte = (char)(rand_r(&seed) >> 7);

		at_session_feed(&session, &byte, 1);
	}
	(void)answer("\r");
	ck_assert_str_eq(answer("ATZE0Q0V1\r") + output_length - 6, "\r\nOK\r\n");
	ck_assert_str_eq(answer("AT\r"), "\r\nOK\r\n");
}
END_TEST

/* A terminal in its first settings sends back all that it gets: that must come to an end. */
START_TEST(test_echoing_terminal)
{
	char back[4096];
	unsigned rounds = 0;

	(void)answer("ATE0\rAT+NAME?\rATV0\rATV1\rnoise\r");
	at_session_tell(&session, "+QIND: \"FOTA\",\"UPDATING\",5");
	while (output_length > 0) {
		size_t length = output_length;

		ck_assert_uint_lt(length, sizeof(back));
		ck_assert_uint_lt(++rounds, 10);
		memcpy(back, output, length);
		output_length = 0;
		at_session_feed(&session, back, length);
	}
}
END_TEST

Suite *suite_session(void)
{
	Suite *suite = suite_create("session");
	TCase *tests = tcase_create("session");

	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, test_answers);
	tcase_add_test(tests, test_settings);
	tcase_add_test(tests, test_split);
	tcase_add_test(tests, test_long_lines);
	tcase_add_test(tests, test_noise);
	tcase_add_test(tests, test_echoing_terminal);
	suite_add_tcase(suite, tests);
	return suite;
}
