/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/tree_xattr.h"

#include "gentools/capability.h"
#include "storage/storage.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static bool is_carried(const struct object *object, const char *name)
{
	if (!path_in(object->path, "SYSTEM") || strcmp(name, CAPABILITY_XATTR) == 0)
		return false;
	return starts_with(name, "security.") || starts_with(name, "trusted.") ||
	       (starts_with(name, "user.") && object->type != OBJECT_LINK);
}

static bool is_of_host(const char *name)
{
	return starts_with(name, "trusted.") || strcmp(name, "security.selinux") == 0 ||
	       strcmp(name, "security.ima") == 0 || strcmp(name, "security.evm") == 0;
}

/* Sorted by name: their order in a file system is none, and packages shall be reproducible. */
int object_add_xattr(struct object *object, const char *name, const void *value, size_t size)
{
	struct object_xattr added = {.size = size};
	struct object_xattr *xattrs;
	size_t at = object->xattr_count;

	if (!is_carried(object, name))
		return 0;
	xattrs = reallocarray(object->xattrs, object->xattr_count + 1, sizeof(*xattrs));
	if (xattrs)
		object->xattrs = xattrs;
	added.name = strdup(name);
	added.value = malloc(size + 1);
	if (!xattrs || !added.name || !added.value) {
		free(added.name);
		free(added.value);
		return -ENOMEM;
	}
	if (size > 0)
		memcpy(added.value, value, size);
	for (; at > 0 && strcmp(xattrs[at - 1].name, name) > 0; at--)
		xattrs[at] = xattrs[at - 1];
	xattrs[at] = added;
	object->xattr_count++;
	return 0;
}

/* names: one behind the other, each with its NUL. */
static int read_values(struct object *object, const char *path, const char *names, size_t length)
{
	char *value = malloc(XATTR_SIZE_MAX);
	int err = value ? 0 : -ENOMEM;

	for (const char *name = names; err == 0 && name < names + length; name += strlen(name) + 1) {
		ssize_t size;

		if (is_of_host(name) || !is_carried(object, name))
			continue;
		size = lgetxattr(path, name, value, XATTR_SIZE_MAX);
		err = size < 0 ? -errno : object_add_xattr(object, name, value, (size_t)size);
	}
	free(value);
	return err;
}

int object_read_xattrs(struct object *object, const char *path)
{
	ssize_t length = llistxattr(path, NULL, 0);
	char *names;
	int err;

	object->has_xattrs = true;
	if (length <= 0)
		return length == 0 || errno == ENOTSUP ? 0 : -errno;
	names = malloc((size_t)length);
	if (!names)
		return -ENOMEM;
	length = llistxattr(path, names, (size_t)length);
	err = length < 0 ? -errno : read_values(object, path, names, (size_t)length);
	free(names);
	return err;
}

const struct object_xattr *object_find_xattr(const struct object *object, const char *name)
{
	for (size_t i = 0; i < object->xattr_count; i++)
		if (strcmp(object->xattrs[i].name, name) == 0)
			return &object->xattrs[i];
	return NULL;
}

bool object_same_xattrs(const struct object *old, const struct object *new)
{
	if (!new->has_xattrs)
		return true;
	for (size_t i = 0; i < new->xattr_count &&i < old->xattr_count; i++) {
		const struct object_xattr *a = &old->xattrs[i];
		const struct object_xattr *b = &new->xattrs[i];

		if (strcmp(a->name, b->name) != 0 || a->size != b->size || memcmp(a->value, b->value, a->size) != 0)
			return false;
	}
	return old->xattr_count == new->xattr_count;
}

int object_copy_xattrs(struct object *copy, const struct object *object)
{
	int err = copy->path ? 0 : -ENOMEM; /* which the rules above ask for */

	copy->xattrs = NULL;
	copy->xattr_count = 0;
	for (size_t i = 0; err == 0 && i < object->xattr_count; i++)
		err = object_add_xattr(copy, object->xattrs[i].name, object->xattrs[i].value, object->xattrs[i].size);
	return err;
}

void object_clear_xattrs(struct object *object)
{
	for (size_t i = 0; i < object->xattr_count; i++) {
		free(object->xattrs[i].name);
		free(object->xattrs[i].value);
	}
	free(object->xattrs);
	object->xattrs = NULL;
	object->xattr_count = 0;
	object->has_xattrs = false;
}

size_t tree_drop_xattrs(struct tree *tree)
{
	size_t count = 0;

	for (size_t i = 0; i < tree->count; i++) {
		count += tree->objects[i].xattr_count;
		object_clear_xattrs(&tree->objects[i]);
	}
	return count;
}

int tree_check_xattrs(const struct tree *tree, struct error *error)
{
	for (size_t i = 0; i < tree->count; i++) {
		const struct object *object = &tree->objects[i];

		for (size_t k = 0; k < object->xattr_count; k++) {
			const struct object_xattr *xattr = &object->xattrs[k];

			if (xattr->size == 0 || xattr->size > STORAGE_XATTR_MAX)
				return error_set(error, RESULT_FORMAT, EINVAL,
				                 "%s: %s: extended attribute %s has %zu bytes: a script can set 1 to "
				                 "%u",
				                 tree->name, object->path, xattr->name, xattr->size, STORAGE_XATTR_MAX);
		}
	}
	return 0;
}
