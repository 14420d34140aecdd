/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_OUTBOX_H
#define FOTAD_OUTBOX_H

/*
 * What waits to be written to one port, in order and bounded. Lines that nobody asked for leave it whole or, when the
 * reader does not read, not at all: the oldest progress goes first. Answers are never dropped, so whoever makes one
 * looks first whether there is room. Each kind has its own share, and cannot take the other's.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTBOX_SHARE     2048 /* bytes of answers, and of lines */
#define OUTBOX_LINES_MAX 60

enum outbox_kind {
	OUTBOX_ANSWER,
	OUTBOX_LINE,
	OUTBOX_PROGRESS, /* a line that the next one of its kind makes worthless */
};

struct outbox_piece {
	uint16_t length; /* bytes */
	uint8_t kind;    /* enum outbox_kind */
};

struct outbox {
	char bytes[2 * OUTBOX_SHARE]; /* of the pieces, one after the other */
	size_t length;
	struct outbox_piece pieces[2 * OUTBOX_LINES_MAX + 4]; /* answers in a row are one piece, or two */
	unsigned count;
	size_t sent; /* bytes of the first piece that are gone */
};

/* How many bytes of answers it takes now. */
size_t outbox_room(const struct outbox *outbox);

/* False when it did not fit: an answer larger than outbox_room(), or a line with nothing older to drop for it. */
bool outbox_put(struct outbox *outbox, enum outbox_kind kind, const char *data, size_t length);

/* What is to be written next, and how much of it; 0: nothing waits. */
size_t outbox_next(const struct outbox *outbox, const char **data);

/* So much of it was written. */
void outbox_take(struct outbox *outbox, size_t length);

/* A new reader: the answers were for the old one, and a line that was cut short begins anew. */
void outbox_restart(struct outbox *outbox);

#endif
