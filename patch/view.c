/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/view.h"

#include "patch/number.h"
#include "patch/view_parts.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MARK_EVERY 32

/* Numbers of a part: how far it is from the one before, twice, and whether the last two differ from that one's; its raw
 * size; its recipe; its plain size. */
#define PART_SIZE_MAX ((size_t)4 * NUMBER_SIZE_MAX)

/* What a cursor must know in front of every MARK_EVERY-th part. */
struct view_mark {
	size_t at; /* in view->parts */
	struct view_part before;
};

void view_start(struct view *view, uint64_t raw_size, bool exact)
{
	*view = (struct view){.raw_size = raw_size, .plain_size = raw_size, .exact = exact};
}

void view_free(struct view *view)
{
	free(view->parts);
	free(view->marks);
	view_start(view, 0, false);
}

int view_reserve(struct view *view, size_t size, size_t count, struct error *error)
{
	size += PART_SIZE_MAX;
	if (size > view->parts_capacity) {
		uint8_t *parts = realloc(view->parts, size);

		if (!parts)
			return patch_no_memory(error);
		view->parts = parts;
		view->parts_capacity = size;
	}
	if (count / MARK_EVERY >= view->mark_capacity) {
		struct view_mark *marks = reallocarray(view->marks, count / MARK_EVERY + 1, sizeof(*marks));

		if (!marks)
			return patch_no_memory(error);
		view->marks = marks;
		view->mark_capacity = count / MARK_EVERY + 1;
	}
	return 0;
}

/* Room for one part more, and a mark. */
static int make_room(struct view *view, struct error *error)
{
	size_t size = view->parts_size;
	size_t count = view->count;

	if (view->parts_capacity < size + PART_SIZE_MAX)
		size *= 2;
	if (count / MARK_EVERY >= view->mark_capacity)
		count = 2 * count + MARK_EVERY;
	return view_reserve(view, size, count, error);
}

/* The index of the recipe, which may be new, after the part has counted for its most. */
static int take_recipe(struct view *view, const struct view_part *part, size_t *index, struct error *error)
{
	struct view_recipe *found;
	size_t i = 0;

	while (i < view->recipe_count && !recipe_equal(&view->recipes[i].recipe, &part->recipe))
		i++;
	if (i == VIEW_RECIPES_MAX)
		return patch_broken(error, "patch: a view of more than %d recipes", VIEW_RECIPES_MAX);
	found = &view->recipes[i];
	if (i == view->recipe_count) {
		*found = (struct view_recipe){.recipe = part->recipe};
		view->recipe_count++;
	}
	if (found->raw_max < part->raw_size)
		found->raw_max = part->raw_size;
	if (recipe_is_sought(&part->recipe, part->plain_size))
		found->is_sought = true;
	else if (found->plain_max < part->plain_size)
		found->plain_max = part->plain_size;
	*index = i;
	return 0;
}

int view_add(struct view *view, const struct view_part *part, struct error *error)
{
	const struct view_part before = view->last;
	uint64_t gap = part->raw_at - view_part_raw_end(&before);
	size_t recipe = 0;
	bool changed;
	uint8_t *to;
	int err;

	if (part->raw_at < view_part_raw_end(&before) || part->raw_at >= view->raw_size || part->raw_size == 0 ||
	    part->raw_size > view->raw_size - part->raw_at || part->plain_size == 0 ||
	    part->raw_size > RECIPE_SIZE_MAX || part->plain_size > RECIPE_SIZE_MAX)
		return patch_broken(error,
		                    "patch: a view's part of %" PRIu32 " and %" PRIu32 " bytes at %" PRIu64
		                    " is out of place",
		                    part->raw_size, part->plain_size, part->raw_at);
	err = make_room(view, error);
	if (err == 0)
		err = take_recipe(view, part, &recipe, error);
	if (err < 0)
		return err;
	if (view->count % MARK_EVERY == 0)
		view->marks[view->count / MARK_EVERY] = (struct view_mark){.at = view->parts_size, .before = before};
	changed = view->count == 0 || part->plain_size != before.plain_size ||
	          !recipe_equal(&part->recipe, &before.recipe);
	to = view->parts + view->parts_size;
	to += number_put(to, gap << 1 | changed);
	to += number_put(to, part->raw_size);
	if (changed) {
		to += number_put(to, recipe);
		to += number_put(to, part->plain_size);
	}
	view->parts_size = (size_t)(to - view->parts);
	view->count++;
	view->last = *part;
	view->last.plain_at = view_part_plain_end(&before) + gap;
	view->plain_size = view_part_plain_end(&view->last) + (view->raw_size - view_part_raw_end(&view->last));
	return 0;
}

