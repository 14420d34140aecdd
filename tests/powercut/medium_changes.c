/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/medium_internal.h"

#include <string.h>

#define TEAR_UNIT 512u

/* What becomes of a change when the power goes. */
enum fate {
	FATE_DROP,
	FATE_KEEP,
	FATE_ZEROS, /* of a write: the file has grown, nothing is in it */
	FATE_HALF,  /* of a write: the first half of what was appended, every other unit of what was changed in place */
	FATE_EACH,  /* of an inode's content: each of its writes by itself */
	FATE_COUNT,
	FATE_OPEN = FATE_COUNT /* not drawn yet */
};

/* splitmix64: one seed gives one sequence on every machine. */
static uint64_t draw(uint64_t *random)
{
	uint64_t z = *random += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

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

static void apply_attributes(const struct change *change, struct life *life)
{
	struct medium *medium = change->inode->files->medium;

	if (change->kind == CHANGE_MODE)
		life->mode = change->mode;
	else if (change->kind == CHANGE_OWNER)
		set_owner(medium, change->inode, life, change);
	else
		life_set_xattr(medium, life, change->xattr);
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
			apply_attributes(change, &change->inode->now);
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

/* An inode has one name: where the change that took the old one away was dropped, it goes now. */
static void remove_other_name(struct inode *inode)
{
	const struct life *home = inode->home ? &inode->home->durable : NULL;

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

/* Bytes [offset, end) of a file as programs see them become durable; what a later truncation took are zeros. */
static void copy_content(struct inode *inode, uint64_t offset, uint64_t end)
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
			copy_content(inode, at, next);
		inode->seen += next - at;
		at = next;
	}
}

/* salt: tells the tears of one seed from those of another. */
static void apply(struct change *change, uint64_t salt)
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
		apply_attributes(change, &inode->durable);
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
		copy_content(inode, change->offset, change->offset + change->length);
	}
}

/* Apply what has FATE_KEEP, drop it from the list; the rest stays on it. */
static void commit_kept(struct filesystem *files)
{
	size_t left = 0;

	for (size_t i = 0; i < files->changes; i++) {
		struct change change = files->change[i];

		if (change.fate == FATE_KEEP) {
			apply(&change, 0);
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

void change_sync_file_half(struct inode *inode)
{
	struct filesystem *files = inode->files;
	uint64_t left = 0;

	for (size_t i = 0; i < files->changes; i++)
		if (files->change[i].kind == CHANGE_WRITE && files->change[i].inode == inode)
			left += files->change[i].length;
	left /= 2;
	for (size_t i = 0; i < files->changes; i++) {
		struct change *change = &files->change[i];

		change->fate = FATE_DROP;
		if (!is_content_of(change, inode))
			continue;
		if (change->kind == CHANGE_TRUNCATE || change->length <= left) {
			change->fate = FATE_KEEP;
			left -= change->kind == CHANGE_TRUNCATE ? 0 : change->length;
		} else if (left > 0) {
			copy_content(inode, change->offset, change->offset + left);
			inode->durable.modified = change->modified;
			inode->touched = true;
			change->offset += left;
			change->length -= left;
			left = 0;
		}
	}
	commit_kept(files);
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
	if (later->before && earlier->directory == later->before) /* which is removed */
		return true;
	return later->after && (earlier->after == later->after || earlier->before == later->after);
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
		struct inode *inode = files->change[i].kind == CHANGE_NAMES ? NULL : files->change[i].inode;

		if (!inode)
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
		apply(&files->change[i], salt);
	for (size_t i = 0; i < files->changes; i++)
		let_go(files->medium, &files->change[i]);
	files->changes = 0;
}
