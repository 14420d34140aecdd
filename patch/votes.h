/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_VOTES_H
#define PATCH_VOTES_H

/*
 * Where addresses (or symbol numbers) of the old image went: each pair of an old item and what stands in its place in
 * the new image is a vote for one shift. Many are wrong, since not all that looks like an address is one.
 */
#include "base/error.h"
#include "patch/predict.h"

struct votes {
	uint64_t *list; /* old value << 32 | its shift; owned */
	size_t count;
	size_t capacity;
};

int votes_add(struct votes *votes, uint32_t from, uint32_t to, struct error *error);

/*
 * The shifts that agree with as many votes as is worth their own bytes in a patch. What was in *shifts is freed. The
 * votes are used up; their room is kept.
 */
int votes_settle(struct votes *votes, struct predict_shifts *shifts, struct error *error);

void votes_free(struct votes *votes);

#endif
