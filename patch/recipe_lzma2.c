/* SPDX-License-Identifier: Apache-2.0 */
/* LZMA2 as xz blocks hold it (The .xz File Format 5.3), by liblzma. */
#include "patch/recipe_lzma2.h"

#include "patch/recipe_coder.h"
#include <stdlib.h>

#define DICTIONARY_MAX 40 /* as its byte */
#define PRESET_MAX     9
#define PROPERTIES_MAX 224 /* (pb * 5 + lp) * 9 + lc */

/* A chunk that liblzma keeps and does not count where the dictionary is smaller. */
#define UNCOUNTED_MEMORY 65536

struct lzma2_encoder {
	struct lzma2_chain chain;
	lzma_stream stream;
	const struct sink *sink;
	struct error *error;
	uint8_t output[RECIPE_PIECE_SIZE];
};

uint32_t recipe_dictionary_size(unsigned setting)
{
	return setting >= DICTIONARY_MAX ? UINT32_MAX : (2u | (setting & 1)) << (setting / 2 + 11);
}

/*
 * The smallest dictionary with which liblzma encodes that many bytes as it does with the one of the recipe: it must
 * hold all of them, and its match finder takes the size of its hash table from the highest bit of the size less one.
 */
static uint32_t encoding_dictionary(const struct recipe *recipe, uint64_t plain_size)
{
	uint32_t size = recipe_dictionary_size(recipe->settings[LZMA2_DICTIONARY]);
	uint32_t least = LZMA_DICT_SIZE_MIN;

	while (least <= (size - 1) / 2)
		least *= 2;
	least++;
	if (least < plain_size)
		least = (uint32_t)plain_size;
	return least < size ? least : size;
}

static uint32_t decoding_dictionary(const struct recipe *recipe, uint64_t plain_size)
{
	uint32_t size = recipe_dictionary_size(recipe->settings[LZMA2_DICTIONARY]);
	uint32_t least = plain_size > LZMA_DICT_SIZE_MIN ? (uint32_t)plain_size : LZMA_DICT_SIZE_MIN;

	return least < size ? least : size;
}

void lzma2_chain_set(struct lzma2_chain *chain, const struct recipe *recipe, uint32_t dictionary)
{
	unsigned preset = recipe->settings[LZMA2_PRESET];
	unsigned properties = recipe->settings[LZMA2_PROPERTIES];
	size_t count = 0;

	/* Fails for presets alone that is_known() refuses. */
	(void)lzma_lzma_preset(&chain->options, (preset & 0xf) | (preset & LZMA2_EXTREME ? LZMA_PRESET_EXTREME : 0));
	chain->options.dict_size = dictionary;
	chain->options.lc = properties % 9;
	chain->options.lp = properties / 9 % 5;
	chain->options.pb = properties / 45;
	if (recipe->settings[LZMA2_BRANCH] != 0)
		chain->filters[count++] = (lzma_filter){.id = recipe->settings[LZMA2_BRANCH]};
	chain->filters[count++] = (lzma_filter){.id = LZMA_FILTER_LZMA2, .options = &chain->options};
	chain->filters[count] = (lzma_filter){.id = LZMA_VLI_UNKNOWN};
}

static bool is_known(const struct recipe *recipe)
{
	unsigned preset = recipe->settings[LZMA2_PRESET];
	unsigned branch = recipe->settings[LZMA2_BRANCH];
	unsigned properties = recipe->settings[LZMA2_PROPERTIES];

	return (preset & 0xf) <= PRESET_MAX && (preset & ~(0xfu | LZMA2_EXTREME)) == 0 &&
	       recipe->settings[LZMA2_DICTIONARY] <= DICTIONARY_MAX && properties <= PROPERTIES_MAX &&
	       properties % 9 + properties / 9 % 5 <= LZMA_LCLP_MAX &&
	       (branch == 0 || (branch >= LZMA_FILTER_X86 && branch <= 0x0a &&
	                        lzma_filter_decoder_is_supported(branch) && lzma_filter_encoder_is_supported(branch)));
}

static uint64_t decode_memory(const struct recipe *recipe, uint64_t raw_size, uint64_t plain_size)
{
	struct lzma2_chain chain;

	(void)raw_size;
	lzma2_chain_set(&chain, recipe, decoding_dictionary(recipe, plain_size));
	return lzma_raw_decoder_memusage(chain.filters) + RECIPE_BESIDE_MEMORY;
}

static uint64_t encode_memory(const struct recipe *recipe, uint64_t plain_size)
{
	struct lzma2_chain chain;

	lzma2_chain_set(&chain, recipe, encoding_dictionary(recipe, plain_size));
	return lzma_raw_encoder_memusage(chain.filters) + UNCOUNTED_MEMORY + RECIPE_BESIDE_MEMORY;
}

