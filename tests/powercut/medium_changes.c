/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/medium_internal.h"

#include <string.h>

/* splitmix64: one seed gives one sequence on every machine. */
static uint64_t draw(uint64_t *random)
{
	uint64_t z = *random += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

void change_make(struct filesystem *files, struct change *change)
{
	struct medium *medium = files->medium;

	if (change->kind == CHANGE_NAMES) {
		for (unsigned i = 0; i < change->names; i++)
			inode_hold(change->name[i].after); /* a rename takes the old name away first */
		for (unsigned i = 0; i < change->names; i++) {
			struct name_change *name = &change->name[i];

			name->before = inode_hold(life_find(&name->directory->now, name->name));
			name->name = medium_copy_text(medium, name->name);
			inode_hold(name->directory);
			inode_set_name(name->directory, name->name, name->after);
		}
	} else {
		inode_hold(change->inode)->touched = true;
		change->inode->pending++;
		if (change->kind == CHANGE_XATTR) {
			struct xattr *copy = medium_allocate(medium, sizeof(*copy));

			*copy = *change->xattr;
			change->xattr = copy;
		}
		if (change->kind != CHANGE_WRITE && change->kind != CHANGE_TRUNCATE)
			change_apply_attributes(change, &change->inode->now);
	}
	if (files->changes == files->change_room) {
		files->change_room = files->change_room * 2 + 16;
		files->change = medium_grow(medium, files->change, files->change_room * sizeof(*change));
	}
	files->change[files->changes++] = *change;
}

/* What the change holds; the list is the caller's. */
static void let_go(struct medium *medium, struct change *change)
{
	if (change->kind != CHANGE_NAMES) {
		change->inode->pending--;
		if (change->kind == CHANGE_XATTR)
			medium_release(medium, change->xattr);
		inode_release(change->inode);
		return;
	}
	for (unsigned i = 0; i < change->names; i++) {
		medium_release(medium, change->name[i].name);
		inode_release(change->name[i].before);
		inode_release(change->name[i].after);
		inode_release(change->name[i].directory);
	}
}

/* ---- Making changes durable ---- */

/* Apply what has FATE_KEEP, drop it from the list; the rest stays on it. */
static void commit_kept(struct filesystem *files)
{
	size_t left = 0;

	for (size_t i = 0; i < files->changes; i++) {
		struct change change = files->change[i];

		if (change.fate == FATE_KEEP) {
			change_apply(&change, 0);
			let_go(files->medium, &change);
		} else {
			files->change[left++] = change;
		}
	}
	files->changes = left;
}

void change_sync_first(struct filesystem *files, size_t count)
{
	for (size_t i = 0; i < files->changes; i++)
		files->change[i].fate = i < count ? FATE_KEEP : FATE_DROP;
	commit_kept(files);
}

void change_sync_file(struct inode *inode)
{
	struct filesystem *files = inode->files;

	if (inode->pending == 0)
		return;
	for (size_t i = 0; i < files->changes; i++) {
		struct change *change = &files->change[i];

		change->fate = change->kind != CHANGE_NAMES && change->inode == inode ? FATE_KEEP : FATE_DROP;
	}
	commit_kept(files);
}

static bool is_content_of(const struct change *change, const struct inode *inode)
{
	return (change->kind == CHANGE_WRITE || change->kind == CHANGE_TRUNCATE) && change->inode == inode;
}

/* The first bytes of the file's first write that is still on the list. */
static void sync_part(struct inode *inode, uint64_t length)
{
	struct filesystem *files = inode->files;

	for (size_t i = 0; length > 0 && i < files->changes; i++) {
		struct change *change = &files->change[i];

		if (!is_content_of(change, inode))
			continue;
		change_copy_content(inode, change->offset, change->offset + length);
		inode->durable.modified = change->modified;
		inode->touched = true;
		change->offset += length;
		change->length -= length;
		return;
	}
}

void change_sync_file_half(struct inode *inode)
{
	struct filesystem *files = inode->files;
	bool is_over = false;
	uint64_t left = 0;

	for (size_t i = 0; i < files->changes; i++)
		if (files->change[i].kind == CHANGE_WRITE && files->change[i].inode == inode)
			left += files->change[i].length;
	left /= 2;
	for (size_t i = 0; i < files->changes; i++) {
		struct change *change = &files->change[i];
		uint64_t length = change->kind == CHANGE_WRITE ? change->length : 0;

		change->fate = FATE_DROP;
		if (is_over || !is_content_of(change, inode))
			continue;
		is_over = length > left;
		if (is_over)
			continue;
		change->fate = FATE_KEEP;
		left -= length;
	}
	commit_kept(files);
	sync_part(inode, left);
}

/* ---- Which changes of names go together ---- */

static bool concerns(const struct change *change, const struct inode *directory)
{
	for (unsigned i = 0; i < change->names; i++)
		if (change->name[i].directory == directory)
			return true;
	return false;
}

/* Whether the later change of one name stands on an earlier one. chain: only by the directory that it is in. */
static bool stands_on(const struct name_change *later, const struct name_change *earlier, bool chain)
{
	if (earlier->after == later->directory)
		return true;
	if (chain)
		return false;
	if (earlier->directory == later->directory && strcmp(earlier->name, later->name) == 0)
		return true;
	return later->before && earlier->directory == later->before; /* which is removed */
}

static bool needs(const struct change *later, const struct change *earlier, bool chain)
{
	for (unsigned i = 0; i < later->names; i++)
		for (unsigned j = 0; j < earlier->names; j++)
			if (stands_on(&later->name[i], &earlier->name[j], chain))
				return true;
	return false;
}

/* Keep what the kept changes of names need, too. */
static void keep_needed(struct filesystem *files, bool chain)
{
	for (size_t i = files->changes; i-- > 0;) {
		const struct change *later = &files->change[i];

		if (later->kind != CHANGE_NAMES || later->fate == FATE_DROP)
			continue;
		for (size_t j = 0; j < i; j++) {
			struct change *earlier = &files->change[j];

			if (earlier->kind == CHANGE_NAMES && earlier->fate == FATE_DROP && needs(later, earlier, chain))
				earlier->fate = FATE_KEEP;
		}
	}
}

void change_sync_directory(struct inode *directory)
{
	struct filesystem *files = directory->files;

	for (size_t i = 0; i < files->changes; i++) {
		struct change *change = &files->change[i];

		change->fate = change->kind == CHANGE_NAMES && concerns(change, directory) ? FATE_KEEP : FATE_DROP;
	}
	keep_needed(files, false);
	commit_kept(files);
}

/* ---- The power goes ---- */

static unsigned draw_fate(struct change *change, uint64_t *random)
{
	unsigned coin = draw(random) % 2 == 0 ? FATE_KEEP : FATE_DROP;

	if (change->kind != CHANGE_WRITE)
		return coin;
	if (change->inode->fate == FATE_OPEN)
		change->inode->fate = (unsigned)(draw(random) % FATE_COUNT);
	return change->inode->fate == FATE_EACH ? coin : change->inode->fate;
}

static unsigned fate_of(struct change *change, enum survival survival, bool in_prefix, uint64_t *random)
{
	bool is_write = change->kind == CHANGE_WRITE;

	switch (survival) {
	case SURVIVAL_EVERYTHING:
		return FATE_KEEP;
	case SURVIVAL_EMPTY:
		return is_write ? FATE_DROP : FATE_KEEP;
	case SURVIVAL_TORN:
		return is_write ? FATE_HALF : FATE_KEEP;
	case SURVIVAL_PREFIX:
		return in_prefix ? FATE_KEEP : FATE_DROP;
	case SURVIVAL_SOME:
		return draw_fate(change, random);
	default:
		return FATE_DROP;
	}
}

void change_settle(struct filesystem *files, enum survival survival, uint64_t *random)
{
	uint64_t salt = draw(random);
	size_t prefix = (size_t)(draw(random) % (files->changes + 1));

	for (size_t i = 0; i < files->changes; i++) {
		struct inode *inode = files->change[i].inode;

		if (files->change[i].kind == CHANGE_NAMES)
			continue;
		inode->fate = FATE_OPEN;
		inode->base = inode->durable.size;
		inode->unsynced = 0;
		inode->seen = 0;
	}
	for (size_t i = 0; i < files->changes; i++) {
		struct change *change = &files->change[i];

		change->fate = fate_of(change, survival, i < prefix, random);
		if (change->kind == CHANGE_WRITE)
			change->inode->unsynced += change->length;
	}
	keep_needed(files, true);
	for (size_t i = 0; i < files->changes; i++)
		change_apply(&files->change[i], salt);
	for (size_t i = 0; i < files->changes; i++)
		let_go(files->medium, &files->change[i]);
	files->changes = 0;
}
