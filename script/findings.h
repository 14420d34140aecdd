/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCRIPT_FINDINGS_H
#define SCRIPT_FINDINGS_H

/* What is wrong with a text, gathered in any order and told in the order of the text. Private to script/. */
#include "script/script.h"

struct findings {
	struct finding *list;
	size_t count, room;
	bool stop; /* out of memory, or more findings than anybody reads: the parser may give up */
	bool no_memory;
};

void findings_add(struct findings *findings, unsigned offset, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Tell them all, and the first of them in *error. Returns 0 when there are none, -EINVAL, or -ENOMEM. The findings are
 * empty afterwards.
 */
int findings_tell(struct findings *findings, const char *text,
                  void (*report)(void *ctx, const struct script_finding *finding), void *ctx, struct error *error);

/* Bytes of the text as a message can show them: escaped where they are not printable, and cut when long. */
#define QUOTE_SIZE 64
const char *finding_quote(char quote[QUOTE_SIZE], const char *bytes, size_t length);

#endif
