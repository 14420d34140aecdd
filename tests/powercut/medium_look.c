/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/medium_internal.h"

#include <stdio.h>
#include <string.h>

static struct filesystem *must_find(struct medium *medium, const char *name)
{
	const struct volume *volume = volume_find(medium, name);
	struct filesystem *files = strcmp(name, "/") == 0 ? &medium->root : volume ? volume->files : NULL;

	if (!files)
		medium_die("no file system %s", name);
	return files;
}

static const struct life *life_of(const struct inode *inode, bool durable)
{
	return durable ? &inode->durable : &inode->now;
}

/* The next component of *path into name; false at its end. */
static bool next_name(const char **path, char name[NAME_MAX + 1])
{
	size_t length;

	*path += strspn(*path, "/");
	length = strcspn(*path, "/");
	if (length > NAME_MAX)
		medium_die("%s: a name is too long", *path);
	memcpy(name, *path, length);
	name[length] = '\0';
	*path += length;
	return length > 0;
}

/* Links are not followed. */
static struct inode *find(struct medium *medium, const char *volume, const char *path, bool durable)
{
	struct inode *inode = must_find(medium, volume)->root;
	char name[NAME_MAX + 1];

	while (inode && next_name(&path, name))
		inode = life_find(life_of(inode, durable), name);
	return inode;
}

const uint8_t *medium_file(struct medium *medium, const char *volume, const char *path, bool durable, size_t *length)
{
	const struct inode *inode = find(medium, volume, path, durable);

	if (!inode || inode->type != STORAGE_REGULAR)
		return NULL;
	*length = life_of(inode, durable)->size;
	return *length > 0 ? life_of(inode, durable)->data : (const uint8_t *)"";
}

bool medium_stat(struct medium *medium, const char *volume, const char *path, bool durable, struct storage_stat *stat)
{
	const struct inode *inode = find(medium, volume, path, durable);

	if (inode)
		files_fill_stat(inode, life_of(inode, durable), stat);
	return inode != NULL;
}

const char *medium_link(struct medium *medium, const char *volume, const char *path, bool durable)
{
	const struct inode *inode = find(medium, volume, path, durable);

	return inode ? inode->target : NULL;
}

bool medium_has_xattr(struct medium *medium, const char *volume, const char *path, bool durable, const char *name,
                      const char *value)
{
	const struct inode *inode = find(medium, volume, path, durable);
	const struct life *life = inode ? life_of(inode, durable) : NULL;

	if (!life || !name)
		return life && life->xattrs == 0;
	return life->xattrs == 1 && strcmp(life->xattr->name, name) == 0 && life->xattr->size == strlen(value) &&
	       memcmp(life->xattr->value, value, life->xattr->size) == 0;
}

struct tour {
	bool durable;
	void (*each)(void *ctx, const char *path, const struct storage_stat *stat);
	void *ctx;
	char path[PATH_MAX];
};

static void visit(struct tour *tour, const struct inode *directory, size_t length)
{
	const struct life *life = life_of(directory, tour->durable);

	for (size_t i = 0; i < life->entries; i++) {
		const struct inode *inode = life->entry[i].inode;
		size_t room = sizeof(tour->path) - length;
		int n = snprintf(tour->path + length, room, "/%s", life->entry[i].name);
		struct storage_stat stat;

		if (n < 0 || (size_t)n >= room)
			medium_die("%s: too deep", tour->path);
		files_fill_stat(inode, life_of(inode, tour->durable), &stat);
		tour->each(tour->ctx, tour->path, &stat);
		visit(tour, inode, length + (size_t)n);
	}
}

void medium_walk(struct medium *medium, const char *volume, bool durable,
                 void (*each)(void *ctx, const char *path, const struct storage_stat *stat), void *ctx)
{
	struct tour tour = {.durable = durable, .each = each, .ctx = ctx};

	visit(&tour, must_find(medium, volume)->root, 0);
}

static uint64_t count_bytes(const struct inode *inode)
{
	uint64_t bytes = inode->now.size;

	for (size_t i = 0; i < inode->now.entries; i++)
		bytes += count_bytes(inode->now.entry[i].inode);
	return bytes;
}

uint64_t medium_files_read(struct medium *medium, const char *volume)
{
	return must_find(medium, volume)->read;
}

uint64_t medium_usage(struct medium *medium, const char *volume, const char *directory)
{
	const struct inode *inode = find(medium, volume, directory, false);

	return inode ? count_bytes(inode) : 0;
}

