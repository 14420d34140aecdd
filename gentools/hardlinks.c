/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/hardlinks_internal.h"

#include "gentools/gentools.h"
#include "gentools/order.h"
#include "gentools/plan.h"
#include "gentools/tree_xattr.h"

#include <errno.h>
#include <stdlib.h>

int hardlinks_gather(struct tree *tree, bool (*wanted)(const struct object *object),
                     int (*compare)(const void *a, const void *b), struct hardlinks_names *names)
{
	*names = (struct hardlinks_names){.objects = calloc(tree->count + 1, sizeof(struct object *))};
	if (!names->objects)
		return -ENOMEM;
	for (size_t i = 0; i < tree->count; i++)
		if (wanted(&tree->objects[i]))
			names->objects[names->count++] = &tree->objects[i];
	qsort(names->objects, names->count, sizeof(struct object *), compare);
	return 0;
}

/* ---- Numbers ---- */

static int compare_origins(const void *a, const void *b)
{
	const struct object *first = *(struct object *const *)a;
	const struct object *second = *(struct object *const *)b;
	int order = order_numbers(first->origin.device, second->origin.device);

	if (order == 0)
		order = order_numbers(first->origin.inode, second->origin.inode);
	return order != 0 ? order : tree_compare_paths(first->path, second->path);
}

static int compare_origins_apart(const void *a, const void *b)
{
	const struct object *first = *(struct object *const *)a;
	const struct object *second = *(struct object *const *)b;
	int order = order_numbers(plan_part_of(first->path), plan_part_of(second->path));

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
	struct hardlinks_names names;
	int err = hardlinks_gather(tree, apart ? has_part_and_origin : has_origin,
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
	int order = order_numbers(first->file, second->file);

	return order != 0 ? order : tree_compare_paths(first->path, second->path);
}

int hardlinks_gather_files(struct tree *tree, struct hardlinks_names *names)
{
	return hardlinks_gather(tree, has_number, compare_files, names);
}

bool hardlinks_next(const struct hardlinks_names *names, size_t *start, size_t *end)
{
	*start = *end;
	while (*end < names->count && names->objects[*end]->file == names->objects[*start]->file)
		++*end;
	return *start < *end;
}

bool hardlinks_is_kept(const struct object *old, const struct object *new)
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
	struct hardlinks_names names;
	size_t start;
	size_t end = 0;
	int err;

	for (size_t i = 0; i < target->count; i++) {
		struct object *object = &target->objects[i];

		if (object->file != 0 && !hardlinks_is_kept(tree_find(source, object->path), object))
			object->file += source->linked_files;
	}
	err = hardlinks_gather_files(target, &names);
	if (err < 0)
		return error_set(error, 0, -err, "out of memory");
	while (hardlinks_next(&names, &start, &end))
		settle_group(names.objects + start, end - start, log);
	free(names.objects);
	return 0;
}
