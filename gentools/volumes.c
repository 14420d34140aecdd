/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/volumes.h"

#include "gentools/plan.h"
#include "gentools/rollback.h"
#include "gentools/units.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 65536u

/* Where files of volumes go that are of use all the same. */
#define KEPT_FOLDER VOLUMES_FOLDER "/files/"

static const struct place {
	const char *folder;
	const char *volume; /* path of its object */
	unsigned part;
} places[] = {{"SYSTEM", VOLUMES_SYSTEM, GEN_LINUX}, {"SYSTEM/firmware", VOLUMES_FIRMWARE, GEN_MODEM}};

#define PLACES (sizeof(places) / sizeof(places[0]))

static int copy_image(struct tree *tree, struct object *object, const struct reader *image)
{
	struct tree_data data;
	uint8_t *buffer = malloc(CHUNK);
	int err = buffer ? 0 : -ENOMEM;

	tree_data_start(&data, tree, object);
	for (uint64_t at = 0; err == 0 && at < image->size; at += CHUNK) {
		size_t n = image->size - at < CHUNK ? (size_t)(image->size - at) : CHUNK;

		err = image->read_at(image->ctx, at, buffer, n);
		if (err == 0)
			err = tree_data_add(&data, buffer, n);
	}
	tree_data_finish(&data);
	free(buffer);
	return err;
}

int volumes_add(struct tree *tree, const char *folder, const struct volume *volume, const struct reader *image,
                struct error *error)
{
	const char *path = strcmp(folder, places[0].folder) == 0 ? places[0].volume : places[1].volume;
	struct object *object;
	int err = 0;

	/* Such a name is none for a script. */
	if (strspn(volume->name, TREE_PARTITION_CHARACTERS) != strlen(volume->name))
		return 0;
	object = tree_add(tree, path, strlen(path));
	if (object) {
		object->type = OBJECT_FILE;
		object->volume = true;
		object->is_static = volume->is_static;
		object->unit = volume->leb;
		object->partition = strdup(volume->name);
		err = copy_image(tree, object, image);
	}
	if (err == 0 && (!object || !object->partition))
		err = -ENOMEM;
	return err < 0 ? error_set(error, 0, -err, "cannot keep the image: %s", strerror(-err)) : 0;
}

const struct object *volumes_find_file(const struct tree *tree, const char *path)
{
	char kept[128];
	const struct object *object = tree_find(tree, path);

	(void)snprintf(kept, sizeof(kept), KEPT_FOLDER "%s", path);
	return object ? object : tree_find(tree, kept);
}

/* ---- Images or files ---- */

/* What the volume changes at a time, or nothing. */
static uint32_t unit_of(const struct object *volume, const struct gen_units *units)
{
	if (volume->is_static)
		return 0;
	return volume->unit > 0 ? volume->unit : units->leb;
}

static bool is_alike(const struct object *old, const struct object *new, const struct gen_units *units)
{
	return old && new &&strcmp(old->partition, new->partition) == 0 &&
	       old->is_static == new->is_static &&unit_of(old, units) == unit_of(new, units) &&
	       (old->is_static || unit_of(old, units) > 0);
}

/* Whether the file is of the place, and not of one that lies in it. */
static bool is_of(const struct object *object, const struct place *place)
{
	return path_in(object->path, "SYSTEM") && plan_part_of(object->path) == place->part;
}

/* Neither files that are of no use beside the image, nor an image beside its files. */
static int keep(struct tree *tree, const struct place *place, bool volume, struct error *error)
{
	size_t count = 0;
	int err = 0;

	for (size_t i = 0; i < tree->count; i++) {
		struct object *object = &tree->objects[i];
		bool version = strcmp(object->path, PLAN_VERSION_FILE) == 0 || strcmp(object->path, ROLLBACK_FILE) == 0;
		char *path = object->path;

		if (volume ? is_of(object, place) && !version : strcmp(object->path, place->volume) == 0) {
			object_clear(object);
			continue;
		}
		if (volume && err == 0 && is_of(object, place)) {
			err = asprintf(&object->path, KEPT_FOLDER "%s", path) < 0 ? -ENOMEM : 0;
			if (err < 0)
				object->path = path;
			else
				free(path);
		}
		tree->objects[count++] = *object;
	}
	tree->count = count;
	tree_sort(tree);
	return err < 0 ? error_set(error, 0, -err, "%s", strerror(-err)) : 0;
}

static int check_list(const struct list *list, const struct place *place, struct error *error)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct list_line *line = &list->lines[i];

		if (plan_part_of(line->path) == place->part || path_in(place->folder, line->path))
			return error_set(error, 0, EINVAL, "%s:%u: %s: of a volume that is changed as a whole",
			                 list->file, line->number, line->path);
	}
	return 0;
}

static int check_lists(const struct lists *lists, const struct place *place, struct error *error)
{
	static const enum gen_list kinds[] = {GEN_FULLOTA, GEN_NOOTA, GEN_CHMOD};
	int err = 0;

	for (size_t i = 0; lists && err == 0 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		err = check_list(&lists->list[kinds[i]], place, error);
	return err;
}

static int settle(struct tree *source, struct tree *target, const struct place *place, const struct gen_units *units,
                  const struct gen_options *options, const struct lists *lists, const struct log *log,
                  struct error *error)
{
	const struct object *old = tree_find(source, place->volume);
	const struct object *new = target ? tree_find(target, place->volume) : old;
	bool whole = options->native && !options->full && is_alike(old, new, units);
	int err = 0;

	if (whole && options->minimal && place->part == GEN_LINUX)
		return error_set(error, 0, EINVAL,
		                 "--minimal stores on the root file system, and volume %s is changed as a whole",
		                 old->partition);
	if (whole) {
		log_printf(log, "%s: volume %s is changed as a whole", place->folder, old->partition);
		err = check_lists(lists, place, error);
	}
	if (err == 0)
		err = keep(source, place, whole, error);
	return err == 0 && target ? keep(target, place, whole, error) : err;
}

int volumes_settle(struct tree *source, struct tree *target, const struct gen_options *options,
                   const struct lists *lists, const struct log *log, struct error *error)
{
	const struct gen_units units = units_of(source, target, options);
	int err = 0;

	for (size_t i = 0; err == 0 && i < PLACES; i++)
		err = settle(source, target, &places[i], &units, options, lists, log, error);
	return err;
}
