/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/native.h"

#include <string.h>

#define BLOCK_LOG_MIN 8u
#define BLOCK_LOG_MAX 16u

static void read_space(struct number_source *source, struct predict_space *space)
{
	space->count = (unsigned)number_read_up_to(source, PREDICT_SEGMENTS);
	for (unsigned i = 0; i < space->count; i++) {
		space->segments[i].offset = (uint32_t)number_read_up_to(source, UINT32_MAX);
		space->segments[i].length = (uint32_t)number_read_up_to(source, UINT32_MAX);
		space->segments[i].address = (uint32_t)number_read_up_to(source, UINT32_MAX);
	}
	space->low = (uint32_t)number_read_up_to(source, UINT32_MAX);
	space->end = (uint32_t)number_read_up_to(source, UINT32_MAX);
}

static int read_shifts(struct number_source *source, struct predict_shifts *shifts, struct pool *pool)
{
	/* Each takes 2 bytes at least. */
	size_t count = (size_t)number_read_up_to(source, source->left / 2);
	uint64_t from = 0;
	uint32_t by = 0;

	shifts->list = pool_allocate(pool, count * sizeof(*shifts->list) + 1);
	if (!shifts->list)
		return -ENOMEM;
	for (shifts->count = 0; shifts->count < count; shifts->count++) {
		from += number_read_up_to(source, UINT32_MAX - from);
		by += (uint32_t)number_read_signed(source);
		shifts->list[shifts->count] = (struct predict_shift){.from = (uint32_t)from, .by = by};
	}
	return 0;
}

static int read_plain(struct prediction *model, const uint8_t *plain, size_t size, struct pool *pool)
{
	struct number_source source = {.data = plain, .left = size};
	int err;

	read_space(&source, &model->old);
	read_space(&source, &model->new);
	model->block_log = (unsigned)number_read_up_to(&source, BLOCK_LOG_MAX);
	err = read_shifts(&source, &model->addresses, pool);
	if (err == 0)
		err = read_shifts(&source, &model->symbols, pool);
	if (err < 0)
		return err;
	return source.failed || source.left > 0 || model->block_log < BLOCK_LOG_MIN ? -EINVAL : 0;
}

static int unpack(const uint8_t *body, size_t size, uint8_t **plain, size_t *plain_size, struct pool *pool,
                  struct error *error)
{
	struct number_source source = {.data = body, .left = size};
	struct native_packed packed = {.coder = NATIVE_STORED};
	struct native_coding coding;
	int err;

	*plain_size = (size_t)number_read_up_to(&source, UINT32_MAX);
	if (!native_coding_read(&source, &coding))
		return -EINVAL;
	*plain = pool_allocate(pool, *plain_size + 1);
	if (!*plain)
		return -ENOMEM;
	err = native_packed_open(&packed, &coding, pool, error);
	if (err == 0)
		err = native_packed_feed(&packed, source.data, source.left, error);
	if (err == 0)
		err = native_packed_read(&packed, *plain, *plain_size, error);
	if (err == 0 && packed.left > 0)
		err = -EINVAL;
	native_packed_close(&packed);
	return err;
}

int native_model_read(struct prediction *model, const uint8_t *body, size_t size, struct pool *pool,
                      struct error *error)
{
	uint8_t *plain = NULL;
	size_t plain_size = 0;
	int err;

	native_model_free(model, pool);
	err = unpack(body, size, &plain, &plain_size, pool, error);
	if (err == 0)
		err = read_plain(model, plain, plain_size, pool);
	pool_free(pool, plain);
	if (err == -ENOMEM)
		return patch_broken(error, "patch: its model takes more memory than it may");
	return err < 0 ? patch_broken(error, "patch: its model record is wrong") : 0;
}

void native_model_free(struct prediction *model, struct pool *pool)
{
	pool_free(pool, model->addresses.list);
	pool_free(pool, model->symbols.list);
	*model = (struct prediction){.kinds = NULL};
}
