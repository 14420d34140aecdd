/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/view_find.h"

#include "patch/expect.h"
#include "patch/view_parts.h"
#include "patch/view_probe.h"
#include "patch/view_sort.h"
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define PIECE_SIZE 16384
#define GUESSES    64

/* After so many parts of a coder in a row that no guess reproduced, only guesses that once did are made. */
#define FAILURES_MAX 3

/* An image whose view is sought. */
struct source {
	struct image image; /* sorted, where `sorted` says so */
	struct sorted sorted;
	struct buffer data; /* of the sorted image */
	struct view_parts parts;
};

/* What was learnt of a coder in one kind of container. */
struct lesson {
	bool worked[GUESSES]; /* guesses, by their index */
	size_t last;          /* that worked */
	unsigned failures;
};

struct finder {
	const struct source *source;
	struct viewed *viewed;
	struct view_limits limits;
	uint64_t shown; /* of the image, in the view so far */
	struct lesson lessons[RECIPE_CODERS][CONTAINERS];
	struct error *error;
};

void viewed_free(struct viewed *viewed)
{
	view_free(&viewed->view);
	buffer_free(&viewed->plain);
	free(viewed->extents.list);
	viewed->extents = (struct extents){.count = 0};
}

int view_parts_add(struct view_parts *parts, const struct view_part *part, struct error *error)
{
	if (parts->count == parts->capacity) {
		size_t capacity = parts->capacity ? 2 * parts->capacity : 64;
		struct view_part *all = reallocarray(parts->all, capacity, sizeof(*all));

		if (!all)
			return patch_no_memory(error);
		parts->all = all;
		parts->capacity = capacity;
	}
	parts->all[parts->count++] = *part;
	return 0;
}

void view_parts_free(struct view_parts *parts)
{
	free(parts->all);
	*parts = (struct view_parts){0};
}

/* All that may be parts, by their containers. */
static int scan(struct source *source, struct error *error)
{
	const struct image *image = &source->image;
	struct view_parts *parts = &source->parts;
	int err = 0;

	for (int64_t at = 0; err == 0 && at < image->size;) {
		int64_t next = at + 1;

		if (sorted_begins(&source->sorted, (uint64_t)at)) {
			err = view_probe_sorted(parts, image, at, source->sorted.leb_size, error);
			at += source->sorted.leb_size;
			continue;
		}
		switch (image->data[at]) {
		case 0xfd:
			err = view_probe_xz(parts, image, at, &next, error);
			break;
		case 'P':
		case 0x1f:
		case 0x78:
			err = view_probe_deflate(parts, image, at, &next, error);
			break;
		case 0x28:
			err = view_probe_zstd(parts, image, at, &next, error);
			break;
		case 0x31:
			err = view_probe_ubifs(parts, image, at, &next, error);
			break;
		case 'h':
			err = view_probe_squashfs(parts, image, at, &next, error);
			break;
		default:
			break;
		}
		at = next;
	}
	return err;
}

/* Stops at the first byte that differs: with the wrong settings that is soon. */
static int reproduces(struct finder *finder, const struct view_part *part, const uint8_t *plain, bool *same)
{
	struct expected expected = {.data = finder->source->image.data + part->raw_at, .left = part->raw_size};
	struct sink sink = sink_from_expected(&expected);
	struct recipe_encoder *encoder;
	struct sink in;
	int err = recipe_encoder_open(&encoder, &part->recipe, part->plain_size, &sink, finder->error);

	if (err < 0)
		return err;
	in = recipe_encoder_sink(encoder);
	for (size_t done = 0; err == 0 && done < part->plain_size;) {
		size_t n = part->plain_size - done < PIECE_SIZE ? part->plain_size - done : PIECE_SIZE;

		err = in.write(in.ctx, plain + done, n);
		done += n;
	}
	if (err == 0)
		err = recipe_encoder_finish(encoder);
	recipe_encoder_close(encoder);
	*same = err == 0 && expected.left == 0;
	return err == -EILSEQ ? 0 : err;
}

static struct lesson *lesson_of(struct finder *finder, const struct view_part *part)
{
	return &finder->lessons[part->recipe.coder][part->recipe.container];
}

static int try_guess(struct finder *finder, struct view_part *part, const uint8_t *plain, struct lesson *lesson,
                     size_t guess, bool *found)
{
	int err;

	if (finder->limits.memory > 0 && recipe_encode_memory(&part->recipe, part->plain_size) > finder->limits.memory)
		return 0;
	err = reproduces(finder, part, plain, found);
	if (*found) {
		lesson->worked[guess] = true;
		lesson->last = guess;
		lesson->failures = 0;
	}
	return err;
}

/* The recipe that makes the part out of the plain data, if there is one. */
static int find_recipe(struct finder *finder, struct view_part *part, const uint8_t *plain, bool *found)
{
	struct lesson *lesson = lesson_of(finder, part);
	size_t last = lesson->last;
	int err = 0;

	*found = false;
	if (lesson->worked[last] && recipe_guess(&part->recipe, last))
		err = try_guess(finder, part, plain, lesson, last, found);
	for (size_t i = 0; err == 0 && !*found && i < GUESSES && recipe_guess(&part->recipe, i); i++)
		if (lesson->worked[i] ? i != last : lesson->failures < FAILURES_MAX)
			err = try_guess(finder, part, plain, lesson, i, found);
	if (err == 0 && !*found)
		lesson->failures++;
	return err;
}

/* Show the image as it is, up to there. */
static int show_raw(struct finder *finder, uint64_t end)
{
	int err = buffer_append(&finder->viewed->plain, finder->source->image.data + finder->shown,
	                        (size_t)(end - finder->shown), finder->error);

	finder->shown = end;
	return err;
}

