/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_CODEC_H
#define PATCH_CODEC_H

/*
 * What the codecs of this room share. One convention holds inside the room: a reader or a sink handed to a codec has
 * filled the error when it fails, so that a codec passes the failure on as it is. The two adapters below make such a
 * reader and such a sink of the caller's.
 */
#include "base/error.h"
#include "base/io.h"
#include <errno.h>
#include <stdint.h>

#define PATCH_MAGIC_SIZE 8

/* The one way to say that the patch is at fault. The value is spelt out so that analysers see that it is a failure. */
#define patch_broken(error, ...) ((void)error_set((error), RESULT_VERIFY, EINVAL, __VA_ARGS__), -EINVAL)

static inline int patch_no_memory(struct error *error)
{
	(void)error_set(error, 0, ENOMEM, "patch: out of memory");
	return -ENOMEM;
}

/* A stream's failure: content that ends before its own size is a broken patch, anything else is its own error. */
int patch_read_failed(struct error *error, int err);

/* Read from a stream opened for this alone. */
int patch_read_at(const struct content *patch, uint64_t offset, void *buffer, size_t length, struct error *error);

/* A part of the old content, known to lie inside it. */
struct old_range {
	const struct reader *old;
	uint64_t start;
	uint64_t size;
	struct error *error;
};
struct reader reader_from_range(struct old_range *range);

/* The caller's sink, never given more than `left` bytes in all. */
struct bounded_sink {
	const struct sink *sink;
	uint64_t left;
	struct error *error;
};
struct sink sink_from_bounded(struct bounded_sink *bounded);

#endif
