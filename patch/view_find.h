/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_VIEW_FIND_H
#define PATCH_VIEW_FIND_H

/* Host side: what compressed parts images have, and with which recipes. The library room_patch_make holds it. */
#include "patch/buffer.h"
#include "patch/match.h"
#include "patch/view.h"

/* A view, and what it shows of its image. A zeroed one may be freed. */
struct viewed {
	struct view view;
	struct buffer plain;
};
void viewed_free(struct viewed *viewed);

/*
 * The exact view of an image: all parts that the encoders here reproduce bit for bit in no more than `memory` bytes
 * (0: no matter). To be freed in any case.
 */
int view_find(struct viewed *viewed, const struct image *image, uint64_t memory, struct error *error);

/*
 * The same for a pair of images, with the old one's view. What is the same in both, still compressed, stays so: there
 * is nothing to be gained by decoding it. So do old parts of coders that nothing new was encoded with.
 */
int view_find_pair(struct viewed *old_viewed, struct viewed *new_viewed, const struct image *old_image,
                   const struct image *new_image, uint64_t memory, struct error *error);

#endif
