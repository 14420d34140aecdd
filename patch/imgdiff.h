/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_IMGDIFF_H
#define PATCH_IMGDIFF_H

/*
 * IMGDIFF2 (spec/lineage.md 2.2), all little endian: magic, u32 chunk count, then per chunk a u32 type and
 *   NORMAL   u64 source start, length, patch offset
 *   DEFLATE  the same, then u64 inflated source size (bonus included), u64 inflated target size,
 *            i32 level, method, windowBits, memLevel, strategy
 *   RAW      u32 length, the data itself
 * and behind the last chunk the BSDIFF40 patches that the offsets, counted from the magic, point at.
 */
#include "patch/codec.h"

#define IMGDIFF_MAGIC        "IMGDIFF2"
#define IMGDIFF_HEADER_SIZE  12
#define IMGDIFF_NORMAL_SIZE  24
#define IMGDIFF_DEFLATE_SIZE 60
#define IMGDIFF_BONUS_CHUNK  1 /* the index of the only chunk that bonus data belongs to */

enum imgdiff_type { IMGDIFF_NORMAL = 0, IMGDIFF_GZIP = 1, IMGDIFF_DEFLATE = 2, IMGDIFF_RAW = 3 };

/*
 * Write what the chunks yield to the sink, which bounds it and fills the error itself (codec.h); old and bonus are the
 * caller's. Up to four streams of the patch are open at once.
 */
int imgdiff_apply(const struct reader *old, const struct content *patch, const struct reader *bonus,
                  const struct sink *sink, struct error *error);

#endif
