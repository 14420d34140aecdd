/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/native_write.h"

static int put_programs(struct buffer *plain, const struct predict_space *space, struct error *error)
{
	int err = native_put_number(plain, space->program_count, error);

	for (size_t i = 0; err == 0 && i < space->program_count; i++) {
		const struct predict_program *program = &space->programs[i];

		err = native_put_number(plain, program->low - program->bias, error);
		if (err == 0)
			err = native_put_number(plain, program->end - program->low, error);
	}
	return err;
}

static int put_space(struct buffer *plain, const struct predict_space *space, struct error *error)
{
	uint32_t end = 0;
	int err = put_programs(plain, space, error);

	if (err == 0)
		err = native_put_number(plain, space->segment_count, error);
	for (size_t i = 0; err == 0 && i < space->segment_count; i++) {
		const struct predict_segment *segment = &space->segments[i];

		err = native_put_number(plain, segment->offset - end, error);
		if (err == 0)
			err = native_put_number(plain, segment->length, error);
		if (err == 0)
			err = native_put_number(plain, segment->program, error);
		if (err == 0)
			err = native_put_number(plain, segment->address - space->programs[segment->program].low, error);
		end = segment->offset + segment->length;
	}
	return err;
}

static int put_shifts(struct buffer *plain, const struct predict_shifts *shifts, struct error *error)
{
	struct predict_shift before = {.from = 0};
	int err = native_put_number(plain, shifts->count, error);

	for (size_t i = 0; err == 0 && i < shifts->count; i++) {
		const struct predict_shift *shift = &shifts->list[i];

		err = native_put_number(plain, shift->from - before.from, error);
		if (err == 0)
			err = native_put_signed(plain, (int32_t)(shift->by - before.by), error);
		before = *shift;
	}
	return err;
}

static int put_plain(struct buffer *plain, const struct prediction *model, struct error *error)
{
	int err = put_space(plain, &model->old, error);

	if (err == 0)
		err = put_space(plain, &model->new, error);
	if (err == 0)
		err = native_put_number(plain, model->block_log, error);
	if (err == 0)
		err = put_shifts(plain, &model->addresses, error);
	return err == 0 ? put_shifts(plain, &model->symbols, error) : err;
}

int native_put_model(struct native_writer *w)
{
	struct buffer plain = {0};
	int err = put_plain(&plain, w->model, w->error);

	if (err == 0)
		err = native_put_packed(&w->records, NATIVE_MODEL, &plain, w->error);
	buffer_free(&plain);
	return err;
}
