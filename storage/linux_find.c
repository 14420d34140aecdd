/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/linux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MTD_CHAR_MAJOR  90 /* minor 2n: mtdn, 2n + 1: mtdnro; Documentation/admin-guide/devices.txt */
#define MTD_BLOCK_MAJOR 31

#define UBI_CLASS "/sys/class/ubi"

/* Where udev and its kind put names for the partitions of block devices. */
static const char *const partition_folders[] = {"/dev/block/bootdevice/by-name", "/dev/block/by-name",
                                                "/dev/disk/by-partlabel"};

static int set_path(struct storage_location *location, enum storage_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int set_path(struct storage_location *location, enum storage_kind kind, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(location->path, sizeof(location->path), format, args);
	va_end(args);
	location->kind = kind;
	return n < 0 || (size_t)n >= sizeof(location->path) ? -ENAMETOOLONG : 0;
}

static int set_mtd(struct storage_location *location, unsigned number)
{
	int err = set_path(location, STORAGE_MTD, "/dev/mtd/%u", number);

	if (err == 0 && access(location->path, F_OK) == 0)
		return 0;
	return set_path(location, STORAGE_MTD, "/dev/mtd%u", number);
}

/* gluebi shows UBI volumes as MTD devices of the same name; those are not the partition that is meant. */
static bool is_volume_in_disguise(unsigned number)
{
	char path[64];
	char type[32];

	(void)snprintf(path, sizeof(path), "/sys/class/mtd/mtd%u/type", number);
	return linux_read_line(path, type, sizeof(type)) == 0 && strcmp(type, "ubi") == 0;
}

static int find_mtd(const char *name, struct storage_location *location)
{
	char found[STORAGE_NAME_MAX];
	char *line = NULL;
	size_t room = 0;
	unsigned number;
	unsigned count = 0;
	unsigned match = 0;
	FILE *table = fopen("/proc/mtd", "re");
	int err;

	if (!table)
		return -errno;
	while (getline(&line, &room, table) >= 0)
		if (linux_parse_mtd_line(line, &number, found) && strcmp(found, name) == 0 &&
		    !is_volume_in_disguise(number)) {
			match = number;
			count++;
		}
	err = ferror(table) ? -EIO : 0;
	free(line);
	(void)fclose(table); /* only read: nothing to lose */
	if (err < 0)
		return err;
	if (count != 1) /* writing to the wrong one of two cannot be undone */
		return count == 0 ? -ENOENT : -ENOTUNIQ;
	return set_mtd(location, match);
}

static bool volume_is_called(const char *entry, const char *name)
{
	char path[512];
	char found[STORAGE_NAME_MAX];

	(void)snprintf(path, sizeof(path), UBI_CLASS "/%s/name", entry);
	return linux_read_line(path, found, sizeof(found)) == 0 && strcmp(found, name) == 0;
}

/* A volume by its name, of any UBI device or (wanted >= 0) of one. */
static int find_volume_name(const char *name, int wanted, struct storage_location *location)
{
	struct dirent *entry;
	unsigned device;
	unsigned volume;
	unsigned count = 0;
	DIR *dir = opendir(UBI_CLASS);
	int err = 0;

	if (!dir)
		return -errno;
	while (err == 0 && (entry = readdir(dir)))
		if (linux_parse_volume(entry->d_name, &device, &volume) && (wanted < 0 || device == (unsigned)wanted) &&
		    volume_is_called(entry->d_name, name)) {
			err = set_path(location, STORAGE_UBI, "/dev/%s", entry->d_name);
			count++;
		}
	(void)closedir(dir); /* only read: nothing to lose */
	if (err < 0 || count == 1)
		return err;
	return count == 0 ? -ENOENT : -ENOTUNIQ;
}

/* "ubi0_1", "ubi0:name" or "name" */
static int find_volume(const char *name, struct storage_location *location)
{
	char path[64];
	unsigned device;
	unsigned volume;
	const char *at = name + 3;

	if (linux_parse_volume(name, &device, &volume)) {
		(void)snprintf(path, sizeof(path), UBI_CLASS "/ubi%u_%u", device, volume);
		if (access(path, F_OK) < 0)
			return -errno;
		return set_path(location, STORAGE_UBI, "/dev/ubi%u_%u", device, volume);
	}
	if (strncmp(name, "ubi", 3) == 0 && linux_parse_number(&at, &device) && *at == ':')
		return find_volume_name(at + 1, (int)device, location);
	return find_volume_name(name, -1, location);
}

static int find_partition(const char *name, struct storage_location *location)
{
	for (size_t i = 0; i < sizeof(partition_folders) / sizeof(partition_folders[0]); i++) {
		int err = set_path(location, STORAGE_BLOCK, "%s/%s", partition_folders[i], name);

		if (err < 0 || access(location->path, F_OK) == 0)
			return err;
	}
	return -ENOENT;
}

/* A volume's device links to the class ubi, and so does that of a whole UBI device, which has no underscore. */
static bool is_volume_device(dev_t device)
{
	char path[64];
	char target[PATH_MAX];
	const char *base;
	unsigned ubi;
	unsigned volume;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/sys/dev/char/%u:%u", major(device), minor(device));
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return false;
	target[n] = '\0';
	base = strrchr(target, '/');
	return base && linux_parse_volume(base + 1, &ubi, &volume);
}

static int classify(const char *path, struct storage_location *location)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISREG(st.st_mode))
		return set_path(location, STORAGE_BLOCK, "%s", path);
	/* mtdblock erases and rewrites blocks on its own and knows no bad ones: go to the partition below it. */
	if (S_ISBLK(st.st_mode) && major(st.st_rdev) == MTD_BLOCK_MAJOR)
		return set_mtd(location, minor(st.st_rdev));
	if (S_ISBLK(st.st_mode))
		return set_path(location, STORAGE_BLOCK, "%s", path);
	if (S_ISCHR(st.st_mode) && major(st.st_rdev) == MTD_CHAR_MAJOR)
		return set_mtd(location, minor(st.st_rdev) / 2);
	if (S_ISCHR(st.st_mode) && is_volume_device(st.st_rdev))
		return set_path(location, STORAGE_UBI, "%s", path);
	return -ENODEV;
}

/* Below a root: the regular file dev/NAME, or the path as it is. */
static int find_file(void *medium, const char *name, struct storage_location *location)
{
	int err = set_path(location, STORAGE_BLOCK, "%s%s", *name == '/' ? "" : "/dev/", name);
	struct linux_place place;
	struct stat st;

	if (err < 0)
		return err;
	err = linux_place_open(medium, location->path, true, &place);
	if (err < 0)
		return err;
	if (fstatat(place.dir, place.name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = -ENODEV;
	linux_place_close(&place);
	return err;
}

int linux_find(void *medium, enum storage_kind kind, const char *name, struct storage_location *location)
{
	int err;

	if (((const struct linux_medium *)medium)->root >= 0)
		return find_file(medium, name, location);
	if (*name == '/')
		return classify(name, location);
	switch (kind) {
	case STORAGE_MTD:
		err = find_mtd(name, location);
		if (err == -ENOENT)
			err = find_volume(name, location);
		return err == -ENOENT ? find_partition(name, location) : err;
	case STORAGE_UBI:
		/* Never the MTD partition of that name: it may hold the UBI device itself. */
		return find_volume(name, location);
	default:
		return find_partition(name, location);
	}
}
