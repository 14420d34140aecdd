/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_RECIPE_H
#define PATCH_RECIPE_H

/*
 * How compressed data were made: the coder, what its decoder must know, the settings with which its encoder yields the
 * same bytes again, and the container around the coder's output, whose headers and checksums follow from the rest. An
 * encoder's output is promised by no library from one version to the next, so whoever encodes on another machine asks
 * for the version that was found to reproduce.
 */
#include "patch/codec.h"
#include <stdbool.h>

#define RECIPE_SETTINGS 4
#define RECIPE_DETAILS  2

/* Of one compressed part, compressed or plain; a bound for everything that is allocated. */
#define RECIPE_SIZE_MAX (1u << 30)

/* The numbers are those of patches. */
enum recipe_coder { RECIPE_LZMA2, RECIPE_DEFLATE, RECIPE_ZSTD, RECIPE_LZO, RECIPE_GZIP, RECIPE_CODERS };

enum recipe_lzma2 {
	LZMA2_PRESET,     /* 0 to 9, and LZMA2_EXTREME */
	LZMA2_DICTIONARY, /* its size as the filter flags of an xz block have it, 0 to 40 */
	LZMA2_BRANCH,     /* the filter id of a branch converter in front (4 to 10), 0: none */
	LZMA2_PROPERTIES, /* lc, lp and pb as the first chunk has them */
};
#define LZMA2_EXTREME 0x10

uint32_t recipe_dictionary_size(unsigned setting); /* bytes */

/* As deflateInit2() takes them; of the window, which is taken to be known, its logarithm. GNU gzip has but levels. */
enum recipe_deflate { DEFLATE_LEVEL, DEFLATE_MEMORY, DEFLATE_WINDOW, DEFLATE_STRATEGY };

/* Rows: whether matches are sought by rows, where the level's strategy can. */
enum recipe_zstd { ZSTD_LEVEL, ZSTD_CHECKSUM, ZSTD_ROWS };

/* 0: LZO1X-1; 1 to 9: LZO1X-999 at this level. Optimized: rewritten by lzo1x_optimize(), as mksquashfs has it. */
enum recipe_lzo { LZO_LEVEL, LZO_OPTIMIZED };

/* The numbers are those of patches. A gzip member is one from behind its header on. */
enum recipe_container { CONTAINER_NONE, CONTAINER_ZLIB, CONTAINER_GZIP, CONTAINER_XZ, CONTAINERS };

/* An xz stream of one block: its check, as liblzma numbers it; the size of the block's header in units of 4 bytes. */
enum recipe_xz { XZ_CHECK, XZ_HEADER };
#define XZ_SIZED 0x10 /* with the check: the block's header says how large the block is */

struct recipe {
	uint8_t coder;
	uint8_t settings[RECIPE_SETTINGS]; /* by the coder; those that it does not have are 0 */
	uint8_t container;
	uint8_t details[RECIPE_DETAILS]; /* by the container, in the same way */
};

/* Settings that no decoder and encoder here know are a broken patch. What follows takes only recipes that passed. */
int recipe_check(const struct recipe *recipe, struct error *error);

bool recipe_equal(const struct recipe *a, const struct recipe *b);

/* The library that encodes, and its version; both stay. */
const char *recipe_library(enum recipe_coder coder);
const char *recipe_version(enum recipe_coder coder);

/* The most heap that decoding and encoding take, beside the plain data that they fill or are given. */
uint64_t recipe_decode_memory(const struct recipe *recipe, uint64_t raw_size, uint64_t plain_size);
uint64_t recipe_encode_memory(const struct recipe *recipe, uint64_t plain_size);

/*
 * Fill plain with what the whole of raw decodes to. The reader fills the error itself. Data that decode to anything
 * else are a broken patch.
 */
int recipe_decode(const struct recipe *recipe, const struct reader *raw, void *plain, size_t plain_size,
                  struct error *error);

/*
 * Larger parts are not decoded whole where any bytes of them can be read: those of DEFLATE. The reader fills the error
 * itself, and is copied. Data that decode to fewer bytes are a broken patch.
 */
#define RECIPE_WHOLE_MAX (1u << 20)
bool recipe_is_sought(const struct recipe *recipe, uint64_t plain_size);
uint64_t recipe_seek_memory(void); /* the most heap that one takes, whatever its size */

struct recipe_seek;
int recipe_seek_open(struct recipe_seek **seek, const struct recipe *recipe, const struct reader *raw,
                     uint64_t plain_size, struct error *error);
int recipe_seek_read(struct recipe_seek *seek, uint64_t at, void *buffer, size_t length);
void recipe_seek_close(struct recipe_seek *seek); /* tolerates NULL */

/*
 * The index-th guess at what the encoder's settings were, the most likely first, or at another encoder of the same
 * data; what a decoder must know stays as it is. False when there are no more.
 */
bool recipe_guess(struct recipe *recipe, size_t index);

/* A sink that encodes into another sink, which fills the error itself, as it is written to: plain_size bytes in all. */
struct recipe_encoder;
int recipe_encoder_open(struct recipe_encoder **encoder, const struct recipe *recipe, size_t plain_size,
                        const struct sink *sink, struct error *error);
struct sink recipe_encoder_sink(struct recipe_encoder *encoder);
int recipe_encoder_finish(struct recipe_encoder *encoder);
void recipe_encoder_close(struct recipe_encoder *encoder); /* tolerates NULL */

#endif
