/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/linux.h"

#include <errno.h>
#include <mtd/ubi-user.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Attributes of a volume's sysfs directory: Documentation/ABI/stable/sysfs-class-ubi of the kernel. */
static int read_attribute(dev_t device, const char *attribute, char *text, size_t size)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/%s", major(device), minor(device), attribute);
	return linux_read_line(path, text, size);
}

static int read_number(dev_t device, const char *attribute, uint64_t *number)
{
	char text[32];
	char *end;
	int err = read_attribute(device, attribute, text, sizeof(text));

	if (err < 0)
		return err;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return end == text || *end != '\0' || errno != 0 ? -EINVAL : 0;
}

int linux_ubi_info(void *medium, int handle, struct storage_ubi_info *info)
{
	uint64_t blocks = 0;
	uint64_t leb_size = 0;
	uint64_t used = 0;
	uint64_t marker = 0;
	char type[32] = "";
	struct stat st;
	int err;

	(void)medium;
	if (fstat(handle, &st) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode))
		return -ENODEV;
	if ((err = read_number(st.st_rdev, "reserved_ebs", &blocks)) < 0 ||
	    (err = read_number(st.st_rdev, "usable_eb_size", &leb_size)) < 0 ||
	    (err = read_number(st.st_rdev, "data_bytes", &used)) < 0 ||
	    (err = read_number(st.st_rdev, "upd_marker", &marker)) < 0 ||
	    (err = read_attribute(st.st_rdev, "type", type, sizeof(type))) < 0)
		return err;
	if (leb_size == 0 || leb_size > UINT32_MAX || blocks > UINT64_MAX / leb_size)
		return -EINVAL;
	*info = (struct storage_ubi_info){
		.size = blocks * leb_size,
		.used = used,
		.leb_size = (uint32_t)leb_size,
		.is_static = strcmp(type, "static") == 0,
		.interrupted = marker != 0,
	};
	return 0;
}

int linux_ubi_update(void *medium, int handle, uint64_t bytes)
{
	__s64 size = (__s64)bytes;

	(void)medium;
	if (bytes > INT64_MAX)
		return -EINVAL;
	return ioctl(handle, UBI_IOCVOLUP, &size) < 0 ? -errno : 0;
}

int linux_ubi_write(void *medium, int handle, const void *data, size_t length)
{
	const char *at = data;

	(void)medium;
	while (length > 0) {
		ssize_t n = write(handle, at, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		length -= (size_t)n;
	}
	return 0;
}

int linux_ubi_change(void *medium, int handle, uint32_t leb, const void *data, size_t length)
{
	/* dtype: what kernels before 3.6 want to see */
	struct ubi_leb_change_req request = {.lnum = (__s32)leb, .bytes = (__s32)length, .dtype = 3};

	if (leb > INT32_MAX || length > INT32_MAX)
		return -EINVAL;
	if (ioctl(handle, UBI_IOCEBCH, &request) < 0)
		return -errno;
	/* The kernel gathers the data, and changes the LEB with the last byte. */
	return linux_ubi_write(medium, handle, data, length);
}
