/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MTD_MAX_ERASE_SIZE (16u << 20) /* bounds the buffers; NAND has up to 4 MiB */
#define MTD_MAX_BLOCKS     (1u << 20)
/*
 * A flash loses a block now and then. One that loses many at once has a fault elsewhere (supply, controller), and
 * marking on would turn a passing fault into a lasting one.
 */
#define MTD_MAX_RETIRED 8

static bool info_makes_sense(const struct storage_mtd_info *info)
{
	return info->erase_size > 0 && info->erase_size <= MTD_MAX_ERASE_SIZE && info->page_size > 0 &&
	       info->erase_size % info->page_size == 0 && info->size % info->erase_size == 0 &&
	       info->size / info->erase_size <= MTD_MAX_BLOCKS;
}

int mtd_map_open(struct mtd_map *map, struct storage *storage, int handle, const char *label, struct error *error)
{
	const struct storage_ops *ops = storage->ops;
	struct storage_mtd_info info;
	uint32_t total;
	int err;

	memset(map, 0, sizeof(*map));
	err = ops->mtd_info(storage->medium, handle, &info);
	if (err < 0)
		return storage_fail(error, err, "MTD:%s: geometry", label);
	if (!info_makes_sense(&info))
		return error_set(error, 0, EINVAL, "MTD:%s: impossible geometry: %llu bytes, blocks of %u, pages of %u",
		                 label, (unsigned long long)info.size, info.erase_size, info.page_size);
	total = (uint32_t)(info.size / info.erase_size);
	*map = (struct mtd_map){.storage = storage,
	                        .handle = handle,
	                        .label = label,
	                        .erase_size = info.erase_size,
	                        .page_size = info.page_size,
	                        .has_bad_blocks = info.has_bad_blocks};
	map->block = malloc((total ? total : 1) * sizeof(*map->block));
	if (!map->block)
		return storage_fail(error, -ENOMEM, "MTD:%s", label);
	for (uint32_t i = 0; i < total; i++) {
		bool bad = false;

		if (info.has_bad_blocks)
			err = ops->mtd_is_bad(storage->medium, handle, (uint64_t)i * info.erase_size, &bad);
		if (err < 0) {
			mtd_map_close(map);
			return storage_fail(error, err, "MTD:%s: bad-block check of block %u", label, i);
		}
		if (!bad)
			map->block[map->count++] = i;
	}
	return 0;
}

void mtd_map_close(struct mtd_map *map)
{
	free(map->block);
	map->block = NULL;
	map->count = 0;
}

uint64_t mtd_map_size(const struct mtd_map *map)
{
	return (uint64_t)map->count * map->erase_size;
}

uint64_t mtd_map_offset(const struct mtd_map *map, uint32_t index)
{
	return (uint64_t)map->block[index] * map->erase_size;
}

int mtd_map_translate(const struct mtd_map *map, uint64_t offset, uint64_t *real)
{
	if (offset >= mtd_map_size(map))
		return -EINVAL;
	*real = mtd_map_offset(map, (uint32_t)(offset / map->erase_size)) + offset % map->erase_size;
	return 0;
}

int mtd_map_read(const struct mtd_map *map, uint64_t offset, void *buffer, size_t length)
{
	uint8_t *at = buffer;

	while (length > 0) {
		size_t left = map->erase_size - (size_t)(offset % map->erase_size);
		size_t n = length < left ? length : left;
		uint64_t real;
		int err = mtd_map_translate(map, offset, &real);

		if (err == 0)
			err = map->storage->ops->mtd_read(map->storage->medium, map->handle, real, at, n);
		if (err < 0)
			return err;
		at += n;
		offset += n;
		length -= n;
	}
	return 0;
}

bool mtd_is_block_failure(int err)
{
	return err == -EIO || err == -EBADMSG;
}

static int try_block(const struct mtd_map *map, uint64_t offset, const uint8_t *data, size_t length, uint8_t *back)
{
	const struct storage_ops *ops = map->storage->ops;
	void *medium = map->storage->medium;
	int err = ops->mtd_erase(medium, map->handle, offset);

	if (err == 0)
		err = ops->mtd_program(medium, map->handle, offset, data, length);
	if (err == 0)
		err = ops->mtd_read(medium, map->handle, offset, back, length);
	if (err == 0 && memcmp(back, data, length) != 0)
		err = -EBADMSG;
	return err;
}

int mtd_map_write_block(const struct mtd_map *map, uint32_t index, const uint8_t *data, size_t length, uint8_t *back)
{
	uint64_t offset = mtd_map_offset(map, index);
	int err = try_block(map, offset, data, length, back);

	if (!mtd_is_block_failure(err))
		return err;
	log_printf(&map->storage->log, "mtd: write of block at 0x%08llx of %s failed: %s, trying again",
	           (unsigned long long)offset, map->label, strerror(-err));
	return try_block(map, offset, data, length, back);
}

int mtd_map_retire(struct mtd_map *map, uint32_t index, struct error *error)
{
	const struct storage_ops *ops = map->storage->ops;
	uint64_t offset = mtd_map_offset(map, index);
	int err = -EOPNOTSUPP;

	log_printf(&map->storage->log, "mtd: skipping write block at 0x%08llx of %s", (unsigned long long)offset,
	           map->label);
	if (map->retired >= MTD_MAX_RETIRED)
		return error_set(error, 0, EIO,
		                 "MTD:%s: block at 0x%08llx fails too, after %u others: not marking any more",
		                 map->label, (unsigned long long)offset, map->retired);
	if (map->has_bad_blocks)
		err = ops->mtd_mark_bad(map->storage->medium, map->handle, offset);
	if (err < 0)
		return storage_fail(error, err, "MTD:%s: block at 0x%08llx fails and cannot be marked bad", map->label,
		                    (unsigned long long)offset);
	map->retired++;
	map->count--;
	memmove(&map->block[index], &map->block[index + 1], (map->count - index) * sizeof(*map->block));
	return 0;
}

int mtd_map_erase_from(struct mtd_map *map, uint32_t index, struct error *error)
{
	const struct storage_ops *ops = map->storage->ops;

	while (index < map->count) {
		uint64_t offset = mtd_map_offset(map, index);
		int err = ops->mtd_erase(map->storage->medium, map->handle, offset);

		if (mtd_is_block_failure(err))
			err = ops->mtd_erase(map->storage->medium, map->handle, offset);
		if (err == 0) {
			index++;
			continue;
		}
		if (!mtd_is_block_failure(err))
			return storage_fail(error, err, "MTD:%s: erase at 0x%08llx", map->label,
			                    (unsigned long long)offset);
		err = mtd_map_retire(map, index, error);
		if (err < 0)
			return err;
	}
	return 0;
}
