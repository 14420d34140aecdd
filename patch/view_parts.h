/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_VIEW_PARTS_H
#define PATCH_VIEW_PARTS_H

/* What the files of a view share. */
#include "patch/view.h"

static inline uint64_t view_part_raw_end(const struct view_part *part)
{
	return part->raw_at + part->raw_size;
}

static inline uint64_t view_part_plain_end(const struct view_part *part)
{
	return part->plain_at + part->plain_size;
}

/* A part, or what lies between two; never empty but at the end of the view. */
struct view_stretch {
	uint64_t raw_at;
	uint64_t raw_size;
	uint64_t plain_at;
	uint64_t plain_size;
	bool is_part;
	struct recipe recipe; /* of a part */
};
void view_find_stretch(const struct view *view, uint64_t plain_at, struct view_stretch *stretch);

/* Room for parts of this size and number in all. */
int view_reserve(struct view *view, size_t size, size_t count, struct error *error);

#endif
