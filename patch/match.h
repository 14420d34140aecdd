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
	int64_t length; /* 0: not a byte of it */
};

struct matcher {
	struct image old;
	struct image new;
	saidx_t *order;    /* the old image's suffixes, sorted; owned */
	struct match last; /* the last long match, carried on to last_new */
	int64_t last_new;
};

/* The images' data must outlive the matcher. To be closed in any case. */
int matcher_open(struct matcher *matcher, const struct image *old, const struct image *new, struct error *error);

/* The longest match of what starts at new_at; long ones are found, but not always the longest of them. */
struct match matcher_find(struct matcher *matcher, int64_t new_at);

void matcher_close(struct matcher *matcher);

#endif
