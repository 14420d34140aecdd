/* SPDX-License-Identifier: Apache-2.0 */
/* A frame's bytes: predicted old ones with their residue, and literals. */
#include "patch/native.h"

#include "base/bytes.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Bytes at a time. An item may reach over their end. */
#define CHUNK       ((size_t)16 << 10)
#define WINDOW_SIZE (CHUNK + PREDICT_BEHIND + PREDICT_AHEAD)

/* Bytes along the stretch, from here on. */
struct chunk {
	uint64_t at; /* of the stretch */
	size_t size;
};

static int next_stretch(struct native *native)
{
	struct native_stretch *stretch = &native->stretch;
	struct number_source *entries = &native->entries;
	int64_t away = number_read_signed(entries);
	uint64_t old_size = native->old_size;
	uint64_t left = native->new_size - native->position;
	uint64_t old_at = stretch->old_at + (uint64_t)away;
	uint64_t along = number_read_up_to(entries, left);
	uint64_t literals = number_read_up_to(entries, left - along);

	if (entries->failed || along + literals == 0 || old_at > old_size || along > old_size - old_at)
		return patch_broken(native->input.error,
		                    "patch: a stretch that cannot be, at %" PRIu64 " of the target", native->position);
	stretch->old_at = old_at;
	stretch->along = along;
	stretch->literals = literals;
	stretch->spilled = 0;
	if (native->has_model)
		predict_begin(&stretch->walk, &native->model, old_at, native->position, along);
	return 0;
}

uint64_t native_predict(struct predict_walk *walk, const struct predict_window *window, uint64_t at, uint64_t end,
                        uint8_t *out)
{
	uint64_t reach = end;
	struct predict_item item;

	while (predict_next(walk, window, end, &item)) {
		put_le32(out + (item.at - at), predict_rewrite(walk, &item));
		reach = item.at + NATIVE_ITEM_SIZE;
	}
	return reach > end ? reach : end;
}

/* What the old bytes would be in the new place. */
static void predict(struct native *native, const struct chunk *chunk, const struct predict_window *window)
{
	struct native_stretch *stretch = &native->stretch;
	uint64_t end = chunk->at + chunk->size;

	memcpy(native->out, stretch->spill, stretch->spilled);
	stretch->spilled = (unsigned)(native_predict(&stretch->walk, window, chunk->at, end, native->out) - end);
	memcpy(stretch->spill, native->out + chunk->size, stretch->spilled);
}

/* Apart, so that the compiler sees that the one is not the other, and takes many bytes at a time. */
static void add(uint8_t *restrict bytes, const uint8_t *restrict residue, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(bytes[i] + residue[i]);
}

static int make_along(struct native *native, const struct reader *old)
{
	struct native_stretch *stretch = &native->stretch;
	uint64_t at = native->has_model ? stretch->walk.length - stretch->along : 0;
	uint64_t room = native->end - native->position;
	struct chunk chunk = {.at = at, .size = stretch->along < CHUNK ? (size_t)stretch->along : CHUNK};
	struct predict_window window = {.data = native->window, .start = at};
	int err;

	if (chunk.size > room)
		chunk.size = (size_t)room;
	window.end = at + chunk.size;
	if (native->has_model) {
		window.start -= at < PREDICT_BEHIND ? at : PREDICT_BEHIND;
		window.end = stretch->walk.length - window.end < PREDICT_AHEAD ? stretch->walk.length
		                                                               : window.end + PREDICT_AHEAD;
	}
	err = old->read_at(old->ctx, stretch->old_at - (at - window.start), native->window,
	                   (size_t)(window.end - window.start));
	if (err < 0)
		return err;
	memcpy(native->out, native->window + (at - window.start), chunk.size);
	if (native->has_model)
		predict(native, &chunk, &window);
	err = native_packed_read(&native->streams[NATIVE_RESIDUE], native->window, chunk.size, native->input.error);
	if (err < 0)
		return err;
	add(native->out, native->window, chunk.size);
	stretch->old_at += chunk.size;
	stretch->along -= chunk.size;
	native->position += chunk.size;
	return (int)chunk.size;
}

static int make_literals(struct native *native)
{
	uint64_t room = native->end - native->position;
	size_t size = CHUNK;
	int err;

	if (size > native->stretch.literals)
		size = (size_t)native->stretch.literals;
	if (size > room)
		size = (size_t)room;
	err = native_packed_read(&native->streams[NATIVE_LITERALS], native->out, size, native->input.error);
	if (err < 0)
		return err;
	native->stretch.literals -= size;
	native->position += size;
	return (int)size;
}

static int allocate_chunks(struct native *native)
{
	if (!native->window)
		native->window = pool_allocate(&native->pool, WINDOW_SIZE);
	if (!native->out)
		native->out = pool_allocate(&native->pool, CHUNK + NATIVE_ITEM_SIZE);
	return native->window && native->out ? 0 : patch_no_memory(native->input.error);
}

int native_make(struct native *native, const struct reader *old, const struct sink *sink)
{
	int made = allocate_chunks(native);

	if (made == 0 && old->size < native->old_size)
		return error_set(native->input.error, RESULT_VERIFY, EINVAL,
		                 "old content: %" PRIu64 " bytes, and the patch is for %" PRIu64, old->size,
		                 native->old_size);
	while (made >= 0 && native->position < native->end) {
		if (native->stretch.along == 0 && native->stretch.literals == 0) {
			made = next_stretch(native);
			continue;
		}
		made = native->stretch.along > 0 ? make_along(native, old) : make_literals(native);
		if (made > 0) {
			int err = sink->write(sink->ctx, native->out, (size_t)made);

			made = err < 0 ? err : made;
		}
	}
	if (made < 0)
		return made;
	if (native->entries.left > 0)
		return patch_broken(native->input.error, "patch: a frame has more stretches than its unit needs");
	return 0;
}
