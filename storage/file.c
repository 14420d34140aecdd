/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int storage_stat_path(struct storage *storage, const char *path, struct storage_stat *stat)
{
	char at[STORAGE_PATH_MAX];
	int err = path_make(at, path, NULL);

	return err < 0 ? err : storage->ops->stat(storage->medium, at, stat);
}

int storage_read_link(struct storage *storage, const char *path, char *target, size_t size, struct error *error)
{
	char at[STORAGE_PATH_MAX];
	int err = path_make(at, path, error);
	ssize_t n;

	if (err < 0)
		return err;
	n = size == 0 ? -ENAMETOOLONG : storage->ops->read_link(storage->medium, at, target, size);
	if (n >= 0 && (size_t)n >= size)
		n = -ENAMETOOLONG;
	if (n < 0)
		return storage_fail(error, (int)n, "%s: read link", at);
	target[n] = '\0';
	return 0;
}

/* All of an open file into fresh memory; the size is a hint only, for files of /proc have none. */
static int load_handle(struct storage *storage, int handle, size_t max, char **data, size_t *size)
{
	char *buffer = NULL;
	size_t room = 0;
	size_t used = 0;

	for (;;) {
		ssize_t n;

		if (used + 1 >= room) {
			size_t wanted = room == 0 ? 4096 : room * 2;
			char *grown = wanted > room ? realloc(buffer, wanted) : NULL;

			if (!grown) {
				free(buffer);
				return -ENOMEM;
			}
			buffer = grown;
			room = wanted;
		}
		n = storage->ops->read(storage->medium, handle, used, buffer + used, room - used - 1);
		if (n > 0 && (size_t)n > max - used)
			n = -EFBIG;
		if (n < 0) {
			free(buffer);
			return (int)n;
		}
		if (n == 0)
			break;
		used += (size_t)n;
	}
	buffer[used] = '\0';
	*data = buffer;
	*size = used;
	return 0;
}

int storage_load(struct storage *storage, const char *path, size_t max, char **data, size_t *size, struct error *error)
{
	char at[STORAGE_PATH_MAX];
	int handle;
	int err = path_make(at, path, error);

	if (err < 0)
		return err;
	handle = storage->ops->open(storage->medium, at, STORAGE_READ);
	if (handle < 0)
		return storage_fail(error, handle, "%s: open", at);
	err = load_handle(storage, handle, max, data, size);
	(void)storage->ops->close(storage->medium, handle); /* only read: nothing to lose */
	return err < 0 ? storage_fail(error, err, "%s: read", at) : 0;
}

int storage_save(struct storage *storage, const char *path, const void *data, size_t size, uint32_t mode,
                 struct error *error)
{
	const struct writer_look look = {.mode = mode};
	struct storage_writer *writer;
	int err = writer_open_file(storage, path, size, NULL, &look, &writer, error);

	if (err < 0)
		return err;
	err = storage_writer_write(writer, data, size, error);
	if (err < 0) {
		storage_writer_abort(writer);
		return err;
	}
	return storage_writer_commit(writer, NULL, error);
}

/* Open, write, close; mode is STORAGE_CREATE, STORAGE_APPEND or, for a file that is there, STORAGE_WRITE. */
static int write_part(struct storage *storage, const char *path, enum storage_open_mode mode, uint64_t offset,
                      const void *data, size_t size, bool durable, struct error *error)
{
	char at[STORAGE_PATH_MAX];
	char parent[STORAGE_PATH_MAX];
	struct storage_stat stat;
	bool is_new;
	int handle;
	int closed;
	int err = path_make(at, path, error);

	if (err < 0)
		return err;
	path_parent(parent, at);
	err = storage_make_directories(storage, parent, 0755, error);
	if (err < 0)
		return err;
	is_new = durable && storage->ops->stat(storage->medium, at, &stat) < 0;
	handle = storage->ops->open(storage->medium, at, mode);
	if (handle < 0)
		return storage_fail(error, handle, "%s: open", at);
	if (is_new)
		err = storage->ops->sync_directory(storage->medium, parent);
	if (err == 0)
		err = storage->ops->write(storage->medium, handle, offset, data, size);
	if (err == 0 && durable)
		err = storage->ops->sync(storage->medium, handle);
	closed = storage->ops->close(storage->medium, handle);
	if (err == 0)
		err = closed;
	return err < 0 ? storage_fail(error, err, "%s: write", at) : 0;
}

