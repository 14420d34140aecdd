/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/native_write.h"

#include "patch/patch.h"
#include <stdlib.h>

/* Decoded parts of the old image that are kept: a few of a squashfs's blocks. */
#define CACHE (512u << 10)

/* Larger parts than a filesystem's blocks are something of their own, such as a kernel. */
#define BLOCK_MAX (1u << 20)

/* With less for one part there is nothing to look into. */
#define PART_MEMORY_MIN (64u << 10)

static int append(void *ctx, const void *data, size_t length)
{
	return buffer_append(ctx, data, length, NULL);
}

static int put_plain(struct buffer *plain, const struct native_writer *w)
{
	struct buffer old = {0};
	struct sink old_sink = {.write = append, .ctx = &old};
	struct sink sink = {.write = append, .ctx = plain};
	int err = view_save(&w->old_view.view, &old_sink, w->error);

	if (err == 0)
		err = native_put_number(plain, w->cache, w->error);
	if (err == 0)
		err = native_put_number(plain, old.size, w->error);
	if (err == 0)
		err = buffer_append(plain, old.data, old.size, w->error);
	buffer_free(&old);
	return err == 0 ? view_save(&w->new_view.view, &sink, w->error) : err;
}

int native_put_views(struct native_writer *w)
{
	struct buffer plain = {0};
	int err = put_plain(&plain, w);

	if (err == 0)
		err = native_put_packed(&w->records, NATIVE_VIEWS_RECORD, &plain, w->error);
	buffer_free(&plain);
	return err;
}

static int list_borders(const struct view *view, struct region_borders *borders, struct error *error)
{
	struct view_cursor cursor;
	struct view_part part;
	size_t large = 0;

	view_seek_plain(&cursor, view, 0);
	while (view_next(&cursor, &part))
		large += part.plain_size > BLOCK_MAX;
	borders->list = calloc(2 * large + 1, sizeof(*borders->list));
	if (!borders->list)
		return patch_no_memory(error);
	view_seek_plain(&cursor, view, 0);
	while (view_next(&cursor, &part)) {
		if (part.plain_size <= BLOCK_MAX)
			continue;
		borders->list[borders->count++] = part.plain_at;
		borders->list[borders->count++] = part.plain_at + part.plain_size;
	}
	return 0;
}

uint64_t native_views_memory(const struct native_writer *w)
{
	const struct view *old = &w->old_view.view, *new = &w->new_view.view;

	return view_memory(old) + view_memory(new) + view_reader_memory(old, 0) + view_writer_memory(new);
}

static bool shows_anything(const struct view *view)
{
	return view->count > 0 || view->sorted.leb_size > 0;
}

static void look_outside(struct native_writer *w)
{
	viewed_free(&w->old_view);
	viewed_free(&w->new_view);
	view_start(&w->old_view.view, w->head.old_size, false);
	view_start(&w->new_view.view, w->head.new_size, true);
	w->head.flags &= ~(unsigned)NATIVE_VIEWS;
	w->cache = 0;
	w->old = w->old_image;
	w->new = w->new_image;
}

static int look_inside(struct native_writer *w, struct region_borders *old_borders, struct region_borders *new_borders)
{
	uint64_t limit = w->memory ? w->memory : PATCH_NATIVE_VIEW_MEMORY;
	struct view_limits limits = {.memory = limit, .unit = w->head.flags & NATIVE_IN_PLACE ? w->head.unit : 0};
	int err;

	/* What can be looked into one by one may take too much together. */
	do {
		viewed_free(&w->old_view);
		viewed_free(&w->new_view);
		err = view_find_pair(&w->old_view, &w->new_view, &w->old_image, &w->new_image, &limits, w->error);
		limits.memory -= limits.memory / 4;
	} while (err == 0 && shows_anything(&w->new_view.view) &&
	         native_views_memory(w) + NATIVE_LEAST_MEMORY > limit && limits.memory >= PART_MEMORY_MIN);
	if (err < 0)
		return err;
	if (!shows_anything(&w->new_view.view) || native_views_memory(w) + NATIVE_LEAST_MEMORY > limit ||
	    w->old_view.plain.size > INT32_MAX || w->new_view.plain.size > INT32_MAX) {
		look_outside(w);
		return 0;
	}
	w->head.flags |= NATIVE_VIEWS;
	w->cache = CACHE;
	w->old = (struct image){.data = w->old_view.plain.data, .size = (int64_t)w->old_view.plain.size};
	w->new = (struct image){.data = w->new_view.plain.data, .size = (int64_t)w->new_view.plain.size};
	err = list_borders(&w->old_view.view, old_borders, w->error);
	return err == 0 ? list_borders(&w->new_view.view, new_borders, w->error) : err;
}

int native_look(struct native_writer *w, bool inside, struct region_borders *old_borders,
                struct region_borders *new_borders)
{
	look_outside(w);
	return inside ? look_inside(w, old_borders, new_borders) : 0;
}
