/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_VIEW_PROBE_H
#define PATCH_VIEW_PROBE_H

/* Compressed data in an image by the marks of the containers that they are in. */
#include "patch/match.h"
#include "patch/view.h"

struct view_parts {
	struct view_part *all; /* in order, none within another; settings of encoders are not known yet; owned */
	size_t count;
	size_t capacity;
};

int view_parts_add(struct view_parts *parts, const struct view_part *part, struct error *error);
void view_parts_free(struct view_parts *parts);

/* Leave out what both images have, still compressed. */
int view_leave_out_same(const struct image *old_image, struct view_parts *old_parts, const struct image *new_image,
                        struct view_parts *new_parts, struct error *error);
/* Leave out parts of coders that the view does not have. */
int view_leave_out_others(struct view_parts *parts, const struct view *view, struct error *error);

/*
 * Add what is in the container that begins here and set *next behind its last part. What is no container is no error,
 * and leaves *next alone.
 */
int view_probe_xz(struct view_parts *parts, const struct image *image, int64_t at, int64_t *next, struct error *error);
int view_probe_deflate(struct view_parts *parts, const struct image *image, int64_t at, int64_t *next,
                       struct error *error);
int view_probe_zstd(struct view_parts *parts, const struct image *image, int64_t at, int64_t *next,
                    struct error *error);
int view_probe_ubifs(struct view_parts *parts, const struct image *image, int64_t at, int64_t *next,
                     struct error *error);
/* What is in this sorted LEB. */
int view_probe_sorted(struct view_parts *parts, const struct image *image, int64_t leb_at, uint32_t leb_size,
                      struct error *error);
int view_probe_squashfs(struct view_parts *parts, const struct image *image, int64_t at, int64_t *next,
                        struct error *error);

#endif
