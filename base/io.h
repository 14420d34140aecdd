/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_IO_H
#define BASE_IO_H

/*
 * How bytes travel between rooms that know nothing of each other. All functions return 0 (or a count) or a negative
 * errno value. None of these own their ctx unless they have a close.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Random access to content of a known size. */
struct reader {
	int (*read_at)(void *ctx, uint64_t offset, void *buffer, size_t length); /* all of length, or an error */
	void *ctx;
	uint64_t size; /* bytes */
};

/* Content read once, forward. */
struct stream {
	ssize_t (*read)(void *ctx, void *buffer, size_t length); /* bytes read, 0 at the end */
	void (*close)(void *ctx);
	void *ctx;
};

/* Content of a known size that can be streamed several times at once, each from any offset: a package entry, a file. */
struct content {
	int (*open)(void *ctx, uint64_t offset, struct stream *stream);
	void *ctx;
	uint64_t size; /* bytes */
};

/* Where produced bytes go, in order. */
struct sink {
	int (*write)(void *ctx, const void *data, size_t length); /* all of it, or an error */
	void *ctx;
};

/* Fill the buffer whole from the stream; -EPIPE when the stream ends before that. */
int stream_read_all(struct stream *stream, void *buffer, size_t length);

void stream_close(struct stream *stream); /* tolerates a zeroed stream and zeroes it */

/* Content over a reader; the reader must outlive the content and every stream opened from it. */
struct content content_from_reader(const struct reader *reader);

/* A reader over memory that the caller keeps. */
struct memory_block {
	const void *data;
	size_t size;
};
struct reader reader_from_memory(struct memory_block *block);

/* A reader over an open file of this size; the descriptor must stay where it is, and open. */
struct reader reader_from_file(const int *fd, uint64_t size);

#endif
