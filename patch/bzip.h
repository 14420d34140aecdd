/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_BZIP_H
#define PATCH_BZIP_H

#include "patch/buffer.h"

/*
 * Append the data as one bzip2 stream, with the smallest blocks that cost no bytes: whoever reads the stream pays four
 * times the size of a block. At most INT32_MAX bytes.
 */
int bzip_append(struct buffer *out, const uint8_t *data, size_t size, struct error *error);

#endif
