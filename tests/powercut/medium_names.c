/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/medium_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LINK_LIMIT 40 /* as in Linux */

/* ---- Where a path leads ---- */

struct walk {
	struct place *place;
	char rest[PATH_MAX]; /* of the path, a link's target put before it */
	size_t at;
	unsigned links;
};

/* The next component into place->name; its length. */
static size_t next_name(struct walk *walk)
{
	size_t length;

	walk->at += strspn(walk->rest + walk->at, "/");
	length = strcspn(walk->rest + walk->at, "/");
	if (length <= NAME_MAX) {
		memcpy(walk->place->name, walk->rest + walk->at, length);
		walk->place->name[length] = '\0';
		walk->at += length;
	}
	return length;
}

static int follow_link(struct walk *walk, const struct inode *link)
{
	char rest[PATH_MAX];
	int n = snprintf(rest, sizeof(rest), "%s/%s", link->target, walk->rest + walk->at);

	if (++walk->links > LINK_LIMIT)
		return -ELOOP;
	if (n < 0 || (size_t)n >= sizeof(rest))
		return -ENAMETOOLONG;
	memcpy(walk->rest, rest, (size_t)n + 1);
	walk->at = 0;
	if (*link->target == '/')
		walk->place->depth = 1;
	return 0;
}

/* One component below the directory reached so far: 0 go on, 1 the end of the path. */
static int step(struct walk *walk, bool follow)
{
	struct place *place = walk->place;
	struct inode *directory = place->above[place->depth - 1];
	bool is_last = walk->rest[walk->at + strspn(walk->rest + walk->at, "/")] == '\0';
	struct inode *inode;

	if (strcmp(place->name, ".") == 0)
		return 0;
	if (strcmp(place->name, "..") == 0) {
		place->depth -= place->depth > 1;
		return 0;
	}
	inode = life_find(&directory->now, place->name);
	if (inode && inode->type == STORAGE_SYMLINK && (follow || !is_last))
		return follow_link(walk, inode);
	while (inode && inode->mounted)
		inode = inode->mounted->root;
	if (is_last) {
		place->directory = directory;
		place->inode = inode;
		return 1;
	}
	if (!inode)
		return -ENOENT;
	if (inode->type != STORAGE_DIRECTORY)
		return -ENOTDIR;
	if (place->depth == PLACE_DEPTH)
		return -ENAMETOOLONG;
	place->above[place->depth++] = inode;
	return 0;
}

int place_find(struct medium *medium, const char *path, bool follow, struct place *place)
{
	struct walk walk = {.place = place};
	size_t length = strlen(path);
	int result = 0;

	if (length >= sizeof(walk.rest))
		return -ENAMETOOLONG;
	if (*path != '/')
		return -ENOENT;
	memcpy(walk.rest, path, length + 1);
	place->above[0] = medium->root.root;
	place->depth = 1;
	while (result == 0) {
		length = next_name(&walk);
		if (length > NAME_MAX)
			return -ENAMETOOLONG;
		if (length == 0) {
			place->directory = NULL;
			place->inode = place->above[place->depth - 1];
			return 0;
		}
		result = step(&walk, follow);
	}
	return result < 0 ? result : 0;
}

int place_find_existing(struct medium *medium, const char *path, bool follow, struct place *place)
{
	int err = place_find(medium, path, follow, place);

	return err == 0 && !place->inode ? -ENOENT : err;
}

/* ---- Operations ---- */

unsigned files_begin(const struct filesystem *files, const struct cut_point *point)
{
	return files->is_volatile ? CUT_NONE : medium_begin(files->medium, point);
}

void files_end(const struct filesystem *files, unsigned decision)
{
	if (!files->is_volatile)
		medium_end(files->medium, decision);
}

void names_add(struct inode *directory, const char *name, struct inode *inode)
{
	struct change change = {.kind = CHANGE_NAMES, .names = 1};
	char copy[NAME_MAX + 1];

	memcpy(copy, name, strlen(name) + 1);
	change.name[0] = (struct name_change){.directory = directory, .name = copy, .after = inode};
	change_make(directory->files, &change);
	inode_release(inode);
}

ssize_t names_read_link(void *medium, const char *path, char *target, size_t size)
{
	struct place place;
	size_t length;
	int err = place_find_existing(medium, path, false, &place);

	if (err < 0)
		return err;
	if (place.inode->type != STORAGE_SYMLINK || size == 0)
		return -EINVAL;
	length = strlen(place.inode->target);
	if (length > size)
		length = size;
	memcpy(target, place.inode->target, length);
	return (ssize_t)length;
}

int names_list(void *medium, const char *path, int (*each)(void *ctx, const char *name), void *ctx)
{
	struct place place;
	int err = place_find_existing(medium, path, true, &place);

	if (err == 0 && place.inode->type != STORAGE_DIRECTORY)
		err = -ENOTDIR;
	for (size_t i = 0; err == 0 && i < place.inode->now.entries; i++)
		err = each(ctx, place.inode->now.entry[i].name);
	return err;
}

static bool is_root(const struct inode *inode)
{
	return inode == inode->files->root;
}

/* What rename(2) says against it. */
static int check_rename(const struct place *from, const struct place *to)
{
	if (is_root(from->inode) || (to->inode && is_root(to->inode)))
		return -EBUSY;
	if (!from->directory || !to->directory)
		return -EBUSY;
	if (from->directory->files != to->directory->files)
		return -EXDEV;
	for (size_t i = 0; i < to->depth; i++)
		if (to->above[i] == from->inode)
			return -EINVAL;
	if (!to->inode || to->inode == from->inode)
		return 0;
	if (from->inode->type != STORAGE_DIRECTORY)
		return to->inode->type == STORAGE_DIRECTORY ? -EISDIR : 0;
	if (to->inode->type != STORAGE_DIRECTORY)
		return -ENOTDIR;
	return to->inode->now.entries > 0 ? -ENOTEMPTY : 0;
}

