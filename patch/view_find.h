/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_VIEW_FIND_H
#define PATCH_VIEW_FIND_H

/* Host side: what compressed parts images have, and with which recipes. The library room_patch_make holds it. */
#include "patch/buffer.h"
#include "patch/extent.h"
#include "patch/match.h"
#include "patch/view.h"

/* A view, and what it shows of its image. A zeroed one may be freed. */
struct viewed {
	struct view view;
	struct buffer plain;
	struct extents extents; /* of what lies in sorted LEBs */
};
void viewed_free(struct viewed *viewed);

/*
 * The exact view of an image: all parts that the encoders here reproduce bit for bit in no more than `memory` bytes
 * (0: no matter). LEBs of UBIFS are sorted. To be freed in any case.
 */
int view_find(struct viewed *viewed, const struct image *image, uint64_t memory, struct error *error);

struct view_limits {
	uint64_t memory; /* bytes of heap for each thing that is done; 0: no matter */
	uint32_t unit; /* the new image is made in units of so many bytes: these hold whole LEBs if any are sorted, and
	                * a part of it lies in one or in two of them; 0: it is made as a whole */
};

/*
 * The same for a pair of images, with the old one's view. What is the same in both, still compressed, stays so: there
 * is nothing to be gained by decoding it. So do old parts of coders that nothing new was encoded with. LEBs are sorted
 * in both or in none.
 */
int view_find_pair(struct viewed *old_viewed, struct viewed *new_viewed, const struct image *old_image,
                   const struct image *new_image, const struct view_limits *limits, struct error *error);

#endif
