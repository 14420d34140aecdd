/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct storage_reader {
	struct storage *storage;
	enum storage_kind kind;
	int handle;
	uint64_t size;
	struct mtd_map map; /* MTD only */
};

int storage_read_all(struct storage *storage, int handle, uint64_t offset, void *buffer, size_t length)
{
	uint8_t *at = buffer;

	while (length > 0) {
		ssize_t n = storage->ops->read(storage->medium, handle, offset, at, length);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return -EPIPE;
		at += n;
		offset += (size_t)n;
		length -= (size_t)n;
	}
	return 0;
}

static int reader_read_at(void *ctx, uint64_t offset, void *buffer, size_t length)
{
	struct storage_reader *reader = ctx;

	if (offset > reader->size || length > reader->size - offset)
		return -EINVAL;
	if (reader->kind == STORAGE_MTD)
		return mtd_map_read(&reader->map, offset, buffer, length);
	return storage_read_all(reader->storage, reader->handle, offset, buffer, length);
}

int storage_open_object(struct storage *storage, const struct storage_name *name, enum storage_open_mode mode,
                        struct storage_location *location, int *handle, struct error *error)
{
	int err;

	location->kind = STORAGE_FILE;
	if (name->kind == STORAGE_FILE)
		err = path_make(location->path, name->name, error);
	else
		err = storage_locate(storage, name->kind, name->name, location, error);
	if (err < 0)
		return err;
	err = storage->ops->open(storage->medium, location->path, mode);
	if (err < 0)
		return storage_fail(error, err, "%s%s: open", kind_prefix(name->kind), name->name);
	*handle = err;
	return 0;
}

/* The size that can be read, and for MTD the map; the reader's handle is open. */
static int reader_measure(struct storage_reader *reader, const struct storage_name *name, struct error *error)
{
	const struct storage_ops *ops = reader->storage->ops;
	const char *prefix = kind_prefix(name->kind);
	struct storage_ubi_info ubi;
	int err;

	switch (reader->kind) {
	case STORAGE_MTD:
		err = mtd_map_open(&reader->map, reader->storage, reader->handle, name->name, error);
		reader->size = err < 0 ? 0 : mtd_map_size(&reader->map);
		reader->map.label = ""; /* a reader retires no blocks, and name may not live as long as it */
		return err;
	case STORAGE_UBI:
		err = ops->ubi_info(reader->storage->medium, reader->handle, &ubi);
		if (err == 0 && ubi.interrupted)
			return error_set(error, RESULT_VERIFY, EUCLEAN,
			                 "%s%s: the volume's last update was interrupted", prefix, name->name);
		reader->size = err < 0 ? 0 : ubi.used;
		break;
	default:
		err = ops->size(reader->storage->medium, reader->handle, &reader->size);
	}
	return err < 0 ? storage_fail(error, err, "%s%s: size", prefix, name->name) : 0;
}

int storage_reader_open(struct storage *storage, const struct storage_name *name, struct storage_reader **reader,
                        struct error *error)
{
	struct storage_location location;
	struct storage_reader *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return storage_fail(error, -ENOMEM, "%s", name->name);
	r->storage = storage;
	r->handle = -1;
	err = storage_open_object(storage, name, STORAGE_READ, &location, &r->handle, error);
	if (err == 0) {
		r->kind = location.kind;
		err = reader_measure(r, name, error);
	}
	if (err < 0) {
		storage_reader_close(r);
		return err;
	}
	*reader = r;
	return 0;
}

struct reader storage_reader_io(struct storage_reader *reader)
{
	return (struct reader){.read_at = reader_read_at, .ctx = reader, .size = reader->size};
}

void storage_reader_close(struct storage_reader *reader)
{
	if (!reader)
		return;
	mtd_map_close(&reader->map);
	if (reader->handle >= 0)
		(void)reader->storage->ops->close(reader->storage->medium,
		                                  reader->handle); /* only read: nothing to lose */
	free(reader);
}

int storage_digest(const struct reader *reader, uint64_t length, enum digest_kind kind, struct digest_value *value,
                   struct error *error)
{
	struct digest digest;
	uint8_t *buffer;
	int err = 0;

	if (length > reader->size)
		return error_set(error, RESULT_VERIFY, EINVAL, "%llu bytes wanted of %llu", (unsigned long long)length,
		                 (unsigned long long)reader->size);
	buffer = malloc(STORAGE_CHUNK);
	if (!buffer)
		return storage_fail(error, -ENOMEM, "digest");
	digest_start(&digest, kind);
	for (uint64_t at = 0; at < length && err == 0;) {
		size_t n = length - at < STORAGE_CHUNK ? (size_t)(length - at) : STORAGE_CHUNK;

		err = reader->read_at(reader->ctx, at, buffer, n);
		if (err < 0)
			(void)storage_fail(error, err, "reading at %llu", (unsigned long long)at);
		else
			digest_add(&digest, buffer, n);
		at += n;
	}
	digest_finish(&digest, value);
	free(buffer);
	return err;
}
