/* SPDX-License-Identifier: Apache-2.0 */
#include "updater/extract.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CHUNK 16384

static int stream_chunk(struct stream *stream, uint64_t left, uint8_t *buffer, size_t *length)
{
	*length = left < CHUNK ? (size_t)left : CHUNK;
	return stream_read_all(stream, buffer, *length);
}

/* Reads one byte beyond the end: only that tells the package to check its CRC. */
static int expect_end(struct stream *stream)
{
	uint8_t byte;
	ssize_t n = stream->read(stream->ctx, &byte, 1);

	return n > 0 ? -EFBIG : (int)n;
}

/* 1: the same, 0: not, or the object cannot be read. A content that cannot be read is an error. */
static int compare(const struct reader *object, struct stream *stream, uint64_t size, struct journal *journal)
{
	uint8_t fresh[CHUNK];
	uint8_t old[CHUNK];
	size_t length;

	for (uint64_t offset = 0; offset < size; offset += length) {
		int err = stream_chunk(stream, size - offset, fresh, &length);

		if (err < 0)
			return err;
		journal_count(journal, length);
		if (object->read_at(object->ctx, offset, old, length) < 0 || memcmp(fresh, old, length) != 0)
			return 0;
	}
	return 1;
}

static int is_there(const struct extract *extract)
{
	const struct storage_name *target = extract->target;
	const struct content *content = extract->content;
	struct storage *storage = extract->storage;
	struct storage_reader *file;
	struct storage_stat stat;
	struct stream stream;
	struct reader io;
	int err;

	if (target->kind == STORAGE_FILE &&
	    (storage_stat_path(storage, target->name, &stat) < 0 || stat.type != STORAGE_REGULAR))
		return 0;
	if (storage_reader_open(storage, target, &file, NULL) < 0)
		return 0;
	io = storage_reader_io(file);
	err = 0;
	if (target->kind == STORAGE_FILE ? io.size != content->size : io.size < content->size)
		goto out;
	err = content->open(content->ctx, 0, &stream);
	if (err < 0)
		goto out;
	err = compare(&io, &stream, content->size, extract->journal);
	stream_close(&stream);
out:
	storage_reader_close(file);
	return err;
}

static int content_digest(const struct content *content, struct digest_value *value)
{
	struct digest digest;
	struct stream stream;
	uint8_t buffer[CHUNK];
	size_t length;
	int err = content->open(content->ctx, 0, &stream);

	if (err < 0)
		return err;
	digest_start(&digest, DIGEST_SHA256);
	for (uint64_t offset = 0; err == 0 && offset < content->size; offset += length) {
		err = stream_chunk(&stream, content->size - offset, buffer, &length);
		if (err == 0)
			digest_add(&digest, buffer, length);
	}
	if (err == 0)
		err = expect_end(&stream);
	stream_close(&stream);
	digest_finish(&digest, value);
	return err;
}

static int copy(const struct content *content, struct storage_writer *writer, struct error *error)
{
	struct stream stream;
	uint8_t buffer[CHUNK];
	size_t length;
	int err = content->open(content->ctx, 0, &stream);

	if (err < 0)
		return error_set(error, RESULT_UNPACK, -err, "%s", strerror(-err));
	for (uint64_t offset = 0; offset < content->size; offset += length) {
		err = stream_chunk(&stream, content->size - offset, buffer, &length);
		if (err < 0)
			goto unreadable;
		err = storage_writer_write(writer, buffer, length, error);
		if (err < 0)
			goto out;
	}
	err = expect_end(&stream);
	if (err == 0)
		goto out;
unreadable:
	(void)error_set(error, RESULT_UNPACK, -err, "reading the content: %s", strerror(-err));
out:
	stream_close(&stream);
	return err;
}

static const char *model_path(struct storage *storage, const struct storage_name *target)
{
	struct storage_stat stat;

	if (target->kind != STORAGE_FILE || storage_stat_path(storage, target->name, &stat) < 0)
		return NULL;
	return stat.type == STORAGE_REGULAR ? target->name : NULL;
}

static int replace(struct storage *storage, const struct content *content, const struct storage_name *target,
                   struct error *error)
{
	const char *like = model_path(storage, target);
	struct storage_writer *writer;
	struct digest_value digest;
	bool raw = !storage_is_atomic(target);
	int err = raw ? content_digest(content, &digest) : 0;

	if (err < 0)
		return error_set(error, RESULT_UNPACK, -err, "reading the content: %s", strerror(-err));
	err = storage_writer_open(storage, target, content->size, like, &writer, error);
	if (err < 0)
		return err;
	err = copy(content, writer, error);
	if (err < 0) {
		storage_writer_abort(writer);
		return err;
	}
	return storage_writer_commit(writer, raw ? &digest : NULL, error);
}

static bool is_on_record(const struct extract *extract)
{
	uint64_t size;

	return extract->digest && journal_vouches(extract->journal, extract->target, &extract->digest, 1, &size) &&
	       size == extract->content->size;
}

int extract_content(const struct extract *extract, struct error *error)
{
	const struct storage_name *target = extract->target;
	int err;

	if (is_on_record(extract)) {
		log_printf(extract->log, "%s: already as in the package, says the journal", target->name);
		return 0;
	}
	err = journal_is_interrupted(extract->journal, target) ? 0 : is_there(extract);
	if (err < 0) {
		(void)error_set(error, RESULT_UNPACK, -err, "reading the content: %s", strerror(-err));
	} else if (err == 1) {
		log_printf(extract->log, "%s: already as in the package", target->name);
		err = 0;
	} else {
		journal_begin_write(extract->journal, target);
		err = replace(extract->storage, extract->content, target, error);
	}
	if (err < 0)
		error_prefix(error, "%.180s", target->name);
	else if (extract->digest)
		journal_record(extract->journal, target, extract->digest, extract->content->size);
	return err;
}

int extract_partition_name(const char *text, struct storage_name *name, struct error *error)
{
	size_t length = strlen(text);

	if (text[strcspn(text, ":/")] == ':')
		return storage_name_parse(text, name, error);
	if (length == 0 || length >= sizeof(name->name) || (*text != '/' && strchr(text, '/')))
		return error_set(error, 0, EINVAL, "\"%.80s\": not a partition", text);
	memset(name, 0, sizeof(*name));
	name->kind = *text == '/' ? STORAGE_BLOCK : STORAGE_MTD;
	(void)snprintf(name->name, sizeof(name->name), "%s", text);
	return 0;
}
