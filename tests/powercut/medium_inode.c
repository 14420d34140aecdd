/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/medium_internal.h"

#include <string.h>

#define BLOCK_SIZE 4096u

uint64_t inode_blocks(uint64_t size)
{
	return (size + BLOCK_SIZE - 1) / BLOCK_SIZE * BLOCK_SIZE;
}

struct inode *inode_new(struct filesystem *files, int type, uint32_t mode)
{
	struct inode *inode = medium_allocate(files->medium, sizeof(*inode));

	inode->files = files;
	inode->type = type;
	inode->number = ++files->last_inode;
	inode->references = 1;
	inode->now.mode = mode;
	inode->now.modified = ++files->medium->clock;
	inode->durable.mode = mode;
	inode->durable.modified = inode->now.modified;
	return inode;
}

struct inode *inode_hold(struct inode *inode)
{
	if (inode)
		inode->references++;
	return inode;
}

static void life_clear(struct medium *medium, struct life *life)
{
	for (size_t i = 0; i < life->entries; i++) {
		medium_release(medium, life->entry[i].name);
		inode_release(life->entry[i].inode);
	}
	medium_release(medium, life->entry);
	medium_release(medium, life->xattr);
	medium_release(medium, life->data);
	memset(life, 0, sizeof(*life));
}

void inode_release(struct inode *inode)
{
	struct medium *medium;

	if (!inode || --inode->references > 0)
		return;
	medium = inode->files->medium;
	for (size_t i = 0; i < inode->durable.entries; i++)
		inode->durable.entry[i].inode->home = NULL;
	life_clear(medium, &inode->now);
	life_clear(medium, &inode->durable);
	medium_release(medium, inode->target);
	medium_release(medium, inode);
}

void inode_resize(struct inode *inode, struct life *life, uint64_t size)
{
	if (size > life->room) {
		size_t room = life->room + life->room / 2;

		life->room = room > size ? room : (size_t)size;
		life->data = medium_grow(inode->files->medium, life->data, life->room);
	}
	if (size > life->size)
		memset(life->data + life->size, 0, (size_t)size - life->size);
	if (life == &inode->now && (inode->names > 0 || inode->opens > 0))
		inode->files->used += inode_blocks(size) - inode_blocks(life->size);
	life->size = (size_t)size;
}

static size_t find_entry(const struct life *life, const char *name)
{
	size_t i = 0;

	while (i < life->entries && strcmp(life->entry[i].name, name) != 0)
		i++;
	return i;
}

struct inode *life_find(const struct life *life, const char *name)
{
	size_t i = find_entry(life, name);

	return i < life->entries ? life->entry[i].inode : NULL;
}

static void remove_entry(struct medium *medium, struct life *life, size_t i)
{
	struct entry gone = life->entry[i];

	life->entries--;
	memmove(&life->entry[i], &life->entry[i + 1], (life->entries - i) * sizeof(gone));
	medium_release(medium, gone.name);
	inode_release(gone.inode);
}

static void add_entry(struct medium *medium, struct life *life, const char *name, struct inode *inode)
{
	if (life->entries == life->entry_room) {
		life->entry_room = life->entry_room * 2 + 4;
		life->entry = medium_grow(medium, life->entry, life->entry_room * sizeof(*life->entry));
	}
	life->entry[life->entries++] =
		(struct entry){.name = medium_copy_text(medium, name), .inode = inode_hold(inode)};
}

void life_set_name(struct medium *medium, struct life *life, const char *name, struct inode *inode)
{
	size_t i = find_entry(life, name);
	struct inode *before;

	if (i == life->entries) {
		if (inode)
			add_entry(medium, life, name, inode);
	} else if (inode) {
		before = life->entry[i].inode;
		life->entry[i].inode = inode_hold(inode);
		inode_release(before);
	} else {
		remove_entry(medium, life, i);
	}
}

static size_t find_xattr(const struct life *life, const char *name)
{
	size_t i = 0;

	while (i < life->xattrs && strcmp(life->xattr[i].name, name) != 0)
		i++;
	return i;
}

