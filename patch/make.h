/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_MAKE_H
#define PATCH_MAKE_H

/* What the makers of the two formats share. */
#include "patch/align.h"
#include "patch/buffer.h"

/* Append a whole BSDIFF40 patch from old to new. memory: as patch_make_bsdiff40() has it. */
int bsdiff_append(struct buffer *patch, const struct image *old, const struct image *new, uint64_t memory,
                  struct error *error);

/* The same for a part of an alignment, some of its stretches in order: what they make of the new image. */
int bsdiff_append_part(struct buffer *patch, const struct image *old, const struct image *new,
                       const struct alignment *part, uint64_t memory, struct error *error);

/* Write a patch that is done to the sink, or say that it cannot be. */
int patch_hand_over(const struct buffer *patch, const struct sink *sink, struct error *error);

#endif
