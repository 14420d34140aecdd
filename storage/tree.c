/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TREE_MAX_DEPTH 128 /* a module's system has some ten levels; a chain of thousands is an attack */

/* The names of a directory, one behind the other with their NULs, taken before anything in it is changed. */
struct level {
	char *names;
	size_t used;
	size_t room;
	size_t at;          /* of the next name to visit */
	size_t path_length; /* of the directory's path */
	struct storage_stat stat;
};

struct walk {
	struct storage *storage;
	int (*each)(void *ctx, const char *path, const struct storage_stat *stat);
	void *ctx;
	struct level *level; /* TREE_MAX_DEPTH of them */
	size_t depth;
	char path[STORAGE_PATH_MAX];
};

static int add_name(void *ctx, const char *name)
{
	struct level *level = ctx;
	size_t size = strlen(name) + 1;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (size > level->room - level->used) {
		size_t room = level->room * 2 + size;
		char *grown = room > level->room ? realloc(level->names, room) : NULL;

		if (!grown)
			return -ENOMEM;
		level->names = grown;
		level->room = room;
	}
	memcpy(level->names + level->used, name, size);
	level->used += size;
	return 0;
}

static int enter(struct walk *walk, const struct storage_stat *stat, struct error *error)
{
	struct level *level = &walk->level[walk->depth];
	int err;

	if (walk->depth == TREE_MAX_DEPTH)
		return error_set(error, 0, ELOOP, "%.256s...: more than %d levels deep", walk->path, TREE_MAX_DEPTH);
	memset(level, 0, sizeof(*level));
	level->stat = *stat;
	level->path_length = strlen(walk->path);
	walk->depth++;
	err = walk->storage->ops->list(walk->storage->medium, walk->path, add_name, level);
	return err < 0 ? storage_fail(error, err, "%s: list", walk->path) : 0;
}

/* The path of the next entry of the top level into walk->path. */
static int next_path(struct walk *walk, struct level *level, struct error *error)
{
	const char *name = level->names + level->at;
	size_t size = strlen(name) + 1;
	size_t length = level->path_length;

	level->at += size;
	if (length + 1 + size > sizeof(walk->path))
		return storage_fail(error, -ENAMETOOLONG, "%.256s.../%.64s", walk->path, name);
	if (walk->path[length - 1] != '/')
		walk->path[length++] = '/';
	memcpy(walk->path + length, name, size);
	return 0;
}

/* Visit one path: a directory is entered, anything else reported. */
static int visit(struct walk *walk, struct error *error)
{
	struct storage_stat stat;
	int err = walk->storage->ops->stat(walk->storage->medium, walk->path, &stat);

	if (err < 0)
		return storage_fail(error, err, "%s", walk->path);
	return stat.type == STORAGE_DIRECTORY ? enter(walk, &stat, error) : walk->each(walk->ctx, walk->path, &stat);
}

static int walk_levels(struct walk *walk, struct error *error)
{
	int result = visit(walk, error);

	while (result == 0 && walk->depth > 0) {
		struct level *level = &walk->level[walk->depth - 1];

		walk->path[level->path_length] = '\0';
		if (level->at < level->used) {
			result = next_path(walk, level, error);
			if (result == 0)
				result = visit(walk, error);
		} else {
			result = walk->each(walk->ctx, walk->path, &level->stat);
			free(level->names);
			walk->depth--;
		}
	}
	return result;
}

int storage_walk(struct storage *storage, const char *path,
                 int (*each)(void *ctx, const char *path, const struct storage_stat *stat), void *ctx,
                 struct error *error)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	int result;

	if (!walk)
		return storage_fail(error, -ENOMEM, "%s", path);
	*walk = (struct walk){.storage = storage, .each = each, .ctx = ctx};
	walk->level = calloc(TREE_MAX_DEPTH, sizeof(*walk->level));
	result = walk->level ? path_make(walk->path, path, error) : storage_fail(error, -ENOMEM, "%s", path);
	if (result == 0)
		result = walk_levels(walk, error);
	while (walk->depth > 0)
		free(walk->level[--walk->depth].names);
	free(walk->level);
	free(walk);
	return result;
}

struct removal {
	struct storage *storage;
	struct error *error;
};

static int remove_entry(void *ctx, const char *path, const struct storage_stat *stat)
{
	struct removal *removal = ctx;
	const struct storage_ops *ops = removal->storage->ops;
	int err = stat->type == STORAGE_DIRECTORY ? ops->rmdir(removal->storage->medium, path)
	                                          : ops->unlink(removal->storage->medium, path);

	return err < 0 ? storage_fail(removal->error, err, "%s: remove", path) : 0;
}

int storage_remove_tree(struct storage *storage, const char *path, struct error *error)
{
	struct removal removal = {.storage = storage, .error = error};
	char at[STORAGE_PATH_MAX];
	struct storage_stat stat;
	int err = path_make(at, path, error);

	if (err < 0)
		return err;
	if (at[1] == '\0')
		return error_set(error, 0, EINVAL, "not removing /");
	err = storage->ops->stat(storage->medium, at, &stat);
	if (err == -ENOENT || err == -ENOTDIR)
		return 1;
	err = storage_walk(storage, at, remove_entry, &removal, error);
	return err < 0 ? err : storage_sync_parent(storage, at, error);
}