/* ---- Factory programming ---- */

/* The object of that name, new where it was not or was of another type, in both lives of the directory. */
static struct inode *put(struct inode *directory, const char *name, int type, uint32_t mode)
{
	struct filesystem *files = directory->files;
	struct inode *inode = inode_hold(life_find(&directory->durable, name));

	if (inode && inode->type != type) {
		inode_release(inode);
		inode = NULL;
	}
	if (!inode)
		inode = inode_new(files, type, mode);
	if (life_find(&directory->now, name) != inode)
		inode_set_name(directory, name, inode);
	life_set_name(files->medium, &directory->durable, name, inode);
	inode->home = directory;
	inode_release(inode); /* the names hold it */
	return inode;
}

/* Make path's parents and the object itself. */
static struct inode *put_path(struct medium *medium, const char *volume, const char *path, int type, uint32_t mode)
{
	struct filesystem *files = must_find(medium, volume);
	struct inode *inode = files->root;
	char name[NAME_MAX + 1];

	if (!files->is_volatile) /* the factory leaves nothing in flight */
		change_sync_first(files, files->changes);
	while (next_name(&path, name)) {
		bool is_last = path[strspn(path, "/")] == '\0';

		inode = put(inode, name, is_last ? type : STORAGE_DIRECTORY, is_last ? mode : 0755);
	}
	return inode;
}

static void fill(struct inode *inode, struct life *life, const void *data, size_t length, uint32_t mode)
{
	inode_resize(inode, life, length);
	if (length > 0)
		memcpy(life->data, data, length);
	life->mode = mode;
	life->modified = inode->files->medium->clock;
}

void medium_put_file(struct medium *medium, const char *volume, const char *path, const void *data, size_t length,
                     uint32_t mode)
{
	struct inode *inode = put_path(medium, volume, path, STORAGE_REGULAR, mode);

	medium->clock++;
	fill(inode, &inode->now, data, length, mode);
	fill(inode, &inode->durable, data, length, mode);
}

void medium_put_link(struct medium *medium, const char *volume, const char *path, const char *target)
{
	struct inode *inode = put_path(medium, volume, path, STORAGE_SYMLINK, 0777);

	medium_release(medium, inode->target);
	inode->target = medium_copy_text(medium, target);
}

void medium_put_directory(struct medium *medium, const char *volume, const char *path)
{
	(void)put_path(medium, volume, path, STORAGE_DIRECTORY, 0755);
}

void medium_put_name(struct medium *medium, const char *volume, const char *path, const char *first)
{
	const char *name = strrchr(path, '/') + 1;
	struct inode *inode = find(medium, volume, first, true);
	struct inode *directory;
	char folder[PATH_MAX];

	(void)snprintf(folder, sizeof(folder), "%.*s", (int)(name - path), path);
	directory = find(medium, volume, folder, true);
	if (inode && directory) {
		inode->linked = true;
		inode_set_name(directory, name, inode);
		life_set_name(medium, &directory->durable, name, inode);
	} else {
		medium_die("%s: cannot be a name of %s", path, first);
	}
}

void medium_put_node(struct medium *medium, const char *volume, const char *path, const struct storage_stat *node)
{
	struct inode *inode = put_path(medium, volume, path, (int)node->type, node->mode);

	inode->major = node->major;
	inode->minor = node->minor;
}

void medium_put_xattr(struct medium *medium, const char *volume, const char *path, const char *name, const char *value)
{
	struct inode *inode = find(medium, volume, path, true);
	struct xattr xattr = {.size = strlen(value)};

	if (!inode || strlen(name) >= sizeof(xattr.name) || xattr.size > sizeof(xattr.value))
		medium_die("%s: cannot have %s", path, name);
	memcpy(xattr.name, name, strlen(name) + 1);
	memcpy(xattr.value, value, xattr.size);
	life_set_xattr(medium, &inode->now, &xattr);
	life_set_xattr(medium, &inode->durable, &xattr);
}

void medium_add_root_link(struct medium *medium, const char *path, const char *target)
{
	medium_put_link(medium, "/", path, target);
}

void medium_add_root_directory(struct medium *medium, const char *path)
{
	medium_put_directory(medium, "/", path);
}

void medium_add_root_file(struct medium *medium, const char *path, const void *data, size_t size)
{
	medium_put_file(medium, "/", path, data, size, 0644);
}