/* Decoded behind what the view shows; it stays there if this part is added. */
static int decode(struct finder *finder, const struct view_part *part, uint8_t **plain, bool *decoded)
{
	struct buffer *shown = &finder->viewed->plain;
	struct memory_block block = {.data = finder->source->image.data + part->raw_at, .size = part->raw_size};
	struct reader raw = reader_from_memory(&block);
	uint64_t memory =
		recipe_is_sought(&part->recipe, part->plain_size)
			? recipe_seek_memory()
			: recipe_decode_memory(&part->recipe, part->raw_size, part->plain_size) + part->plain_size;
	int err;

	*decoded = false;
	if (finder->limits.memory > 0 && memory > finder->limits.memory)
		return 0;
	err = buffer_reserve(shown, part->raw_at - finder->shown + part->plain_size, finder->error);
	if (err < 0)
		return err;
	*plain = shown->data + shown->size + (part->raw_at - finder->shown);
	err = recipe_decode(&part->recipe, &raw, *plain, part->plain_size, finder->error);
	*decoded = err == 0;
	return err == -EINVAL ? 0 : err; /* not what it looked like */
}

static bool fits(const struct finder *finder, const struct view_part *part)
{
	uint32_t unit = finder->limits.unit;

	return unit == 0 || (part->raw_at + part->raw_size - 1) / unit - part->raw_at / unit < 2;
}

static int show(struct finder *finder, const struct view_part *possible)
{
	struct view_part part = *possible;
	struct view *view = &finder->viewed->view;
	uint8_t *plain = NULL;
	bool found = false;
	int err = fits(finder, &part) ? decode(finder, &part, &plain, &found) : 0;

	if (err == 0 && found && view->exact)
		err = find_recipe(finder, &part, plain, &found);
	if (err < 0 || !found)
		return err;
	err = show_raw(finder, part.raw_at);
	if (err == 0)
		err = view_add(view, &part, finder->error);
	finder->viewed->plain.size += part.plain_size;
	finder->shown += part.raw_size;
	return err;
}

static int sort(struct source *source, const struct image *image, uint32_t unit, struct error *error)
{
	int err;

	*source = (struct source){.image = *image};
	err = view_sort(image, unit, &source->sorted, &source->data, error);
	if (source->sorted.leb_size > 0)
		source->image.data = source->data.data;
	return err;
}

static void unsort(struct source *source, const struct image *image)
{
	source->sorted = (struct sorted){.leb_size = 0};
	source->image = *image;
}

static void close_source(struct source *source)
{
	view_parts_free(&source->parts);
	buffer_free(&source->data);
}

static int show_all(struct viewed *viewed, const struct source *source, bool exact, const struct view_limits *limits,
                    struct error *error)
{
	struct finder finder = {.source = source, .viewed = viewed, .limits = *limits, .error = error};
	int err = 0;

	view_start(&viewed->view, (uint64_t)source->image.size, exact);
	viewed->view.sorted = source->sorted;
	viewed->plain.size = 0;
	for (size_t i = 0; err == 0 && i < source->parts.count; i++)
		err = show(&finder, &source->parts.all[i]);
	if (err == 0)
		err = show_raw(&finder, (uint64_t)source->image.size);
	return err == 0 ? view_list_extents(&viewed->view, &source->image, &viewed->extents, error) : err;
}

int view_find(struct viewed *viewed, const struct image *image, uint64_t memory, struct error *error)
{
	struct source source;
	int err = sort(&source, image, 0, error);

	*viewed = (struct viewed){0};
	if (err == 0)
		err = scan(&source, error);
	if (err == 0)
		err = show_all(viewed, &source, true, &(struct view_limits){.memory = memory}, error);
	close_source(&source);
	return err;
}

/* In both, or in none. */
static int sort_pair(struct source *old_source, struct source *new_source, const struct image *old_image,
                     const struct image *new_image, const struct view_limits *limits, struct error *error)
{
	int err = sort(old_source, old_image, limits->unit, error);
	uint64_t memory;

	*new_source = (struct source){.image = *new_image};
	if (err == 0)
		err = sort(new_source, new_image, limits->unit, error);
	memory = sorted_reader_memory(&old_source->sorted) + sorted_writer_memory(&new_source->sorted);
	if (old_source->sorted.leb_size == 0 || new_source->sorted.leb_size == 0 ||
	    (limits->memory > 0 && memory > limits->memory / 2)) {
		unsort(old_source, old_image);
		unsort(new_source, new_image);
	}
	return err;
}

int view_find_pair(struct viewed *old_viewed, struct viewed *new_viewed, const struct image *old_image,
                   const struct image *new_image, const struct view_limits *limits, struct error *error)
{
	struct source old_source, new_source;
	int err = sort_pair(&old_source, &new_source, old_image, new_image, limits, error);

	*old_viewed = *new_viewed = (struct viewed){0};
	if (err == 0)
		err = scan(&old_source, error);
	if (err == 0)
		err = scan(&new_source, error);
	if (err == 0)
		err = view_leave_out_same(&old_source.image, &old_source.parts, &new_source.image, &new_source.parts,
		                          error);
	if (err == 0)
		err = show_all(new_viewed, &new_source, true, limits, error);
	if (err == 0)
		err = view_leave_out_others(&old_source.parts, &new_viewed->view, error);
	if (err == 0)
		err = show_all(old_viewed, &old_source, false, &(struct view_limits){.memory = limits->memory}, error);
	close_source(&old_source);
	close_source(&new_source);
	return err;
}
