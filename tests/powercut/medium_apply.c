/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/medium_internal.h"

#include <string.h>

#define TEAR_UNIT 512u

/* As the kernel does for all but directories: a new owner does not inherit powers. */
static void set_owner(struct medium *medium, const struct inode *inode, struct life *life, const struct change *change)
{
	static const struct xattr no_capability = {.name = "security.capability"};

	life->uid = change->uid;
	life->gid = change->gid;
	if (inode->type == STORAGE_DIRECTORY)
		return;
	life->mode &= ~04000u;
	if ((life->mode & 010) != 0)
		life->mode &= ~02000u;
	life_set_xattr(medium, life, &no_capability);
}

void change_apply_attributes(const struct change *change, struct life *life)
{
	struct medium *medium = change->inode->files->medium;

	if (change->kind == CHANGE_MODE)
		life->mode = change->mode;
	else if (change->kind == CHANGE_OWNER)
		set_owner(medium, change->inode, life, change);
	else
		life_set_xattr(medium, life, change->xattr);
}

static bool is_within(const struct inode *directory, const struct inode *above)
{
	while (directory && directory != above)
		directory = directory->home;
	return directory != NULL;
}

/* A directory is not lost with what is still in it, nor moved into itself: not even the worst medium does that. */
static bool can_apply(const struct change *change)
{
	const struct inode *moved = change->name[change->names - 1].after;

	for (unsigned i = 0; i < change->names; i++) {
		const struct name_change *name = &change->name[i];
		const struct inode *there = life_find(&name->directory->durable, name->name);

		if (there && there != moved && there->durable.entries > 0)
			return false;
		if (name->after && is_within(name->directory, name->after))
			return false;
	}
	return true;
}

static void set_durable_name(struct inode *directory, const char *name, struct inode *inode)
{
	struct medium *medium = directory->files->medium;
	struct inode *before = life_find(&directory->durable, name);

	if (before)
		before->home = NULL;
	life_set_name(medium, &directory->durable, name, inode);
	directory->durable.modified = directory->now.modified;
	directory->touched = true;
	if (inode)
		inode->home = directory;
}

/*
 * An inode has one name: where the change that took the old one away was dropped, it goes now. Of what was linked any
 * may stay.
 */
static void remove_other_name(struct inode *inode)
{
	const struct life *home = inode->home && !inode->linked ? &inode->home->durable : NULL;

	for (size_t i = 0; home && i < home->entries; i++)
		if (home->entry[i].inode == inode) {
			set_durable_name(inode->home, home->entry[i].name, NULL);
			return;
		}
}

static void apply_names(const struct change *change)
{
	if (!can_apply(change))
		return;
	for (unsigned i = 0; i < change->names; i++) {
		const struct name_change *name = &change->name[i];

		if (name->after)
			remove_other_name(name->after);
		set_durable_name(name->directory, name->name, name->after);
	}
}

void change_copy_content(struct inode *inode, uint64_t offset, uint64_t end)
{
	struct life *durable = &inode->durable;

	if (end > durable->size)
		inode_resize(inode, durable, end);
	if (end > inode->now.size)
		end = inode->now.size;
	if (offset < end)
		memcpy(durable->data + offset, inode->now.data + offset, (size_t)(end - offset));
}

/* Some of a write, see enum fate. */
static void copy_half(struct change *change, uint64_t salt)
{
	struct inode *inode = change->inode;
	uint64_t end = change->offset + change->length;
	uint64_t at = change->offset;

	if (end > inode->durable.size)
		inode_resize(inode, &inode->durable, end);
	while (at < end) {
		uint64_t next = (at / TEAR_UNIT + 1) * TEAR_UNIT;
		bool is_old = at < inode->base;

		if (next > end)
			next = end;
		if (is_old ? (at / TEAR_UNIT + salt) % 2 == 0 : inode->seen < inode->unsynced / 2)
			change_copy_content(inode, at, next);
		inode->seen += next - at;
		at = next;
	}
}

void change_apply(struct change *change, uint64_t salt)
{
	struct inode *inode = change->inode;

	if (change->fate == FATE_DROP)
		return;
	if (change->kind == CHANGE_NAMES) {
		apply_names(change);
		return;
	}
	inode->touched = true;
	if (change->kind != CHANGE_WRITE && change->kind != CHANGE_TRUNCATE) {
		change_apply_attributes(change, &inode->durable);
		return;
	}
	inode->durable.modified = change->modified;
	if (change->kind == CHANGE_TRUNCATE) {
		inode->durable.size = 0;
		inode->base = 0;
	} else if (change->fate == FATE_HALF) {
		copy_half(change, salt);
	} else if (change->fate == FATE_ZEROS) {
		if (change->offset + change->length > inode->durable.size)
			inode_resize(inode, &inode->durable, change->offset + change->length);
	} else {
		change_copy_content(inode, change->offset, change->offset + change->length);
	}
}
