/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PATCH_CRAFT_H
#define TESTS_PATCH_CRAFT_H

/* Patches written field by field, good ones and such that no honest writer makes. */
#include "patch/imgdiff.h"
#include "patch/redeflate.h"
#include "tests/patch/support.h"

struct entry {
	int64_t add;
	int64_t copy;
	int64_t seek;
};

/* A BSDIFF40 patch of these entries and of diff and extra bytes; small: bzip2 level 1. */
struct bytes craft_bsdiff40(const struct entry *entries, size_t count, const struct bytes *diff,
                            const struct bytes *extra, int64_t new_size);

/* The simplest patch of all: one entry that lays both images side by side from their beginnings. */
struct bytes plain_bsdiff40(const struct bytes *old, const struct bytes *new);

struct bytes make_bsdiff40(const struct bytes *old, const struct bytes *new); /* by patch_make_bsdiff40 */

/* One chunk of an IMGDIFF2 patch; its bytes are borrowed. */
struct chunk {
	enum imgdiff_type type;
	uint64_t source_start; /* NORMAL and DEFLATE: in the old image */
	uint64_t source_size;
	const struct bytes *bsdiff; /* NORMAL and DEFLATE: the BSDIFF40 patch */
	uint64_t inflated_source;   /* DEFLATE: sizes, that of the source with bonus data */
	uint64_t inflated_target;
	struct deflate_params params;
	const struct bytes *raw; /* RAW: the data */
};

struct bytes craft_imgdiff2(const struct chunk *chunks, size_t count);

/* Deflated by one call of zlib, as the makers of images do. */
struct bytes deflate_bytes(const struct bytes *plain, const struct deflate_params *params);

extern const struct deflate_params default_params; /* level 6, as most writers of IMGDIFF2 have it */

#endif
