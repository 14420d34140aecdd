/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_OPTIONS "noatime,nodiratime,nodev" /* the lineage's flags for whatever a script mounts */

static bool has_option(const char *options, const char *option)
{
	size_t length = strlen(option);

	while (*options != '\0') {
		size_t n = strcspn(options, ",");

		if (n == length && memcmp(options, option, n) == 0)
			return true;
		options += n + (options[n] == ',');
	}
	return false;
}

/* The device to mount: what the name leads to; the name itself when it leads nowhere (tmpfs, proc, LABEL=...). */
static int find_device(struct storage *storage, const char *fs_type, const char *location, const char *mount_point,
                       char device[STORAGE_PATH_MAX], struct error *error)
{
	const struct fstab_entry *entry = fstab_find_mount_point(&storage->fstab, mount_point);
	bool is_ubifs = strcmp(fs_type, "ubifs") == 0;
	struct storage_location found;
	int err;

	if (is_ubifs && entry && fstab_is_volume(entry))
		location = entry->device;
	err = storage_locate(storage, is_ubifs ? STORAGE_UBI : STORAGE_MTD, location, &found, NULL);
	if (err < 0 && err != -ENOENT)
		return storage_fail(error, err, "%s", location);
	if (err == -ENOENT && strlen(location) >= STORAGE_PATH_MAX)
		return storage_fail(error, -ENAMETOOLONG, "%.64s...", location);
	memcpy(device, err == 0 ? found.path : location, strlen(err == 0 ? found.path : location) + 1);
	return 0;
}

int storage_mount(struct storage *storage, const char *fs_type, const char *location, const char *mount_point,
                  const char *options, struct error *error)
{
	char device[STORAGE_PATH_MAX];
	char point[STORAGE_PATH_MAX];
	bool mounted = false;
	int err = path_make(point, mount_point, error);

	if (err == 0)
		err = storage_is_mounted(storage, point, &mounted, error);
	if (err < 0)
		return err;
	if (!options)
		options = DEFAULT_OPTIONS;
	if (mounted && !has_option(options, "remount"))
		return 0;
	err = find_device(storage, fs_type, location, point, device, error);
	if (err == 0)
		err = storage_make_directories(storage, point, 0755, error);
	if (err < 0)
		return err;
	err = storage->ops->mount(storage->medium, fs_type, device, point, options);
	return err < 0 ? storage_fail(error, err, "mount of %s (%s, %s) at %s", device, fs_type, options, point) : 0;
}

int storage_unmount(struct storage *storage, const char *mount_point, struct error *error)
{
	char point[STORAGE_PATH_MAX];
	int err = path_make(point, mount_point, error);

	if (err < 0)
		return err;
	err = storage->ops->unmount(storage->medium, point);
	return err < 0 ? storage_fail(error, err, "unmount of %s", point) : 0;
}

int storage_is_mounted(struct storage *storage, const char *mount_point, bool *mounted, struct error *error)
{
	char point[STORAGE_PATH_MAX];
	int err = path_make(point, mount_point, error);

	if (err < 0)
		return err;
	err = storage->ops->is_mounted(storage->medium, point, mounted);
	return err < 0 ? storage_fail(error, err, "%s: mounted or not", point) : 0;
}

/* "mtd" and "emmc" entries are partitions without a file system. */
static bool is_file_system(const struct fstab_entry *entry)
{
	return strcmp(entry->type, "mtd") != 0 && strcmp(entry->type, "emmc") != 0;
}

/* The fstab's volume that holds path; *entry is NULL when there is none, or nothing that can be mounted. */
static int find_volume(struct storage *storage, const char *path, const struct fstab_entry **entry, struct error *error)
{
	char at[STORAGE_PATH_MAX];
	int err = path_make(at, path, error);

	if (err < 0)
		return err;
	*entry = fstab_find_path(&storage->fstab, at);
	if (!*entry) {
		/* /cache may be a link into a volume that the fstab knows by another name. */
		err = path_resolve(storage, at, at);
		if (err < 0)
			return storage_fail(error, err, "%s", path);
		*entry = fstab_find_path(&storage->fstab, at);
	}
	if (*entry && !is_file_system(*entry))
		*entry = NULL;
	return 0;
}

static int mount_entry(struct storage *storage, const struct fstab_entry *entry, const char *options,
                       struct error *error)
{
	return storage_mount(storage, strcmp(entry->type, "ubi") == 0 ? "ubifs" : entry->type, entry->device,
	                     entry->mount_point, options, error);
}

int storage_mount_for(struct storage *storage, const char *path, struct error *error)
{
	const struct fstab_entry *entry;
	int err = find_volume(storage, path, &entry, error);

	return err == 0 && entry ? mount_entry(storage, entry, entry->options, error) : err;
}

int storage_mount_to_read(struct storage *storage, const char *path, struct error *error)
{
	const struct fstab_entry *entry;
	bool mounted = false;
	char *options;
	int err = find_volume(storage, path, &entry, error);

	if (err < 0 || !entry)
		return err;
	err = storage_is_mounted(storage, entry->mount_point, &mounted, error);
	if (err < 0 || mounted)
		return err;
	if (asprintf(&options, "%s,ro", entry->options ? entry->options : DEFAULT_OPTIONS) < 0)
		return storage_fail(error, -ENOMEM, "%s", entry->mount_point);
	err = mount_entry(storage, entry, options, error);
	free(options);
	return err < 0 ? err : 1;
}
