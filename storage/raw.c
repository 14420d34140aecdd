/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct storage_raw {
	struct storage *storage;
	struct storage_raw_info info;
	int handle;
	char name[STORAGE_NAME_MAX];
	struct mtd_map map;
};

static int raw_measure(struct storage_raw *raw, struct error *error)
{
	int err;

	if (raw->info.kind == STORAGE_MTD) {
		err = mtd_map_open(&raw->map, raw->storage, raw->handle, raw->name, error);
		if (err < 0)
			return err;
		raw->info.size = mtd_map_size(&raw->map);
		raw->info.erase_size = raw->map.erase_size;
		raw->info.page_size = raw->map.page_size;
		return 0;
	}
	if (raw->info.kind != STORAGE_BLOCK)
		return error_set(error, 0, EINVAL, "%s: a UBI volume has no raw pages", raw->name);
	raw->info.erase_size = 1;
	raw->info.page_size = 1;
	err = raw->storage->ops->size(raw->storage->medium, raw->handle, &raw->info.size);
	return err < 0 ? storage_fail(error, err, "%s: size", raw->name) : 0;
}

int storage_raw_open(struct storage *storage, const char *partition, struct storage_raw **raw,
                     struct storage_raw_info *info, struct error *error)
{
	struct storage_location location;
	struct storage_raw *r;
	int err;

	if (*partition == '\0' || strlen(partition) >= STORAGE_NAME_MAX)
		return error_set(error, 0, EINVAL, "%.64s: not a partition name", partition);
	r = calloc(1, sizeof(*r));
	if (!r)
		return storage_fail(error, -ENOMEM, "%s", partition);
	r->storage = storage;
	r->handle = -1;
	memcpy(r->name, partition, strlen(partition) + 1);
	err = storage_locate(storage, STORAGE_MTD, partition, &location, error);
	if (err < 0)
		goto fail;
	r->info.kind = location.kind;
	r->handle = storage->ops->open(storage->medium, location.path, STORAGE_WRITE);
	err = r->handle < 0 ? storage_fail(error, r->handle, "%s: open", partition) : raw_measure(r, error);
	if (err < 0)
		goto fail;
	*info = r->info;
	*raw = r;
	return 0;
fail:
	storage_raw_close(r);
	return err;
}

static int raw_check(const struct storage_raw *raw, uint64_t offset, uint64_t length, uint64_t unit,
                     struct error *error)
{
	if (offset > raw->info.size || length > raw->info.size - offset)
		return error_set(error, 0, EINVAL, "%s: %llu bytes at 0x%llx lie behind its end 0x%llx", raw->name,
		                 (unsigned long long)length, (unsigned long long)offset,
		                 (unsigned long long)raw->info.size);
	if (offset % unit != 0 || length % unit != 0)
		return error_set(error, 0, EINVAL, "%s: %llu bytes at 0x%llx are not whole units of %llu", raw->name,
		                 (unsigned long long)length, (unsigned long long)offset, (unsigned long long)unit);
	return 0;
}

int storage_raw_read(struct storage_raw *raw, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	int err = raw_check(raw, offset, length, 1, error);

	if (err < 0)
		return err;
	if (raw->info.kind == STORAGE_MTD)
		err = mtd_map_read(&raw->map, offset, buffer, length);
	else
		err = storage_read_all(raw->storage, raw->handle, offset, buffer, length);
	return err < 0 ? storage_fail(error, err, "%s: read at 0x%llx", raw->name, (unsigned long long)offset) : 0;
}

int storage_raw_erase(struct storage_raw *raw, uint64_t offset, struct error *error)
{
	uint64_t real;
	int err = raw_check(raw, offset, raw->info.erase_size, raw->info.erase_size, error);

	if (err < 0 || raw->info.kind == STORAGE_BLOCK)
		return err;
	err = mtd_map_translate(&raw->map, offset, &real);
	if (err == 0)
		err = raw->storage->ops->mtd_erase(raw->storage->medium, raw->handle, real);
	return err < 0 ? storage_fail(error, err, "%s: erase at 0x%llx", raw->name, (unsigned long long)offset) : 0;
}

static int raw_program_pages(struct storage_raw *raw, uint64_t offset, const uint8_t *data, size_t length)
{
	while (length > 0) {
		size_t left = raw->info.erase_size - (size_t)(offset % raw->info.erase_size);
		size_t n = length < left ? length : left;
		uint64_t real;
		int err = mtd_map_translate(&raw->map, offset, &real);

		if (err == 0)
			err = raw->storage->ops->mtd_program(raw->storage->medium, raw->handle, real, data, n);
		if (err < 0)
			return err;
		offset += n;
		data += n;
		length -= n;
	}
	return 0;
}

int storage_raw_program(struct storage_raw *raw, uint64_t offset, const void *data, size_t length, struct error *error)
{
	const struct storage_ops *ops = raw->storage->ops;
	int err = raw_check(raw, offset, length, raw->info.page_size, error);

	if (err < 0)
		return err;
	if (raw->info.kind == STORAGE_MTD) {
		err = raw_program_pages(raw, offset, data, length);
	} else {
		err = ops->write(raw->storage->medium, raw->handle, offset, data, length);
		if (err == 0)
			err = ops->sync(raw->storage->medium, raw->handle);
	}
	return err < 0 ? storage_fail(error, err, "%s: write at 0x%llx", raw->name, (unsigned long long)offset) : 0;
}

int storage_raw_retire(struct storage_raw *raw, uint64_t offset, struct storage_raw_info *info, struct error *error)
{
	int err = raw_check(raw, offset, raw->info.erase_size, raw->info.erase_size, error);

	if (err == 0 && raw->info.kind != STORAGE_MTD)
		err = error_set(error, 0, EOPNOTSUPP, "%s: has no blocks to mark bad", raw->name);
	if (err == 0)
		err = mtd_map_retire(&raw->map, (uint32_t)(offset / raw->info.erase_size), error);
	raw->info.size = raw->info.kind == STORAGE_MTD ? mtd_map_size(&raw->map) : raw->info.size;
	*info = raw->info;
	return err;
}

bool storage_is_block_failure(int err)
{
	return mtd_is_block_failure(err);
}

void storage_raw_close(struct storage_raw *raw)
{
	if (!raw)
		return;
	mtd_map_close(&raw->map);
	if (raw->handle >= 0)
		(void)raw->storage->ops->close(raw->storage->medium, raw->handle); /* each program was made durable */
	free(raw);
}
