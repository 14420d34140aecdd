/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_ORIGIN_H
#define PATCH_ORIGIN_H

/*
 * The address at which an image is loaded that does not say so itself, like a kernel: a multiple of 4 KiB such that
 * words that changed are addresses of functions, and changed as the alignment has moved what they lead to.
 */
#include "patch/align.h"

/* *origin is 0 when nothing speaks for another one. Costs half a byte for each one of the old image while it works. */
int origin_find(const struct image *old, const struct image *new, const struct alignment *alignment, uint32_t *origin,
                struct error *error);

#endif
