/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/medium_internal.h"

#include <errno.h>
#include <string.h>

enum write_tear { WRITE_ZEROS, WRITE_HALF, WRITE_TEARS };

static int open_existing(struct medium *medium, const char *path, enum storage_open_mode mode, struct inode **inode)
{
	struct place place;
	int err = place_find_existing(medium, path, mode == STORAGE_READ || mode == STORAGE_WRITE, &place);

	if (err < 0)
		return err;
	if (place.inode->type == STORAGE_SYMLINK)
		return -ELOOP;
	*inode = place.inode;
	return place.inode->type == STORAGE_DIRECTORY ? -EISDIR : 0;
}

static int create(struct medium *medium, const char *path, enum storage_open_mode mode, struct inode **inode)
{
	struct cut_point point = {.verb = mode == STORAGE_CREATE ? "create" : "append", .object = path};
	struct filesystem *files;
	struct place place;
	unsigned cut;
	int err = place_find(medium, path, false, &place);

	if (err < 0)
		return err;
	files = place.directory->files;
	cut = files_begin(files, &point);
	*inode = inode_new(files, STORAGE_REGULAR, mode == STORAGE_CREATE ? 0600 : 0644);
	names_add(place.directory, place.name, *inode);
	files_end(files, cut);
	return 0;
}

/* New content comes without the powers that the old one was given. */
static void drop_capability(struct inode *inode)
{
	struct xattr none = {.name = "security.capability"};
	struct change change = {.kind = CHANGE_XATTR, .inode = inode, .xattr = &none};

	if (life_find_xattr(&inode->now, none.name))
		change_make(inode->files, &change);
}

static void truncate_file(struct inode *inode, const char *path)
{
	struct change content = {.kind = CHANGE_TRUNCATE, .inode = inode};
	struct change mode = {.kind = CHANGE_MODE, .inode = inode, .mode = 0600};
	unsigned cut = files_begin(inode->files, &(struct cut_point){.verb = "create", .object = path});

	if (inode->now.size > 0) {
		drop_capability(inode);
		inode_resize(inode, &inode->now, 0);
		inode->now.modified = ++inode->files->medium->clock;
		content.modified = inode->now.modified;
		change_make(inode->files, &content);
	}
	if (inode->now.mode != mode.mode)
		change_make(inode->files, &mode);
	files_end(inode->files, cut);
}

int files_open(struct medium *medium, const char *path, enum storage_open_mode mode)
{
	struct handle handle = {.kind = HANDLE_FILE, .mode = mode};
	int err = open_existing(medium, path, mode, &handle.inode);

	if (err == -ENOENT && (mode == STORAGE_CREATE || mode == STORAGE_APPEND))
		err = create(medium, path, mode, &handle.inode);
	else if (err == 0 && mode == STORAGE_CREATE)
		truncate_file(handle.inode, path);
	if (err < 0)
		return err;
	err = medium_new_handle(medium, &handle, path);
	if (err >= 0)
		inode_add_open(inode_hold(handle.inode), 1);
	return err;
}

ssize_t files_read(struct medium *medium, const struct handle *handle, uint64_t offset, void *buffer, size_t length)
{
	const struct life *now = &handle->inode->now;

	if (handle->mode == STORAGE_APPEND)
		return -EBADF;
	if (offset >= now->size)
		return 0;
	if (length > now->size - offset)
		length = (size_t)(now->size - offset);
	memcpy(buffer, now->data + offset, length);
	medium->figures.bytes_read += length;
	handle->inode->files->read += length;
	return (ssize_t)length;
}

/* The file reaches to end at least; what data does not cover are zeros. */
static void put(struct inode *inode, uint64_t offset, const void *data, uint64_t length, uint64_t end)
{
	struct change change = {.kind = CHANGE_WRITE, .inode = inode, .offset = offset, .length = end - offset};

	if (end > inode->now.size)
		inode_resize(inode, &inode->now, end);
	if (length > 0)
		memcpy(inode->now.data + offset, data, (size_t)length);
	inode->now.modified = ++inode->files->medium->clock;
	change.modified = inode->now.modified;
	change_make(inode->files, &change);
}

int files_write(struct medium *medium, const struct handle *handle, uint64_t offset, const void *data, size_t length)
{
	struct cut_point point = {.verb = "write", .object = handle->path, .length = length, .tears = WRITE_TEARS};
	struct inode *inode = handle->inode;
	struct filesystem *files = inode->files;
	uint64_t more = 0;
	unsigned cut;

	if (handle->mode == STORAGE_READ)
		return -EBADF;
	if (length == 0)
		return 0;
	if (handle->mode == STORAGE_APPEND)
		offset = inode->now.size;
	if (offset > (uint64_t)INT64_MAX - length)
		return -EINVAL;
	if (offset + length > inode->now.size)
		more = inode_blocks(offset + length) - inode_blocks(inode->now.size);
	if (more > files->capacity - files->used)
		return -ENOSPC;
	point.offset = offset;
	cut = files_begin(files, &point);
	drop_capability(inode);
	if (cut == CUT_TORN + WRITE_HALF && length > 1)
		put(inode, offset, data, length / 2, offset + length / 2);
	else if (cut < CUT_TORN)
		put(inode, offset, data, length, offset + length);
	else if (offset + length > inode->now.size)
		put(inode, inode->now.size, NULL, 0, offset + length);
	medium->figures.bytes_written += length;
	files_end(files, cut);
	return 0;
}