int storage_append(struct storage *storage, const char *path, const void *data, size_t size, struct error *error)
{
	return write_part(storage, path, STORAGE_APPEND, 0, data, size, false, error);
}

int storage_append_durable(struct storage *storage, const char *path, const void *data, size_t size,
                           struct error *error)
{
	return write_part(storage, path, STORAGE_APPEND, 0, data, size, true, error);
}

int storage_write_durable(struct storage *storage, const char *path, uint64_t offset, const void *data, size_t size,
                          struct error *error)
{
	enum storage_open_mode mode = offset == 0 ? STORAGE_CREATE : STORAGE_WRITE;

	return write_part(storage, path, mode, offset, data, size, true, error);
}

int storage_sync_parent(struct storage *storage, const char *path, struct error *error)
{
	char parent[STORAGE_PATH_MAX];
	int err;

	path_parent(parent, path);
	err = storage->ops->sync_directory(storage->medium, parent);
	return err < 0 ? storage_fail(error, err, "%s: sync", parent) : 0;
}

int storage_rename(struct storage *storage, const char *from, const char *to, struct error *error)
{
	char source[STORAGE_PATH_MAX];
	char target[STORAGE_PATH_MAX];
	char source_parent[STORAGE_PATH_MAX];
	char target_parent[STORAGE_PATH_MAX];
	int err = path_make(source, from, error);

	if (err == 0)
		err = path_make(target, to, error);
	if (err < 0)
		return err;
	err = storage->ops->rename(storage->medium, source, target);
	if (err < 0)
		return storage_fail(error, err, "%s: rename to %s", source, target);
	path_parent(source_parent, source);
	path_parent(target_parent, target);
	/* The new name first: a cut in between leaves two names rather than none. */
	err = storage_sync_parent(storage, target, error);
	if (err == 0 && strcmp(source_parent, target_parent) != 0)
		err = storage_sync_parent(storage, source, error);
	return err;
}

int storage_remove(struct storage *storage, const char *path, struct error *error)
{
	char at[STORAGE_PATH_MAX];
	int err = path_make(at, path, error);

	if (err < 0)
		return err;
	err = storage->ops->unlink(storage->medium, at);
	if (err == -ENOENT || err == -ENOTDIR)
		return 1;
	if (err < 0)
		return storage_fail(error, err, "%s: remove", at);
	return storage_sync_parent(storage, at, error);
}

/* One missing directory of a path that is made. */
static int make_directory(struct storage *storage, const char *path, uint32_t mode, struct error *error)
{
	char real[STORAGE_PATH_MAX];
	struct storage_stat stat;
	int err = storage->ops->stat(storage->medium, path, &stat);

	if (err == 0 && stat.type == STORAGE_SYMLINK) {
		err = path_resolve(storage, real, path);
		if (err == 0)
			err = storage->ops->stat(storage->medium, real, &stat);
	} else if (err == -ENOENT) {
		err = storage->ops->mkdir(storage->medium, path, mode);
		return err < 0 ? storage_fail(error, err, "%s: make directory", path)
		               : storage_sync_parent(storage, path, error);
	}
	if (err == 0 && stat.type != STORAGE_DIRECTORY)
		err = -ENOTDIR;
	return err < 0 ? storage_fail(error, err, "%s", path) : 0;
}

int storage_make_directories(struct storage *storage, const char *path, uint32_t mode, struct error *error)
{
	char at[STORAGE_PATH_MAX];
	struct storage_stat stat;
	int err = path_make(at, path, error);

	if (err < 0)
		return err;
	if (storage->ops->stat(storage->medium, at, &stat) == 0 && stat.type == STORAGE_DIRECTORY)
		return 0;
	for (size_t end = 1; at[end - 1] != '\0' && err == 0;) {
		char after;

		end += strcspn(at + end, "/");
		after = at[end];
		at[end] = '\0';
		err = make_directory(storage, at, mode, error);
		at[end++] = after;
	}
	return err;
}

