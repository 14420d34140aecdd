/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the three streams of a BSDIFF40 patch say. Input: u32 old, new, control and diff size (little endian), then old
 * content and the three streams as they are; they are compressed here, since no fuzzer gets past bzip2's checksums.
 * Raw patches are fuzz_imgdiff's part.
 */
#include "base/bytes.h"
#include "patch/bsdiff.h"
#include "patch/patch.h"
#include <bzlib.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIELDS_SIZE  16
#define NEW_SIZE_MAX (1u << 20)
#define BZIP_ROOM    1000 /* more than bzip2 adds to the most that libFuzzer gives */

struct input {
	struct memory_block old;
	struct memory_block streams[3];
	uint32_t new_size;
};

/* Take the next `size` bytes of the data, or all there are. */
static struct memory_block take(const uint8_t **data, size_t *left, uint32_t size)
{
	struct memory_block block = {.data = *data, .size = size < *left ? size : *left};

	*data += block.size;
	*left -= block.size;
	return block;
}

static size_t compress(uint8_t *to, size_t room, const struct memory_block *block)
{
	unsigned int size = (unsigned int)room;

	if (BZ2_bzBuffToBuffCompress((char *)to, &size, (char *)(uintptr_t)block->data, (unsigned int)block->size, 1, 0,
	                             0) != BZ_OK)
		abort();
	return size;
}

static struct memory_block make_patch(const struct input *input)
{
	size_t room = BSDIFF_HEADER_SIZE;
	uint8_t *patch;
	size_t sizes[3];
	size_t at = BSDIFF_HEADER_SIZE;

	for (size_t i = 0; i < 3; i++)
		room += input->streams[i].size * 2 + BZIP_ROOM;
	patch = malloc(room);
	if (!patch)
		abort();
	for (size_t i = 0; i < 3; i++) {
		sizes[i] = compress(patch + at, room - at, &input->streams[i]);
		at += sizes[i];
	}
	memcpy(patch, BSDIFF_MAGIC, PATCH_MAGIC_SIZE);
	put_le64(patch + 8, sizes[0]);
	put_le64(patch + 16, sizes[1]);
	put_le64(patch + 24, input->new_size);
	return (struct memory_block){.data = patch, .size = at};
}

static int sink_write(void *ctx, const void *data, size_t length)
{
	uint64_t *left = ctx;

	(void)data;
	if (length > *left)
		abort(); /* never more than the expected size */
	*left -= length;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *at;
	size_t left;
	struct memory_block patch_block;
	struct reader old, patch_reader;
	struct content patch;
	struct input input;
	uint64_t to_go;
	struct sink sink = {.write = sink_write, .ctx = &to_go};

	if (size < FIELDS_SIZE)
		return -1;
	at = data + FIELDS_SIZE;
	left = size - FIELDS_SIZE;
	input.old = take(&at, &left, get_le32(data));
	input.new_size = get_le32(data + 4) % NEW_SIZE_MAX;
	input.streams[0] = take(&at, &left, get_le32(data + 8));
	input.streams[1] = take(&at, &left, get_le32(data + 12));
	input.streams[2] = (struct memory_block){.data = at, .size = left};

	patch_block = make_patch(&input);
	old = reader_from_memory(&input.old);
	patch_reader = reader_from_memory(&patch_block);
	patch = content_from_reader(&patch_reader);
	to_go = input.new_size;
	if (patch_apply(&old, &patch, NULL, to_go, &sink, NULL) == 0 && to_go != 0)
		abort();
	free((void *)(uintptr_t)patch_block.data);
	return 0;
}
