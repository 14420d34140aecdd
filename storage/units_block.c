/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/units.h"

#include <errno.h>
#include <string.h>

/* Slices of a block device, or of a regular file that stands for a partition. A cut write leaves any mixture of old
 * and new, so that the journal's content is written again. */
static int block_measure(struct storage_units *units, struct error *error)
{
	int err = units->storage->ops->size(units->storage->medium, units->handle, &units->size);

	return err < 0 ? storage_fail(error, err, "%s: size", units->label) : 0;
}

static int block_read(const struct storage_units *units, uint64_t offset, void *buffer, size_t length)
{
	return storage_read_all(units->storage, units->handle, offset, buffer, length);
}

static int block_write(struct storage_units *units, uint64_t offset, const uint8_t *data, size_t length,
                       struct error *error)
{
	const struct storage_ops *ops = units->storage->ops;
	void *medium = units->storage->medium;
	int err = ops->write(medium, units->handle, offset, data, length);

	if (err == 0)
		err = ops->sync(medium, units->handle);
	if (err == 0)
		err = block_read(units, offset, units->back, length);
	if (err < 0)
		return storage_fail(error, err, "%s: write at %llu", units->label, (unsigned long long)offset);
	if (memcmp(units->back, data, length) != 0)
		return error_set(error, RESULT_VERIFY, EBADMSG, "%s: wrong content after the write at %llu",
		                 units->label, (unsigned long long)offset);
	return 0;
}

static int block_change(struct storage_units *units, uint64_t number, const uint8_t *data, size_t length,
                        struct error *error)
{
	const struct units_journal journal = {
		.offset = number * units->unit, .moving = UNITS_NOWHERE, .data = data, .size = length};
	int err = units_note(units, &journal, error);

	return err < 0 ? err : block_write(units, journal.offset, data, length, error);
}

static int block_resume(struct storage_units *units, const struct units_journal *journal, struct error *error)
{
	return block_write(units, journal->offset, journal->data, journal->size, error);
}

const struct units_kind units_block = {
	.measure = block_measure, .read = block_read, .change = block_change, .resume = block_resume};
