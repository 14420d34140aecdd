/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_MAKE_H
#define PATCH_MAKE_H

/* What the makers of the two formats share. */
#include "patch/buffer.h"
#include "patch/match.h"

/* Append a whole BSDIFF40 patch from old to new. */
int bsdiff_append(struct buffer *patch, const struct image *old, const struct image *new, struct error *error);

#endif
