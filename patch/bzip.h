/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_BZIP_H
#define PATCH_BZIP_H

#include "patch/buffer.h"

#define BZIP_LEVELS 9 /* of blocks of so many times 100,000 bytes: whoever reads a stream pays four times that */

/* The level of the smallest blocks that cost no bytes. */
int bzip_level(const uint8_t *data, size_t size);

/* Append the data as one bzip2 stream. At most INT32_MAX bytes. */
int bzip_append(struct buffer *out, const uint8_t *data, size_t size, int level, struct error *error);

#endif
