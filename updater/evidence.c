/* SPDX-License-Identifier: Apache-2.0 */
#include "updater/evidence.h"

#include "base/bytes.h"
#include <errno.h>

#define SAMPLE_DISTANCE 131072u /* bytes: one sample in each erase block of common NAND ... */
#define SAMPLE_SIZE     4096u   /* ... which is a page or two: 3 % of the object */

static int add_stat(struct storage *storage, const char *path, uint64_t size, struct digest *digest)
{
	struct storage_stat stat;
	uint8_t numbers[16];
	int err = storage_stat_path(storage, path, &stat);

	if (err < 0)
		return err;
	if (stat.type != STORAGE_REGULAR || stat.size != size)
		return -EILSEQ;
	put_le64(numbers, stat.inode);
	put_le64(numbers + 8, stat.modified);
	digest_add(digest, numbers, sizeof(numbers));
	return 0;
}

static int add_sample(const struct reader *io, uint64_t offset, uint64_t size, struct digest *digest, uint64_t *read)
{
	uint8_t buffer[SAMPLE_SIZE];
	size_t length = size - offset < sizeof(buffer) ? (size_t)(size - offset) : sizeof(buffer);
	int err = io->read_at(io->ctx, offset, buffer, length);

	if (err < 0)
		return err;
	digest_add(digest, buffer, length);
	*read += length;
	return 0;
}

/* The last bytes are a sample, too: a write that was cut short has not come to them. */
static int add_samples(struct storage *storage, const struct storage_name *name, uint64_t size, struct digest *digest,
                       uint64_t *read)
{
	struct storage_reader *file;
	struct reader io;
	int err = storage_reader_open(storage, name, &file, NULL);

	if (err < 0)
		return err;
	io = storage_reader_io(file);
	if (io.size < size)
		err = -EILSEQ;
	for (uint64_t offset = 0; err == 0 && offset < size; offset += SAMPLE_DISTANCE)
		err = add_sample(&io, offset, size, digest, read);
	if (err == 0 && size > SAMPLE_SIZE)
		err = add_sample(&io, size - SAMPLE_SIZE, size, digest, read);
	storage_reader_close(file);
	return err;
}

int evidence_take(struct storage *storage, const struct storage_name *name, uint64_t size,
                  struct digest_value *evidence, uint64_t *read)
{
	struct digest digest;
	int err;

	digest_start(&digest, DIGEST_SHA256);
	if (name->kind == STORAGE_FILE)
		err = add_stat(storage, name->name, size, &digest);
	else
		err = add_samples(storage, name, size, &digest, read);
	digest_finish(&digest, evidence);
	return err;
}
