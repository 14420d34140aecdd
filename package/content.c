/* SPDX-License-Identifier: Apache-2.0 */
#include "package/index.h"

#include "base/bytes.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define INPUT_SIZE 16384
#define HEAD_SIZE  (ZIP_LOCAL_SIZE + 1)

/*
 * One open entry. Deflated data go through libarchive's streaming zip reader, which gets a local header written here
 * from what the directory says and then exactly the packed bytes: nothing of the archive's own headers reaches it.
 */
struct entry_stream {
	const struct reader *zip;
	struct archive *inflater; /* NULL for a stored entry */
	uint64_t next;            /* offset of the packed bytes not read yet */
	uint64_t packed_left;     /* bytes */
	uint64_t position;        /* unpacked bytes produced so far */
	uint64_t size;
	uint32_t expected_crc;
	uint32_t crc;
	bool whole;     /* produced from its first byte on, so that the CRC can be told */
	bool head_sent; /* the inflater has the header */
	bool finished;  /* the end was checked */
	int failure;    /* negative errno that every later read repeats */
	uint8_t head[HEAD_SIZE];
	uint8_t input[INPUT_SIZE];
};

static void stream_end(void *ctx)
{
	struct entry_stream *s = ctx;

	if (s->inflater)
		(void)archive_read_free(s->inflater); /* nothing that could fail matters any more */
	free(s);
}

static int read_packed(struct entry_stream *s, void *buffer, size_t length)
{
	int err = s->zip->read_at(s->zip->ctx, s->next, buffer, length);

	if (err < 0)
		return s->failure = err;
	s->next += length;
	s->packed_left -= length;
	return 0;
}

static la_ssize_t feed_inflater(struct archive *archive, void *ctx, const void **buffer)
{
	struct entry_stream *s = ctx;
	size_t length = s->packed_left < INPUT_SIZE ? (size_t)s->packed_left : INPUT_SIZE;

	if (!s->head_sent) {
		s->head_sent = true;
		*buffer = s->head;
		return HEAD_SIZE;
	}
	if (length > 0 && read_packed(s, s->input, length) < 0) {
		archive_set_error(archive, -s->failure, "cannot read package");
		return ARCHIVE_FATAL;
	}
	*buffer = s->input;
	return (la_ssize_t)length;
}

static void write_head(uint8_t head[HEAD_SIZE], const struct zip_record *record)
{
	memset(head, 0, HEAD_SIZE);
	put_le32(head, ZIP_LOCAL_SIGNATURE);
	put_le16(head + 4, 20); /* version needed: deflate */
	put_le16(head + 8, ZIP_DEFLATED);
	put_le32(head + 14, record->entry.crc32);
	put_le32(head + 18, (uint32_t)record->entry.packed_size);
	put_le32(head + 22, (uint32_t)record->entry.size);
	put_le16(head + 26, 1);
	head[ZIP_LOCAL_SIZE] = 'x';
}

static int start_inflater(struct entry_stream *s)
{
	struct archive_entry *entry;

	s->inflater = archive_read_new();
	if (!s->inflater)
		return -ENOMEM;
	if (archive_read_support_format_zip_streamable(s->inflater) != ARCHIVE_OK ||
	    archive_read_open(s->inflater, s, NULL, feed_inflater, NULL) != ARCHIVE_OK ||
	    archive_read_next_header(s->inflater, &entry) != ARCHIVE_OK)
		return s->failure < 0 ? s->failure : -EBADMSG;
	return 0;
}

/* Up to length bytes of the content, 0 when there are no more. */
static ssize_t produce(struct entry_stream *s, void *buffer, size_t length)
{
	la_ssize_t n;

	if (!s->inflater) {
		int err;

		if (length > s->packed_left)
			length = (size_t)s->packed_left;
		err = read_packed(s, buffer, length);
		return err < 0 ? err : (ssize_t)length;
	}
	n = archive_read_data(s->inflater, buffer, length);
	if (n < 0)
		return s->failure < 0 ? s->failure : -EBADMSG;
	return n;
}

/* All bytes are out: the CRC must be right and nothing may be left. */
static int check_end(struct entry_stream *s)
{
	uint8_t surplus;
	ssize_t n;

	s->finished = true;
	if (s->whole && s->crc != s->expected_crc)
		return -EBADMSG;
	n = produce(s, &surplus, 1);
	return n > 0 ? -EBADMSG : (int)n;
}

static ssize_t stream_next(void *ctx, void *buffer, size_t length)
{
	struct entry_stream *s = ctx;
	ssize_t n = 0;

	if (s->failure < 0)
		return s->failure;
	if (length > INT32_MAX)
		length = INT32_MAX; /* what ssize_t and zlib can count */
	if (length > s->size - s->position)
		length = (size_t)(s->size - s->position);
	if (length > 0) {
		n = produce(s, buffer, length);
		if (n <= 0)
			return s->failure = n < 0 ? (int)n : -EBADMSG;
		s->position += (size_t)n;
		if (s->whole)
			s->crc = (uint32_t)crc32(s->crc, buffer, (uInt)n);
	}
	if (s->position == s->size && !s->finished)
		s->failure = check_end(s);
	return s->failure < 0 ? s->failure : n;
}

static int skip_to(struct entry_stream *s, uint64_t offset)
{
	uint8_t discarded[4096];

	while (s->position < offset) {
		uint64_t left = offset - s->position;
		ssize_t n = stream_next(s, discarded, left < sizeof(discarded) ? (size_t)left : sizeof(discarded));

		if (n < 0)
			return (int)n;
	}
	return 0;
}

static int stream_start(struct entry_stream *s, const struct zip_record *record, uint64_t offset)
{
	int err;

	s->packed_left = record->entry.packed_size;
	s->size = record->entry.size;
	s->expected_crc = record->entry.crc32;
	if (offset > s->size)
		return -EINVAL;
	if (record->method == ZIP_STORED) {
		s->whole = offset == 0;
		s->next += offset;
		s->packed_left -= offset;
		s->position = offset;
		return 0;
	}
	s->whole = true;
	write_head(s->head, record);
	err = start_inflater(s);
	return err < 0 ? err : skip_to(s, offset);
}

static int content_open(void *ctx, uint64_t offset, struct stream *stream)
{
	const struct index_entry *entry = ctx;
	const struct package *package = entry->package;
	struct zip_record record;
	struct entry_stream *s;
	struct error error;
	uint32_t data = entry->data;
	int err;

	err = zip_read_record(package->zip, &package->directory, entry->record, &record, NULL);
	if (err < 0)
		return err;
	if (package->unchecked)
		err = zip_check_local(package->zip, &package->directory, &record, &data, &error);
	if (err < 0)
		return error.code == RESULT_FORMAT ? -EBADMSG : err;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->zip = package->zip;
	s->next = data;
	err = stream_start(s, &record, offset);
	if (err < 0) {
		stream_end(s);
		return err;
	}
	*stream = (struct stream){.read = stream_next, .close = stream_end, .ctx = s};
	return 0;
}

struct content package_content(struct package *package, uint32_t index)
{
	struct package_entry entry;

	/* A directory that was read before and cannot be read now: open() will say so. */
	if (package_entry(package, index, &entry, NULL) < 0)
		entry.size = 0;
	return (struct content){.open = content_open, .ctx = &package->entries[index], .size = entry.size};
}
