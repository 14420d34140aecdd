/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/linux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

bool linux_parse_number(const char **text, unsigned *number)
{
	const char *at = *text;
	unsigned value = 0;

	while (*at >= '0' && *at <= '9' && at - *text < 6)
		value = value * 10 + (unsigned)(*at++ - '0');
	if (at == *text)
		return false;
	*text = at;
	*number = value;
	return true;
}

bool linux_parse_mtd_line(const char *line, unsigned *number, char name[STORAGE_NAME_MAX])
{
	const char *start = strchr(line, '"');
	const char *end = strrchr(line, '"');
	size_t length;

	if (!start || end == start || strncmp(line, "mtd", 3) != 0)
		return false;
	line += 3;
	length = (size_t)(end - start) - 1;
	if (length == 0 || length >= STORAGE_NAME_MAX || !linux_parse_number(&line, number) || *line != ':')
		return false;
	memcpy(name, start + 1, length);
	name[length] = '\0';
	return true;
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

bool linux_parse_mounts_line(const char *line, char point[STORAGE_PATH_MAX])
{
	const char *at = line + strcspn(line, " ");
	size_t used = 0;

	if (*at++ != ' ')
		return false;
	while (*at != ' ' && *at != '\0' && *at != '\n') {
		char c = *at++;

		if (c == '\\' && is_octal(at[0]) && is_octal(at[1]) && is_octal(at[2])) {
			c = (char)((at[0] - '0') << 6 | (at[1] - '0') << 3 | (at[2] - '0'));
			at += 3;
		}
		if (used + 1 == STORAGE_PATH_MAX)
			return false;
		point[used++] = c;
	}
	point[used] = '\0';
	return used > 0 && *at == ' ';
}

bool linux_parse_volume(const char *text, unsigned *device, unsigned *volume)
{
	if (strncmp(text, "ubi", 3) != 0)
		return false;
	text += 3;
	return linux_parse_number(&text, device) && *text++ == '_' && linux_parse_number(&text, volume) &&
	       *text == '\0';
}

static const struct {
	const char *name;
	unsigned long set;
	unsigned long clear;
} mount_flags[] = {
	{"defaults", 0, 0},
	{"ro", MS_RDONLY, 0},
	{"rw", 0, MS_RDONLY},
	{"noatime", MS_NOATIME, 0},
	{"atime", 0, MS_NOATIME},
	{"nodiratime", MS_NODIRATIME, 0},
	{"diratime", 0, MS_NODIRATIME},
	{"relatime", MS_RELATIME, 0},
	{"nodev", MS_NODEV, 0},
	{"dev", 0, MS_NODEV},
	{"nosuid", MS_NOSUID, 0},
	{"suid", 0, MS_NOSUID},
	{"noexec", MS_NOEXEC, 0},
	{"exec", 0, MS_NOEXEC},
	{"sync", MS_SYNCHRONOUS, 0},
	{"async", 0, MS_SYNCHRONOUS},
	{"dirsync", MS_DIRSYNC, 0},
	{"remount", MS_REMOUNT, 0},
	{"bind", MS_BIND, 0},
};

static bool apply_flag(const char *option, size_t length, unsigned long *flags)
{
	for (size_t i = 0; i < sizeof(mount_flags) / sizeof(mount_flags[0]); i++)
		if (strlen(mount_flags[i].name) == length && memcmp(mount_flags[i].name, option, length) == 0) {
			*flags = (*flags | mount_flags[i].set) & ~mount_flags[i].clear;
			return true;
		}
	return false;
}

int linux_parse_options(const char *options, unsigned long *flags, char *data, size_t size)
{
	size_t used = 0;

	*flags = 0;
	while (*options != '\0') {
		size_t length = strcspn(options, ",");

		if (length > 0 && !apply_flag(options, length, flags)) {
			if (length + 2 > size - used)
				return -ENAMETOOLONG;
			if (used > 0)
				data[used++] = ',';
			memcpy(data + used, options, length);
			used += length;
		}
		options += length + (options[length] == ',');
	}
	data[used] = '\0';
	return 0;
}

int linux_read_line(const char *path, char *line, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	int err;

	if (fd < 0)
		return -errno;
	n = read(fd, line, size - 1);
	err = n < 0 ? -errno : 0;
	(void)close(fd); /* only read: nothing to lose */
	if (err < 0)
		return err;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return 0;
}
