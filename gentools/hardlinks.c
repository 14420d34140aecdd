/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/hardlinks.h"

#include "gentools/gentools.h"
#include "gentools/plan.h"
#include "gentools/tree_xattr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Some of a tree's objects, sorted: what belongs together stands together, by path. */
struct names {
	struct object **objects;
	size_t count;
};

typedef int (*compare_function)(const void *a, const void *b);

static int gather(struct tree *tree, bool (*wanted)(const struct object *object), compare_function compare,
                  struct names *names)
{
	*names = (struct names){.objects = calloc(tree->count + 1, sizeof(struct object *))};
	if (!names->objects)
		return -ENOMEM;
	for (size_t i = 0; i < tree->count; i++)
		if (wanted(&tree->objects[i]))
			names->objects[names->count++] = &tree->objects[i];
	qsort(names->objects, names->count, sizeof(struct object *), compare);
	return 0;
}

/* ---- Numbers ---- */

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_paths(const struct object *a, const struct object *b)
{
	return tree_compare_paths(a->path, b->path);
}

static int compare_origins(const void *a, const void *b)
{
	const struct object *first = *(struct object *const *)a;
	const struct object *second = *(struct object *const *)b;
	int order = compare_numbers(first->origin.device, second->origin.device);

	if (order == 0)
		order = compare_numbers(first->origin.inode, second->origin.inode);
	return order != 0 ? order : compare_paths(first, second);
}

static int compare_origins_apart(const void *a, const void *b)
{
	const struct object *first = *(struct object *const *)a;
	const struct object *second = *(struct object *const *)b;
	int order = compare_numbers(plan_part_of(first->path), plan_part_of(second->path));

	return order != 0 ? order : compare_origins(a, b);
}

static bool has_origin(const struct object *object)
{
	return object->type == OBJECT_FILE && object->origin.inode != 0;
}

static bool has_part_and_origin(const struct object *object)
{
	return has_origin(object) && (plan_part_of(object->path) & (GEN_MODEM | GEN_LINUX)) != 0;
}

static bool same_origin(const struct object *a, const struct object *b, bool apart)
{
	return a->origin.device == b->origin.device && a->origin.inode == b->origin.inode &&
	       (!apart || plan_part_of(a->path) == plan_part_of(b->path));
}

int hardlinks_number(struct tree *tree, bool apart)
{
	struct names names;
	int err = gather(tree, apart ? has_part_and_origin : has_origin,
	                 apart ? compare_origins_apart : compare_origins, &names);

	if (err < 0)
		return err;
	for (size_t i = 1; i < names.count; i++) {
		struct object *before = names.objects[i - 1];

		if (!same_origin(before, names.objects[i], apart))
			continue;
		if (before->file == 0) {
			before->file = ++tree->linked_files;
			tree->hard_links++;
		}
		names.objects[i]->file = before->file;
		tree->hard_links++;
	}
	free(names.objects);
	return 0;
}

/* ---- Groups ---- */

static bool has_number(const struct object *object)
{
	return object->file != 0;
}

static int compare_files(const void *a, const void *b)
{
	const struct object *first = *(struct object *const *)a;
	const struct object *second = *(struct object *const *)b;
	int order = compare_numbers(first->file, second->file);

	return order != 0 ? order : compare_paths(first, second);
}

/* The next names of one file, from *end on; false: there are no more. */
static bool next_group(const struct names *names, size_t *start, size_t *end)
{
	*start = *end;
	while (*end < names->count && names->objects[*end]->file == names->objects[*start]->file)
		++*end;
	return *start < *end;
}

/* What stays on the module, whatever that is (noota list). */
static bool is_kept(const struct object *old, const struct object *new)
{
	return old && old->whole && new && !new->whole;
}

