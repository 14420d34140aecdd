/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/number.h"
#include "patch/view_parts.h"
#include <inttypes.h>
#include <string.h>

#define RECIPE_SIZE (1 + RECIPE_SETTINGS + 1 + RECIPE_DETAILS)

/* Of a version, as a library has it. */
#define VERSION_MAX 31

enum view_kind { VIEW_OLD, VIEW_NEW };

/* Least sizes of a part, saved. */
#define PART_SIZE_MIN 2

static bool uses(const struct view_recipe *recipes, size_t count, unsigned coder)
{
	for (size_t i = 0; i < count; i++)
		if (recipes[i].recipe.coder == coder)
			return true;
	return false;
}

static int put(const struct sink *sink, const void *data, size_t size, struct error *error)
{
	int err = size > 0 ? sink->write(sink->ctx, data, size) : 0;

	return err < 0 ? error_set(error, 0, -err, "a view cannot be saved: %s", strerror(-err)) : 0;
}

static int put_versions(const struct view *view, const struct sink *sink, struct error *error)
{
	int err = 0;

	for (unsigned coder = 0; err == 0 && coder < RECIPE_CODERS; coder++) {
		const char *version = recipe_version(coder);
		uint8_t length = (uint8_t)strnlen(version, VERSION_MAX);

		if (!uses(view->recipes, view->recipe_count, coder))
			continue;
		err = put(sink, &length, 1, error);
		if (err == 0)
			err = put(sink, version, length, error);
	}
	return err;
}

/* Which LEBs are sorted. */
static int put_sorted(const struct sorted *sorted, const struct sink *sink, struct error *error)
{
	uint8_t numbers[(2 + 2 * SORTED_RUNS_MAX) * NUMBER_SIZE_MAX];
	uint8_t *to = numbers + number_put(numbers, sorted->leb_size);
	uint64_t end = 0;

	if (sorted->leb_size > 0)
		to += number_put(to, sorted->count);
	for (size_t i = 0; i < sorted->count; i++) {
		to += number_put(to, sorted->runs[i].first - end);
		to += number_put(to, sorted->runs[i].count);
		end = (uint64_t)sorted->runs[i].first + sorted->runs[i].count;
	}
	return put(sink, numbers, (size_t)(to - numbers), error);
}

int view_save(const struct view *view, const struct sink *sink, struct error *error)
{
	uint8_t head[1 + NUMBER_SIZE_MAX] = {view->exact ? VIEW_NEW : VIEW_OLD};
	uint8_t count[NUMBER_SIZE_MAX];
	int err = put(sink, head, 1 + number_put(head + 1, view->raw_size), error);

	if (err == 0)
		err = put_sorted(&view->sorted, sink, error);
	if (err == 0)
		err = put(sink, count, number_put(count, view->recipe_count), error);
	for (size_t i = 0; err == 0 && i < view->recipe_count; i++) {
		const struct recipe *recipe = &view->recipes[i].recipe;

		err = put(sink, &recipe->coder, 1, error);
		if (err == 0)
			err = put(sink, recipe->settings, RECIPE_SETTINGS, error);
		if (err == 0)
			err = put(sink, &recipe->container, 1, error);
		if (err == 0)
			err = put(sink, recipe->details, RECIPE_DETAILS, error);
	}
	if (err == 0 && view->exact)
		err = put_versions(view, sink, error);
	if (err == 0)
		err = put(sink, count, number_put(count, view->count), error);
	return err == 0 ? put(sink, view->parts, view->parts_size, error) : err;
}

/* What is still to be read. */
struct saved {
	const uint8_t *data;
	size_t left;
	struct error *error;
};

static int take(struct saved *saved, size_t size, const uint8_t **data)
{
	if (size > saved->left)
		return patch_broken(saved->error, "patch: a view that is cut short");
	*data = saved->data;
	saved->data += size;
	saved->left -= size;
	return 0;
}

static int take_number(struct saved *saved, uint64_t most, uint64_t *number)
{
	size_t size = number_get(saved->data, saved->left, number);

	if (size == 0 || *number > most)
		return patch_broken(saved->error, "patch: a view with a number that makes no sense");
	saved->data += size;
	saved->left -= size;
	return 0;
}

static int take_recipes(struct saved *saved, struct view_recipe *recipes, size_t count)
{
	const uint8_t *data = NULL;
	int err = take(saved, count * RECIPE_SIZE, &data);

	for (size_t i = 0; err == 0 && i < count; i++, data += RECIPE_SIZE) {
		recipes[i].recipe.coder = data[0];
		memcpy(recipes[i].recipe.settings, data + 1, RECIPE_SETTINGS);
		recipes[i].recipe.container = data[1 + RECIPE_SETTINGS];
		memcpy(recipes[i].recipe.details, data + 2 + RECIPE_SETTINGS, RECIPE_DETAILS);
		err = recipe_check(&recipes[i].recipe, saved->error);
	}
	return err;
}

