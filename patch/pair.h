/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_PAIR_H
#define PATCH_PAIR_H

#include "patch/predict.h"

/* An item and what stands in its place in the new image. */
struct pair {
	struct predict_item item;
	const uint8_t *new_stretch;
	uint64_t new_at; /* where the item begins in the image */
	struct predict_place new_place;
	uint32_t new_code;
};

/* What the new bytes mean, when they are an item of the same form and mean something of their program. */
bool pair_read_target(const struct pair *pair, uint32_t *target);

#endif
