/* SPDX-License-Identifier: Apache-2.0 */
/* Streams as they are before they are packed. */
#include "patch/native_write.h"

#include <string.h>

uint64_t native_whole_size(const struct native_writer *w)
{
	return w->head.flags & NATIVE_IN_PLACE ? w->head.new_size : (uint64_t)w->new.size;
}

uint64_t native_unit_range(const struct native_writer *w, size_t unit, uint64_t *start)
{
	uint64_t whole = native_whole_size(w);

	*start = (uint64_t)unit * w->head.unit;
	return whole - *start < w->head.unit ? whole : *start + w->head.unit;
}

int native_put_kinds(struct native_writer *w, uint64_t start, uint64_t end)
{
	struct buffer *control = &w->streams[NATIVE_CONTROL].plain;
	uint64_t last;
	int err = 0;

	if (!w->model || start == end)
		return 0;
	last = (end - 1) >> w->model->block_log;
	for (uint64_t at = start >> w->model->block_log; err == 0 && at <= last;) {
		const uint8_t *kind = w->model->kinds + at;
		uint64_t run = 1;

		while (at + run <= last && kind[run] == *kind)
			run++;
		err = native_put_number(control, run, w->error);
		if (err == 0)
			err = buffer_append(control, kind, 1, w->error);
		at += run;
	}
	return err;
}

int native_put_residue(struct native_writer *w, const struct stretch *stretch)
{
	size_t size = (size_t)stretch->add;
	const uint8_t *to = w->new.data + stretch->new_at;
	struct buffer *residue = &w->streams[NATIVE_RESIDUE].plain;
	int err = buffer_reserve(residue, size, w->error);

	if (err < 0 || size == 0)
		return err;
	memcpy(w->predicted, w->old.data + stretch->old_at, size);
	if (w->model) {
		struct predict_window window = {.data = w->old.data + stretch->old_at, .end = size};
		struct predict_walk walk;

		predict_begin(&walk, w->model, (uint64_t)stretch->old_at, (uint64_t)stretch->new_at, size);
		(void)native_predict(&walk, &window, 0, size, w->predicted);
	}
	for (size_t i = 0; i < size; i++)
		residue->data[residue->size + i] = (uint8_t)(to[i] - w->predicted[i]);
	residue->size += size;
	return 0;
}

int native_put_stretch(struct native_writer *w, const struct stretch *stretch, int64_t from)
{
	struct buffer *control = &w->streams[NATIVE_CONTROL].plain;
	int err = native_put_signed(control, stretch->old_at - from, w->error);

	if (err == 0)
		err = native_put_number(control, (uint64_t)stretch->add, w->error);
	if (err == 0)
		err = native_put_number(control, (uint64_t)stretch->copy, w->error);
	if (err == 0)
		err = native_put_residue(w, stretch);
	if (err == 0)
		err = buffer_append(&w->streams[NATIVE_LITERALS].plain, w->new.data + stretch->new_at + stretch->add,
		                    (size_t)stretch->copy, w->error);
	return err;
}
