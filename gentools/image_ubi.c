/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/image_ubi.h"

#include "gentools/image_crc.h"
#include "gentools/order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_SIZE   64u /* of both headers; the last four bytes are the CRC of the others */
#define RECORD_SIZE   172u
#define VERSION       1
#define LAYOUT_VOLUME 0x7fffefffu
#define STATIC_VOLUME 2
/* Erase blocks are multiples of this. */
#define BLOCK_STEP 512u

static uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint64_t get_be64(const uint8_t *p)
{
	return (uint64_t)get_be32(p) << 32 | get_be32(p + 4);
}

static bool has_magic(const uint8_t *header, const char *magic)
{
	return memcmp(header, magic, 4) == 0 && header[4] == VERSION &&
	       get_be32(header + HEADER_SIZE - 4) == image_crc(header, HEADER_SIZE - 4);
}

static bool is_erased(const uint8_t *header)
{
	for (size_t i = 0; i < HEADER_SIZE; i++)
		if (header[i] != 0xff)
			return false;
	return true;
}

static uint64_t sequence(const struct ubi_block *block)
{
	return get_be64(block->header + 40);
}

/* By volume and number; of one pair the newest first. */
static int compare_blocks(const void *first, const void *second)
{
	const struct ubi_block *a = first;
	const struct ubi_block *b = second;
	int order = order_numbers(a->volume, b->volume);

	if (order == 0)
		order = order_numbers(a->number, b->number);
	return order != 0 ? order : order_numbers(sequence(b), sequence(a));
}

/* A physical block's size: where the second one's header is. 0 when there is none. */
static size_t find_block_size(const uint8_t *data, size_t size, size_t from)
{
	for (size_t at = (from / BLOCK_STEP + 1) * BLOCK_STEP; at < size && size - at >= HEADER_SIZE; at += BLOCK_STEP)
		if (has_magic(data + at, UBI_MAGIC))
			return at;
	return 0;
}

static int read_block(struct ubi *ubi, const uint8_t *at, const uint8_t *first, size_t index, struct error *error)
{
	const uint8_t *header = at + get_be32(first + 16);
	struct ubi_block *block = &ubi->blocks[ubi->count];

	if (is_erased(at))
		return 0;
	/* Offsets of the header and the data are the same everywhere. */
	if (!has_magic(at, UBI_MAGIC) || memcmp(at + 16, first + 16, 8) != 0)
		return error_set(error, RESULT_FORMAT, EINVAL, "UBI: erase block %zu: damaged header", index);
	if (is_erased(header))
		return 0;
	if (!has_magic(header, "UBI!"))
		return error_set(error, RESULT_FORMAT, EINVAL, "UBI: erase block %zu: damaged header of its volume",
		                 index);
	*block = (struct ubi_block){
		.volume = get_be32(header + 8),
		.number = get_be32(header + 12),
		.header = header,
		.data = at + get_be32(first + 20),
	};
	if (get_be32(header + 20) > ubi->block_size)
		return error_set(error, RESULT_FORMAT, EINVAL, "UBI: erase block %zu: more data than it can have",
		                 index);
	ubi->count++;
	return 0;
}

static bool data_is_whole(const struct ubi_block *block)
{
	return image_crc(block->data, get_be32(block->header + 20)) == get_be32(block->header + 32);
}

/* Of blocks of one number the newest counts, unless it is a copy that was not finished. */
static void drop_older(struct ubi *ubi)
{
	size_t kept = 0;

	for (size_t i = 0; i < ubi->count; i++) {
		const struct ubi_block *block = &ubi->blocks[i];
		bool is_copy = block->header[6] != 0;

		if (kept > 0 && ubi->blocks[kept - 1].volume == block->volume &&
		    ubi->blocks[kept - 1].number == block->number)
			continue;
		if (is_copy && !data_is_whole(block))
			continue;
		ubi->blocks[kept++] = *block;
	}
	ubi->count = kept;
}

static int read_blocks(struct ubi *ubi, const uint8_t *data, size_t size, struct error *error)
{
	uint32_t data_offset;
	size_t step;

	if (size < HEADER_SIZE || !has_magic(data, UBI_MAGIC))
		return error_set(error, RESULT_FORMAT, EINVAL, "UBI: damaged header of the first erase block");
	data_offset = get_be32(data + 20);
	step = find_block_size(data, size, data_offset);
	if (step == 0)
		return error_set(error, RESULT_FORMAT, EINVAL, "UBI: no second erase block");
	if (get_be32(data + 16) > step - HEADER_SIZE || data_offset > UINT32_MAX - HEADER_SIZE ||
	    data_offset < get_be32(data + 16) + HEADER_SIZE || step - data_offset > UINT32_MAX)
		return error_set(error, RESULT_FORMAT, EINVAL, "UBI: the first erase block's header makes no sense");
	if (size % step != 0)
		return error_set(error, RESULT_FORMAT, EINVAL, "UBI: cut short: %zu bytes, erase blocks have %zu", size,
		                 step);
	ubi->block_size = (uint32_t)(step - data_offset);
	ubi->erase_size = (uint32_t)step;
	ubi->blocks = calloc(size / step, sizeof(ubi->blocks[0]));
	if (!ubi->blocks)
		return error_set(error, 0, ENOMEM, "out of memory");
	for (size_t at = 0; at < size; at += step) {
		int err = read_block(ubi, data + at, data, at / step, error);

		if (err < 0)
			return err;
	}
	qsort(ubi->blocks, ubi->count, sizeof(ubi->blocks[0]), compare_blocks);
	drop_older(ubi);
	return 0;
}

