/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_BZIP_H
#define PATCH_BZIP_H

#include "patch/blocks.h"

#define BZIP_LEVELS 9 /* of blocks of so many times 100,000 bytes: whoever reads a stream pays four times that */

/* The level of the smallest blocks that hold what these do: larger ones cost memory and save no bytes. */
int bzip_level(const uint8_t *data, const struct blocks *blocks);

/* Append the data as one bzip2 stream of these blocks, or of more where the level's are smaller. At most INT32_MAX
 * bytes. */
int bzip_append(struct buffer *out, const uint8_t *data, const struct blocks *blocks, int level, struct error *error);

#endif
