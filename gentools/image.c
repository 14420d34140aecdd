/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/image.h"

#include "base/bytes.h"
#include "base/io.h"
#include "gentools/image_place.h"
#include "gentools/image_squashfs.h"
#include "gentools/image_ubi.h"
#include "gentools/image_ubifs.h"
#include "gentools/volumes.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Of one image's content, bytes: more than modules of this class have flash. */
#define MAX_CONTENT ((uint64_t)4 << 30)

/* A place, what images for it are called, and what their volumes. */
struct kind {
	const char *folder;
	const char *name;
	const char *volumes[2];
};

static const struct kind kinds[] = {
	{"SYSTEM", "SYSTEM", {"rootfs", "system"}},
	{"SYSTEM/firmware", "NON-HLOS", {"modem", "firmware"}},
};

#define KINDS    (sizeof(kinds) / sizeof(kinds[0]))
#define FIRMWARE (&kinds[1])

static int note(struct tree *tree, struct error *error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A line more for the log. */
static int note(struct tree *tree, struct error *error, const char *format, ...)
{
	char *line = NULL;
	char *notes = NULL;
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vasprintf(&line, format, arguments);
	va_end(arguments);
	if (n < 0)
		return error_set(error, 0, ENOMEM, "out of memory");
	n = asprintf(&notes, "%s%s: %s\n", tree->notes ? tree->notes : "", tree->name, line);
	free(line);
	if (n < 0)
		return error_set(error, 0, ENOMEM, "out of memory");
	free(tree->notes);
	tree->notes = notes;
	return 0;
}

/* Whether there is something in the place that an image would be for. A place in it counts for itself. */
static bool is_unpacked(const struct tree *tree, const struct kind *kind)
{
	for (size_t i = 0; i < tree->count; i++) {
		const char *path = tree->objects[i].path;

		if (path_in(path, kind->folder) && strcmp(path, kind->folder) != 0 &&
		    (kind == FIRMWARE || !path_in(path, FIRMWARE->folder)))
			return true;
	}
	return false;
}

static bool is_named(const struct object *object, const struct kind *kind)
{
	static const char *const suffixes[] = {".ubi", ".ubifs", ".squashfs", ".sqsh", ".img"};
	const char *name = object->path;
	size_t length = strlen(kind->name);

	if (strncmp(name, "IMAGES/", 7) == 0)
		name += 7;
	if (object->type != OBJECT_FILE || strncasecmp(name, kind->name, length) != 0)
		return false;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (strcasecmp(name + length, suffixes[i]) == 0)
			return true;
	return false;
}

/* A file system. */
static int unpack_volume(const struct reader *reader, const struct volume *volume, struct image_place *place,
                         struct error *error)
{
	uint8_t magic[4];
	int err;

	if (reader->size >= sizeof(magic) && reader->read_at(reader->ctx, 0, magic, sizeof(magic)) == 0) {
		if (get_le32(magic) == UBIFS_MAGIC)
			return image_unpack_ubifs(reader, volume->leb, place, error);
		if (memcmp(magic, SQUASHFS_MAGIC, sizeof(magic)) == 0) {
			err = image_unpack_squashfs(reader, place, error);
			return err < 0 ? err : volumes_add(place->tree, place->folder, volume, reader, error);
		}
	}
	return error_set(error, RESULT_FORMAT, EINVAL, "neither UBI, UBIFS nor squashfs");
}

static bool is_volume_of(const struct ubi *ubi, const struct ubi_volume *volume, const struct kind *kind,
                         const struct kind *image)
{
	if (ubi->volume_count == 1)
		return kind == image;
	return strcmp(volume->name, kind->volumes[0]) == 0 || strcmp(volume->name, kind->volumes[1]) == 0;
}

/* The one volume for a place; NULL when there is none. */
static int find_volume(const struct ubi *ubi, const struct kind *kind, const struct kind *image,
                       const struct ubi_volume **found, struct error *error)
{
	*found = NULL;
	for (size_t i = 0; i < ubi->volume_count; i++) {
		if (!is_volume_of(ubi, &ubi->volumes[i], kind, image))
			continue;
		if (*found)
			return error_set(error, RESULT_FORMAT, EINVAL, "UBI: volumes %s and %s are both for %s",
			                 (*found)->name, ubi->volumes[i].name, kind->folder);
		*found = &ubi->volumes[i];
	}
	return 0;
}

static int unpack_place(struct tree *tree, const char *name, const struct ubi_volume *volume, const struct kind *kind,
                        struct error *error)
{
	struct image_place place = {.tree = tree, .folder = kind->folder, .room = MAX_CONTENT};
	struct reader reader = ubi_volume_reader(volume);
	int err;

	if (is_unpacked(tree, kind))
		return note(tree, error, "%s: volume %s is not used, %s is there without it", name, volume->name,
		            kind->folder);
	if (volume->torn)
		err = error_set(error, RESULT_FORMAT, EINVAL, "its last update was not finished");
	else
		err = unpack_volume(&reader, &(struct volume){volume->name, volume->block_size, volume->is_static},
		                    &place, error);
	if (err < 0) {
		error_prefix(error, "volume %s", volume->name);
		return err;
	}
	return note(tree, error, "%s is volume %s of %s", kind->folder, volume->name, name);
}

static int unpack_volumes(struct tree *tree, const char *name, const struct ubi *ubi, const struct kind *image,
                          struct error *error)
{
	const struct ubi_volume *volumes[KINDS];
	int err = 0;

	for (size_t i = 0; err == 0 && i < KINDS; i++) {
		err = find_volume(ubi, &kinds[i], image, &volumes[i], error);
		if (err == 0 && !volumes[i] && &kinds[i] == image)
			err = error_set(error, RESULT_FORMAT, EINVAL, "UBI: %zu volumes, none of them %s or %s",
			                ubi->volume_count, image->volumes[0], image->volumes[1]);
	}
	for (size_t i = 0; err == 0 && i < KINDS; i++)
		if (volumes[i] && (&kinds[i] == image || &kinds[i] == FIRMWARE))
			err = unpack_place(tree, name, volumes[i], &kinds[i], error);
	for (size_t i = 0; err == 0 && i < ubi->volume_count; i++) {
		const struct ubi_volume *volume = &ubi->volumes[i];

		if (volume != volumes[1] && (volume != volumes[0] || image == FIRMWARE))
			err = note(tree, error, "%s: volume %s is not used", name, volume->name);
	}
	return err;
}

/* Of the flash that the image is for. Where another image was for another one nobody knows which is meant. */
static void tell_units(struct tree *tree, const struct ubi *ubi)
{
	const struct gen_units units = {.leb = ubi->block_size, .erase_block = ubi->erase_size};
	bool first = tree->units.leb == 0;

	if (first || (tree->units.leb == units.leb && tree->units.erase_block == units.erase_block))
		tree->units = units;
	else
		memset(&tree->units, 0, sizeof(tree->units));
}

static int unpack_image(struct tree *tree, const char *name, const struct mapping *map, const struct kind *kind,
                        struct error *error)
{
	struct memory_block block = {.data = map->data, .size = map->size};
	struct reader reader = reader_from_memory(&block);
	struct image_place place = {.tree = tree, .folder = kind->folder, .room = MAX_CONTENT};
	struct ubi ubi;
	int err;

	if (map->size < 4 || memcmp(map->data, UBI_MAGIC, 4) != 0) {
		err = unpack_volume(&reader, &(struct volume){.name = kind->volumes[0]}, &place, error);
		return err < 0 ? err : note(tree, error, "%s is %s", kind->folder, name);
	}
	err = ubi_open(&ubi, map->data, map->size, error);
	if (err == 0) {
		tell_units(tree, &ubi);
		err = unpack_volumes(tree, name, &ubi, kind, error);
	}
	ubi_close(&ubi);
	return err;
}

/* The one image for a place; NULL when there is none. */
static int find_image(const struct tree *tree, const struct kind *kind, const struct object **found,
                      struct error *error)
{
	*found = NULL;
	for (size_t i = 0; i < tree->count; i++) {
		const struct object *object = &tree->objects[i];

		if (!is_named(object, kind))
			continue;
		if (*found && !is_unpacked(tree, kind))
			return error_set(error, RESULT_FORMAT, EINVAL, "%s: %s and %s are both for %s", tree->name,
			                 (*found)->path, object->path, kind->folder);
		*found = object;
	}
	return 0;
}

static int unpack_kind(struct tree *tree, const struct kind *kind, struct error *error)
{
	const struct object *image;
	struct mapping map;
	char *name; /* the object moves when others are added */
	int err = find_image(tree, kind, &image, error);

	if (err < 0 || !image)
		return err;
	if (is_unpacked(tree, kind))
		return note(tree, error, "%s is not used, %s is there without it", image->path, kind->folder);
	name = strdup(image->path);
	err = name ? extent_map(&image->data, &map) : -ENOMEM;
	if (err < 0) {
		err = error_set(error, 0, -err, "%s: cannot read %s: %s", tree->name, image->path, strerror(-err));
	} else {
		err = unpack_image(tree, name, &map, kind, error);
		extent_unmap(&map);
		if (err < 0)
			error_prefix(error, "%s: %s", tree->name, name);
	}
	free(name);
	return err;
}

int image_unpack_all(struct tree *tree, struct error *error)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < KINDS; i++)
		err = unpack_kind(tree, &kinds[i], error);
	return err;
}
