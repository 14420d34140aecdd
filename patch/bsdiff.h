/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_BSDIFF_H
#define PATCH_BSDIFF_H

/*
 * BSDIFF40 (spec/lineage.md 2.1): a header of 32 bytes, magic and three lengths of 8 bytes each, little endian with the
 * sign in bit 63; then control, diff and extra as bzip2 streams. Inside an IMGDIFF2 patch it starts anywhere and its
 * end is not told: the extra stream ends by itself.
 */
#include "patch/codec.h"

#define BSDIFF_MAGIC       "BSDIFF40"
#define BSDIFF_HEADER_SIZE 32
#define BSDIFF_ENTRY_SIZE  24

struct bsdiff_header {
	uint64_t control_at; /* offsets into the patch content, all found to lie inside it */
	uint64_t diff_at;
	uint64_t extra_at;
	uint64_t new_size;
};

/* Read and check the header at the offset. */
int bsdiff_read_header(const struct content *patch, uint64_t offset, struct bsdiff_header *header, struct error *error);

/* Write exactly header->new_size bytes to the sink. old and sink fill the error themselves (codec.h). */
int bsdiff_apply(const struct reader *old, const struct content *patch, const struct bsdiff_header *header,
                 const struct sink *sink, struct error *error);

#endif