int names_rename(void *medium, const char *from, const char *to)
{
	struct change change = {.kind = CHANGE_NAMES, .names = 2};
	struct place source;
	struct place target;
	unsigned cut;
	int err = place_find_existing(medium, from, false, &source);

	if (err < 0)
		return err;
	err = place_find(medium, to, false, &target);
	if (err < 0)
		return err;
	err = check_rename(&source, &target);
	if (err < 0 || source.inode == target.inode)
		return err;
	cut = files_begin(source.directory->files, &(struct cut_point){.verb = "rename", .object = to});
	change.name[0] = (struct name_change){.directory = source.directory, .name = source.name};
	change.name[1] =
		(struct name_change){.directory = target.directory, .name = target.name, .after = source.inode};
	change_make(source.directory->files, &change);
	files_end(source.directory->files, cut);
	return 0;
}

static void remove_name(struct place *place, const char *verb, const char *path)
{
	struct change change = {.kind = CHANGE_NAMES, .names = 1};
	struct filesystem *files = place->directory->files;
	unsigned cut = files_begin(files, &(struct cut_point){.verb = verb, .object = path});

	change.name[0] = (struct name_change){.directory = place->directory, .name = place->name};
	change_make(files, &change);
	files_end(files, cut);
}

int names_unlink(void *medium, const char *path)
{
	struct place place;
	int err = place_find_existing(medium, path, false, &place);

	if (err < 0)
		return err;
	if (place.inode->type == STORAGE_DIRECTORY)
		return -EISDIR;
	remove_name(&place, "unlink", path);
	return 0;
}

int names_rmdir(void *medium, const char *path)
{
	struct place place;
	int err = place_find_existing(medium, path, false, &place);

	if (err < 0)
		return err;
	if (place.inode->type != STORAGE_DIRECTORY)
		return -ENOTDIR;
	if (!place.directory || is_root(place.inode))
		return -EBUSY;
	if (place.inode->now.entries > 0)
		return -ENOTEMPTY;
	remove_name(&place, "rmdir", path);
	return 0;
}

/* A name that is not there yet, for something new. */
static int find_free(struct medium *medium, const char *path, struct place *place)
{
	int err = place_find(medium, path, false, place);

	return err == 0 && place->inode ? -EEXIST : err;
}

int names_mkdir(void *medium, const char *path, uint32_t mode)
{
	struct place place;
	struct filesystem *files;
	unsigned cut;
	int err = find_free(medium, path, &place);

	if (err < 0)
		return err;
	files = place.directory->files;
	cut = files_begin(files, &(struct cut_point){.verb = "mkdir", .object = path});
	names_add(place.directory, place.name, inode_new(files, STORAGE_DIRECTORY, mode & 07777));
	files_end(files, cut);
	return 0;
}

int names_symlink(void *medium, const char *target, const char *path)
{
	struct place place;
	struct filesystem *files;
	struct inode *link;
	unsigned cut;
	int err = *target == '\0' ? -ENOENT : find_free(medium, path, &place);

	if (err < 0)
		return err;
	files = place.directory->files;
	cut = files_begin(files, &(struct cut_point){.verb = "symlink", .object = path});
	link = inode_new(files, STORAGE_SYMLINK, 0777);
	link->target = medium_copy_text(medium, target);
	names_add(place.directory, place.name, link);
	files_end(files, cut);
	return 0;
}

int names_link(void *medium, const char *first, const char *path)
{
	struct place from;
	struct place place;
	struct filesystem *files;
	unsigned cut;
	int err = place_find_existing(medium, first, false, &from);

	if (err < 0)
		return err;
	err = find_free(medium, path, &place);
	if (err < 0)
		return err;
	if (from.inode->type == STORAGE_DIRECTORY)
		return -EPERM;
	files = place.directory->files;
	if (from.inode->files != files)
		return -EXDEV;
	cut = files_begin(files, &(struct cut_point){.verb = "link", .object = path});
	from.inode->linked = true;
	names_add(place.directory, place.name, inode_hold(from.inode));
	files_end(files, cut);
	return 0;
}

int names_mknod(void *medium, const char *path, int type, uint32_t major, uint32_t minor)
{
	struct place place;
	struct filesystem *files;
	struct inode *node;
	unsigned cut;
	int err = find_free(medium, path, &place);

	if (err < 0)
		return err;
	files = place.directory->files;
	cut = files_begin(files, &(struct cut_point){.verb = "mknod", .object = path});
	node = inode_new(files, type, 0600);
	node->major = major;
	node->minor = minor;
	names_add(place.directory, place.name, node);
	files_end(files, cut);
	return 0;
}

int names_sync_directory(void *medium, const char *path)
{
	struct place place;
	unsigned cut;
	int err = place_find_existing(medium, path, true, &place);

	if (err < 0)
		return err;
	if (place.inode->type != STORAGE_DIRECTORY)
		return -ENOTDIR;
	if (place.inode->files->is_volatile)
		return 0;
	cut = files_begin(place.inode->files, &(struct cut_point){.verb = "syncdir", .object = path});
	change_sync_directory(place.inode);
	files_end(place.inode->files, cut);
	return 0;
}