/* Where something new shall be, and its temporary name. 1: there is something, as in stat; -EISDIR: a directory. */
static int find_place(struct storage *storage, const char *path, char at[STORAGE_PATH_MAX], char temp[STORAGE_PATH_MAX],
                      struct storage_stat *stat, struct error *error)
{
	int err = path_make(at, path, error);

	if (err == 0)
		err = path_sibling(temp, at, STORAGE_TEMP_NAME, error);
	if (err < 0)
		return err;
	err = storage->ops->stat(storage->medium, at, stat);
	if (err == 0 && stat->type == STORAGE_DIRECTORY)
		return storage_fail(error, -EISDIR, "%s", at);
	return err == 0;
}

int storage_make_node(struct storage *storage, const char *path, const struct storage_stat *node, struct error *error)
{
	char at[STORAGE_PATH_MAX];
	char temp[STORAGE_PATH_MAX];
	struct storage_stat now = {0};
	int err = find_place(storage, path, at, temp, &now, error);

	if (err < 0 || (err == 1 && now.type == node->type && now.major == node->major && now.minor == node->minor))
		return err < 0 ? err : 0;
	err = storage->ops->unlink(storage->medium, temp);
	if (err == 0 || err == -ENOENT)
		err = storage->ops->mknod(storage->medium, temp, (int)node->type, node->major, node->minor);
	if (err == 0)
		err = storage->ops->rename(storage->medium, temp, at);
	if (err < 0)
		return storage_fail(error, err, "%s: make node", at);
	return storage_sync_parent(storage, at, error);
}

bool storage_same_file(const struct storage_stat *a, const struct storage_stat *b)
{
	return a->device == b->device && a->inode == b->inode;
}

int storage_make_hard_link(struct storage *storage, const char *first, const char *path, struct error *error)
{
	char from[STORAGE_PATH_MAX];
	char at[STORAGE_PATH_MAX];
	char temp[STORAGE_PATH_MAX];
	struct storage_stat file;
	struct storage_stat now;
	int there;
	int err = path_make(from, first, error);

	if (err < 0)
		return err;
	there = find_place(storage, path, at, temp, &now, error);
	if (there < 0)
		return there;
	err = storage->ops->stat(storage->medium, from, &file);
	/* A rename over a name of the same file would do nothing, and leave the temporary name. */
	if (err == 0 && there == 1 && storage_same_file(&file, &now))
		return 0;
	if (err == 0)
		err = storage->ops->unlink(storage->medium, temp);
	if (err == 0 || err == -ENOENT)
		err = storage->ops->link(storage->medium, from, temp);
	if (err == 0)
		err = storage->ops->rename(storage->medium, temp, at);
	if (err < 0)
		return storage_fail(error, err, "%s: hard link to %s", at, from);
	return storage_sync_parent(storage, at, error);
}

int storage_make_symlink(struct storage *storage, const char *target, const char *path, struct error *error)
{
	char at[STORAGE_PATH_MAX];
	char temp[STORAGE_PATH_MAX];
	char old[STORAGE_PATH_MAX];
	struct storage_stat stat;
	int err = find_place(storage, path, at, temp, &stat, error);

	if (err < 0)
		return err;
	if (err == 1 && stat.type == STORAGE_SYMLINK && storage_read_link(storage, at, old, sizeof(old), NULL) == 0 &&
	    strcmp(old, target) == 0)
		return 0;
	/* By a rename, for the link may be /bin/sh and there must be no instant without it. */
	err = storage->ops->unlink(storage->medium, temp);
	if (err == 0 || err == -ENOENT)
		err = storage->ops->symlink(storage->medium, target, temp);
	if (err == 0)
		err = storage->ops->rename(storage->medium, temp, at);
	if (err < 0)
		return storage_fail(error, err, "%s: link to %s", at, target);
	return storage_sync_parent(storage, at, error);
}
