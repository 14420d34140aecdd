/* SPDX-License-Identifier: Apache-2.0 */
/* What a plan has to mind of names of one file. */
#include "gentools/hardlinks_internal.h"

#include "gentools/gentools.h"
#include "gentools/order.h"
#include "gentools/plan.h"

#include <stdlib.h>

static bool is_file(const struct object *object)
{
	return object && object->type == OBJECT_FILE;
}

static bool is_in(const struct object *object, unsigned parts)
{
	return (plan_part_of(object->path) & parts & (GEN_MODEM | GEN_LINUX)) != 0 && !plan_is_image(object->path);
}

static bool same_content(const struct object *old, const struct object *new)
{
	return is_file(old) && is_file(new) && digest_equal(&old->digest, &new->digest);
}

/* Which name of a file the others follow: the one that costs least. */
static unsigned worth(const struct tree *source, const struct object *object, bool full)
{
	const struct object *old = full ? NULL : tree_find(source, object->path);

	if (!is_file(old) || object->whole)
		return 0;
	return same_content(old, object) ? 2 : 1;
}

/* Not of a file that stays as it is. */
static void lead_group(const struct tree *source, struct object **objects, size_t count, bool full)
{
	struct object *first = objects[0];

	if (!full && hardlinks_is_kept(tree_find(source, first->path), first))
		return;
	for (size_t i = 1; i < count; i++)
		if (worth(source, objects[i], full) > worth(source, first, full))
			first = objects[i];
	for (size_t i = 0; i < count; i++)
		objects[i]->first = objects[i] == first ? NULL : first;
}

static int lead(const struct tree *source, struct tree *target, const struct hardlinks_options *options)
{
	struct hardlinks_names names;
	size_t start;
	size_t end = 0;
	int err = hardlinks_gather_files(target, &names);

	if (err < 0)
		return err;
	while (hardlinks_next(&names, &start, &end))
		if (is_in(names.objects[start], options->parts))
			lead_group(source, names.objects + start, end - start, options->full);
	free(names.objects);
	return 0;
}

/* Whether a name leads to the old file when all content is written, and no hard_link() has been called yet. */
static bool stays(const struct object *old, const struct object *new)
{
	return is_file(new) && !new->first && (hardlinks_is_kept(old, new) || same_content(old, new));
}

/* Who keeps the file: rather what must not be touched, or is deleted only at the end. */
static unsigned claim(const struct object *old, const struct object *new)
{
	return hardlinks_is_kept(old, new) ? 2 : plan_is_late(old->path) ? 1 : 0;
}

static void split_group(struct object **old, size_t count, struct tree *target, bool native)
{
	struct object *keeper = NULL;
	unsigned best = 0;

	for (size_t i = 0; i < count; i++) {
		struct object *new = (struct object *)tree_find(target, old[i]->path);

		/* Updaters of the lineage write into what is there. */
		if (!native && is_file(new) && new->whole) {
			new->anew = true;
		} else if (stays(old[i], new) && (!keeper || claim(old[i], new) > best)) {
			keeper = new;
			best = claim(old[i], new);
		}
	}
	for (size_t i = 0; keeper && i < count; i++) {
		struct object *new = (struct object *)tree_find(target, old[i]->path);

		if (new == keeper || !stays(old[i], new) || new->anew || hardlinks_may_share(keeper, new))
			continue;
		new->anew = !native;
		new->apart_from = native ? keeper : NULL;
	}
}

/* Of names that go, the first may be renamed, if none stays with the file. */
static void hold_group(struct object **old, size_t count, const struct tree *target)
{
	bool taken = false;

	for (size_t i = 0; i < count; i++)
		taken = taken || stays(old[i], tree_find(target, old[i]->path));
	for (size_t i = 0; i < count; i++) {
		old[i]->held = taken;
		taken = taken || !tree_find(target, old[i]->path);
	}
}

static int split(struct tree *source, struct tree *target, const struct hardlinks_options *options)
{
	struct hardlinks_names names;
	size_t start;
	size_t end = 0;
	int err = hardlinks_gather_files(source, &names);

	if (err < 0)
		return err;
	while (hardlinks_next(&names, &start, &end)) {
		if (!is_in(names.objects[start], options->parts))
			continue;
		split_group(names.objects + start, end - start, target, options->native);
		hold_group(names.objects + start, end - start, target);
	}
	free(names.objects);
	return 0;
}

/* ---- The plan of a full package: what the module has may be names of any file that has this content ---- */

static bool is_plain_file(const struct object *object)
{
	return object->type == OBJECT_FILE && !object->first && !plan_is_late(object->path);
}

static bool same_place_and_content(const struct object *a, const struct object *b)
{
	return plan_part_of(a->path) == plan_part_of(b->path) && digest_equal(&a->digest, &b->digest);
}

static int compare_contents(const void *a, const void *b)
{
	const struct object *first = *(struct object *const *)a;
	const struct object *second = *(struct object *const *)b;
	int order = order_numbers(plan_part_of(first->path), plan_part_of(second->path));

	if (order == 0)
		order = order_digests(&first->digest, &second->digest);
	return order != 0 ? order : tree_compare_paths(first->path, second->path);
}

static void split_content(struct object **objects, size_t count)
{
	bool differ = false;

	for (size_t i = 1; i < count && !differ; i++)
		differ = !hardlinks_may_share(objects[0], objects[i]);
	for (size_t i = 1; differ && i < count; i++)
		objects[i]->apart_from = objects[0];
}

static int split_unknown(struct tree *target, const struct hardlinks_options *options)
{
	struct hardlinks_names names;
	size_t end;
	int err = hardlinks_gather(target, is_plain_file, compare_contents, &names);

	if (err < 0)
		return err;
	for (size_t start = 0; start < names.count; start = end) {
		for (end = start + 1; end < names.count; end++)
			if (!same_place_and_content(names.objects[start], names.objects[end]))
				break;
		if (is_in(names.objects[start], options->parts))
			split_content(names.objects + start, end - start);
	}
	free(names.objects);
	return 0;
}

int hardlinks_plan(struct tree *source, struct tree *target, const struct hardlinks_options *options,
                   struct error *error)
{
	int err = options->native ? lead(source, target, options) : 0;

	if (err == 0 && !options->full)
		err = split(source, target, options);
	if (err == 0 && options->full && options->native)
		err = split_unknown(target, options);
	return err < 0 ? error_set(error, 0, -err, "out of memory") : 0;
}
