/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/recipe_coder.h"
#include "patch/recipe_container.h"

#include <stdlib.h>
#include <string.h>

/* What a block's coder gathers until it has all. */
struct gathered {
	struct recipe recipe;
	const struct sink *sink;
	struct error *error;
	size_t size;
	size_t room;
	uint8_t data[];
};

struct recipe_encoder {
	const struct recipe_ops *ops;
	struct container container;
	struct sink coded;         /* into the container */
	void *state;               /* a stream's */
	struct gathered *gathered; /* a block's */
};

static const struct recipe_ops *ops_of(unsigned coder)
{
	static const struct recipe_ops *const all[RECIPE_CODERS] = {[RECIPE_LZMA2] = &recipe_lzma2,
	                                                            [RECIPE_DEFLATE] = &recipe_deflate,
	                                                            [RECIPE_ZSTD] = &recipe_zstd,
	                                                            [RECIPE_LZO] = &recipe_lzo,
	                                                            [RECIPE_GZIP] = &recipe_gzip};

	return all[coder];
}

int recipe_check(const struct recipe *recipe, struct error *error)
{
	const uint8_t *s = recipe->settings;

	if (recipe->coder >= RECIPE_CODERS)
		return patch_broken(error, "patch: coder %u of compressed data is not known", recipe->coder);
	if (!ops_of(recipe->coder)->is_known(recipe))
		return patch_broken(error, "patch: settings %u %u %u %u are none of %s", s[0], s[1], s[2], s[3],
		                    recipe_library(recipe->coder));
	if (!container_is_known(recipe))
		return patch_broken(error, "patch: container %u (%u %u) is none of %s", recipe->container,
		                    recipe->details[0], recipe->details[1], recipe_library(recipe->coder));
	return 0;
}

bool recipe_equal(const struct recipe *a, const struct recipe *b)
{
	return a->coder == b->coder && memcmp(a->settings, b->settings, RECIPE_SETTINGS) == 0 &&
	       a->container == b->container && memcmp(a->details, b->details, RECIPE_DETAILS) == 0;
}

const char *recipe_library(enum recipe_coder coder)
{
	return ops_of(coder)->library;
}

const char *recipe_version(enum recipe_coder coder)
{
	return ops_of(coder)->version();
}

uint64_t recipe_decode_memory(const struct recipe *recipe, uint64_t raw_size, uint64_t plain_size)
{
	const struct recipe_ops *ops = ops_of(recipe->coder);

	return ops->decode_memory(recipe, raw_size, plain_size) + (ops->decode_block ? raw_size : 0);
}

uint64_t recipe_encode_memory(const struct recipe *recipe, uint64_t plain_size)
{
	const struct recipe_ops *ops = ops_of(recipe->coder);

	return ops->encode_memory(recipe, plain_size) + sizeof(struct recipe_encoder) +
	       container_memory(recipe, plain_size) + (ops->encode_block ? sizeof(struct gathered) + plain_size : 0);
}

static int decode(const struct recipe *recipe, const struct reader *coded, void *plain, size_t plain_size,
                  struct error *error)
{
	const struct recipe_ops *ops = ops_of(recipe->coder);
	uint8_t *block;
	int err;

	if (!ops->decode_block)
		return ops->decode(recipe, coded, plain, plain_size, error);
	block = malloc((size_t)coded->size);
	if (!block)
		return patch_no_memory(error);
	err = coded->read_at(coded->ctx, 0, block, (size_t)coded->size);
	if (err == 0)
		err = ops->decode_block(recipe, block, (size_t)coded->size, plain, plain_size, error);
	free(block);
	return err;
}

int recipe_decode(const struct recipe *recipe, const struct reader *raw, void *plain, size_t plain_size,
                  struct error *error)
{
	struct old_range range = {.old = raw, .error = error};
	struct reader coded;
	int err = container_strip(recipe, raw, &range.start, &range.size, error);

	if (err == 0 && range.size == 0)
		err = patch_broken(error, "old content: an empty container where the patch claims a full one");
	if (err < 0)
		return err;
	coded = reader_from_range(&range);
	return decode(recipe, &coded, plain, plain_size, error);
}

bool recipe_guess(struct recipe *recipe, size_t index)
{
	return ops_of(recipe->coder)->guess(recipe, index);
}

/* NULL: out of memory. */
static struct gathered *gather(const struct recipe *recipe, size_t plain_size, const struct sink *sink,
                               struct error *error)
{
	struct gathered *gathered = malloc(sizeof(*gathered) + plain_size);

	if (gathered)
		*gathered = (struct gathered){.recipe = *recipe, .sink = sink, .error = error, .room = plain_size};
	return gathered;
}

static int open_coder(struct recipe_encoder *e, const struct recipe *recipe, size_t plain_size, struct error *error)
{
	if (!e->ops->encode_block)
		return e->ops->open(&e->state, recipe, plain_size, &e->coded, error);
	e->gathered = gather(recipe, plain_size, &e->coded, error);
	return e->gathered ? 0 : patch_no_memory(error);
}

int recipe_encoder_open(struct recipe_encoder **encoder, const struct recipe *recipe, size_t plain_size,
                        const struct sink *sink, struct error *error)
{
	struct recipe_encoder *e = calloc(1, sizeof(*e));
	int err;

	*encoder = NULL;
	if (!e)
		return patch_no_memory(error);
	e->ops = ops_of(recipe->coder);
	e->coded = container_sink(&e->container);
	err = container_open(&e->container, recipe, plain_size, sink, error);
	if (err == 0)
		err = open_coder(e, recipe, plain_size, error);
	if (err < 0) {
		container_close(&e->container);
		free(e);
		return err;
	}
	*encoder = e;
	return 0;
}

static int encode(void *ctx, const void *data, size_t length)
{
	struct recipe_encoder *encoder = ctx;
	struct gathered *gathered = encoder->gathered;

	container_count(&encoder->container, data, length);
	if (gathered) {
		if (length > gathered->room - gathered->size)
			return error_set(gathered->error, 0, EINVAL, "patch: more to encode than was said");
		memcpy(gathered->data + gathered->size, data, length);
		gathered->size += length;
		return 0;
	}
	return encoder->ops->write(encoder->state, data, length);
}

struct sink recipe_encoder_sink(struct recipe_encoder *encoder)
{
	return (struct sink){.write = encode, .ctx = encoder};
}

int recipe_encoder_finish(struct recipe_encoder *encoder)
{
	const struct gathered *gathered = encoder->gathered;
	int err;

	if (gathered)
		err = encoder->ops->encode_block(&gathered->recipe, gathered->data, gathered->size, gathered->sink,
		                                 gathered->error);
	else
		err = encoder->ops->finish(encoder->state);
	return err == 0 ? container_finish(&encoder->container) : err;
}

void recipe_encoder_close(struct recipe_encoder *encoder)
{
	if (!encoder)
		return;
	if (!encoder->gathered)
		encoder->ops->close(encoder->state);
	free(encoder->gathered);
	container_close(&encoder->container);
	free(encoder);
}