/* An encoder of another version may make something else, and that would only be seen when the image is half written. */
static int check_versions(struct saved *saved, const struct view_recipe *recipes, size_t count)
{
	int err = 0;

	for (unsigned coder = 0; err == 0 && coder < RECIPE_CODERS; coder++) {
		const char *version = recipe_version(coder);
		const uint8_t *length = NULL, *wanted = NULL;

		if (!uses(recipes, count, coder))
			continue;
		err = take(saved, 1, &length);
		if (err == 0)
			err = take(saved, *length, &wanted);
		if (err == 0 && (*length != strnlen(version, VERSION_MAX) || memcmp(wanted, version, *length) != 0))
			err = error_set(saved->error, RESULT_VERIFY, ENOTSUP,
			                "patch: made for %s %.*s, which compresses as it did for its maker; here is %s",
			                recipe_library(coder), (int)*length, (const char *)wanted, version);
	}
	return err;
}

static int take_part(struct saved *saved, const struct view_recipe *recipes, size_t recipe_count, struct view *view)
{
	struct view_part part = view->last;
	uint64_t gap = 0, raw_size = 0, recipe = 0, plain_size = 0;
	int err = take_number(saved, UINT64_MAX, &gap);

	if (err == 0 && gap >> 1 > view->raw_size - view_part_raw_end(&view->last))
		err = patch_broken(saved->error, "patch: a view's part lies outside of its image");
	if (err == 0)
		err = take_number(saved, RECIPE_SIZE_MAX, &raw_size);
	part.raw_at = view_part_raw_end(&view->last) + (gap >> 1);
	part.raw_size = (uint32_t)raw_size;
	if (err == 0 && gap & 1) {
		err = take_number(saved, recipe_count - 1, &recipe);
		if (err == 0)
			err = take_number(saved, RECIPE_SIZE_MAX, &plain_size);
		if (err == 0)
			part.recipe = recipes[recipe].recipe;
		part.plain_size = (uint32_t)plain_size;
	}
	return err == 0 ? view_add(view, &part, saved->error) : err;
}

static int take_parts(struct saved *saved, const struct view_recipe *recipes, size_t recipe_count, struct view *view)
{
	const uint8_t *parts;
	size_t size;
	uint64_t count = 0;
	int err = take_number(saved, saved->left / PART_SIZE_MIN, &count);

	parts = saved->data;
	size = saved->left;
	if (err == 0 && recipe_count == 0 && size > 0)
		err = patch_broken(saved->error, "patch: a view's parts have no recipes");
	if (err == 0 && size > 0)
		err = view_reserve(view, size, (size_t)count, saved->error);
	for (uint64_t i = 0; err == 0 && i < count; i++)
		err = take_part(saved, recipes, recipe_count, view);
	/* There is one way to write a view, and nothing behind it. */
	if (err == 0 && (view->recipe_count != recipe_count || view->parts_size != size ||
	                 (size > 0 && memcmp(view->parts, parts, size) != 0)))
		err = patch_broken(saved->error, "patch: a view that is not as it should be written");
	return err;
}

static int take_sorted(struct saved *saved, uint64_t raw_size, struct sorted *sorted)
{
	uint64_t leb_size = 0, count = 0, first = 0, length = 0, end = 0;
	int err = take_number(saved, SORTED_LEB_MAX, &leb_size);

	*sorted = (struct sorted){.leb_size = (uint32_t)leb_size};
	if (err < 0 || leb_size == 0)
		return err;
	err = take_number(saved, SORTED_RUNS_MAX, &count);
	for (; err == 0 && sorted->count < count; sorted->count++) {
		err = take_number(saved, UINT32_MAX - end, &first);
		if (err == 0)
			err = take_number(saved, UINT32_MAX - end - first, &length);
		sorted->runs[sorted->count] =
			(struct sorted_run){.first = (uint32_t)(end + first), .count = (uint32_t)length};
		end += first + length;
	}
	return err == 0 ? sorted_check(sorted, raw_size, saved->error) : err;
}

int view_load(struct view *view, const void *data, size_t size, struct error *error)
{
	struct saved saved = {.data = data, .left = size, .error = error};
	struct view_recipe recipes[VIEW_RECIPES_MAX] = {0};
	struct sorted sorted = {.leb_size = 0};
	const uint8_t *kind = NULL;
	uint64_t raw_size = 0, count = 0;
	int err;

	view_start(view, 0, false);
	err = take(&saved, 1, &kind);
	if (err == 0 && *kind > VIEW_NEW)
		err = patch_broken(error, "patch: a view of a kind that is not known");
	if (err == 0)
		err = take_number(&saved, INT64_MAX, &raw_size);
	if (err == 0)
		err = take_sorted(&saved, raw_size, &sorted);
	if (err == 0)
		err = take_number(&saved, VIEW_RECIPES_MAX, &count);
	if (err == 0)
		err = take_recipes(&saved, recipes, (size_t)count);
	if (err < 0)
		return err;
	view_start(view, raw_size, *kind == VIEW_NEW);
	view->sorted = sorted;
	if (view->exact)
		err = check_versions(&saved, recipes, (size_t)count);
	return err == 0 ? take_parts(&saved, recipes, (size_t)count, view) : err;
}
