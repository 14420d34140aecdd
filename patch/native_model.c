/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/native.h"

#include <string.h>

#define BLOCK_LOG_MIN 8u
#define BLOCK_LOG_MAX 16u

static void read_programs(struct number_source *source, struct predict_space *space)
{
	for (size_t i = 0; i < space->program_count; i++) {
		struct predict_program *program = &space->programs[i];

		program->low = (uint32_t)number_read_up_to(source, UINT32_MAX);
		program->end = program->low + (uint32_t)number_read_up_to(source, UINT32_MAX - program->low);
	}
}

static void read_segments(struct number_source *source, struct predict_space *space)
{
	uint32_t end = 0;

	for (size_t i = 0; i < space->segment_count; i++) {
		struct predict_segment *segment = &space->segments[i];

		segment->offset = end + (uint32_t)number_read_up_to(source, UINT32_MAX - end);
		segment->length = (uint32_t)number_read_up_to(source, UINT32_MAX - segment->offset);
		segment->program = (uint32_t)number_read_up_to(source, space->program_count - 1);
		segment->address = (uint32_t)number_read_up_to(source, UINT32_MAX);
		end = segment->offset + segment->length;
	}
}

static int read_space(struct number_source *source, struct predict_space *space, struct pool *pool)
{
	/* A program takes 2 bytes at least, a segment 4. */
	space->program_count = (size_t)number_read_up_to(source, source->left / 2);
	space->programs = pool_allocate(pool, space->program_count * sizeof(*space->programs) + 1);
	if (!space->programs)
		return -ENOMEM;
	read_programs(source, space);
	space->segment_count = (size_t)number_read_up_to(source, space->program_count > 0 ? source->left / 4 : 0);
	space->segments = pool_allocate(pool, space->segment_count * sizeof(*space->segments) + 1);
	if (!space->segments)
		return -ENOMEM;
	read_segments(source, space);
	predict_lay_out(space);
	return 0;
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
	predict_index(shifts);
	return 0;
}

static int read_plain(struct prediction *model, const uint8_t *plain, size_t size, struct pool *pool)
{
	struct number_source source = {.data = plain, .left = size};
	int err;

	err = read_space(&source, &model->old, pool);
	if (err == 0)
		err = read_space(&source, &model->new, pool);
	if (err < 0)
		return err;
	model->block_log = (unsigned)number_read_up_to(&source, BLOCK_LOG_MAX);
	err = read_shifts(&source, &model->addresses, pool);
	if (err == 0)
		err = read_shifts(&source, &model->symbols, pool);
	if (err < 0)
		return err;
	return source.failed || source.left > 0 || model->block_log < BLOCK_LOG_MIN ? -EINVAL : 0;
}

int native_unpack(const uint8_t *body, size_t size, uint8_t **plain, size_t *plain_size, struct pool *pool,
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
	err = native_unpack(body, size, &plain, &plain_size, pool, error);
	if (err == 0)
		err = read_plain(model, plain, plain_size, pool);
	pool_free(pool, plain);
	if (err == -ENOMEM)
		return patch_broken(error, "patch: its model takes more memory than it may");
	return err < 0 ? patch_broken(error, "patch: its model record is wrong") : 0;
}

void native_model_free(struct prediction *model, struct pool *pool)
{
	pool_free(pool, model->old.programs);
	pool_free(pool, model->old.segments);
	pool_free(pool, model->new.programs);
	pool_free(pool, model->new.segments);
	pool_free(pool, model->addresses.list);
	pool_free(pool, model->symbols.list);
	*model = (struct prediction){.kinds = NULL};
}
