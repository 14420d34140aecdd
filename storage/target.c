/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int storage_locate(struct storage *storage, enum storage_kind kind, const char *name, struct storage_location *location,
                   struct error *error)
{
	const struct fstab_entry *entry =
		*name == '/' ? NULL : fstab_find_name(&storage->fstab, name, kind == STORAGE_UBI);
	int err = -ENOENT;

	if (entry)
		err = storage->ops->find(storage->medium, kind, entry->device, location);
	if (err == -ENOENT)
		err = storage->ops->find(storage->medium, kind, name, location);
	return err < 0 ? storage_fail(error, err, "%s%s", kind_prefix(kind), name) : 0;
}

int storage_capacity(struct storage *storage, const struct storage_name *name, uint64_t *bytes, struct error *error)
{
	struct storage_location location;
	struct storage_ubi_info ubi;
	struct mtd_map map;
	int handle;
	int err;

	if (name->kind == STORAGE_FILE) {
		*bytes = UINT64_MAX;
		return 0;
	}
	err = storage_open_object(storage, name, STORAGE_READ, &location, &handle, error);
	if (err < 0)
		return err;
	if (location.kind == STORAGE_MTD) {
		err = mtd_map_open(&map, storage, handle, name->name, error);
		*bytes = err < 0 ? 0 : mtd_map_size(&map);
		mtd_map_close(&map);
	} else {
		if (location.kind == STORAGE_UBI) {
			err = storage->ops->ubi_info(storage->medium, handle, &ubi);
			*bytes = err < 0 ? 0 : ubi.size;
		} else {
			err = storage->ops->size(storage->medium, handle, bytes);
		}
		if (err < 0)
			err = storage_fail(error, err, "%s%s: size", kind_prefix(name->kind), name->name);
	}
	(void)storage->ops->close(storage->medium, handle); /* only read: nothing to lose */
	return err;
}

/* There is nothing, or a link that ends nowhere: what replaces it lies in the directory. */
static bool leads_nowhere(int err)
{
	return err == -ENOENT || err == -ENOTDIR || err == -ELOOP || err == -ENAMETOOLONG;
}

int storage_free_space(struct storage *storage, const char *path, uint64_t *bytes, struct error *error)
{
	char at[STORAGE_PATH_MAX];
	int err = path_make(at, path, error);

	if (err < 0)
		return err;
	err = storage->ops->free_space(storage->medium, at, bytes);
	while (leads_nowhere(err) && at[1] != '\0') {
		path_parent(at, at);
		err = storage->ops->free_space(storage->medium, at, bytes);
	}
	return err < 0 ? storage_fail(error, err, "%s: free space", path) : 0;
}

static int erase_mtd(struct storage *storage, const struct storage_name *name, int handle, struct error *error)
{
	struct mtd_map map;
	int err = mtd_map_open(&map, storage, handle, name->name, error);

	if (err == 0)
		err = mtd_map_erase_from(&map, 0, error);
	mtd_map_close(&map);
	return err;
}

/* What stands for a partition shall read like an erased one. */
static int fill_block(struct storage *storage, const struct storage_name *name, int handle, struct error *error)
{
	uint64_t size;
	uint8_t *erased = malloc(STORAGE_CHUNK);
	int err = erased ? storage->ops->size(storage->medium, handle, &size) : -ENOMEM;

	if (err == 0) {
		memset(erased, 0xff, STORAGE_CHUNK);
		for (uint64_t at = 0; at < size && err == 0; at += STORAGE_CHUNK)
			err = storage->ops->write(storage->medium, handle, at, erased,
			                          size - at < STORAGE_CHUNK ? (size_t)(size - at) : STORAGE_CHUNK);
	}
	if (err == 0)
		err = storage->ops->sync(storage->medium, handle);
	free(erased);
	return err < 0 ? storage_fail(error, err, "%s%s: erase", kind_prefix(name->kind), name->name) : 0;
}

int storage_erase(struct storage *storage, const struct storage_name *name, struct error *error)
{
	struct storage_location location;
	int handle;
	int closed;
	int err;

	if (name->kind == STORAGE_FILE)
		return error_set(error, 0, EINVAL, "%s: a file is not erased", name->name);
	err = storage_open_object(storage, name, STORAGE_WRITE, &location, &handle, error);
	if (err < 0)
		return err;
	if (location.kind == STORAGE_MTD) {
		err = erase_mtd(storage, name, handle, error);
	} else if (location.kind == STORAGE_UBI) {
		err = storage->ops->ubi_update(storage->medium, handle, 0);
		if (err < 0)
			(void)storage_fail(error, err, "UBI:%s: emptying the volume", name->name);
	} else {
		err = fill_block(storage, name, handle, error);
	}
	closed = storage->ops->close(storage->medium, handle);
	if (err == 0 && closed < 0)
		err = storage_fail(error, closed, "%s%s: close", kind_prefix(name->kind), name->name);
	return err;
}
