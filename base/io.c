/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int stream_read_all(struct stream *stream, void *buffer, size_t length)
{
	uint8_t *at = buffer;

	while (length > 0) {
		ssize_t n = stream->read(stream->ctx, at, length);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return -EPIPE;
		at += n;
		length -= (size_t)n;
	}
	return 0;
}

void stream_close(struct stream *stream)
{
	if (stream->close)
		stream->close(stream->ctx);
	memset(stream, 0, sizeof(*stream));
}

struct reader_stream {
	const struct reader *reader;
	uint64_t offset;
};

static ssize_t reader_stream_read(void *ctx, void *buffer, size_t length)
{
	struct reader_stream *s = ctx;
	uint64_t left = s->reader->size - s->offset;
	int err;

	if (length > left)
		length = (size_t)left;
	if (length == 0)
		return 0;
	err = s->reader->read_at(s->reader->ctx, s->offset, buffer, length);
	if (err < 0)
		return err;
	s->offset += length;
	return (ssize_t)length;
}

static int reader_stream_open(void *ctx, uint64_t offset, struct stream *stream)
{
	const struct reader *reader = ctx;
	struct reader_stream *s;

	if (offset > reader->size)
		return -EINVAL;
	s = malloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->reader = reader;
	s->offset = offset;
	*stream = (struct stream){.read = reader_stream_read, .close = free, .ctx = s};
	return 0;
}

struct content content_from_reader(const struct reader *reader)
{
	return (struct content){.open = reader_stream_open, .ctx = (void *)reader, .size = reader->size};
}

static int memory_read_at(void *ctx, uint64_t offset, void *buffer, size_t length)
{
	const struct memory_block *block = ctx;

	if (offset > block->size || length > block->size - offset)
		return -EINVAL;
	memcpy(buffer, (const uint8_t *)block->data + offset, length);
	return 0;
}

struct reader reader_from_memory(struct memory_block *block)
{
	return (struct reader){.read_at = memory_read_at, .ctx = block, .size = block->size};
}

static int file_read_at(void *ctx, uint64_t offset, void *buffer, size_t length)
{
	const int *fd = ctx;
	uint8_t *at = buffer;

	while (length > 0) {
		ssize_t n = pread(*fd, at, length, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		offset += (uint64_t)n;
		length -= (size_t)n;
	}
	return 0;
}

struct reader reader_from_file(const int *fd, uint64_t size)
{
	return (struct reader){.read_at = file_read_at, .ctx = (void *)fd, .size = size};
}
