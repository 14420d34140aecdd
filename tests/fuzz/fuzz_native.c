/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A native patch, as a copy and in place. Input: u32 size of the old content (little endian), that content, the patch.
 * The records' CRCs are made right here, since no fuzzer gets past them.
 */
#include "base/bytes.h"
#include "patch/number.h"
#include "patch/patch.h"
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIELDS_SIZE 4
#define MAGIC_SIZE  8
#define CRC_SIZE    4
#define MEMORY_MAX  ((uint64_t)64 << 20) /* what whoever applies a patch would have granted */
#define TARGET_MAX  ((uint64_t)1 << 20)

/* A copy of the patch, with the right CRC at the end of each record as far as there are whole ones; to be freed. */
static uint8_t *seal(const uint8_t *data, size_t size)
{
	uint8_t *patch = malloc(size + 1);
	size_t at = MAGIC_SIZE;

	if (!patch)
		abort();
	memcpy(patch, data, size);
	while (at < size) {
		uint64_t body;
		size_t header = 1 + number_get(patch + at + 1, size - at - 1, &body);
		size_t left = size - at - header;

		if (header == 1 || left < CRC_SIZE || body > left - CRC_SIZE)
			break;
		header += (size_t)body;
		put_le32(patch + at + header, (uint32_t)crc32_z(0, patch + at, header));
		at += header + CRC_SIZE;
	}
	return patch;
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

static void copy(const struct reader *old, const struct content *patch, uint64_t target_size)
{
	uint64_t left = target_size;
	struct sink sink = {.write = sink_write, .ctx = &left};

	if (patch_apply(old, patch, NULL, target_size, &sink, NULL) == 0 && left != 0)
		abort();
}

/* What units share is all zeros: its making is not what is looked for. */
static int save_share(void *ctx, uint64_t border, const void *data, size_t length)
{
	(void)ctx;
	(void)border;
	(void)data;
	(void)length;
	return 0;
}

static int load_share(void *ctx, uint64_t border, void *data, size_t length)
{
	(void)ctx;
	(void)border;
	memset(data, 0, length);
	return 0;
}

static int drop_share(void *ctx, uint64_t border)
{
	(void)ctx;
	(void)border;
	return 0;
}

/* An image of the size of the larger one, changed as far as the patch goes, although units come out wrong. */
static void change(const struct memory_block *old, const struct content *patch)
{
	const struct patch_keep keep = {.save = save_share, .load = load_share, .drop = drop_share};
	struct patch_units *units;
	struct patch_units_info info;
	struct memory_block block;
	struct reader reader;
	uint8_t *image, *unit;
	uint64_t number;
	size_t size;

	if (patch_units_open(patch, &units, &info, NULL) < 0)
		return;
	block.size = old->size > info.target_size ? old->size : (size_t)info.target_size;
	image = calloc(1, block.size + 1);
	unit = calloc(1, info.unit);
	if (!image || !unit)
		abort();
	memcpy(image, old->data, old->size);
	block.data = image;
	reader = reader_from_memory(&block);
	for (number = 0; number <= info.count; number++) {
		uint64_t at = number * info.unit < block.size ? number * info.unit : block.size;

		(void)patch_units_state(units, number, image + at, (size_t)(block.size - at));
	}
	while (patch_units_next(units, &keep, &number, NULL) > 0) {
		bool is_right = patch_units_make(units, &reader, &keep, unit, &size, NULL) == 0;

		if (size > info.unit || number * info.unit + size > info.target_size)
			abort(); /* never more than the unit has */
		memcpy(image + number * info.unit, unit, size);
		if (is_right && patch_units_state(units, number, unit, size) < PATCH_UNIT_NEW)
			abort();
	}
	free(unit);
	free(image);
	patch_units_close(units);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory_block old, patch_block;
	struct reader reader, patch_reader;
	struct patch_native_info info;
	struct content patch;
	uint8_t *sealed;
	size_t left;

	if (size < FIELDS_SIZE + MAGIC_SIZE)
		return -1;
	left = size - FIELDS_SIZE - MAGIC_SIZE;
	old.data = data + FIELDS_SIZE;
	old.size = get_le32(data) < left ? get_le32(data) : left;
	sealed = seal(data + FIELDS_SIZE + old.size, left + MAGIC_SIZE - old.size);
	patch_block = (struct memory_block){.data = sealed, .size = left + MAGIC_SIZE - old.size};
	reader = reader_from_memory(&old);
	patch_reader = reader_from_memory(&patch_block);
	patch = content_from_reader(&patch_reader);
	if (patch_native_look(&patch, &info, NULL) == 0 && info.memory <= MEMORY_MAX &&
	    info.target_size <= TARGET_MAX) {
		(void)patch_native_describe(&patch, &info, NULL);
		copy(&reader, &patch, info.target_size);
		change(&old, &patch);
	}
	free(sealed);
	return 0;
}