struct xattr *life_find_xattr(const struct life *life, const char *name)
{
	size_t i = find_xattr(life, name);

	return i < life->xattrs ? &life->xattr[i] : NULL;
}

void life_set_xattr(struct medium *medium, struct life *life, const struct xattr *xattr)
{
	size_t i = find_xattr(life, xattr->name);

	if (xattr->size == 0 && i == life->xattrs)
		return;
	if (xattr->size == 0) {
		life->xattr[i] = life->xattr[--life->xattrs];
		return;
	}
	if (i == life->xattrs)
		life->xattr = medium_grow(medium, life->xattr, ++life->xattrs * sizeof(*xattr));
	life->xattr[i] = *xattr;
}

/* Space is taken by what has a name or is open. */
static void count_space(struct inode *inode, bool before)
{
	bool after = inode->names > 0 || inode->opens > 0;

	if (before && !after)
		inode->files->used -= inode_blocks(inode->now.size);
	else if (!before && after)
		inode->files->used += inode_blocks(inode->now.size);
}

static void add_name(struct inode *inode, int count)
{
	bool before = inode->names > 0 || inode->opens > 0;

	inode->names += (unsigned)count;
	count_space(inode, before);
}

void inode_add_open(struct inode *inode, int count)
{
	bool before = inode->names > 0 || inode->opens > 0;

	inode->opens += (unsigned)count;
	count_space(inode, before);
}

void inode_set_name(struct inode *directory, const char *name, struct inode *inode)
{
	struct inode *before = life_find(&directory->now, name);

	if (before)
		add_name(before, -1);
	if (inode)
		add_name(inode, 1);
	life_set_name(directory->files->medium, &directory->now, name, inode);
	directory->now.modified = ++directory->files->medium->clock;
	directory->touched = true;
}

/* Entries are held before the old ones are let go: most are the same. */
static void copy_durable(struct medium *medium, struct inode *inode)
{
	const struct life *durable = &inode->durable;
	struct life now = {.mode = durable->mode, .uid = durable->uid, .gid = durable->gid};

	for (size_t i = 0; i < durable->entries; i++)
		add_entry(medium, &now, durable->entry[i].name, durable->entry[i].inode);
	if (durable->xattrs > 0) {
		now.xattr = medium_grow(medium, NULL, durable->xattrs * sizeof(*now.xattr));
		memcpy(now.xattr, durable->xattr, durable->xattrs * sizeof(*now.xattr));
	}
	now.xattrs = durable->xattrs;
	if (durable->size > 0) {
		now.data = medium_grow(medium, NULL, durable->size);
		memcpy(now.data, durable->data, durable->size);
	}
	now.size = durable->size;
	now.room = durable->size;
	now.modified = durable->modified;
	life_clear(medium, &inode->now);
	inode->now = now;
	inode->touched = false;
}

static void forget_names(struct inode *inode)
{
	inode->names = 0;
	for (size_t i = 0; i < inode->durable.entries; i++)
		forget_names(inode->durable.entry[i].inode);
}

/* What has several names is met as often, and takes its space once. */
static void restore(struct inode *inode)
{
	if (inode->touched)
		copy_durable(inode->files->medium, inode);
	if (inode->names++ > 0)
		return;
	inode->files->used += inode_blocks(inode->now.size);
	for (size_t i = 0; i < inode->now.entries; i++)
		restore(inode->now.entry[i].inode);
}

void inode_restore(struct inode *inode)
{
	forget_names(inode);
	restore(inode);
}

void files_format(struct filesystem *files)
{
	inode_release(files->root);
	files->used = 0;
	files->root = inode_new(files, STORAGE_DIRECTORY, 0755);
	files->root->names = 1;
}

void files_init(struct medium *medium, struct filesystem *files, const char *name, uint64_t capacity, uint64_t device)
{
	files->medium = medium;
	files->name = name;
	files->capacity = capacity;
	files->device = device;
	files_format(files);
}

void files_free(struct filesystem *files)
{
	inode_release(files->root);
	medium_release(files->medium, files->change);
}
