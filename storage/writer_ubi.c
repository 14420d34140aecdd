/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/internal.h"

#include <errno.h>

#define UBI_MAX_CHUNK (512u << 10)

/*
 * A volume update. It begins with the update marker, which drops the old content, and only the last announced byte
 * lifts it; there is no way back into an interrupted update but a new one from the first byte.
 */
struct ubi_writer {
	struct storage_writer head;
	int handle; /* -1: closed */
	bool started;
};

static int ubi_start(struct ubi_writer *w, struct error *error)
{
	int err = w->head.storage->ops->ubi_update(w->head.storage->medium, w->handle, w->head.size);

	w->started = err == 0;
	if (err == -EBUSY)
		return error_set(error, 0, EBUSY, "UBI:%s: the volume is in use (mounted, or open elsewhere)",
		                 w->head.name.name);
	return err < 0 ? storage_fail(error, err, "UBI:%s: starting an update of %llu bytes", w->head.name.name,
	                              (unsigned long long)w->head.size)
	               : 0;
}

static int ubi_put(struct storage_writer *writer, const uint8_t *data, size_t length, struct error *error)
{
	struct ubi_writer *w = (struct ubi_writer *)writer;
	int err = w->started ? 0 : ubi_start(w, error);

	if (err < 0)
		return err;
	err = writer->storage->ops->ubi_write(writer->storage->medium, w->handle, data, length);
	return err < 0 ? storage_fail(error, err, "UBI:%s: write at %llu", writer->name.name,
	                              (unsigned long long)writer->put)
	               : 0;
}

static int ubi_finish(struct storage_writer *writer, const struct digest_value *expected, struct error *error)
{
	struct ubi_writer *w = (struct ubi_writer *)writer;
	const struct storage_ops *ops = writer->storage->ops;
	int err = w->started ? 0 : ubi_start(w, error);

	if (err < 0)
		return err;
	err = ops->sync(writer->storage->medium, w->handle);
	if (err == 0) {
		err = ops->close(writer->storage->medium, w->handle);
		w->handle = -1;
	}
	if (err < 0)
		return storage_fail(error, err, "UBI:%s: sync", writer->name.name);
	return writer_verify(writer, &writer->name, expected, error);
}

static void ubi_release(struct storage_writer *writer)
{
	struct ubi_writer *w = (struct ubi_writer *)writer;

	if (w->handle >= 0)
		(void)writer->storage->ops->close(writer->storage->medium,
		                                  w->handle); /* the writer has failed already */
}

static const struct writer_kind ubi_kind = {.put = ubi_put, .finish = ubi_finish, .release = ubi_release};

int writer_open_ubi(struct storage *storage, const struct storage_name *target, uint64_t size, int handle,
                    struct storage_writer **writer, struct error *error)
{
	struct storage_ubi_info info = {0};
	struct storage_writer *head = writer_create(storage, &ubi_kind, sizeof(struct ubi_writer), target, size);
	int err;

	if (!head) {
		(void)storage->ops->close(storage->medium, handle); /* nothing was written */
		return storage_fail(error, -ENOMEM, "%s%s", kind_prefix(target->kind), target->name);
	}
	((struct ubi_writer *)head)->handle = handle;
	err = storage->ops->ubi_info(storage->medium, handle, &info);
	if (err < 0)
		(void)storage_fail(error, err, "UBI:%s: size", target->name);
	else if (info.size < size)
		err = error_set(error, RESULT_SPACE, ENOSPC, "UBI:%s: %llu bytes do not fit into the volume's %llu",
		                target->name, (unsigned long long)size, (unsigned long long)info.size);
	if (err == 0) /* whole LEBs spare the kernel a copy */
		err = writer_set_chunk(
			head, info.leb_size > 0 && info.leb_size <= UBI_MAX_CHUNK ? info.leb_size : STORAGE_CHUNK,
			error);
	if (err < 0) {
		storage_writer_abort(head);
		return err;
	}
	*writer = head;
	return 0;
}
