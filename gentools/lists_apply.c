/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/lists.h"

#include "gentools/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct list_line *find_keep(const struct lists *lists, const char *path)
{
	return list_find(&lists->list[GEN_NOOTA], path);
}

/* Two lines that cannot both be done. */
static int conflict(const char *path, const struct list *first, const struct list_line *line, const char *does,
                    const struct list *second, const struct list_line *other, const char *undoes, struct error *error)
{
	return error_set(error, 0, EINVAL, "%s: %s:%u %s, %s:%u %s: take one of the lines away", path, first->file,
	                 line->number, does, second->file, other->number, undoes);
}

static int check_conflict(const struct lists *lists, const char *path, struct error *error)
{
	const struct list *whole = &lists->list[GEN_FULLOTA];
	const struct list_line *first = list_find(whole, path);
	const struct list_line *second = first ? find_keep(lists, path) : NULL;

	return second ? conflict(path, whole, first, "has it replaced", &lists->list[GEN_NOOTA], second, "has it kept",
	                         error)
	              : 0;
}

/* What is kept gets no other mode, and no other image. */
static int check_kept(const struct lists *lists, const struct list *list, const char *does, struct error *error)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < list->count; i++) {
		const struct list_line *line = &list->lines[i];
		const struct list_line *keep = find_keep(lists, line->path);

		if (keep)
			err = conflict(line->path, list, line, does, &lists->list[GEN_NOOTA], keep, "has it kept",
			               error);
	}
	return err;
}

/* An image goes to one partition. */
static int check_images(const struct list *list, struct error *error)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < list->count; i++) {
		const struct list_line *line = &list->lines[i];
		const struct list_line *first = list_find(list, line->path);

		if (first != line && strcmp(first->path, line->path) == 0 &&
		    (!first->partition != !line->partition || first->volume != line->volume ||
		     (line->partition && strcmp(first->partition, line->partition) != 0)))
			err = conflict(line->path, list, first, "has one partition for it", list, line, "another one",
			               error);
	}
	return err;
}

/* By the lines themselves, too: what no version has yet is a contradiction all the same. */
static int check_conflicts(const struct lists *lists, const struct tree *source, const struct tree *target,
                           struct error *error)
{
	const struct list *whole = &lists->list[GEN_FULLOTA];
	int err = check_kept(lists, &lists->list[GEN_CHMOD], "sets its mode", error);

	if (err == 0)
		err = check_kept(lists, &lists->list[GEN_MULTIFOTA], "has it upgraded", error);
	if (err == 0)
		err = check_images(&lists->list[GEN_MULTIFOTA], error);
	for (size_t i = 0; err == 0 && i < whole->count; i++)
		err = check_conflict(lists, whole->lines[i].path, error);
	for (size_t i = 0; err == 0 && i < source->count; i++)
		err = check_conflict(lists, source->objects[i].path, error);
	for (size_t i = 0; err == 0 && i < target->count; i++)
		err = check_conflict(lists, target->objects[i].path, error);
	return err;
}

static void warn_unused(const struct lists *lists, const struct tree *source, const struct tree *target,
                        const struct log *log)
{
	for (const struct list *list = lists->list; list < lists->list + GEN_LISTS; list++)
		for (size_t i = 0; i < list->count; i++)
			if (!list_line_is_used(&list->lines[i], source) && !list_line_is_used(&list->lines[i], target))
				log_printf(log, "warning: %s:%u: %s is in neither version", list->file,
				           list->lines[i].number, list->lines[i].path);
}

/* Why the target's version of something does not reach the module; NULL when it does. */
static const char *difference(const struct object *old, const struct object *new)
{
	if (!new)
		return "the target no longer has it";
	if (!old)
		return "new in the target, and not installed";
	if (old->type != new->type)
		return "something else in the target";
	if ((old->type == OBJECT_FILE && !digest_equal(&old->digest, &new->digest)) ||
	    (old->type == OBJECT_LINK && strcmp(old->link, new->link) != 0) || !object_same_node(old, new))
		return "changed in the target";
	if (old->implied || new->implied)
		return NULL;
	if (old->uid != new->uid || old->gid != new->gid || (old->type != OBJECT_LINK && old->mode != new->mode))
		return "of another mode or owner in the target";
	return NULL;
}

static void tell_kept(struct lists *lists, const struct list_line *line, const char *path, const struct object *old,
                      const struct object *new, const struct log *log)
{
	const char *text = difference(old, new);

	lists->kept++;
	if (!text)
		return;
	lists->kept_changes++;
	log_printf(log, "noota %s: %s, stays on the module as it is (%s:%u)", path, text, lists->list[GEN_NOOTA].file,
	           line->number);
}

/* Whether an image is not on the list of those to upgrade. */
static bool is_left_out(const struct lists *lists, const char *path, const struct object *object)
{
	const struct list *list = &lists->list[GEN_MULTIFOTA];

	return list->file && plan_part_of(path) == GEN_MULTI && object && object->type == OBJECT_FILE &&
	       !list_find(list, path);
}

