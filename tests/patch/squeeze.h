/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PATCH_SQUEEZE_H
#define TESTS_PATCH_SQUEEZE_H

/* Compressed data in their containers, as the makers of images write them. */
#include "tests/patch/support.h"
#include <lzma.h>

struct xz_settings {
	lzma_vli branch; /* the id of a converter in front; 0: none */
	size_t blocks;   /* in which the data are cut; 0: 1 */
	uint32_t preset; /* LZMA_PRESET_EXTREME may be set */
	uint32_t dictionary;
	uint32_t nice;          /* 0: as the preset has it */
	uint32_t less_literals; /* by how much lc is below the preset's */
	lzma_check check;
	bool sized; /* in one go, with the sizes in the block's header */
};
struct bytes squeeze_xz(const struct bytes *plain, const struct xz_settings *settings);

enum deflate_container { ZLIB_STREAM, GZIP_MEMBER, ZIP_ENTRY };
struct deflate_settings {
	enum deflate_container container;
	int level;
	int memory;
	int strategy;
};
struct bytes squeeze_deflate(const struct bytes *plain, const struct deflate_settings *settings);

/* By gzip(1), its header without name and time. */
struct bytes squeeze_gzip(const struct bytes *plain, unsigned level);

struct zstd_settings {
	int level;
	bool checksum;
	bool no_rows;
};
/* By ZSTD_compressCCtx(), as file systems do, where nothing but the level is set. */
struct bytes squeeze_zstd(const struct bytes *plain, const struct zstd_settings *settings);

/* By LZO1X-999 of this level, 0: LZO1X-1. */
struct bytes squeeze_lzo(const struct bytes *plain, int level, bool optimized);

/* A data node of UBIFS, of at most 4096 bytes; zlib, or LZO of this level, 0: LZO1X-1. */
struct bytes squeeze_ubifs(const struct bytes *plain, bool zlib, int level);

#endif
