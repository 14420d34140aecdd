/* SPDX-License-Identifier: Apache-2.0 */
/* Which parts of a pair of images stay compressed. */
#include "patch/view_probe.h"

#include <stdlib.h>
#include <zlib.h>

/* A part of one image by what it is, still compressed. */
struct key {
	uint32_t size;
	uint32_t crc;
	size_t index;
};

static int compare_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return (x->crc > y->crc) - (x->crc < y->crc);
}

static struct key key_of(const struct image *image, const struct view_parts *parts, size_t index)
{
	const struct view_part *part = &parts->all[index];

	return (struct key){.size = part->raw_size,
	                    .crc = (uint32_t)crc32(0, image->data + part->raw_at, part->raw_size),
	                    .index = index};
}

static void keep(struct view_parts *parts, const bool *left_out)
{
	size_t count = 0;

	for (size_t i = 0; i < parts->count; i++)
		if (!left_out[i])
			parts->all[count++] = parts->all[i];
	parts->count = count;
}

/* Equal checksums of equal sizes do, since nothing but size hangs on it. */
int view_leave_out_same(const struct image *old_image, struct view_parts *old_parts, const struct image *new_image,
                        struct view_parts *new_parts, struct error *error)
{
	struct key *keys = calloc(old_parts->count + 1, sizeof(*keys));
	bool *old_left_out = calloc(old_parts->count + 1, sizeof(bool));
	bool *new_left_out = calloc(new_parts->count + 1, sizeof(bool));

	if (!keys || !old_left_out || !new_left_out) {
		free(keys);
		free(old_left_out);
		free(new_left_out);
		return patch_no_memory(error);
	}
	for (size_t i = 0; i < old_parts->count; i++)
		keys[i] = key_of(old_image, old_parts, i);
	qsort(keys, old_parts->count, sizeof(*keys), compare_keys);
	for (size_t i = 0; i < new_parts->count; i++) {
		struct key key = key_of(new_image, new_parts, i);
		const struct key *same = bsearch(&key, keys, old_parts->count, sizeof(*keys), compare_keys);

		if (same)
			new_left_out[i] = old_left_out[same->index] = true;
	}
	keep(old_parts, old_left_out);
	keep(new_parts, new_left_out);
	free(keys);
	free(old_left_out);
	free(new_left_out);
	return 0;
}

int view_leave_out_others(struct view_parts *parts, const struct view *view, struct error *error)
{
	bool *left_out = calloc(parts->count + 1, sizeof(bool));
	bool used[RECIPE_CODERS] = {false};

	if (!left_out)
		return patch_no_memory(error);
	for (size_t i = 0; i < view->recipe_count; i++)
		used[view->recipes[i].recipe.coder] = true;
	used[RECIPE_DEFLATE] |= used[RECIPE_GZIP]; /* as which it is found */
	for (size_t i = 0; i < parts->count; i++)
		left_out[i] = !used[parts->all[i].recipe.coder];
	keep(parts, left_out);
	free(left_out);
	return 0;
}
