/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_ALIGN_H
#define PATCH_ALIGN_H

/*
 * The new image laid along the old one, in stretches that differ in a few bytes only, so that the byte-wise differences
 * are mostly zero and compress well. The idea is Colin Percival's ("Naive differences of executable code").
 */
#include "patch/match.h"

/* `add` bytes from new_at on lie along old_at; the `copy` bytes behind them are like nothing that was. */
struct stretch {
	int64_t new_at;
	int64_t old_at;
	int64_t add;
	int64_t copy;
};

struct alignment {
	struct stretch *stretches; /* in order, no gap between them; owned */
	size_t count;
	size_t capacity;
};

/* To be freed in any case. Costs 4 bytes for each one of the old image while it works, unless they hardly differ. */
int alignment_make(struct alignment *alignment, const struct image *old, const struct image *new, struct error *error);

/* Bytes of the new image that the stretches make. */
int64_t alignment_size(const struct alignment *alignment);

void alignment_free(struct alignment *alignment);

#endif