static bool same_attributes(const struct object *a, const struct object *b)
{
	return a->mode == b->mode && a->uid == b->uid && a->gid == b->gid &&
	       (!a->has_capabilities || !b->has_capabilities || a->capabilities == b->capabilities) &&
	       object_same_xattrs(a, b) && object_same_xattrs(b, a);
}

bool hardlinks_may_share(const struct object *a, const struct object *b)
{
	if (a->file != 0 || b->file != 0 || (a->has_names && b->has_names))
		return a->file != 0 && a->file == b->file;
	return digest_equal(&a->digest, &b->digest) && same_attributes(a, b);
}

/* Names that are none of the first one's file any more, and a name that no other is left beside. */
static void settle_group(struct object **objects, size_t count, const struct log *log)
{
	size_t left = 1;

	for (size_t i = 1; i < count; i++) {
		if (digest_equal(&objects[i]->digest, &objects[0]->digest) && same_attributes(objects[i], objects[0])) {
			left++;
			continue;
		}
		log_printf(log, "%s: a file of its own, not a name of %s: a list gives one another mode or owner",
		           objects[i]->path, objects[0]->path);
		objects[i]->file = 0;
	}
	if (left == 1)
		objects[0]->file = 0;
}

int hardlinks_settle(const struct tree *source, struct tree *target, const struct log *log, struct error *error)
{
	struct names names;
	size_t start;
	size_t end = 0;
	int err;

	for (size_t i = 0; i < target->count; i++) {
		struct object *object = &target->objects[i];

		if (object->file != 0 && !is_kept(tree_find(source, object->path), object))
			object->file += source->linked_files;
	}
	err = gather(target, has_number, compare_files, &names);
	if (err < 0)
		return error_set(error, 0, -err, "out of memory");
	while (next_group(&names, &start, &end))
		settle_group(names.objects + start, end - start, log);
	free(names.objects);
	return 0;
}

/* ---- The plan ---- */

static bool is_file(const struct object *object)
{
	return object && object->type == OBJECT_FILE;
}

static bool is_in(const struct object *object, unsigned parts)
{
	return (plan_part_of(object->path) & parts & (GEN_MODEM | GEN_LINUX)) != 0;
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

	if (!full && is_kept(tree_find(source, first->path), first))
		return;
	for (size_t i = 1; i < count; i++)
		if (worth(source, objects[i], full) > worth(source, first, full))
			first = objects[i];
	for (size_t i = 0; i < count; i++)
		objects[i]->first = objects[i] == first ? NULL : first;
}

static int lead(const struct tree *source, struct tree *target, const struct hardlinks_options *options)
{
	struct names names;
	size_t start;
	size_t end = 0;
	int err = gather(target, has_number, compare_files, &names);

	if (err < 0)
		return err;
	while (next_group(&names, &start, &end))
		if (is_in(names.objects[start], options->parts))
			lead_group(source, names.objects + start, end - start, options->full);
	free(names.objects);
	return 0;
}

/* Whether a name leads to the old file when all content is written, and no hard_link() has been called yet. */
static bool stays(const struct object *old, const struct object *new)
{
	return is_file(new) && !new->first && (is_kept(old, new) || same_content(old, new));
}

/* Who keeps the file: rather what must not be touched, or is deleted only at the end. */
static unsigned claim(const struct object *old, const struct object *new)
{
	return is_kept(old, new) ? 2 : plan_is_late(old->path) ? 1 : 0;
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
	struct names names;
	size_t start;
	size_t end = 0;
	int err = gather(source, has_number, compare_files, &names);

	if (err < 0)
		return err;
	while (next_group(&names, &start, &end)) {
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
	int order = compare_numbers(plan_part_of(first->path), plan_part_of(second->path));

	if (order == 0)
		order = memcmp(first->digest.bytes, second->digest.bytes, digest_size(first->digest.kind));
	return order != 0 ? order : compare_paths(first, second);
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
	struct names names;
	size_t end;
	int err = gather(target, is_plain_file, compare_contents, &names);

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
