/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

const char *spool_folder(void)
{
	const char *folder = getenv("TMPDIR");

	return folder && *folder ? folder : "/tmp";
}

int spool_open(struct spool *spool)
{
	char *path;

	if (asprintf(&path, "%s/update_gen.XXXXXX", spool_folder()) < 0)
		return -ENOMEM;
	spool->size = 0;
	spool->fd = mkostemp(path, O_CLOEXEC);
	if (spool->fd < 0 || unlink(path) < 0) {
		int err = -errno;

		spool_close(spool);
		free(path);
		return err;
	}
	free(path);
	return 0;
}

void spool_close(struct spool *spool)
{
	if (spool->fd >= 0)
		(void)close(spool->fd); /* nothing in it is wanted any more */
	spool->fd = -1;
}

void spool_start(struct spool *spool, struct extent *extent)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	spool->size = (spool->size + page - 1) / page * page;
	*extent = (struct extent){.spool = spool, .offset = spool->size};
}

int spool_write_at(const struct spool *spool, uint64_t offset, const void *data, size_t length)
{
	const char *at = data;

	while (length > 0) {
		ssize_t n = pwrite(spool->fd, at, length, (off_t)offset);

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

int spool_append(struct spool *spool, struct extent *extent, const void *data, size_t length)
{
	int err = spool_write_at(spool, spool->size, data, length);

	if (err < 0)
		return err;
	spool->size += length;
	extent->size += length;
	return 0;
}

int spool_text_open(struct spool_text *text)
{
	*text = (struct spool_text){0};
	text->out = open_memstream(&text->text, &text->size);
	return text->out ? 0 : -ENOMEM;
}

int spool_text_close(struct spool_text *text, struct spool *spool, struct extent *extent)
{
	int err = ferror(text->out) ? -ENOMEM : 0;

	if (fclose(text->out) != 0)
		err = -ENOMEM;
	if (err == 0) {
		spool_start(spool, extent);
		err = spool_append(spool, extent, text->text, text->size);
	}
	free(text->text);
	return err;
}

int extent_map(const struct extent *extent, struct mapping *mapping)
{
	void *data;

	*mapping = (struct mapping){.data = ""};
	if (extent->size == 0)
		return 0;
	if (extent->size > SIZE_MAX)
		return -EFBIG;
	data = mmap(NULL, (size_t)extent->size, PROT_READ, MAP_PRIVATE, extent->spool->fd, (off_t)extent->offset);
	if (data == MAP_FAILED)
		return -errno;
	*mapping = (struct mapping){.data = data, .size = (size_t)extent->size, .map = data};
	return 0;
}

void extent_unmap(struct mapping *mapping)
{
	if (mapping->map)
		(void)munmap(mapping->map, mapping->size); /* cannot fail: it is what mmap() gave */
	*mapping = (struct mapping){0};
}

int extent_digest(const struct extent *extent, enum digest_kind kind, struct digest_value *value)
{
	struct mapping mapping;
	struct digest digest;
	int err = extent_map(extent, &mapping);

	if (err < 0)
		return err;
	digest_start(&digest, kind);
	digest_add(&digest, mapping.data, mapping.size);
	digest_finish(&digest, value);
	extent_unmap(&mapping);
	return 0;
}
