/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_MATCH_H
#define PATCH_MATCH_H

/* Where in the old image the bytes of the new one were: a suffix array and a search in it. */
#include "base/error.h"
#include <divsufsort.h>
#include <stddef.h>
#include <stdint.h>

struct image {
	const uint8_t *data;
	int64_t size; /* at most INT32_MAX */
};

struct match {
	int64_t old_at;
	int64_t length; /* 0: nothing of it */
};

struct matcher {
	struct image old;
	saidx_t *order;  /* the old image's suffixes, sorted; owned */
	saidx_t *starts; /* by their first two bytes: index into order[] of the first such suffix; owned */
};

/* The image's data must outlive the matcher. To be closed in any case; a zeroed one may be closed, too. */
int matcher_open(struct matcher *matcher, const struct image *old, struct error *error);

/* A match shorter than this is of no use, and which one of several it is is of no interest. */
#define MATCH_SHORTEST 6

/*
 * The longest match of the text, 2 bytes or more; of several equally long ones, unless they are shorter than
 * MATCH_SHORTEST, one close to old_at. Very long ones are found, but not always the longest or closest of them.
 */
struct match matcher_find(const struct matcher *matcher, const uint8_t *text, int64_t length, int64_t old_at);

void matcher_close(struct matcher *matcher);

/* How many bytes a and b have in common, up to the limit. */
int64_t common_prefix(const uint8_t *a, const uint8_t *b, int64_t limit);

#endif
