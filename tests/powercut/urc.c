/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/urc.h"

#include <stdlib.h>
#include <string.h>

#define START    "+QIND: \"FOTA\",\"START\""
#define UPDATING "+QIND: \"FOTA\",\"UPDATING\","
#define END      "+QIND: \"FOTA\",\"END\","

/* Digits only, to the end of the text. */
static int parse_number(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits > 0 && digits < 5 && text[digits] == '\0' ? (int)strtol(text, NULL, 10) : -1;
}

static const char *hear_updating(struct urc *urc, int percent)
{
	if (!urc->started || urc->has_end)
		return "UPDATING outside of START and END";
	if (urc->ended)
		return "UPDATING after an END";
	if (percent < 0 || percent > 100)
		return "UPDATING without a percentage";
	if ((unsigned)percent < urc->percent)
		return "the percentage fell";
	urc->percent = (unsigned)percent;
	urc->heard = true;
	return NULL;
}

static const char *hear_end(struct urc *urc, int code)
{
	if (!urc->started || urc->has_end)
		return "END without START, or twice";
	if (code < 0)
		return "END without a code";
	if ((urc->ended || urc->was_ended) && code != urc->code)
		return "END with another code than before";
	if (!urc->heard)
		return "END of an upgrade of which nobody heard UPDATING";
	urc->ended = true;
	urc->has_end = true;
	urc->code = code;
	return NULL;
}

static const char *hear_line(struct urc *urc, const char *line)
{
	if (strcmp(line, START) == 0) {
		if (urc->started)
			return "START twice";
		urc->started = true;
		return NULL;
	}
	if (strncmp(line, UPDATING, strlen(UPDATING)) == 0)
		return hear_updating(urc, parse_number(line + strlen(UPDATING)));
	if (strncmp(line, END, strlen(END)) == 0)
		return hear_end(urc, parse_number(line + strlen(END)));
	return "an unknown line";
}

const char *urc_hear(struct urc *urc, const char *text, size_t length)
{
	const char *end = text + length;
	const char *wrong = NULL;

	urc->started = false;
	urc->has_end = false;
	while (!wrong && text < end) {
		const char *stop = memmem(text + 1, (size_t)(end - text - 1), "\r\n", 2);
		char line[128];

		if (!stop || strncmp(text, "\r\n", 2) != 0 || (size_t)(stop - text) > sizeof(line))
			return "half a line";
		memcpy(line, text + 2, (size_t)(stop - text - 2));
		line[stop - text - 2] = '\0';
		wrong = hear_line(urc, line);
		text = stop + 2;
	}
	return wrong;
}
