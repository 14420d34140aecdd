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

int bzip_level(const uint8_t *data, size_t size)
{
	size_t level = (size_in_block(data, size) + BLOCK_SLACK) / BLOCK_SIZE + 1;

	return level < BZIP_LEVELS ? (int)level : BZIP_LEVELS;
}

/* bzip2 only reads the data, but wants them to be somewhere even when there are none. */
int bzip_append(struct buffer *out, const uint8_t *data, size_t size, int level, struct error *error)
{
	unsigned int made;
	int err, ret;

	/* As bzip2's manual has it: what cannot be compressed grows by no more than this. */
	made = (unsigned int)(size + size / 100 + 600);
	err = buffer_reserve(out, made, error);
	if (err < 0)
		return err;
	ret = BZ2_bzBuffToBuffCompress((char *)out->data + out->size, &made, (char *)(size > 0 ? data : out->data),
	                               (unsigned int)size, level, 0, 0);
	if (ret == BZ_MEM_ERROR)
		return patch_no_memory(error);
	if (ret != BZ_OK)
		return error_set(error, 0, EINVAL, "bzip2: error %d", ret);
	out->size += made;
	return 0;
}