static int decode_all(lzma_stream *stream, const struct reader *raw, struct error *error)
{
	uint8_t input[RECIPE_PIECE_SIZE];
	lzma_ret ret = LZMA_OK;
	uint64_t at = 0;

	while (ret == LZMA_OK) {
		if (stream->avail_in == 0 && at < raw->size) {
			size_t n = raw->size - at < sizeof(input) ? (size_t)(raw->size - at) : sizeof(input);
			int err = raw->read_at(raw->ctx, at, input, n);

			if (err < 0)
				return err;
			at += n;
			stream->next_in = input;
			stream->avail_in = n;
		}
		ret = lzma_code(stream, at == raw->size ? LZMA_FINISH : LZMA_RUN);
	}
	if (ret == LZMA_MEM_ERROR)
		return patch_no_memory(error);
	if (ret != LZMA_STREAM_END || stream->avail_out > 0 || stream->avail_in > 0 || at < raw->size)
		return patch_broken(error, "old content: no LZMA2 data of the size that the patch claims");
	return 0;
}

static int decode(const struct recipe *recipe, const struct reader *raw, uint8_t *plain, size_t plain_size,
                  struct error *error)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	struct lzma2_chain chain;
	lzma_ret ret;
	int err;

	lzma2_chain_set(&chain, recipe, decoding_dictionary(recipe, plain_size));
	ret = lzma_raw_decoder(&stream, chain.filters);
	if (ret != LZMA_OK)
		return ret == LZMA_MEM_ERROR ? patch_no_memory(error)
		                             : error_set(error, 0, EINVAL, "patch: liblzma cannot decode so");
	stream.next_out = plain;
	stream.avail_out = plain_size;
	err = decode_all(&stream, raw, error);
	lzma_end(&stream);
	return err;
}

static bool guess(struct recipe *recipe, size_t index)
{
	/* What xz, mksquashfs and the kernel's build use comes first. */
	static const uint8_t presets[] = {6,
	                                  9,
	                                  6 | LZMA2_EXTREME,
	                                  9 | LZMA2_EXTREME,
	                                  8,
	                                  7,
	                                  5,
	                                  4,
	                                  3,
	                                  2,
	                                  1,
	                                  0,
	                                  8 | LZMA2_EXTREME,
	                                  7 | LZMA2_EXTREME,
	                                  5 | LZMA2_EXTREME,
	                                  4 | LZMA2_EXTREME,
	                                  3 | LZMA2_EXTREME,
	                                  2 | LZMA2_EXTREME,
	                                  1 | LZMA2_EXTREME,
	                                  0 | LZMA2_EXTREME};

	if (index >= sizeof(presets))
		return false;
	recipe->settings[LZMA2_PRESET] = presets[index];
	return true;
}

static int encoder_open(void **state, const struct recipe *recipe, size_t plain_size, const struct sink *sink,
                        struct error *error)
{
	struct lzma2_encoder *encoder = calloc(1, sizeof(*encoder));
	lzma_ret ret;

	if (!encoder)
		return patch_no_memory(error);
	encoder->stream = (lzma_stream)LZMA_STREAM_INIT;
	encoder->sink = sink;
	encoder->error = error;
	lzma2_chain_set(&encoder->chain, recipe, encoding_dictionary(recipe, plain_size));
	ret = lzma_raw_encoder(&encoder->stream, encoder->chain.filters);
	if (ret != LZMA_OK) {
		free(encoder);
		return ret == LZMA_MEM_ERROR ? patch_no_memory(error)
		                             : error_set(error, 0, EINVAL, "patch: liblzma cannot encode so");
	}
	*state = encoder;
	return 0;
}

/* Encode what next_in holds and pass on all that comes out of it. */
static int pump(struct lzma2_encoder *encoder, lzma_action action)
{
	lzma_stream *stream = &encoder->stream;
	lzma_ret ret;
	int err = 0;

	do {
		stream->next_out = encoder->output;
		stream->avail_out = sizeof(encoder->output);
		ret = lzma_code(stream, action);
		if (ret != LZMA_OK && ret != LZMA_STREAM_END)
			return error_set(encoder->error, 0, EINVAL, "patch: liblzma cannot go on encoding");
		if (stream->avail_out < sizeof(encoder->output))
			err = encoder->sink->write(encoder->sink->ctx, encoder->output,
			                           sizeof(encoder->output) - stream->avail_out);
	} while (err == 0 && ret == LZMA_OK &&
	         (stream->avail_out == 0 || stream->avail_in > 0 || action == LZMA_FINISH));
	return err;
}

static int encoder_write(void *state, const void *data, size_t length)
{
	struct lzma2_encoder *encoder = state;

	encoder->stream.next_in = data;
	encoder->stream.avail_in = length;
	return length > 0 ? pump(encoder, LZMA_RUN) : 0;
}

static int encoder_finish(void *state)
{
	struct lzma2_encoder *encoder = state;

	encoder->stream.avail_in = 0;
	return pump(encoder, LZMA_FINISH);
}

static void encoder_close(void *state)
{
	struct lzma2_encoder *encoder = state;

	lzma_end(&encoder->stream);
	free(encoder);
}

const struct recipe_ops recipe_lzma2 = {
	.library = "liblzma",
	.version = lzma_version_string,
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
