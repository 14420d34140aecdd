/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/internal.h"

#include <errno.h>

/* A block device, or a file that stands for a partition, overwritten from its start; what lies behind stays. */
struct block_writer {
	struct storage_writer head;
	int handle; /* -1: closed */
};

static int block_put(struct storage_writer *writer, const uint8_t *data, size_t length, struct error *error)
{
	struct block_writer *w = (struct block_writer *)writer;
	int err = writer->storage->ops->write(writer->storage->medium, w->handle, writer->put, data, length);

	return err < 0 ? storage_fail(error, err, "%s%s: write at %llu", kind_prefix(writer->name.kind),
	                              writer->name.name, (unsigned long long)writer->put)
	               : 0;
}

static int block_finish(struct storage_writer *writer, const struct digest_value *expected, struct error *error)
{
	struct block_writer *w = (struct block_writer *)writer;
	const struct storage_ops *ops = writer->storage->ops;
	int err = ops->sync(writer->storage->medium, w->handle);

	if (err == 0) {
		err = ops->close(writer->storage->medium, w->handle);
		w->handle = -1;
	}
	if (err < 0)
		return storage_fail(error, err, "%s%s: sync", kind_prefix(writer->name.kind), writer->name.name);
	return writer_verify(writer, &writer->name, expected, error);
}

static void block_release(struct storage_writer *writer)
{
	struct block_writer *w = (struct block_writer *)writer;

	if (w->handle >= 0)
		(void)writer->storage->ops->close(writer->storage->medium,
		                                  w->handle); /* the writer has failed already */
}

static const struct writer_kind block_kind = {.put = block_put, .finish = block_finish, .release = block_release};

int writer_open_block(struct storage *storage, const struct storage_name *target, uint64_t size, int handle,
                      struct storage_writer **writer, struct error *error)
{
	const char *prefix = kind_prefix(target->kind);
	struct storage_writer *head = writer_create(storage, &block_kind, sizeof(struct block_writer), target, size);
	uint64_t capacity = 0;
	int err;

	if (!head) {
		(void)storage->ops->close(storage->medium, handle); /* nothing was written */
		return storage_fail(error, -ENOMEM, "%s%s", kind_prefix(target->kind), target->name);
	}
	((struct block_writer *)head)->handle = handle;
	err = storage->ops->size(storage->medium, handle, &capacity);
	if (err < 0)
		(void)storage_fail(error, err, "%s%s: size", prefix, target->name);
	else if (capacity < size)
		err = error_set(error, RESULT_SPACE, ENOSPC, "%s%s: %llu bytes do not fit into the partition's %llu",
		                prefix, target->name, (unsigned long long)size, (unsigned long long)capacity);
	if (err == 0)
		err = writer_set_chunk(head, STORAGE_CHUNK, error);
	if (err < 0) {
		storage_writer_abort(head);
		return err;
	}
	*writer = head;
	return 0;
}
