/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_AT_H
#define FOTAD_AT_H

/*
 * AT command lines as V.250 and the module family speak them (spec/requirements.md 3.1), without any device: bytes in,
 * bytes out. CR ends a line, LF is ignored, a backspace takes back a byte. One line may hold several commands. Each
 * line gets one answer: OK, or ERROR and nothing else for what cannot be understood, be it noise or too long.
 */
#include <stdbool.h>
#include <stddef.h>

#define AT_LINE_MAX       1023 /* bytes, without CR */
#define AT_REPLY_MAX      511  /* bytes of a line of information text, without CR LF */
#define AT_NAME_MAX       15
#define AT_PARAMETERS_MAX 8

/* ---- Commands ---- */

enum at_form {
	AT_EXECUTE, /* "+X", "E1" */
	AT_READ,    /* "+X?" */
	AT_TEST,    /* "+X=?" */
	AT_WRITE,   /* "+X=..." */
};

struct at_command {
	char name[AT_NAME_MAX + 1]; /* in upper case: "+QFOTADL", "E", "&F" */
	enum at_form form;
	unsigned number; /* behind a basic command's letter; 0 when there is none */
	/* Of AT_WRITE. Strings without their quotes, in the line that was parsed; NULL for one that was left out. */
	unsigned parameters;
	char *parameter[AT_PARAMETERS_MAX];
};

/*
 * Take the next command off a line, *rest being behind "AT" at first; the line's text is changed. Quotes may be typed
 * as a word processor sets them, the last one may be missing, and a string without commas needs none. Returns 1, 0 at
 * the end of the line, or -EINVAL.
 */
int at_next_command(char **rest, struct at_command *command);

/* ---- One channel ---- */

struct at_reply; /* the information text of one command */

/* One line of it, longer ones are cut. */
void at_say(struct at_reply *reply, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct at_session {
	/* What a command that the line discipline does not know does. False: the answer is ERROR. */
	bool (*run)(void *ctx, const struct at_command *command, struct at_reply *reply);
	/* Bytes for the channel; takes all of them. */
	void (*write)(void *ctx, const char *data, size_t length);
	void *ctx;

	bool echo;    /* ATE1 */
	bool verbose; /* ATV1 */
	bool quiet;   /* ATQ1 */

	char line[AT_LINE_MAX + 1];
	size_t length;
	bool unusable; /* too long, or holds what no line can hold */
};

/* run, write and ctx are set by the caller; the rest as after ATZ: echo on, text answers. */
void at_session_reset(struct at_session *session);

/* Bytes as they came, however they are split. Answers are written before this returns. */
void at_session_feed(struct at_session *session, const void *data, size_t length);

/* A line that no command asked for ("+QIND: ..."), framed. */
void at_session_tell(struct at_session *session, const char *line);

#endif
