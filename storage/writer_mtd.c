/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One erase block at a time: erase, program, read back; bad blocks are skipped, as every reader of the image does. */
struct mtd_writer {
	struct storage_writer head;
	struct mtd_map map;
	uint32_t next; /* index of the good block that takes the next bytes */
	uint8_t *back; /* an erase block, to read back */
	int handle;
};

/* Write to the next good block that takes it. */
static int write_block(struct mtd_writer *w, const uint8_t *data, size_t length, struct error *error)
{
	const struct storage_ops *ops = w->head.storage->ops;
	const char *name = w->head.name.name;

	while (w->next < w->map.count) {
		uint64_t offset = mtd_map_offset(&w->map, w->next);
		int err = mtd_map_write_block(&w->map, w->next, data, length, w->back);

		if (err == 0) {
			w->next++;
			return 0;
		}
		if (!mtd_is_block_failure(err))
			return storage_fail(error, err, "MTD:%s: block at 0x%08llx", name, (unsigned long long)offset);
		/* Half-written content shall not outlive the block; an erase that fails changes nothing. */
		(void)ops->mtd_erase(w->head.storage->medium, w->handle, offset);
		err = mtd_map_retire(&w->map, w->next, error);
		if (err < 0)
			return err;
	}
	return error_set(error, RESULT_SPACE, ENOSPC, "MTD:%s: too small: %u blocks went bad, %llu bytes left for %llu",
	                 name, w->map.retired, (unsigned long long)mtd_map_size(&w->map),
	                 (unsigned long long)w->head.size);
}

static int mtd_put(struct storage_writer *writer, const uint8_t *data, size_t length, struct error *error)
{
	struct mtd_writer *w = (struct mtd_writer *)writer;
	size_t padded = (length + w->map.page_size - 1) / w->map.page_size * w->map.page_size;

	if (padded > length) {
		/* Only the image's last bytes come short of a page, and they come from the head's own buffer. */
		memset(writer->buffer + length, 0xff, padded - length);
		data = writer->buffer;
	}
	return write_block(w, data, padded, error);
}

static int mtd_finish(struct storage_writer *writer, const struct digest_value *expected, struct error *error)
{
	struct mtd_writer *w = (struct mtd_writer *)writer;
	int err = mtd_map_erase_from(&w->map, w->next, error);

	return err < 0 ? err : writer_verify(writer, &writer->name, expected, error);
}

static void mtd_release(struct storage_writer *writer)
{
	struct mtd_writer *w = (struct mtd_writer *)writer;

	mtd_map_close(&w->map);
	free(w->back);
	if (w->handle >= 0)
		(void)writer->storage->ops->close(writer->storage->medium,
		                                  w->handle); /* all was written through and read back */
}

static const struct writer_kind mtd_kind = {.put = mtd_put, .finish = mtd_finish, .release = mtd_release};

int writer_open_mtd(struct storage *storage, const struct storage_name *target, uint64_t size, int handle,
                    struct storage_writer **writer, struct error *error)
{
	struct storage_writer *head = writer_create(storage, &mtd_kind, sizeof(struct mtd_writer), target, size);
	struct mtd_writer *w;
	int err;

	if (!head) {
		(void)storage->ops->close(storage->medium, handle); /* nothing was written */
		return storage_fail(error, -ENOMEM, "%s%s", kind_prefix(target->kind), target->name);
	}
	w = (struct mtd_writer *)head;
	w->handle = handle;
	err = mtd_map_open(&w->map, storage, handle, head->name.name, error);
	if (err == 0 && mtd_map_size(&w->map) < size)
		err = error_set(error, RESULT_SPACE, ENOSPC,
		                "MTD:%s: %llu bytes do not fit into its good blocks, %llu bytes", target->name,
		                (unsigned long long)size, (unsigned long long)mtd_map_size(&w->map));
	if (err == 0)
		err = writer_set_chunk(head, w->map.erase_size, error);
	if (err == 0) {
		w->back = malloc(w->map.erase_size);
		err = w->back ? 0 : storage_fail(error, -ENOMEM, "MTD:%s", target->name);
	}
	if (err < 0) {
		storage_writer_abort(head);
		return err;
	}
	*writer = head;
	return 0;
}