bool view_next(struct view_cursor *cursor, struct view_part *part)
{
	const struct view *view = cursor->view;
	struct view_part *last = &cursor->part;
	uint64_t gap, raw_size, recipe, plain_size;

	if (cursor->index == view->count)
		return false;
	/* What view_add() wrote reads well. */
	cursor->at += number_get(view->parts + cursor->at, view->parts_size - cursor->at, &gap);
	cursor->at += number_get(view->parts + cursor->at, view->parts_size - cursor->at, &raw_size);
	last->raw_at = view_part_raw_end(last) + (gap >> 1);
	last->plain_at = view_part_plain_end(last) + (gap >> 1);
	last->raw_size = (uint32_t)raw_size;
	if (gap & 1) {
		cursor->at += number_get(view->parts + cursor->at, view->parts_size - cursor->at, &recipe);
		cursor->at += number_get(view->parts + cursor->at, view->parts_size - cursor->at, &plain_size);
		last->recipe = view->recipes[recipe].recipe;
		last->plain_size = (uint32_t)plain_size;
	}
	cursor->index++;
	*part = *last;
	return true;
}

/* end: of a part, in the view or in the image */
static void seek(struct view_cursor *cursor, const struct view *view, uint64_t at,
                 uint64_t (*end)(const struct view_part *part))
{
	size_t first = 0, behind = (view->count + MARK_EVERY - 1) / MARK_EVERY;
	struct view_cursor next;
	struct view_part part = {0};

	while (behind - first > 1) {
		size_t middle = first + (behind - first) / 2;

		if (end(&view->marks[middle].before) <= at)
			first = middle;
		else
			behind = middle;
	}
	next = (struct view_cursor){.view = view, .index = first * MARK_EVERY};
	if (view->count > 0) {
		next.at = view->marks[first].at;
		next.part = view->marks[first].before;
	}
	do
		*cursor = next;
	while (view_next(&next, &part) && end(&part) <= at);
}

void view_seek_plain(struct view_cursor *cursor, const struct view *view, uint64_t plain_at)
{
	seek(cursor, view, plain_at, view_part_plain_end);
}

void view_seek_raw(struct view_cursor *cursor, const struct view *view, uint64_t raw_at)
{
	seek(cursor, view, raw_at, view_part_raw_end);
}

void view_find_stretch(const struct view *view, uint64_t plain_at, struct view_stretch *stretch)
{
	struct view_cursor cursor;
	struct view_part before, next;
	bool has_next;
	uint64_t end;

	view_seek_plain(&cursor, view, plain_at);
	before = cursor.part;
	has_next = view_next(&cursor, &next);
	if (has_next && next.plain_at <= plain_at) {
		*stretch = (struct view_stretch){.raw_at = next.raw_at,
		                                 .raw_size = next.raw_size,
		                                 .plain_at = next.plain_at,
		                                 .plain_size = next.plain_size,
		                                 .is_part = true,
		                                 .recipe = next.recipe};
		return;
	}
	end = has_next ? next.raw_at : view->raw_size;
	*stretch = (struct view_stretch){.raw_at = view_part_raw_end(&before),
	                                 .raw_size = end - view_part_raw_end(&before),
	                                 .plain_at = view_part_plain_end(&before),
	                                 .plain_size = end - view_part_raw_end(&before)};
}

void view_raw_range(const struct view *view, uint64_t plain_at, uint64_t plain_size, uint64_t *raw_at,
                    uint64_t *raw_size)
{
	uint64_t behind = plain_at + plain_size, end;
	struct view_stretch stretch;

	view_find_stretch(view, plain_at, &stretch);
	*raw_at = stretch.raw_at + (stretch.is_part ? 0 : plain_at - stretch.plain_at);
	if (plain_size > 0)
		view_find_stretch(view, behind - 1, &stretch);
	end = stretch.raw_at + (stretch.is_part ? stretch.raw_size : behind - stretch.plain_at);
	end = plain_size > 0 ? end : *raw_at;
	sorted_widen(&view->sorted, raw_at, &end);
	*raw_size = end - *raw_at;
}

uint64_t view_memory(const struct view *view)
{
	return view->parts_capacity + (uint64_t)view->mark_capacity * sizeof(struct view_mark);
}
