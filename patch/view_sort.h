/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_VIEW_SORT_H
#define PATCH_VIEW_SORT_H

/* Which LEBs of an image can be sorted, and what is in them. Host side. */
#include "patch/buffer.h"
#include "patch/extent.h"
#include "patch/match.h"
#include "patch/view.h"

/*
 * Sort what can be of an image of UBIFS, if whole units of `unit` bytes (0: no matter) are whole LEBs. `data`: the
 * sorted image; empty if nothing is sorted.
 */
int view_sort(const struct image *image, uint32_t unit, struct sorted *sorted, struct buffer *data,
              struct error *error);

/* Add where the view of this sorted image shows files. */
int view_list_extents(const struct view *view, const struct image *sorted, struct extents *extents,
                      struct error *error);

#endif
