/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/linux.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* O_NONBLOCK keeps the opening of a FIFO that lies in the way from waiting for its other end; files ignore it. */
static int open_flags(enum storage_open_mode mode)
{
	switch (mode) {
	case STORAGE_READ:
		return O_RDONLY | O_NONBLOCK;
	case STORAGE_WRITE:
		return O_RDWR | O_NONBLOCK;
	case STORAGE_CREATE:
		return O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK;
	default:
		return O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK;
	}
}

/* Directories open for reading, and a file that existed keeps its mode: neither is what the caller asked for. */
static int check_opened(int fd, enum storage_open_mode mode)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (mode == STORAGE_CREATE && (st.st_mode & 07777) != 0600 && fchmod(fd, 0600) < 0)
		return -errno;
	return 0;
}

int linux_open(void *medium, const char *path, enum storage_open_mode mode)
{
	bool follow = mode == STORAGE_READ || mode == STORAGE_WRITE;
	struct linux_place place;
	int err = linux_place_open(medium, path, follow, &place);
	int fd;

	if (err < 0)
		return err;
	fd = openat(place.dir, place.name, open_flags(mode) | O_CLOEXEC | O_NOCTTY | (place.confined ? O_NOFOLLOW : 0),
	            mode == STORAGE_APPEND ? 0644 : 0600);
	if (fd < 0)
		fd = -errno;
	linux_place_close(&place);
	if (fd < 0)
		return fd;
	err = check_opened(fd, mode);
	if (err < 0) {
		(void)close(fd); /* nothing was written */
		return err;
	}
	return fd;
}

int linux_close(void *medium, int handle)
{
	(void)medium;
	/* After EINTR Linux has closed the descriptor all the same. */
	return close(handle) < 0 && errno != EINTR ? -errno : 0;
}

ssize_t linux_read(void *medium, int handle, uint64_t offset, void *buffer, size_t length)
{
	ssize_t n;

	(void)medium;
	if (offset > INT64_MAX)
		return -EINVAL;
	do
		n = pread(handle, buffer, length, (off_t)offset);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int linux_write(void *medium, int handle, uint64_t offset, const void *data, size_t length)
{
	const char *at = data;

	(void)medium;
	if (offset > (uint64_t)INT64_MAX - length)
		return -EINVAL;
	while (length > 0) {
		ssize_t n = pwrite(handle, at, length, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		offset += (uint64_t)n;
		length -= (size_t)n;
	}
	return 0;
}

int linux_size(void *medium, int handle, uint64_t *bytes)
{
	off_t end;

	(void)medium;
	/* Files and block devices alike; handles are read by offset, so that the position does not matter. */
	end = lseek(handle, 0, SEEK_END);
	if (end < 0)
		return -errno;
	*bytes = (uint64_t)end;
	return 0;
}

int linux_sync(void *medium, int handle)
{
	int err;

	(void)medium;
	if (fsync(handle) < 0)
		return -errno;
	/* What is read next must come from the medium. Devices without a page cache have nothing to drop. */
	err = posix_fadvise(handle, 0, 0, POSIX_FADV_DONTNEED);
	return err == 0 || err == ESPIPE || err == EINVAL ? 0 : -err;
}
