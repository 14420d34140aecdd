/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/linux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Open a path that exists for the kernel to look at, links followed. */
static int open_place(void *medium, const char *path, int flags)
{
	struct linux_place place;
	int fd = linux_place_open(medium, path, true, &place);

	if (fd < 0)
		return fd;
	fd = openat(place.dir, place.name, flags | O_CLOEXEC | (place.confined ? O_NOFOLLOW : 0));
	if (fd < 0)
		fd = -errno;
	linux_place_close(&place);
	return fd;
}

int linux_free_space(void *medium, const char *path, uint64_t *bytes)
{
	struct statvfs st;
	int fd = open_place(medium, path, O_PATH);
	int err;

	if (fd < 0)
		return fd;
	err = fstatvfs(fd, &st) < 0 ? -errno : 0;
	(void)close(fd); /* O_PATH: nothing to lose */
	if (err == 0)
		*bytes = (uint64_t)st.f_bavail * st.f_frsize;
	return err;
}

int linux_sync_directory(void *medium, const char *path)
{
	int fd = open_place(medium, path, O_RDONLY | O_DIRECTORY);
	int err;

	if (fd < 0)
		return fd;
	/* EINVAL: a file system that cannot sync a directory (procfs and the like) has nothing durable in it. */
	err = fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
	(void)close(fd); /* synced above */
	return err;
}

int linux_sync_all(void *medium)
{
	const struct linux_medium *m = medium;
	int fd;
	int err;

	if (m->root < 0) {
		sync();
		return 0;
	}
	fd = open_place(medium, "/", O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	err = syncfs(fd) < 0 ? -errno : 0;
	(void)close(fd); /* synced above */
	return err;
}

/* Below a root nothing is ever mounted: a directory that is there counts. */
static int is_directory(void *medium, const char *path)
{
	int fd = open_place(medium, path, O_PATH | O_DIRECTORY);

	if (fd >= 0)
		(void)close(fd); /* O_PATH: nothing to lose */
	return fd < 0 ? fd : 0;
}

static bool is_confined(const void *medium)
{
	return ((const struct linux_medium *)medium)->root >= 0;
}

static int find_mount(const char *point, bool *mounted)
{
	char at[STORAGE_PATH_MAX];
	char *line = NULL;
	size_t room = 0;
	FILE *mounts = fopen("/proc/self/mounts", "re");
	int err;

	if (!mounts)
		return -errno;
	*mounted = false;
	while (!*mounted && getline(&line, &room, mounts) >= 0)
		*mounted = linux_parse_mounts_line(line, at) && strcmp(at, point) == 0;
	err = ferror(mounts) ? -EIO : 0;
	free(line);
	(void)fclose(mounts); /* only read: nothing to lose */
	return err;
}

int linux_is_mounted(void *medium, const char *mount_point, bool *mounted)
{
	char real[PATH_MAX];
	int err;

	*mounted = false;
	if (is_confined(medium)) {
		err = is_directory(medium, mount_point);
		*mounted = err == 0;
		return err == -ENOENT || err == -ENOTDIR ? 0 : err;
	}
	/* The kernel lists the place a link led to when the mount was made. */
	if (!realpath(mount_point, real))
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	return find_mount(real, mounted);
}

/*
 * What mount(2) wants for a device that linux_find() found: ubifs the volume's bare name, which kernels of all ages
 * take; other file systems the block device over the partition or volume.
 */
static const char *mount_source(const char *fs_type, const char *device, char source[64])
{
	const char *base = strrchr(device, '/');
	unsigned number;
	const char *number_text;
	unsigned volume;

	if (!base || strncmp(device, "/dev/", 5) != 0)
		return device;
	if (linux_parse_volume(base + 1, &number, &volume)) {
		(void)snprintf(source, 64, strcmp(fs_type, "ubifs") == 0 ? "ubi%u_%u" : "/dev/ubiblock%u_%u", number,
		               volume);
		return source;
	}
	number_text = device + (strncmp(device, "/dev/mtd/", 9) == 0 ? 9 : 8);
	if (strncmp(device, "/dev/mtd", 8) != 0 || !linux_parse_number(&number_text, &number) || *number_text != '\0')
		return device;
	(void)snprintf(source, 64, "/dev/mtdblock%u", number);
	return source;
}

int linux_mount(void *medium, const char *fs_type, const char *device, const char *mount_point, const char *options)
{
	char source[64];
	char data[1024];
	unsigned long flags;
	int err;

	if (is_confined(medium))
		return is_directory(medium, mount_point);
	err = linux_parse_options(options ? options : "", &flags, data, sizeof(data));
	if (err < 0)
		return err;
	return mount(mount_source(fs_type, device, source), mount_point, fs_type, flags, data) < 0 ? -errno : 0;
}

int linux_unmount(void *medium, const char *mount_point)
{
	if (is_confined(medium))
		return is_directory(medium, mount_point);
	return umount2(mount_point, 0) < 0 ? -errno : 0;
}
