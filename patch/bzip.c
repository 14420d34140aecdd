/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/bzip.h"

#include "patch/codec.h"
#include <bzlib.h>

#define BLOCK_SIZE  100000 /* times the level */
#define BLOCK_SLACK 32     /* what bzip2 leaves free at the end of a block, generously */

/* In front of everything else bzip2 makes 5 bytes of each run of 4 to 255: only then is it seen what a block holds. */
static size_t size_in_block(const uint8_t *data, size_t size)
{
	size_t total = 0;

	for (size_t i = 0, run; i < size; i += run) {
		for (run = 1; run < 255 && i + run < size && data[i + run] == data[i]; run++)
			;
		total += run < 4 ? run : 5;
	}
	return total;
}

int bzip_level(const uint8_t *data, const struct blocks *blocks)
{
	size_t level = 1;

	for (size_t i = 0; i < blocks->count && level < BZIP_LEVELS; data += blocks->sizes[i++]) {
		size_t its = (size_in_block(data, blocks->sizes[i]) + BLOCK_SLACK) / BLOCK_SIZE + 1;

		if (its > level)
			level = its;
	}
	return level < BZIP_LEVELS ? (int)level : BZIP_LEVELS;
}

static int compress_blocks(bz_stream *stream, const struct blocks *blocks)
{
	int ret = BZ_RUN_OK;

	for (size_t i = 0; ret == BZ_RUN_OK && i < blocks->count; i++) {
		stream->avail_in = (unsigned int)blocks->sizes[i];
		ret = BZ2_bzCompress(stream, i + 1 < blocks->count ? BZ_FLUSH : BZ_FINISH);
	}
	return ret;
}

int bzip_append(struct buffer *out, const uint8_t *data, const struct blocks *blocks, int level, struct error *error)
{
	bz_stream stream = {.next_in = (char *)data}; /* which bzip2 only reads */
	size_t room = 0;
	int err, ret;

	/* As bzip2's manual has it: what cannot be compressed grows by no more than this. */
	for (size_t i = 0; i < blocks->count; i++)
		room += blocks->sizes[i] + blocks->sizes[i] / 100 + 600;
	err = buffer_reserve(out, room, error);
	if (err < 0)
		return err;
	ret = BZ2_bzCompressInit(&stream, level, 0, 0);
	if (ret == BZ_OK) {
		stream.next_out = (char *)out->data + out->size;
		stream.avail_out = (unsigned int)room;
		ret = compress_blocks(&stream, blocks);
		(void)BZ2_bzCompressEnd(&stream); /* cannot fail: it was begun */
	}
	if (ret == BZ_MEM_ERROR)
		return patch_no_memory(error);
	if (ret != BZ_STREAM_END)
		return error_set(error, 0, EINVAL, "bzip2: error %d", ret);
	out->size += room - stream.avail_out;
	return 0;
}
