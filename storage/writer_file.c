/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/internal.h"

#include <errno.h>
#include <string.h>

/*
 * New content goes to a temporary file beside the target and takes its name only after it was read back. The name
 * itself is replaced: where the target is a symbolic link, the link gives way and what it led to stays.
 */
struct file_writer {
	struct storage_writer head;
	int handle; /* of temp, -1: closed */
	bool created;
	bool has_like;
	struct writer_look look;
	struct storage_name temp;
	char like[STORAGE_PATH_MAX];
};

static int file_put(struct storage_writer *writer, const uint8_t *data, size_t length, struct error *error)
{
	struct file_writer *w = (struct file_writer *)writer;
	const struct storage_ops *ops = writer->storage->ops;
	int err = ops->write(writer->storage->medium, w->handle, writer->put, data, length);

	return err < 0 ? storage_fail(error, err, "%s: write", w->temp.name) : 0;
}

static int file_close(struct file_writer *w)
{
	int handle = w->handle;

	w->handle = -1;
	return handle < 0 ? 0 : w->head.storage->ops->close(w->head.storage->medium, handle);
}

static int file_finish(struct storage_writer *writer, const struct digest_value *expected, struct error *error)
{
	struct file_writer *w = (struct file_writer *)writer;
	struct storage *storage = writer->storage;
	int err;

	/* Attributes before the sync, so that one makes both durable; after the content, since writing clears set-id.
	 */
	if (w->has_like)
		err = attributes_copy(storage, w->like, w->temp.name, error);
	else
		err = attributes_apply_look(storage, w->temp.name, &w->look, error);
	if (err < 0)
		return err;
	err = storage->ops->sync(storage->medium, w->handle);
	if (err == 0)
		err = file_close(w);
	if (err < 0)
		return storage_fail(error, err, "%s: sync", w->temp.name);
	err = writer_verify(writer, &w->temp, expected, error);
	if (err < 0)
		return err;
	err = storage->ops->rename(storage->medium, w->temp.name, writer->name.name);
	if (err < 0)
		return storage_fail(error, err, "%s: rename to %s", w->temp.name, writer->name.name);
	w->created = false;
	return storage_sync_parent(storage, writer->name.name, error);
}

static void file_release(struct storage_writer *writer)
{
	struct file_writer *w = (struct file_writer *)writer;

	(void)file_close(w); /* a file that is thrown away */
	if (w->created)
		(void)writer->storage->ops->unlink(writer->storage->medium,
		                                   w->temp.name); /* a left-over does no harm */
}

static const struct writer_kind file_kind = {.put = file_put, .finish = file_finish, .release = file_release};

/* A left-over of an interrupted run is removed rather than reused: it may be a link, or carry attributes. */
static int open_temp(struct file_writer *w, struct error *error)
{
	struct storage *storage = w->head.storage;
	struct storage_stat stat;
	int err = storage->ops->stat(storage->medium, w->temp.name, &stat);

	if (err == 0)
		err = storage->ops->unlink(storage->medium, w->temp.name);
	if (err < 0 && err != -ENOENT)
		return storage_fail(error, err, "%s: removing an old temporary file", w->temp.name);
	err = storage->ops->open(storage->medium, w->temp.name, STORAGE_CREATE);
	if (err < 0)
		return storage_fail(error, err, "%s: create", w->temp.name);
	w->handle = err;
	w->created = true;
	return 0;
}

/* A name that leads to a directory or a device must not become a file. */
static int check_target(struct file_writer *w, struct error *error)
{
	struct storage *storage = w->head.storage;
	char real[STORAGE_PATH_MAX];
	struct storage_stat stat;

	if (storage->ops->stat(storage->medium, w->head.name.name, &stat) == 0 && stat.type == STORAGE_DIRECTORY)
		return storage_fail(error, -EISDIR, "%s", w->head.name.name);
	if (path_resolve(storage, real, w->head.name.name) == 0 &&
	    storage->ops->stat(storage->medium, real, &stat) == 0 &&
	    (stat.type == STORAGE_BLOCKDEV || stat.type == STORAGE_CHARACTER))
		return error_set(error, 0, EINVAL, "%s: a device is written as EMMC:, MTD: or UBI:", w->head.name.name);
	return 0;
}

/* The path whose attributes the file takes must exist: better said now than after an hour of writing. */
static int set_like(struct file_writer *w, const char *like, struct error *error)
{
	struct storage *storage = w->head.storage;
	struct storage_stat stat;
	int err;

	if (!like)
		return 0;
	w->has_like = true;
	err = path_make(w->like, like, error);
	if (err < 0)
		return err;
	err = path_resolve(storage, w->like, w->like);
	if (err == 0)
		err = storage->ops->stat(storage->medium, w->like, &stat);
	return err < 0 ? storage_fail(error, err, "%s: attributes", like) : 0;
}

int writer_open_file(struct storage *storage, const char *path, uint64_t size, const char *like,
                     const struct writer_look *look, struct storage_writer **writer, struct error *error)
{
	struct storage_name target = {.kind = STORAGE_FILE};
	char parent[STORAGE_PATH_MAX];
	struct storage_writer *head;
	struct file_writer *w;
	int err = path_make(target.name, path, error);

	if (err < 0)
		return err;
	head = writer_create(storage, &file_kind, sizeof(*w), &target, size);
	if (!head)
		return storage_fail(error, -ENOMEM, "%s", target.name);
	w = (struct file_writer *)head;
	w->handle = -1;
	w->look = *look;
	path_parent(parent, target.name);
	err = path_sibling(w->temp.name, target.name, STORAGE_TEMP_NAME, error);
	if (err == 0)
		err = check_target(w, error);
	if (err == 0)
		err = set_like(w, like, error);
	if (err == 0)
		err = storage_make_directories(storage, parent, 0755, error);
	if (err == 0)
		err = writer_set_chunk(head, STORAGE_CHUNK, error);
	if (err == 0)
		err = open_temp(w, error);
	if (err < 0) {
		storage_writer_abort(head);
		return err;
	}
	*writer = head;
	return 0;
}
