/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/view_parts.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 64

/* A decoded part. */
struct slot {
	uint64_t plain_at;
	size_t size;   /* 0: none */
	uint64_t used; /* when, on the clock */
	uint8_t *data; /* owned */
};

struct view_reader {
	const struct view *view;
	struct reader image; /* sorted, if something is */
	struct sorted_reader *sorted;
	struct error *error;
	struct view_stretch stretch; /* that was read last */
	struct slot slots[SLOTS];
	size_t capacity; /* bytes of all slots */
	size_t held;
	uint64_t clock;
	struct recipe_seek *seek; /* a part that is not decoded whole */
	struct old_range sought;  /* of the image, which part that is */
};

static size_t capacity_for(const struct view *view, size_t cache)
{
	for (size_t i = 0; i < view->recipe_count; i++)
		if (cache < view->recipes[i].plain_max)
			cache = view->recipes[i].plain_max;
	return cache;
}

int view_reader_open(struct view_reader **reader, const struct view *view, const struct reader *image, size_t cache,
                     struct error *error)
{
	struct view_reader *r;
	int err = 0;

	*reader = NULL;
	if (image->size < view->raw_size)
		return patch_broken(error, "patch: a view of %" PRIu64 " bytes, of an image of %" PRIu64,
		                    view->raw_size, image->size);
	r = calloc(1, sizeof(*r));
	if (!r)
		return patch_no_memory(error);
	*r = (struct view_reader){.view = view, .image = *image, .error = error, .capacity = capacity_for(view, cache)};
	if (view->sorted.leb_size > 0) {
		err = sorted_reader_open(&r->sorted, &view->sorted, image, error);
		if (err == 0)
			r->image = sorted_reader(r->sorted);
	}
	if (err < 0) {
		free(r);
		return err;
	}
	*reader = r;
	return 0;
}

static void drop(struct view_reader *r, struct slot *slot)
{
	r->held -= slot->size;
	free(slot->data);
	*slot = (struct slot){0};
}

/* An empty slot, with room for that many bytes. */
static struct slot *find_room(struct view_reader *r, size_t size)
{
	struct slot *room = r->slots;

	/* Those that are empty were never used. */
	for (struct slot *slot = r->slots; slot < r->slots + SLOTS; slot++)
		if (slot->used < room->used)
			room = slot;
	drop(r, room);
	while (size > r->capacity - r->held) {
		struct slot *oldest = r->slots;

		for (struct slot *slot = r->slots; slot < r->slots + SLOTS; slot++)
			if (slot->size > 0 && (oldest->size == 0 || slot->used < oldest->used))
				oldest = slot;
		drop(r, oldest);
	}
	return room;
}

static int decode_part(struct view_reader *r, const struct view_stretch *part, struct slot **found)
{
	struct old_range range = {.old = &r->image, .start = part->raw_at, .size = part->raw_size, .error = r->error};
	struct reader raw = reader_from_range(&range);
	struct slot *slot = find_room(r, (size_t)part->plain_size);
	int err;

	slot->data = malloc((size_t)part->plain_size);
	if (!slot->data)
		return patch_no_memory(r->error);
	slot->size = (size_t)part->plain_size;
	slot->plain_at = part->plain_at;
	r->held += slot->size;
	err = recipe_decode(&part->recipe, &raw, slot->data, slot->size, r->error);
	if (err < 0) {
		error_prefix(r->error, "at %" PRIu64 " of the old content", part->raw_at);
		drop(r, slot);
	}
	*found = slot;
	return err;
}

static int open_seek(struct view_reader *r)
{
	const struct view_stretch *part = &r->stretch;
	struct reader raw;

	recipe_seek_close(r->seek);
	r->sought =
		(struct old_range){.old = &r->image, .start = part->raw_at, .size = part->raw_size, .error = r->error};
	raw = reader_from_range(&r->sought);
	return recipe_seek_open(&r->seek, &part->recipe, &raw, part->plain_size, r->error);
}

static int read_sought(struct view_reader *r, uint64_t at, void *buffer, size_t length)
{
	int err = r->seek && r->sought.start == r->stretch.raw_at ? 0 : open_seek(r);

	if (err == 0)
		err = recipe_seek_read(r->seek, at, buffer, length);
	if (err < 0)
		error_prefix(r->error, "at %" PRIu64 " of the old content", r->stretch.raw_at);
	return err;
}

static int read_part(struct view_reader *r, uint64_t at, void *buffer, size_t length)
{
	struct slot *found = NULL;
	int err = 0;

	if (recipe_is_sought(&r->stretch.recipe, r->stretch.plain_size))
		return read_sought(r, at, buffer, length);
	for (struct slot *slot = r->slots; slot < r->slots + SLOTS && !found; slot++)
		if (slot->size > 0 && slot->plain_at == r->stretch.plain_at)
			found = slot;
	if (!found)
		err = decode_part(r, &r->stretch, &found);
	if (err < 0)
		return err;
	found->used = ++r->clock;
	memcpy(buffer, found->data + at, length);
	return 0;
}

static int read_raw(struct view_reader *r, uint64_t at, void *buffer, size_t length)
{
	struct old_range range = {.old = &r->image, .size = r->view->raw_size, .error = r->error};
	struct reader raw = reader_from_range(&range);

	return raw.read_at(raw.ctx, r->stretch.raw_at + at, buffer, length);
}

static int view_read_at(void *ctx, uint64_t offset, void *buffer, size_t length)
{
	struct view_reader *r = ctx;
	struct view_stretch *stretch = &r->stretch;
	uint8_t *to = buffer;
	int err = 0;

	if (offset > r->view->plain_size || length > r->view->plain_size - offset)
		return patch_broken(r->error, "patch: reads behind the end of a view");
	while (err == 0 && length > 0) {
		uint64_t at;
		size_t n;

		if (offset < stretch->plain_at || offset - stretch->plain_at >= stretch->plain_size)
			view_find_stretch(r->view, offset, stretch);
		at = offset - stretch->plain_at;
		n = length < stretch->plain_size - at ? length : (size_t)(stretch->plain_size - at);
		err = stretch->is_part ? read_part(r, at, to, n) : read_raw(r, at, to, n);
		to += n;
		offset += n;
		length -= n;
	}
	return err;
}

struct reader view_reader(struct view_reader *reader)
{
	return (struct reader){.read_at = view_read_at, .ctx = reader, .size = reader->view->plain_size};
}

void view_reader_close(struct view_reader *reader)
{
	if (!reader)
		return;
	for (struct slot *slot = reader->slots; slot < reader->slots + SLOTS; slot++)
		free(slot->data);
	recipe_seek_close(reader->seek);
	sorted_reader_close(reader->sorted);
	free(reader);
}

uint64_t view_reader_memory(const struct view *view, size_t cache)
{
	uint64_t most = 0, seek = 0;

	for (size_t i = 0; i < view->recipe_count; i++) {
		const struct view_recipe *r = &view->recipes[i];
		uint64_t memory = recipe_decode_memory(&r->recipe, r->raw_max, r->plain_max);

		if (most < memory)
			most = memory;
		if (r->is_sought)
			seek = recipe_seek_memory();
	}
	return sizeof(struct view_reader) + sorted_reader_memory(&view->sorted) +
	       (view->count > 0 ? capacity_for(view, cache) : 0) + most + seek;
}
