/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A raw patch of either format. Input: u32 old, bonus and new size (little endian), old content, bonus data, the patch.
 */
#include "base/bytes.h"
#include "patch/patch.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIELDS_SIZE  12
#define NEW_SIZE_MAX (1u << 20)

static int sink_write(void *ctx, const void *data, size_t length)
{
	uint64_t *left = ctx;

	(void)data;
	if (length > *left)
		abort(); /* never more than the expected size */
	*left -= length;
	return 0;
}

/* Take the next `size` bytes of the data, or all there are. */
static struct memory_block take(const uint8_t **data, size_t *left, uint32_t size)
{
	struct memory_block block = {.data = *data, .size = size < *left ? size : *left};

	*data += block.size;
	*left -= block.size;
	return block;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *at;
	size_t left;
	struct memory_block old_block, bonus_block, patch_block;
	struct reader old, bonus, patch_reader;
	struct content patch;
	uint64_t to_go;
	struct sink sink = {.write = sink_write, .ctx = &to_go};

	if (size < FIELDS_SIZE)
		return -1;
	at = data + FIELDS_SIZE;
	left = size - FIELDS_SIZE;
	old_block = take(&at, &left, get_le32(data));
	bonus_block = take(&at, &left, get_le32(data + 4));
	patch_block = (struct memory_block){.data = at, .size = left};
	to_go = get_le32(data + 8) % NEW_SIZE_MAX;

	old = reader_from_memory(&old_block);
	bonus = reader_from_memory(&bonus_block);
	patch_reader = reader_from_memory(&patch_block);
	patch = content_from_reader(&patch_reader);
	if (patch_apply(&old, &patch, bonus.size > 0 ? &bonus : NULL, to_go, &sink, NULL) == 0 && to_go != 0)
		abort();
	return 0;
}
