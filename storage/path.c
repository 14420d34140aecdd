/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LINK_LIMIT 16

static bool is_component(const char *at, size_t length, const char *text)
{
	return length == strlen(text) && memcmp(at, text, length) == 0;
}

int storage_append_path(char out[STORAGE_PATH_MAX], const char *path)
{
	size_t used = strlen(out);

	while (*path) {
		size_t length = strcspn(path, "/");

		if (length == 2 && memcmp(path, "..", 2) == 0) {
			while (used > 0 && out[--used] != '/')
				;
		} else if (length > 0 && !(length == 1 && *path == '.')) {
			if (length + 2 > STORAGE_PATH_MAX - used)
				return -ENAMETOOLONG;
			if (used > 0)
				out[used++] = '/';
			memcpy(out + used, path, length);
			used += length;
		}
		out[used] = '\0';
		path += length + (path[length] == '/');
	}
	return 0;
}

int path_make(char out[STORAGE_PATH_MAX], const char *path, struct error *error)
{
	size_t used = 0;

	if (*path == '\0')
		return error_set(error, 0, EINVAL, "empty path");
	while (*path != '\0') {
		size_t length = strcspn(path, "/");

		/* Before any link is looked at, ".." means nothing; no honest script needs it. */
		if (is_component(path, length, ".."))
			return error_set(error, 0, EINVAL, "%s: \"..\" in a path", path);
		if (length > 0 && !is_component(path, length, ".")) {
			if (length >= STORAGE_PATH_MAX - used - 1)
				return storage_fail(error, -ENAMETOOLONG, "%.64s...", path);
			out[used++] = '/';
			memcpy(out + used, path, length);
			used += length;
		}
		path += length + (path[length] == '/');
	}
	if (used == 0)
		out[used++] = '/';
	out[used] = '\0';
	return 0;
}

void path_parent(char out[STORAGE_PATH_MAX], const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash && slash > path ? (size_t)(slash - path) : 1;

	memmove(out, path, length);
	out[length] = '\0';
}

int path_sibling(char out[STORAGE_PATH_MAX], const char *path, const char *name, struct error *error)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) + 1 : 0;
	size_t name_size = strlen(name) + 1;

	if (length + name_size > STORAGE_PATH_MAX)
		return storage_fail(error, -ENAMETOOLONG, "%.64s...", path);
	memmove(out, path, length);
	memcpy(out + length, name, name_size);
	return 0;
}

/* Put target in place of the component [start, end) of path, dropping a component for each ".." of target. */
static int replace_component(char path[STORAGE_PATH_MAX], size_t start, size_t end, const char *target)
{
	char out[STORAGE_PATH_MAX];
	size_t used = *target == '/' ? 0 : start; /* path[start] is the slash before the component */

	memcpy(out, path, used);
	while (*target != '\0') {
		size_t length = strcspn(target, "/");

		if (is_component(target, length, "..")) {
			while (used > 0 && out[--used] != '/')
				;
		} else if (length > 0 && !is_component(target, length, ".")) {
			if (length >= sizeof(out) - used - 1)
				return -ENAMETOOLONG;
			out[used++] = '/';
			memcpy(out + used, target, length);
			used += length;
		}
		target += length + (target[length] == '/');
	}
	if (strlen(path + end) >= sizeof(out) - used - 1)
		return -ENAMETOOLONG;
	memmove(path + used, path + end, strlen(path + end) + 1);
	memcpy(path, out, used);
	if (*path == '\0')
		memcpy(path, "/", 2);
	return 0;
}

/* Replace the first link of path: 1 when there was one, 0 when there is none. */
static int resolve_one(struct storage *storage, char path[STORAGE_PATH_MAX])
{
	char target[STORAGE_PATH_MAX];
	struct storage_stat stat;
	size_t start = 0;

	while (path[start] == '/' && path[start + 1] != '\0') {
		size_t end = start + 1 + strcspn(path + start + 1, "/");
		char after = path[end];
		ssize_t n = 0;
		int err;

		path[end] = '\0';
		err = storage->ops->stat(storage->medium, path, &stat);
		if (err == 0 && stat.type == STORAGE_SYMLINK) {
			n = storage->ops->read_link(storage->medium, path, target, sizeof(target) - 1);
			if (n == 0)
				n = -ENOENT;
		}
		path[end] = after;
		if (err < 0 || n < 0)
			return err == -ENOENT || err == -ENOTDIR ? 0 : err < 0 ? err : (int)n;
		if (n > 0) {
			target[n] = '\0';
			err = replace_component(path, start, end, target);
			return err < 0 ? err : 1;
		}
		start = end;
	}
	return 0;
}

int path_resolve(struct storage *storage, char out[STORAGE_PATH_MAX], const char *path)
{
	memmove(out, path, strlen(path) + 1);
	for (int links = 0; links < LINK_LIMIT; links++) {
		int found = resolve_one(storage, out);

		if (found <= 0)
			return found;
	}
	return -ELOOP;
}
