/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/bzip.h"

#include "patch/codec.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY  65536
#define BLOCK_SIZE_100K 9

int bzip_open(struct bzip *bzip, struct error *error)
{
	memset(bzip, 0, sizeof(*bzip));
	bzip->error = error;
	if (BZ2_bzCompressInit(&bzip->bz, BLOCK_SIZE_100K, 0, 0) != BZ_OK)
		return patch_no_memory(error);
	bzip->started = true;
	return 0;
}

static int bzip_grow(struct bzip *bzip)
{
	size_t capacity = bzip->capacity ? 2 * bzip->capacity : FIRST_CAPACITY;
	uint8_t *data;

	if (capacity < bzip->capacity)
		return patch_no_memory(bzip->error);
	data = realloc(bzip->data, capacity);
	if (!data)
		return patch_no_memory(bzip->error);
	bzip->data = data;
	bzip->capacity = capacity;
	return 0;
}

/* One step of the compressor, whose result goes to *result. */
static int bzip_step(struct bzip *bzip, int action, int *result)
{
	size_t room;
	int err;

	if (bzip->size == bzip->capacity) {
		err = bzip_grow(bzip);
		if (err < 0)
			return err;
	}
	room = bzip->capacity - bzip->size;
	if (room > INT_MAX)
		room = INT_MAX;
	bzip->bz.next_out = (char *)bzip->data + bzip->size;
	bzip->bz.avail_out = (unsigned int)room;
	*result = BZ2_bzCompress(&bzip->bz, action);
	if (*result < 0)
		return error_set(bzip->error, 0, EINVAL, "bzip2: error %d", *result);
	bzip->size += room - bzip->bz.avail_out;
	return 0;
}

int bzip_write(struct bzip *bzip, const void *data, size_t length)
{
	int err, result;

	bzip->bz.next_in = (char *)data; /* bzip2 only reads it */
	bzip->bz.avail_in = (unsigned int)length;
	while (bzip->bz.avail_in > 0) {
		err = bzip_step(bzip, BZ_RUN, &result);
		if (err < 0)
			return err;
	}
	return 0;
}

int bzip_finish(struct bzip *bzip)
{
	int result = BZ_FINISH_OK;
	int err;

	while (result != BZ_STREAM_END) {
		err = bzip_step(bzip, BZ_FINISH, &result);
		if (err < 0)
			return err;
	}
	return 0;
}

void bzip_close(struct bzip *bzip)
{
	if (bzip->started)
		(void)BZ2_bzCompressEnd(&bzip->bz); /* can only say that it was not started */
	free(bzip->data);
	memset(bzip, 0, sizeof(*bzip));
}