int files_sync(struct medium *medium, const struct handle *handle)
{
	struct inode *inode = handle->inode;
	struct filesystem *files = inode->files;
	unsigned cut = files_begin(files, &(struct cut_point){.verb = "sync", .object = handle->path, .tears = 1});

	(void)medium;
	if (files->is_volatile)
		return 0;
	if (cut >= CUT_TORN)
		change_sync_file_half(inode);
	else
		change_sync_file(inode);
	files_end(files, cut);
	return 0;
}

void files_fill_stat(const struct inode *inode, const struct life *life, struct storage_stat *stat)
{
	*stat = (struct storage_stat){
		.mode = life->mode,
		.uid = life->uid,
		.gid = life->gid,
		.size = inode->target ? strlen(inode->target) : life->size,
		.device = inode->files->device,
		.inode = inode->number,
		.links = inode->names,
		.major = inode->major,
		.minor = inode->minor,
		.modified = life->modified,
	};
	stat->type = inode->type;
}

int files_stat(void *medium, const char *path, struct storage_stat *stat)
{
	struct place place;
	int err = place_find_existing(medium, path, false, &place);

	if (err == 0)
		files_fill_stat(place.inode, &place.inode->now, stat);
	return err;
}

int files_free_space(void *medium, const char *path, uint64_t *bytes)
{
	struct place place;
	int err = place_find_existing(medium, path, true, &place);

	if (err == 0)
		*bytes = place.inode->files->capacity - place.inode->files->used;
	return err;
}

/* An attribute's change as one step. */
static void change_attribute(struct change *change, const char *verb, const char *path)
{
	struct filesystem *files = change->inode->files;
	unsigned cut = files_begin(files, &(struct cut_point){.verb = verb, .object = path});

	change_make(files, change);
	files_end(files, cut);
}

int files_set_owner(void *medium, const char *path, uint32_t uid, uint32_t gid)
{
	struct change change = {.kind = CHANGE_OWNER, .uid = uid, .gid = gid};
	struct place place;
	int err = place_find_existing(medium, path, false, &place);

	if (err < 0)
		return err;
	change.inode = place.inode;
	change_attribute(&change, "owner", path);
	return 0;
}

int files_set_mode(void *medium, const char *path, uint32_t mode)
{
	struct change change = {.kind = CHANGE_MODE, .mode = mode & 07777};
	struct place place;
	int err = place_find_existing(medium, path, false, &place);

	if (err < 0)
		return err;
	if (place.inode->type == STORAGE_SYMLINK)
		return -EOPNOTSUPP;
	change.inode = place.inode;
	change_attribute(&change, "mode", path);
	return 0;
}

static bool is_supported(const char *name)
{
	return strncmp(name, "security.", 9) == 0 || strncmp(name, "trusted.", 8) == 0 ||
	       strncmp(name, "user.", 5) == 0;
}

int files_set_xattr(void *medium, const char *path, const char *name, const void *value, size_t size)
{
	struct xattr xattr = {.size = size};
	struct change change = {.kind = CHANGE_XATTR, .xattr = &xattr};
	struct place place;
	int err = place_find_existing(medium, path, false, &place);

	if (err < 0)
		return err;
	if (!is_supported(name))
		return -EOPNOTSUPP;
	if (strncmp(name, "user.", 5) == 0 && place.inode->type == STORAGE_SYMLINK)
		return -EPERM;
	if (strlen(name) >= sizeof(xattr.name) || size > sizeof(xattr.value))
		return -ERANGE;
	if (size == 0 && !life_find_xattr(&place.inode->now, name))
		return -ENODATA;
	memcpy(xattr.name, name, strlen(name) + 1);
	if (size > 0)
		memcpy(xattr.value, value, size);
	change.inode = place.inode;
	change_attribute(&change, "xattr", path);
	return 0;
}

ssize_t files_get_xattr(void *medium, const char *path, const char *name, void *value, size_t size)
{
	const struct xattr *xattr;
	struct place place;
	int err = place_find_existing(medium, path, false, &place);

	if (err < 0)
		return err;
	if (!is_supported(name))
		return -EOPNOTSUPP;
	xattr = life_find_xattr(&place.inode->now, name);
	if (!xattr)
		return -ENODATA;
	if (size == 0) /* only asked how large */
		return (ssize_t)xattr->size;
	if (xattr->size > size)
		return -ERANGE;
	memcpy(value, xattr->value, xattr->size);
	return (ssize_t)xattr->size;
}
