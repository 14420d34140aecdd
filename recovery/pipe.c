/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/pipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODE_MAX 999 /* the URC's codes have three digits */

/* Reads a number and steps over it. False when there is none; one out of [0, most], or NaN, is brought into it. */
static bool take_number(char **text, double most, double *value)
{
	char *end;
	double number = strtod(*text, &end);

	if (end == *text)
		return false;
	*text = end;
	if (!(number > 0))
		number = 0;
	*value = number > most ? most : number;
	return true;
}

double pipe_fraction(struct pipe_state *state, uint64_t now_ms)
{
	if (state->seconds > 0) {
		double animated = (double)(now_ms - state->started_ms) / 1000 / state->seconds;

		if (animated > 1)
			animated = 1;
		if (animated > state->done)
			state->done = animated;
	}
	return state->start + state->length * state->done;
}

static bool take_progress(struct pipe_state *state, char *text, uint64_t now_ms)
{
	double length;
	double seconds = 0;

	if (!take_number(&text, 1, &length))
		return false;
	(void)take_number(&text, 86400, &seconds); /* missing: not animated */
	state->start += state->length; /* a segment that is followed by another is done, however far it said it was */
	if (state->start > 1)
		state->start = 1;
	if (length > 1 - state->start)
		length = 1 - state->start;
	state->length = length;
	state->done = 0;
	state->seconds = seconds;
	state->started_ms = now_ms;
	return true;
}

static bool take_set_progress(struct pipe_state *state, char *text)
{
	double done;

	if (!take_number(&text, 1, &done))
		return false;
	if (done > state->done)
		state->done = done;
	return true;
}

static bool take_log(struct pipe_state *state, char *text)
{
	char *value = strchr(text, ':');
	long code;

	if (!value)
		return false;
	*value++ = '\0';
	value += strspn(value, " ");
	if (strcmp(text, "cause") == 0) {
		(void)snprintf(state->cause, sizeof(state->cause), "%s", value);
	} else if (strcmp(text, "error") == 0) {
		code = strtol(value, NULL, 10);
		if (code <= 0 || code > CODE_MAX)
			return false;
		state->code = (int)code;
	}
	return true;
}

void pipe_line(struct pipe_state *state, char *text, uint64_t now_ms, const struct log *log)
{
	size_t length = strcspn(text, " ");
	char *rest = text + length + (text[length] == ' ');
	char verb[16] = "";
	bool known = true;

	if (length < sizeof(verb))
		memcpy(verb, text, length);
	if (strcmp(verb, "progress") == 0) {
		known = take_progress(state, rest, now_ms);
	} else if (strcmp(verb, "set_progress") == 0) {
		known = take_set_progress(state, rest);
	} else if (strcmp(verb, "ui_print") == 0) {
		log_printf(log, "%s", rest);
	} else if (strcmp(verb, "log") == 0) {
		log_printf(log, "%s", rest);
		known = take_log(state, rest);
	} else if (strcmp(verb, "wipe_cache") == 0) {
		state->wipe_cache = true;
	} else {
		/* Nothing to clear, no button to enable; and whether to try again is not the updater's to say. */
		known = strcmp(verb, "clear_display") == 0 || strcmp(verb, "enable_reboot") == 0 ||
		        strcmp(verb, "retry_update") == 0;
	}
	if (!known)
		log_printf(log, "updater: not understood: %s", text);
}
