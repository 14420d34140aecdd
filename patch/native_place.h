/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_NATIVE_PLACE_H
#define PATCH_NATIVE_PLACE_H

/* What native_place.c and native_order.c share: which units change in place, and what they need of the old image. */
#include "patch/native_write.h"

struct place {
	struct native_writer *w;
	const struct alignment *alignment;
	size_t *changed; /* units, ascending */
	size_t count;
	size_t *index;   /* in changed[], of each unit; SIZE_MAX for those that stay */
	uint32_t *needs; /* bytes that changed[row] takes from changed[column], count x count; NULL: not looked at */
	size_t *order;   /* of changed units */
	size_t *trial;
	bool *written; /* units of the old image that are no more */
};

/* Parts of stretches, cut where units of either image, or parts of the old view end. */
struct piece {
	int64_t new_at;
	int64_t old_at; /* -1: literals */
	int64_t size;
	size_t first; /* the units of the old image that are read for it */
	size_t last;
};

struct pieces {
	const struct place *place;
	struct native_span span;
	unsigned flags; /* of the unit's frame */
	size_t stretch;
	int64_t at;
};

/* The pieces that a unit's frame would make now, with what has been written. */
struct pieces place_pieces(const struct place *p, size_t unit);
bool place_next_piece(struct pieces *pieces, struct piece *piece);

void place_forget_written(struct place *p);

/* Whether all of its old bytes are still there. */
bool place_is_there(const struct place *p, const struct piece *piece);

/* Bytes that are kept between units, at most at a time, in this order of changed units. */
uint64_t place_count_kept(struct place *p, const size_t *order);

/* Find p->order. p->needs is to be freed in any case. */
int place_choose_order(struct place *p);

#endif
