/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_RECIPE_CODER_H
#define PATCH_RECIPE_CODER_H

/*
 * What a coder brings to recipe.h, whose functions say what these do. One of two kinds: a stream's, or a block's, which
 * has all data in memory that it is given; these are not in its figures of memory.
 */
#include "patch/recipe.h"

struct recipe_ops {
	const char *library;
	const char *(*version)(void);
	bool (*is_known)(const struct recipe *recipe);
	uint64_t (*decode_memory)(const struct recipe *recipe, uint64_t raw_size, uint64_t plain_size);
	uint64_t (*encode_memory)(const struct recipe *recipe, uint64_t plain_size);
	bool (*guess)(struct recipe *recipe, size_t index);

	int (*decode)(const struct recipe *recipe, const struct reader *raw, uint8_t *plain, size_t plain_size,
	              struct error *error);
	int (*open)(void **state, const struct recipe *recipe, size_t plain_size, const struct sink *sink,
	            struct error *error);
	int (*write)(void *state, const void *data, size_t length);
	int (*finish)(void *state);
	void (*close)(void *state);

	int (*decode_block)(const struct recipe *recipe, const uint8_t *raw, size_t raw_size, uint8_t *plain,
	                    size_t plain_size, struct error *error);
	int (*encode_block)(const struct recipe *recipe, const uint8_t *plain, size_t plain_size,
	                    const struct sink *sink, struct error *error);
};

extern const struct recipe_ops recipe_lzma2;
extern const struct recipe_ops recipe_deflate;
extern const struct recipe_ops recipe_zstd;
extern const struct recipe_ops recipe_lzo;
extern const struct recipe_ops recipe_gzip;

/* What is read or made at a time. */
#define RECIPE_PIECE_SIZE ((size_t)16384)

/* Heap of a piece and of what the allocator and small structures around it take. */
#define RECIPE_BESIDE_MEMORY ((uint64_t)RECIPE_PIECE_SIZE + 4096)

#endif
