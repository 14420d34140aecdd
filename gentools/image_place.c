/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/image_place.h"

#include "gentools/capability.h"
#include "gentools/tree_xattr.h"

#include <errno.h>
#include <limits.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_there(const struct tree *tree, const char *path)
{
	for (size_t i = 0; i < tree->count; i++)
		if (strcmp(tree->objects[i].path, path) == 0)
			return true;
	return false;
}

static bool is_known(uint32_t mode)
{
	return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode) || S_ISCHR(mode) || S_ISBLK(mode) || S_ISFIFO(mode);
}

int image_place_add(struct image_place *place, const char *path, const struct image_inode *inode,
                    struct object **object, struct error *error)
{
	bool is_root = strcmp(path, place->folder) == 0;

	*object = NULL;
	if (path_in(path, "SYSTEM/dev") || (is_root && is_there(place->tree, path)))
		return 0;
	if (!is_known(inode->mode))
		return error_set(error, RESULT_FORMAT, EINVAL, "%s is of a type that nothing can carry", path);
	*object = tree_add(place->tree, path, strlen(path));
	if (!*object)
		return error_set(error, 0, ENOMEM, "out of memory");
	(*object)->mode = inode->mode & 07777;
	(*object)->uid = inode->uid;
	(*object)->gid = inode->gid;
	(*object)->has_xattrs = true;
	/* As new_decode_dev() of Linux has it. */
	if (S_ISDIR(inode->mode) || object_set_node(*object, inode->mode, inode->device >> 8 & 0xfff,
	                                            (inode->device & 0xff) | (inode->device >> 12 & 0xfff00)))
		return 0;
	(*object)->type = S_ISLNK(inode->mode) ? OBJECT_LINK : OBJECT_FILE;
	(*object)->has_capabilities = S_ISREG(inode->mode);
	(*object)->has_names = S_ISREG(inode->mode);
	(*object)->origin.inode = inode->links > 1 ? inode->number : 0;
	return 0;
}

int image_place_link(struct object *object, const char *target, size_t length, struct error *error)
{
	if (length == 0 || length >= PATH_MAX || strnlen(target, length) != length)
		return error_set(error, RESULT_FORMAT, EINVAL, "%s is a symbolic link to nowhere", object->path);
	object->link = strndup(target, length);
	return object->link ? 0 : error_set(error, 0, ENOMEM, "out of memory");
}

static int take_room(struct image_place *place, const struct object *object, size_t bytes, struct error *error)
{
	if (bytes > place->room)
		return error_set(error, RESULT_FORMAT, EFBIG, "%s: more content than a module has flash", object->path);
	place->room -= bytes;
	return 0;
}

int image_place_xattr(struct image_place *place, struct object *object, const char *name, size_t length,
                      const uint8_t *value, size_t size, struct error *error)
{
	char text[XATTR_NAME_MAX + 1];
	int err;

	if (length == 0 || length >= sizeof(text) || memchr(name, '\0', length))
		return error_set(error, RESULT_FORMAT, EINVAL, "%s: has an attribute without a proper name",
		                 object->path);
	memcpy(text, name, length);
	text[length] = '\0';
	if (strcmp(text, CAPABILITY_XATTR) == 0) {
		if (object->type == OBJECT_FILE && capability_parse(value, size, &object->capabilities) < 0)
			return error_set(error, RESULT_FORMAT, EINVAL, "%s: " CAPABILITY_REFUSED, object->path);
		return 0;
	}
	if (object_find_xattr(object, text))
		return error_set(error, RESULT_FORMAT, EINVAL, "%s: has attribute %s twice", object->path, text);
	err = take_room(place, object, length + size, error);
	if (err < 0)
		return err;
	err = object_add_xattr(object, text, value, size);
	return err < 0 ? error_set(error, 0, -err, "out of memory") : 0;
}

int image_place_data(struct image_place *place, struct tree_data *data, const void *bytes, size_t length,
                     struct error *error)
{
	int err = take_room(place, data->object, length, error);

	if (err < 0)
		return err;
	err = tree_data_add(data, bytes, length);
	return err < 0 ? error_set(error, 0, -err, "cannot unpack %s: %s", data->object->path, strerror(-err)) : 0;
}

char *image_place_path(const char *folder, const char *name, size_t length, struct error *error)
{
	char *path;

	if (length == 0 || length > NAME_MAX || memchr(name, '/', length) || memchr(name, '\0', length) ||
	    (length <= 2 && strncmp(name, "..", length) == 0)) {
		(void)error_set(error, RESULT_FORMAT, EINVAL, "%s: has an object without a proper name", folder);
		return NULL;
	}
	if (strlen(folder) + 1 + length >= PATH_MAX) {
		(void)error_set(error, RESULT_FORMAT, ENAMETOOLONG, "folders in %.80s... lie too deep", folder);
		return NULL;
	}
	if (asprintf(&path, "%s/%.*s", folder, (int)length, name) < 0) {
		(void)error_set(error, 0, ENOMEM, "out of memory");
		return NULL;
	}
	return path;
}

int image_place_defer(struct image_place *place, const char *path, void *inode, struct error *error)
{
	struct image_folder *folder = malloc(sizeof(*folder));

	if (folder)
		*folder = (struct image_folder){.path = strdup(path), .inode = inode, .next = place->folders};
	if (!folder || !folder->path) {
		free(folder);
		return error_set(error, 0, ENOMEM, "out of memory");
	}
	place->folders = folder;
	return 0;
}

struct image_folder *image_place_next(struct image_place *place)
{
	struct image_folder *folder = place->folders;

	if (folder)
		place->folders = folder->next;
	return folder;
}

void image_place_done(struct image_folder *folder)
{
	free(folder->path);
	free(folder);
}
