/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct storage_writer *writer_create(struct storage *storage, const struct writer_kind *kind, size_t struct_size,
                                     const struct storage_name *target, uint64_t size)
{
	struct storage_writer *writer = calloc(1, struct_size);

	if (!writer)
		return NULL;
	writer->kind = kind;
	writer->storage = storage;
	writer->name = *target;
	writer->size = size;
	digest_start(&writer->digest, DIGEST_SHA256);
	return writer;
}

int writer_set_chunk(struct storage_writer *writer, size_t chunk, struct error *error)
{
	writer->buffer = malloc(chunk);
	if (!writer->buffer)
		return storage_fail(error, -ENOMEM, "%s", writer->name.name);
	writer->chunk = chunk;
	return 0;
}

static int open_device(struct storage *storage, const struct storage_name *target, uint64_t size,
                       struct storage_writer **writer, struct error *error)
{
	struct storage_location location;
	int handle;
	int err = storage_open_object(storage, target, STORAGE_WRITE, &location, &handle, error);

	if (err < 0)
		return err;
	if (location.kind == STORAGE_MTD)
		return writer_open_mtd(storage, target, size, handle, writer, error);
	if (location.kind == STORAGE_UBI)
		return writer_open_ubi(storage, target, size, handle, writer, error);
	return writer_open_block(storage, target, size, handle, writer, error);
}

int storage_writer_open(struct storage *storage, const struct storage_name *target, uint64_t size, const char *like,
                        struct storage_writer **writer, struct error *error)
{
	static const struct writer_look look = {.as_root = true, .mode = 0644};

	if (target->kind == STORAGE_FILE)
		return writer_open_file(storage, target->name, size, like, &look, writer, error);
	return open_device(storage, target, size, writer, error);
}

static int writer_put(struct storage_writer *writer, const uint8_t *data, size_t length, struct error *error)
{
	int err = writer->kind->put(writer, data, length, error);

	writer->put += length;
	return err;
}

static int writer_add(struct storage_writer *writer, const uint8_t *data, size_t length, struct error *error)
{
	while (length > 0) {
		size_t n = writer->chunk - writer->fill;
		int err = 0;

		if (n > length)
			n = length;
		if (n == writer->chunk) {
			err = writer_put(writer, data, n, error);
		} else {
			memcpy(writer->buffer + writer->fill, data, n);
			writer->fill += n;
			if (writer->fill == writer->chunk) {
				writer->fill = 0;
				err = writer_put(writer, writer->buffer, writer->chunk, error);
			}
		}
		if (err < 0)
			return err;
		data += n;
		length -= n;
	}
	return 0;
}

int storage_writer_write(struct storage_writer *writer, const void *data, size_t length, struct error *error)
{
	const char *prefix = kind_prefix(writer->name.kind);
	int err;

	if (writer->failed)
		return error_set(error, 0, EIO, "%s%s: an earlier write failed", prefix, writer->name.name);
	if (length > writer->size - writer->received) {
		writer->failed = true;
		return error_set(error, 0, EFBIG, "%s%s: more than the announced %llu bytes", prefix, writer->name.name,
		                 (unsigned long long)writer->size);
	}
	writer->received += length;
	digest_add(&writer->digest, data, length);
	err = writer_add(writer, data, length, error);
	writer->failed = err < 0;
	return err;
}

int writer_verify(struct storage_writer *writer, const struct storage_name *where, const struct digest_value *expected,
                  struct error *error)
{
	char wanted_text[DIGEST_TEXT_SIZE];
	char found_text[DIGEST_TEXT_SIZE];
	const char *prefix = kind_prefix(writer->name.kind);
	struct storage_reader *reader;
	struct digest digest = writer->digest;
	struct digest_value wanted;
	struct digest_value found;
	struct reader io;
	int err;

	digest_finish(&digest, &wanted);
	if (expected)
		wanted = *expected;
	err = storage_reader_open(writer->storage, where, &reader, error);
	if (err < 0)
		return err;
	io = storage_reader_io(reader);
	err = storage_digest(&io, writer->size, wanted.kind, &found, error);
	storage_reader_close(reader);
	if (err < 0) {
		error_prefix(error, "%s%s: read back", prefix, writer->name.name);
		return err;
	}
	if (!digest_equal(&wanted, &found))
		return error_set(error, RESULT_VERIFY, EBADMSG,
		                 "%s%s: wrong content after writing: expected %s, found %s", prefix, writer->name.name,
		                 digest_format(&wanted, wanted_text), digest_format(&found, found_text));
	return 0;
}

static void writer_end(struct storage_writer *writer)
{
	writer->kind->release(writer);
	free(writer->buffer);
	free(writer);
}

static int writer_finish(struct storage_writer *writer, const struct digest_value *expected, struct error *error)
{
	const char *prefix = kind_prefix(writer->name.kind);
	int err = 0;

	if (writer->failed)
		return error_set(error, 0, EIO, "%s%s: an earlier write failed", prefix, writer->name.name);
	if (writer->received != writer->size)
		return error_set(error, 0, EINVAL, "%s%s: %llu bytes came of %llu", prefix, writer->name.name,
		                 (unsigned long long)writer->received, (unsigned long long)writer->size);
	if (writer->fill > 0)
		err = writer_put(writer, writer->buffer, writer->fill, error);
	return err < 0 ? err : writer->kind->finish(writer, expected, error);
}

int storage_writer_commit(struct storage_writer *writer, const struct digest_value *expected, struct error *error)
{
	int err = writer_finish(writer, expected, error);

	writer_end(writer);
	return err;
}

void storage_writer_abort(struct storage_writer *writer)
{
	if (writer)
		writer_end(writer);
}

static int writer_sink_write(void *ctx, const void *data, size_t length)
{
	return storage_writer_write(ctx, data, length, NULL);
}

struct sink storage_writer_io(struct storage_writer *writer)
{
	return (struct sink){.write = writer_sink_write, .ctx = writer};
}
