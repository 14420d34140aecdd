/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/bunzip.h"

#include <string.h>

int bunzip_open(struct bunzip *bunzip, const struct content *patch, uint64_t offset, uint64_t length, const char *name,
                struct error *error)
{
	int err;

	bunzip->name = name;
	bunzip->left = length;
	bunzip->error = error;
	bunzip->ended = false;
	memset(&bunzip->bz, 0, sizeof(bunzip->bz));
	err = patch->open(patch->ctx, offset, &bunzip->stream);
	if (err < 0)
		return patch_read_failed(error, err);
	if (BZ2_bzDecompressInit(&bunzip->bz, 0, 0) != BZ_OK)
		return patch_no_memory(error);
	bunzip->started = true;
	return 0;
}

static int bunzip_refill(struct bunzip *bunzip)
{
	size_t length = sizeof(bunzip->input);
	ssize_t n;

	if (length > bunzip->left)
		length = (size_t)bunzip->left;
	n = bunzip->stream.read(bunzip->stream.ctx, bunzip->input, length);
	if (n <= 0)
		return patch_read_failed(bunzip->error, n < 0 ? (int)n : -EPIPE);
	bunzip->left -= (uint64_t)n;
	bunzip->bz.next_in = bunzip->input;
	bunzip->bz.avail_in = (unsigned int)n;
	return 0;
}

/* Decode once into the room that bz.avail_out tells of. */
static int bunzip_step(struct bunzip *bunzip)
{
	bz_stream *bz = &bunzip->bz;
	int err;

	if (bz->avail_in == 0 && bunzip->left > 0) {
		err = bunzip_refill(bunzip);
		if (err < 0)
			return err;
	}
	switch (BZ2_bzDecompress(bz)) {
	case BZ_OK:
		/* Room left and nothing left to decode: more input would be needed, and there is none. */
		if (bz->avail_out > 0 && bz->avail_in == 0 && bunzip->left == 0)
			return patch_broken(bunzip->error, "patch: the %s stream is cut short", bunzip->name);
		return 0;
	case BZ_STREAM_END:
		bunzip->ended = true;
		return 0;
	case BZ_MEM_ERROR:
		return patch_no_memory(bunzip->error);
	default:
		return patch_broken(bunzip->error, "patch: the %s stream is not valid bzip2 data", bunzip->name);
	}
}

int bunzip_read(struct bunzip *bunzip, void *buffer, size_t length)
{
	int err;

	bunzip->bz.next_out = buffer;
	bunzip->bz.avail_out = (unsigned int)length;
	while (bunzip->bz.avail_out > 0) {
		if (bunzip->ended)
			return patch_broken(bunzip->error, "patch: the %s stream holds too few bytes", bunzip->name);
		err = bunzip_step(bunzip);
		if (err < 0)
			return err;
	}
	return 0;
}

int bunzip_finish(struct bunzip *bunzip)
{
	char surplus;
	int err;

	bunzip->bz.next_out = &surplus;
	bunzip->bz.avail_out = 1;
	while (!bunzip->ended) {
		err = bunzip_step(bunzip);
		if (err < 0)
			return err;
		if (bunzip->bz.avail_out == 0)
			return patch_broken(bunzip->error, "patch: the %s stream holds too many bytes", bunzip->name);
	}
	return 0;
}

void bunzip_close(struct bunzip *bunzip)
{
	if (bunzip->started)
		(void)BZ2_bzDecompressEnd(&bunzip->bz); /* can only say that it was not started */
	bunzip->started = false;
	stream_close(&bunzip->stream);
}
