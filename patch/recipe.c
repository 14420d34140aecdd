/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/recipe_coder.h"

#include <stdlib.h>
#include <string.h>

struct recipe_encoder {
	const struct recipe_ops *ops;
	void *state;
};

static const struct recipe_ops *ops_of(unsigned coder)
{
	static const struct recipe_ops *const all[RECIPE_CODERS] = {
		[RECIPE_LZMA2] = &recipe_lzma2, [RECIPE_DEFLATE] = &recipe_deflate};

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
	return 0;
}

bool recipe_equal(const struct recipe *a, const struct recipe *b)
{
	return a->coder == b->coder && memcmp(a->settings, b->settings, RECIPE_SETTINGS) == 0;
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
	return ops_of(recipe->coder)->decode_memory(recipe, raw_size, plain_size);
}

uint64_t recipe_encode_memory(const struct recipe *recipe, uint64_t plain_size)
{
	return ops_of(recipe->coder)->encode_memory(recipe, plain_size);
}

int recipe_decode(const struct recipe *recipe, const struct reader *raw, void *plain, size_t plain_size,
                  struct error *error)
{
	return ops_of(recipe->coder)->decode(recipe, raw, plain, plain_size, error);
}

bool recipe_guess(struct recipe *recipe, size_t index)
{
	return ops_of(recipe->coder)->guess(recipe, index);
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
	err = e->ops->open(&e->state, recipe, plain_size, sink, error);
	if (err < 0) {
		free(e);
		return err;
	}
	*encoder = e;
	return 0;
}

static int encode(void *ctx, const void *data, size_t length)
{
	struct recipe_encoder *encoder = ctx;

	return encoder->ops->write(encoder->state, data, length);
}

struct sink recipe_encoder_sink(struct recipe_encoder *encoder)
{
	return (struct sink){.write = encode, .ctx = encoder};
}

int recipe_encoder_finish(struct recipe_encoder *encoder)
{
	return encoder->ops->finish(encoder->state);
}

void recipe_encoder_close(struct recipe_encoder *encoder)
{
	if (!encoder)
		return;
	encoder->ops->close(encoder->state);
	free(encoder);
}
