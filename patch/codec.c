/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/codec.h"

#include <inttypes.h>
#include <string.h>

int patch_read_failed(struct error *error, int err)
{
	if (err == -EPIPE)
		return patch_broken(error, "patch: the content ends before its size");
	return error_set(error, 0, -err, "patch: cannot be read: %s", strerror(-err));
}

int patch_read_at(const struct content *patch, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	struct stream stream = {0};
	int err;

	err = patch->open(patch->ctx, offset, &stream);
	if (err == 0)
		err = stream_read_all(&stream, buffer, length);
	stream_close(&stream);
	return err < 0 ? patch_read_failed(error, err) : 0;
}

static int old_range_read_at(void *ctx, uint64_t offset, void *buffer, size_t length)
{
	const struct old_range *range = ctx;
	int err;

	if (offset > range->size || length > range->size - offset)
		return error_set(range->error, 0, EINVAL, "old content: read outside of the source range");
	err = range->old->read_at(range->old->ctx, range->start + offset, buffer, length);
	if (err < 0)
		return error_set(range->error, 0, -err, "old content: %zu bytes at %" PRIu64 ": %s", length,
		                 range->start + offset, strerror(-err));
	return 0;
}

struct reader reader_from_range(struct old_range *range)
{
	return (struct reader){.read_at = old_range_read_at, .ctx = range, .size = range->size};
}

static int bounded_sink_write(void *ctx, const void *data, size_t length)
{
	struct bounded_sink *bounded = ctx;
	int err;

	if (length > bounded->left)
		return patch_broken(bounded->error, "patch: yields more than the expected size");
	err = bounded->sink->write(bounded->sink->ctx, data, length);
	if (err < 0)
		return error_set(bounded->error, 0, -err, "new content cannot be written: %s", strerror(-err));
	bounded->left -= length;
	return 0;
}

struct sink sink_from_bounded(struct bounded_sink *bounded)
{
	return (struct sink){.write = bounded_sink_write, .ctx = bounded};
}
