/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/delta_files.h"

#include "gentools/place.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(struct error *error, const char *path)
{
	int err = errno;

	(void)error_set(error, 0, err, "%.400s: %s", path, strerror(err));
	return -err;
}

/* Files and block devices have a size and can be read anywhere. */
static int open_sized(const char *path, uint64_t *size, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t end = -1;
	struct stat stat;

	if (fd < 0)
		return failed(error, path);
	if (fstat(fd, &stat) == 0) {
		if (S_ISDIR(stat.st_mode))
			errno = EISDIR;
		else
			end = lseek(fd, 0, SEEK_END);
	}
	if (end < 0) {
		int err = failed(error, path);

		(void)close(fd);
		return err;
	}
	*size = (uint64_t)end;
	return fd;
}

int mapped_file_open(struct mapped_file *file, const char *path, struct error *error)
{
	uint64_t size = 0;
	int fd = open_sized(path, &size, error);
	int err = 0;

	*file = (struct mapped_file){.data = NULL};
	if (fd < 0)
		return fd;
	if (size > SIZE_MAX) {
		err = error_set(error, 0, EFBIG, "%.400s: too large", path);
	} else if (size > 0) {
		file->data = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (file->data == MAP_FAILED) {
			file->data = NULL;
			err = failed(error, path);
		} else {
			file->size = (size_t)size;
		}
	}
	(void)close(fd);
	return err;
}

void mapped_file_close(struct mapped_file *file)
{
	if (file->data)
		(void)munmap(file->data, file->size);
	*file = (struct mapped_file){.data = NULL};
}

int open_file_open(struct open_file *file, const char *path, struct error *error)
{
	uint64_t size = 0;

	file->fd = open_sized(path, &size, error);
	if (file->fd < 0)
		return file->fd;
	file->reader = reader_from_file(&file->fd, size);
	return 0;
}

void open_file_close(struct open_file *file)
{
	if (file->fd >= 0)
		(void)close(file->fd);
	file->fd = -1;
}

int new_file_open(struct new_file *file, const char *path, struct error *error)
{
	int err;

	file->path = path;
	file->fd = -1;
	file->error = error;
	file->held = 0;
	err = place_begin(path, &file->part, error);
	if (err < 0)
		return err;
	file->fd = open(file->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (file->fd < 0)
		err = failed(error, file->part);
	digest_start(&file->digest, DIGEST_SHA256);
	return err < 0 ? new_file_close(file, err, error) : 0;
}

static int write_all(struct new_file *file, const uint8_t *data, size_t length)
{
	while (length > 0) {
		ssize_t n = write(file->fd, data, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return failed(file->error, file->part);
		data += n;
		length -= (size_t)n;
	}
	return 0;
}

static int write_held(struct new_file *file)
{
	size_t length = file->held;

	file->held = 0;
	return write_all(file, file->data, length);
}

static int new_file_write(void *ctx, const void *data, size_t length)
{
	struct new_file *file = ctx;
	int err = length > sizeof(file->data) - file->held ? write_held(file) : 0;

	digest_add(&file->digest, data, length);
	if (err < 0)
		return err;
	if (length > sizeof(file->data))
		return write_all(file, data, length);
	memcpy(file->data + file->held, data, length);
	file->held += length;
	return 0;
}

struct sink new_file_sink(struct new_file *file)
{
	return (struct sink){.write = new_file_write, .ctx = file};
}

int new_file_close(struct new_file *file, int err, struct error *error)
{
	if (err == 0)
		err = write_held(file);
	if (file->fd >= 0 && close(file->fd) < 0 && err == 0)
		err = failed(error, file->part);
	file->fd = -1;
	return place_end(file->part, file->path, err, error);
}
