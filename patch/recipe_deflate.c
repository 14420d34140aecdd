/* SPDX-License-Identifier: Apache-2.0 */
/* Raw DEFLATE (RFC 1951) by zlib, or as GNU gzip has it. Decoded by zlib. */
#include "patch/recipe_coder.h"
#include "patch/redeflate.h"
#include "patch/regzip.h"

#include <zlib.h>

/* zlib's states, by its zconf.h, rounded up; redeflate's own buffer. */
#define INFLATE_STATE 12288u
#define DEFLATE_STATE 8192u
#define OUTPUT_MEMORY 33024u

static struct deflate_params params_of(const struct recipe *recipe)
{
	return (struct deflate_params){.level = recipe->settings[DEFLATE_LEVEL],
	                               .method = Z_DEFLATED,
	                               .window_bits = -(int32_t)recipe->settings[DEFLATE_WINDOW],
	                               .mem_level = recipe->settings[DEFLATE_MEMORY],
	                               .strategy = recipe->settings[DEFLATE_STRATEGY]};
}

/* Level 0 is left out: its blocks end where the data came in pieces. */
static bool is_known(const struct recipe *recipe)
{
	const uint8_t *s = recipe->settings;

	return s[DEFLATE_LEVEL] >= 1 && s[DEFLATE_LEVEL] <= Z_BEST_COMPRESSION && s[DEFLATE_WINDOW] >= 9 &&
	       s[DEFLATE_WINDOW] <= MAX_WBITS && s[DEFLATE_MEMORY] >= 1 && s[DEFLATE_MEMORY] <= MAX_MEM_LEVEL &&
	       s[DEFLATE_STRATEGY] <= Z_FIXED;
}

static uint64_t decode_memory(const struct recipe *recipe, uint64_t raw_size, uint64_t plain_size)
{
	(void)recipe;
	(void)raw_size;
	(void)plain_size;
	return (1u << MAX_WBITS) + INFLATE_STATE + RECIPE_BESIDE_MEMORY;
}

static uint64_t encode_memory(const struct recipe *recipe, uint64_t plain_size)
{
	(void)plain_size;
	return (1u << (recipe->settings[DEFLATE_WINDOW] + 2)) + (1u << (recipe->settings[DEFLATE_MEMORY] + 9)) +
	       DEFLATE_STATE + OUTPUT_MEMORY;
}

static int inflate_all(z_stream *z, const struct reader *raw, struct error *error)
{
	uint8_t input[RECIPE_PIECE_SIZE];
	uint64_t at = 0;
	int ret = Z_OK;

	while (ret == Z_OK) {
		if (z->avail_in == 0 && at < raw->size) {
			size_t n = raw->size - at < sizeof(input) ? (size_t)(raw->size - at) : sizeof(input);
			int err = raw->read_at(raw->ctx, at, input, n);

			if (err < 0)
				return err;
			at += n;
			z->next_in = input;
			z->avail_in = (uInt)n;
		}
		ret = inflate(z, Z_NO_FLUSH);
	}
	if (ret == Z_MEM_ERROR)
		return patch_no_memory(error);
	if (ret != Z_STREAM_END || z->avail_out > 0 || z->avail_in > 0 || at < raw->size)
		return patch_broken(error, "old content: no DEFLATE data of the size that the patch claims");
	return 0;
}

static int decode(const struct recipe *recipe, const struct reader *raw, uint8_t *plain, size_t plain_size,
                  struct error *error)
{
	z_stream z = {.next_out = plain, .avail_out = (uInt)plain_size};
	int err;

	(void)recipe;
	if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
		return patch_no_memory(error);
	err = inflate_all(&z, raw, error);
	(void)inflateEnd(&z);
	return err;
}

/* Of both coders, so that the recipe's may become the other one. */
static bool guess(struct recipe *recipe, size_t index)
{
	/* What zip and zlib, and then mksquashfs, use comes first; 0: GNU gzip, which writes its own container only. */
	static const uint8_t levels[] = {6, 9, 1, 8, 7, 5, 4, 3, 2};
	static const uint8_t memories[] = {8, 9, 0};
	size_t column = index / sizeof(levels);

	if (column >= sizeof(memories) || (memories[column] == 0 && recipe->container != CONTAINER_GZIP))
		return false;
	recipe->coder = memories[column] > 0 ? RECIPE_DEFLATE : RECIPE_GZIP;
	recipe->settings[DEFLATE_LEVEL] = levels[index % sizeof(levels)];
	recipe->settings[DEFLATE_MEMORY] = memories[column];
	return true;
}

static int encoder_open(void **state, const struct recipe *recipe, size_t plain_size, const struct sink *sink,
                        struct error *error)
{
	const struct deflate_params params = params_of(recipe);
	struct redeflate *redeflate = NULL;
	int err = redeflate_open(&redeflate, &params, sink, error);

	(void)plain_size;
	*state = redeflate;
	return err;
}

static int encoder_write(void *state, const void *data, size_t length)
{
	struct sink sink = redeflate_sink(state);

	return sink.write(sink.ctx, data, length);
}

static int encoder_finish(void *state)
{
	return redeflate_finish(state);
}

static void encoder_close(void *state)
{
	redeflate_close(state);
}

const struct recipe_ops recipe_deflate = {
	.library = "zlib",
	.version = zlibVersion,
	.is_known = is_known,
	.decode_memory = decode_memory,
	.encode_memory = encode_memory,
	.decode = decode,
	.guess = guess,
	.open = encoder_open,
	.write = encoder_write,
	.finish = encoder_finish,
	.close = encoder_close,
};

/* ---- GNU gzip ---- */

/* The version of regzip's output. */
static const char *gzip_version(void)
{
	return "1";
}

static bool gzip_is_known(const struct recipe *recipe)
{
	const uint8_t *s = recipe->settings;

	return s[DEFLATE_LEVEL] >= 1 && s[DEFLATE_LEVEL] <= Z_BEST_COMPRESSION && s[DEFLATE_WINDOW] == MAX_WBITS &&
	       s[DEFLATE_MEMORY] == 0 && s[DEFLATE_STRATEGY] == 0;
}

static uint64_t gzip_encode_memory(const struct recipe *recipe, uint64_t plain_size)
{
	(void)recipe;
	(void)plain_size;
	return regzip_memory();
}

static int gzip_open(void **state, const struct recipe *recipe, size_t plain_size, const struct sink *sink,
                     struct error *error)
{
	struct regzip *regzip = NULL;
	int err = regzip_open(&regzip, recipe->settings[DEFLATE_LEVEL], sink, error);

	(void)plain_size;
	*state = regzip;
	return err;
}

static int gzip_write(void *state, const void *data, size_t length)
{
	struct sink sink = regzip_sink(state);

	return sink.write(sink.ctx, data, length);
}

static int gzip_finish(void *state)
{
	return regzip_finish(state);
}

static void gzip_close(void *state)
{
	regzip_close(state);
}

const struct recipe_ops recipe_gzip = {
	.library = "gzip",
	.version = gzip_version,
	.is_known = gzip_is_known,
	.decode_memory = decode_memory,
	.encode_memory = gzip_encode_memory,
	.decode = decode,
	.guess = guess,
	.open = gzip_open,
	.write = gzip_write,
	.finish = gzip_finish,
	.close = gzip_close,
};
