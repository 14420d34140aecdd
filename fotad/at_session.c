/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/at.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum result { RESULT_OK, RESULT_ERROR };

struct at_reply {
	struct at_session *session;
};

static void put(struct at_session *session, const char *text)
{
	session->write(session->ctx, text, strlen(text));
}

void at_session_reset(struct at_session *session)
{
	session->echo = true;
	session->verbose = true;
	session->quiet = false;
	session->length = 0;
	session->unusable = false;
}

void at_session_tell(struct at_session *session, const char *line)
{
	put(session, session->verbose ? "\r\n" : "");
	put(session, line);
	put(session, "\r\n");
}

void at_say(struct at_reply *reply, const char *format, ...)
{
	char line[AT_REPLY_MAX + 1];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	at_session_tell(reply->session, line);
}

static void put_result(struct at_session *session, enum result result)
{
	static const char *const texts[] = {"\r\nOK\r\n", "\r\nERROR\r\n"};
	static const char *const digits[] = {"0\r", "4\r"};

	if (!session->quiet)
		put(session, session->verbose ? texts[result] : digits[result]);
}

/* ---- Lines ---- */

/* E, V and Q take 0 or 1. */
static bool set_switch(bool *value, const struct at_command *command)
{
	if (command->form != AT_EXECUTE || command->number > 1)
		return false;
	*value = command->number == 1;
	return true;
}

static bool run_own(struct at_session *session, const struct at_command *command, bool *known)
{
	const char *name = command->name;

	*known = true;
	if (strcmp(name, "E") == 0)
		return set_switch(&session->echo, command);
	if (strcmp(name, "V") == 0)
		return set_switch(&session->verbose, command);
	if (strcmp(name, "Q") == 0)
		return set_switch(&session->quiet, command);
	if ((strcmp(name, "Z") == 0 || strcmp(name, "&F") == 0) && command->form == AT_EXECUTE &&
	    command->number == 0) {
		at_session_reset(session);
		return true;
	}
	*known = false;
	return false;
}

static enum result run_line(struct at_session *session, char *rest)
{
	struct at_reply reply = {.session = session};
	struct at_command command;
	int found;

	while ((found = at_next_command(&rest, &command)) == 1) {
		bool known;
		bool good = run_own(session, &command, &known);

		if (!known)
			good = session->run(session->ctx, &command, &reply);
		if (!good)
			return RESULT_ERROR;
	}
	return found < 0 ? RESULT_ERROR : RESULT_OK;
}

/* What we say ourselves, come back from a terminal that echoes: an answer to it would never end. */
static bool is_own_words(const char *text)
{
	return *text == '+' || strcmp(text, "OK") == 0 || strcmp(text, "ERROR") == 0 || strcmp(text, "0") == 0 ||
	       strcmp(text, "4") == 0;
}

static char *skip_blanks(char *text)
{
	return text + strspn(text, " \t");
}

static void end_line(struct at_session *session)
{
	char line[AT_LINE_MAX + 1];
	bool unusable = session->unusable;
	char *text = line;

	memcpy(line, session->line, session->length);
	line[session->length] = '\0';
	session->length = 0;
	session->unusable = false;
	text = skip_blanks(text);
	/* The documents say `echo -e`; the echo of a shell that knows no such option says it, too. */
	if (strncmp(text, "-e ", 3) == 0)
		text = skip_blanks(text + 3);
	if (!unusable && strncasecmp(text, "AT", 2) == 0)
		put_result(session, run_line(session, text + 2));
	else if (unusable || (*text && !is_own_words(text)))
		put_result(session, RESULT_ERROR);
}

static void take_byte(struct at_session *session, char byte)
{
	if (byte == '\b' || byte == '\x7F') {
		session->length -= session->length > 0;
	} else if (session->length == AT_LINE_MAX || ((unsigned char)byte < ' ' && byte != '\t')) {
		session->unusable = true;
	} else {
		session->line[session->length++] = byte;
	}
}

void at_session_feed(struct at_session *session, const void *data, size_t length)
{
	const char *bytes = data;

	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '\n')
			continue;
		if (session->echo && !session->unusable)
			session->write(session->ctx, &bytes[i], 1);
		if (bytes[i] == '\r')
			end_line(session);
		else
			take_byte(session, bytes[i]);
	}
}