/* The blocks of one volume. */
static const struct ubi_block *find_blocks(const struct ubi *ubi, uint32_t volume, size_t *count)
{
	size_t first = 0;
	size_t end;

	while (first < ubi->count && ubi->blocks[first].volume < volume)
		first++;
	for (end = first; end < ubi->count && ubi->blocks[end].volume == volume; end++)
		;
	*count = end - first;
	return ubi->blocks + first;
}

/* A static volume's size is exact, and all of it must be there. */
static int measure_static(struct ubi_volume *volume, struct error *error)
{
	for (size_t i = 0; i < volume->count; i++) {
		const struct ubi_block *block = &volume->blocks[i];
		uint32_t size = get_be32(block->header + 20);

		if (block->number != i || get_be32(block->header + 24) != volume->count || !data_is_whole(block) ||
		    size > volume->block_size || (size < volume->block_size && i + 1 < volume->count))
			return error_set(error, RESULT_FORMAT, EINVAL,
			                 "UBI: volume %s: block %zu is missing or damaged", volume->name, i);
		volume->size += size;
	}
	return 0;
}

static int read_record(struct ubi *ubi, const uint8_t *record, uint32_t id, struct error *error)
{
	struct ubi_volume *volume = &ubi->volumes[ubi->volume_count];
	uint32_t reserved = get_be32(record);
	uint32_t pad = get_be32(record + 8);
	size_t length = (size_t)record[14] << 8 | record[15];

	if (reserved == 0)
		return 0;
	if (length == 0 || length >= UBI_NAME_SIZE || strnlen((const char *)record + 16, length) != length ||
	    pad >= ubi->block_size)
		return error_set(error, RESULT_FORMAT, EINVAL, "UBI: volume %u: its record makes no sense", id);
	*volume = (struct ubi_volume){
		.torn = record[13] != 0, .is_static = record[12] == STATIC_VOLUME, .block_size = ubi->block_size - pad};
	memcpy(volume->name, record + 16, length);
	volume->blocks = find_blocks(ubi, id, &volume->count);
	ubi->volume_count++;
	if (volume->count == 0)
		return 0;
	if (volume->blocks[volume->count - 1].number >= reserved)
		return error_set(error, RESULT_FORMAT, EINVAL, "UBI: volume %s: block %u is behind its end",
		                 volume->name, volume->blocks[volume->count - 1].number);
	if (volume->is_static)
		return measure_static(volume, error);
	volume->size = (uint64_t)(volume->blocks[volume->count - 1].number + 1) * volume->block_size;
	return 0;
}

static bool table_is_whole(const uint8_t *table, size_t records)
{
	for (size_t i = 0; i < records; i++) {
		const uint8_t *record = table + i * RECORD_SIZE;

		if (image_crc(record, RECORD_SIZE - 4) != get_be32(record + RECORD_SIZE - 4))
			return false;
	}
	return true;
}

int ubi_open(struct ubi *ubi, const uint8_t *data, size_t size, struct error *error)
{
	const struct ubi_block *tables;
	const uint8_t *table = NULL;
	size_t count;
	size_t records;
	int err;

	*ubi = (struct ubi){0};
	err = read_blocks(ubi, data, size, error);
	if (err < 0)
		return err;
	records = ubi->block_size / RECORD_SIZE < UBI_MAX_VOLUMES ? ubi->block_size / RECORD_SIZE : UBI_MAX_VOLUMES;
	tables = find_blocks(ubi, LAYOUT_VOLUME, &count);
	for (size_t i = 0; i < count && !table; i++)
		table = table_is_whole(tables[i].data, records) ? tables[i].data : NULL;
	if (!table)
		return error_set(error, RESULT_FORMAT, EINVAL, "UBI: no volume table that is whole");
	for (size_t i = 0; err == 0 && i < records; i++)
		err = read_record(ubi, table + i * RECORD_SIZE, (uint32_t)i, error);
	return err;
}

void ubi_close(struct ubi *ubi)
{
	free(ubi->blocks);
	*ubi = (struct ubi){0};
}

static int compare_number(const void *number, const void *block)
{
	return order_numbers(*(const uint32_t *)number, ((const struct ubi_block *)block)->number);
}

static int read_volume(void *ctx, uint64_t offset, void *buffer, size_t length)
{
	const struct ubi_volume *volume = ctx;
	uint8_t *at = buffer;

	if (offset > volume->size || length > volume->size - offset)
		return -EINVAL;
	while (length > 0) {
		uint32_t number = (uint32_t)(offset / volume->block_size);
		uint32_t start = (uint32_t)(offset % volume->block_size);
		size_t n = volume->block_size - start < length ? volume->block_size - start : length;
		const struct ubi_block *block =
			bsearch(&number, volume->blocks, volume->count, sizeof(*block), compare_number);

		if (block)
			memcpy(at, block->data + start, n);
		else
			memset(at, 0xff, n);
		at += n;
		offset += n;
		length -= n;
	}
	return 0;
}

struct reader ubi_volume_reader(const struct ubi_volume *volume)
{
	return (struct reader){.read_at = read_volume, .ctx = (void *)volume, .size = volume->size};
}
