/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_REGION_H
#define PATCH_REGION_H

/*
 * Regions of an image that are loaded each at an address of its own, such as a kernel that a boot image has in it.
 * Where they begin is known of those who made the image; their addresses are not, and are found.
 */
#include "patch/align.h"
#include "patch/extent.h"

/* Ends where the next one begins. */
struct region {
	uint64_t begin;  /* offset in the image */
	uint32_t origin; /* address of its first byte; 0 when nothing speaks for another one */
};

struct regions {
	struct region *list; /* owned; the first begins at 0, even when the image has no bytes */
	size_t count;
};

/* Offsets, ascending, at which something begins or ends; 0 and the image's end need not be among them. */
struct region_borders {
	uint64_t *list; /* owned by who made it */
	size_t count;
};

/* An image and what is known of it. */
struct region_image {
	struct image image;
	struct region_borders borders;
	struct extents extents; /* not owned */
};

/* To be freed in any case. Regions that lie along each other have the same origin. */
int regions_find(struct regions *old_regions, struct regions *new_regions, const struct region_image *old_image,
                 const struct region_image *new_image, const struct alignment *alignment, struct error *error);
void regions_free(struct regions *regions);

#endif