/* A folder that is to go stays for what may be kept in it. */
static int check_folder(const struct lists *lists, const struct object *old, const struct object *new, bool *stays,
                        const struct log *log, struct error *error)
{
	const struct list *list = &lists->list[GEN_NOOTA];
	const struct list_line *line;

	if (!old || old->type != OBJECT_DIRECTORY || (new &&new->type == OBJECT_DIRECTORY))
		return 0;
	line = list_find_inside(list, old->path);
	if (!line)
		return 0;
	if (new)
		return error_set(error, 0, EINVAL, "%s: %s:%u keeps what is in it, but it is no folder in the target",
		                 old->path, list->file, line->number);
	log_printf(log, "noota %s: gone in the target, stays for what is kept in it (%s:%u)", old->path, list->file,
	           line->number);
	*stays = true;
	return 0;
}

/* Whether the old stays, and not the new comes. */
static int decide(struct lists *lists, const char *path, const struct object *old, const struct object *new,
                  bool *stays, const struct log *log, struct error *error)
{
	const struct list_line *line = find_keep(lists, path);

	*stays = false;
	if (!(plan_part_of(path) & lists->parts))
		return 0;
	if (line) {
		tell_kept(lists, line, path, old, new, log);
		*stays = true;
		return 0;
	}
	if (is_left_out(lists, path, new ? new : old)) {
		log_printf(log, "keep %s: its partition stays as it is, %s does not have the image", path,
		           lists->list[GEN_MULTIFOTA].file);
		*stays = true;
		return 0;
	}
	return check_folder(lists, old, new, stays, log, error);
}

/* What the module shall have there; merged stays empty when that is nothing. */
static int merge_object(struct lists *lists, const char *path, const struct object *old, struct object *new,
                        struct object *merged, const struct log *log, struct error *error)
{
	bool stays = false;
	int err = decide(lists, path, old, new, &stays, log, error);

	if (err < 0)
		return err;
	if (!stays && new) {
		*merged = *new;
		*new = (struct object){0};
	}
	if (stays && old) {
		err = object_copy(merged, old);
		if (err < 0) {
			object_clear(merged);
			return error_set(error, 0, -err, "%s", strerror(-err));
		}
	}
	return 0;
}

static int keep_objects(struct lists *lists, const struct tree *source, struct tree *target, const struct log *log,
                        struct error *error)
{
	size_t capacity = source->count + target->count + 1;
	struct object *merged = calloc(capacity, sizeof(*merged));
	size_t count = 0;
	size_t i = 0;
	size_t j = 0;
	int err = 0;

	if (!merged)
		return error_set(error, 0, ENOMEM, "%s", strerror(ENOMEM));
	while (err == 0 && (i < source->count || j < target->count)) {
		int order = tree_compare_next(source, i, target, j);
		const char *path = order <= 0 ? source->objects[i].path : target->objects[j].path;
		const struct object *old = order <= 0 ? &source->objects[i++] : NULL;
		struct object *new = order >= 0 ? &target->objects[j++] : NULL;

		err = merge_object(lists, path, old, new, &merged[count], log, error);
		count += merged[count].path != NULL;
	}
	for (size_t k = 0; k < target->count; k++)
		object_clear(&target->objects[k]);
	free(target->objects);
	target->objects = merged;
	target->count = count;
	target->capacity = capacity;
	return err;
}

static void mark_whole(const struct lists *lists, struct tree *target)
{
	for (size_t i = 0; i < target->count; i++)
		target->objects[i].whole = target->objects[i].type != OBJECT_DIRECTORY &&
		                           list_find(&lists->list[GEN_FULLOTA], target->objects[i].path);
}

/* What the module has at a path of either list is not known. */
static void mark_unknown(const struct lists *lists, struct tree *source)
{
	for (size_t i = 0; i < source->count; i++)
		source->objects[i].whole = list_find(&lists->list[GEN_FULLOTA], source->objects[i].path) ||
		                           find_keep(lists, source->objects[i].path);
}

static int name_partitions(const struct lists *lists, struct tree *tree, struct error *error)
{
	for (size_t i = 0; i < tree->count; i++) {
		struct object *object = &tree->objects[i];
		const struct list_line *line = list_find(&lists->list[GEN_MULTIFOTA], object->path);

		if (!line || !line->partition)
			continue;
		object->partition = strdup(line->partition);
		if (!object->partition)
			return error_set(error, 0, ENOMEM, "%s", strerror(ENOMEM));
		object->volume = line->volume;
	}
	return 0;
}

int lists_apply(struct lists *lists, struct tree *source, struct tree *target, unsigned parts, const struct log *log,
                struct error *error)
{
	int err = check_conflicts(lists, source, target, error);

	lists->parts = parts;
	if (err < 0)
		return err;
	warn_unused(lists, source, target, log);
	err = name_partitions(lists, source, error);
	if (err == 0)
		err = name_partitions(lists, target, error);
	if (err == 0)
		err = keep_objects(lists, source, target, log, error);
	if (err < 0)
		return err;
	mark_whole(lists, target);
	mark_unknown(lists, source);
	lists_set_attributes(lists, target, log);
	return 0;
}

void lists_report(const struct lists *lists, const struct log *log)
{
	if (!lists->list[GEN_NOOTA].file)
		return;
	log_printf(log, "noota: objects kept on the module: %zu; of these the target has otherwise: %zu%s", lists->kept,
	           lists->kept_changes,
	           lists->kept_changes ? ", which do not reach the module; to force one, move its line to fullota"
	                               : "");
}
