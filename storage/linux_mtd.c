/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/linux.h"

#include <errno.h>
#include <mtd/mtd-user.h>
#include <sys/ioctl.h>
#include <unistd.h>

int linux_mtd_info(void *medium, int handle, struct storage_mtd_info *info)
{
	struct mtd_info_user mtd;
	off_t size;

	(void)medium;
	if (ioctl(handle, MEMGETINFO, &mtd) < 0)
		return -errno;
	/* mtd.size has 32 bits; the end of the device has 64. */
	size = lseek(handle, 0, SEEK_END);
	if (size < 0)
		return -errno;
	*info = (struct storage_mtd_info){
		.size = (uint64_t)size,
		.erase_size = mtd.erasesize,
		.page_size = mtd.writesize,
		.has_bad_blocks = mtd.type == MTD_NANDFLASH || mtd.type == MTD_MLCNANDFLASH,
	};
	return 0;
}

int linux_mtd_is_bad(void *medium, int handle, uint64_t offset, bool *bad)
{
	__kernel_loff_t at = (__kernel_loff_t)offset;
	int answer = ioctl(handle, MEMGETBADBLOCK, &at);

	(void)medium;
	if (answer < 0)
		return -errno;
	*bad = answer > 0;
	return 0;
}

int linux_mtd_mark_bad(void *medium, int handle, uint64_t offset)
{
	__kernel_loff_t at = (__kernel_loff_t)offset;

	(void)medium;
	return ioctl(handle, MEMSETBADBLOCK, &at) < 0 ? -errno : 0;
}

static int erase_32(int handle, uint64_t offset, uint32_t length)
{
	struct erase_info_user erase = {.start = (uint32_t)offset, .length = length};

	if (offset > UINT32_MAX)
		return -EFBIG;
	return ioctl(handle, MEMERASE, &erase) < 0 ? -errno : 0;
}

int linux_mtd_erase(void *medium, int handle, uint64_t offset)
{
	struct erase_info_user64 erase = {.start = offset};
	struct mtd_info_user mtd;

	(void)medium;
	if (ioctl(handle, MEMGETINFO, &mtd) < 0)
		return -errno;
	erase.length = mtd.erasesize;
	if (ioctl(handle, MEMERASE64, &erase) == 0)
		return 0;
	/* Kernels before 2.6.31 know the 32-bit request only. */
	return errno == ENOTTY ? erase_32(handle, offset, mtd.erasesize) : -errno;
}

int linux_mtd_program(void *medium, int handle, uint64_t offset, const void *data, size_t length)
{
	/* Writes to the character device go through to the flash before they return; it has no fsync. */
	return linux_write(medium, handle, offset, data, length);
}

static int count_failures(int handle, uint32_t *failures)
{
	struct mtd_ecc_stats stats;

	if (ioctl(handle, ECCGETSTATS, &stats) < 0)
		return -errno;
	*failures = stats.failed;
	return 0;
}

int linux_mtd_read(void *medium, int handle, uint64_t offset, void *buffer, size_t length)
{
	uint8_t *at = buffer;
	uint32_t before = 0;
	uint32_t after = 0;
	int err = count_failures(handle, &before);

	if (err < 0)
		return err;
	while (length > 0) {
		ssize_t n = linux_read(medium, handle, offset, at, length);

		if (n <= 0)
			return n < 0 ? (int)n : -EPIPE;
		at += n;
		offset += (uint64_t)n;
		length -= (size_t)n;
	}
	/* read(2) of the device hides uncorrectable errors and returns the damaged data; only the count tells. */
	err = count_failures(handle, &after);
	if (err < 0)
		return err;
	return after != before ? -EBADMSG : 0;
}
