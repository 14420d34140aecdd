/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Good erase blocks of a raw partition. A torn erase or program may read back well and be gone the next time, so that
 * what the journal names is erased and programmed again whatever it looks like.
 *
 * When a block fails for good, the content of the blocks behind it moves up by one, beginning with the last. Each copy
 * goes to a block whose own content has been copied before (or behind the object's end) and is announced in the
 * journal, which keeps the failed block's content all the time. Blocks are named by where they are, not by their
 * number among the good ones, so that the mark that ends all this can be seen: the failed block is bad then. A block
 * that fails while it is filled is marked at once: its content is in the next one already, where it belongs from then
 * on, and the moving begins anew with one spare block less.
 */
static int mtd_measure(struct storage_units *units, struct error *error)
{
	int err = mtd_map_open(&units->map, units->storage, units->handle, units->name.name, error);

	if (err < 0)
		return err;
	if (units->map.erase_size != units->unit)
		return error_set(error, 0, EINVAL, "%s: erase blocks of %u bytes, not of %u", units->label,
		                 units->map.erase_size, units->unit);
	units->size = mtd_map_size(&units->map);
	units->block = malloc(units->unit);
	units->marks = calloc(units->unit / units->map.page_size + 1, UNITS_MARK_SIZE);
	return units->block && units->marks ? 0 : storage_fail(error, -ENOMEM, "%s", units->label);
}

static int mtd_read(const struct storage_units *units, uint64_t offset, void *buffer, size_t length)
{
	return mtd_map_read(&units->map, offset, buffer, length);
}

static int block_fail(const struct storage_units *units, uint64_t offset, int err, struct error *error)
{
	return storage_fail(error, err, "%s: block at 0x%08llx", units->label, (unsigned long long)offset);
}

/* The index of the good block at this offset of the partition; map.count when it is none. */
static uint32_t find_block(const struct mtd_map *map, uint64_t offset)
{
	uint32_t index = 0;

	while (index < map->count && mtd_map_offset(map, index) != offset)
		index++;
	return index;
}

/* The first length bytes of units->block, and erased flash up to the end of a page. */
static int write_block(struct storage_units *units, uint32_t index, size_t length)
{
	uint32_t page = units->map.page_size;
	size_t padded = (length + page - 1) / page * page;

	memset(units->block + length, 0xff, padded - length);
	return mtd_map_write_block(&units->map, index, units->block, padded, units->back);
}

static void mark_page(const struct storage_units *units, const uint8_t *page, uint8_t mark[UNITS_MARK_SIZE])
{
	struct digest_value value;
	struct digest digest;

	digest_start(&digest, DIGEST_SHA256);
	digest_add(&digest, page, units->map.page_size);
	digest_finish(&digest, &value);
	memcpy(mark, value.bytes, UNITS_MARK_SIZE);
}

/* Marks of what the block holds; of pages that cannot be read they are 0, and nobody asks for them. */
static size_t mark_block(struct storage_units *units, uint64_t number)
{
	uint32_t page = units->map.page_size;
	uint8_t *mark = units->marks;

	if (!units->map.has_bad_blocks)
		return 0;
	for (uint32_t at = 0; at < units->unit; at += page, mark += UNITS_MARK_SIZE) {
		memset(mark, 0, UNITS_MARK_SIZE);
		if (mtd_map_read(&units->map, number * units->unit + at, units->back, page) == 0)
			mark_page(units, units->back, mark);
	}
	return (size_t)(mark - units->marks);
}

static bool is_erased(const uint8_t *data, size_t length)
{
	return data[0] == 0xff && memcmp(data, data + 1, length - 1) == 0;
}

#define SEVERAL 2u

/* Whether somebody else has written the block since. */
static bool is_foreign(struct storage_units *units, uint32_t index, const struct units_journal *journal)
{
	uint32_t page = units->map.page_size;
	uint8_t mark[UNITS_MARK_SIZE];
	unsigned foreign = 0;

	if (journal->old_size != (size_t)(units->unit / page) * UNITS_MARK_SIZE)
		return false;
	memset(units->block, 0xff, units->unit);
	memcpy(units->block, journal->data, journal->size);
	for (uint32_t at = 0; at < units->unit; at += page) {
		if (mtd_map_read(&units->map, (uint64_t)index * units->unit + at, units->back, page) < 0)
			return false;
		mark_page(units, units->back, mark);
		if (!is_erased(units->back, page) && memcmp(units->back, units->block + at, page) != 0 &&
		    memcmp(mark, journal->old + (size_t)(at / page) * UNITS_MARK_SIZE, UNITS_MARK_SIZE) != 0)
			foreign++;
	}
	return foreign >= SEVERAL;
}

/* What a block is to be filled with while blocks move: the one before it, or what the journal holds. */
static int fetch_block(struct storage_units *units, uint32_t index, const struct units_journal *journal, size_t *length,
                       struct error *error)
{
	const struct mtd_map *map = &units->map;
	int err;

	if (mtd_map_offset(map, index - 1) == journal->offset) {
		memcpy(units->block, journal->data, journal->size);
		*length = journal->size;
		return 0;
	}
	*length = units->unit;
	err = mtd_map_read(map, (uint64_t)(index - 1) * units->unit, units->block, units->unit);
	return err < 0 ? storage_fail(error, err, "%s: moving the block at 0x%08llx", units->label,
	                              (unsigned long long)mtd_map_offset(map, index - 1))
	               : 0;
}

/* Move what lies behind the failed block up, and the journal's content in. journal->moving: where to go on, or nowhere.
 */
static int move_up(struct storage_units *units, struct units_journal *journal, struct error *error)
{
	struct mtd_map *map = &units->map;
	uint32_t end = (uint32_t)((journal->length + units->unit - 1) / units->unit); /* the first spare block */
	uint32_t index = find_block(map, journal->moving);
	size_t length = 0;
	int err;

	do {
		if (index == map->count)
			index = end;
		if (index >= map->count)
			return error_set(
				error, RESULT_SPACE, ENOSPC,
				"%s: the block at 0x%08llx fails, and behind the content there is no good one to "
				"take its place",
				units->label, (unsigned long long)journal->offset);
		journal->moving = mtd_map_offset(map, index);
		err = units_note(units, journal, error);
		if (err == 0)
			err = fetch_block(units, index, journal, &length, error);
		if (err < 0)
			return err;
		err = write_block(units, index, length);
		if (err == 0) {
			index--;
		} else if (mtd_is_block_failure(err)) {
			err = mtd_map_retire(map, index, error);
			index = map->count;
		} else {
			(void)block_fail(units, journal->moving, err, error);
		}
	} while (err == 0 && (index == map->count || mtd_map_offset(map, index) != journal->offset));
	if (err < 0)
		return err;
	/* Half-written content shall not outlive the block; an erase that fails changes nothing. */
	(void)units->storage->ops->mtd_erase(units->storage->medium, units->handle, journal->offset);
	return mtd_map_retire(map, index, error);
}

static int put_block(struct storage_units *units, const struct units_journal *journal, struct error *error)
{
	struct units_journal moving = *journal;
	uint32_t index = find_block(&units->map, journal->offset);
	int err;

	moving.old_size = 0;
	memcpy(units->block, journal->data, journal->size);
	err = write_block(units, index, journal->size);
	if (mtd_is_block_failure(err))
		err = move_up(units, &moving, error);
	else if (err < 0)
		err = block_fail(units, journal->offset, err, error);
	units->size = mtd_map_size(&units->map);
	return err;
}

static int mtd_change(struct storage_units *units, uint64_t number, const uint8_t *data, size_t length,
                      struct error *error)
{
	const struct units_journal journal = {.offset = mtd_map_offset(&units->map, (uint32_t)number),
	                                      .moving = UNITS_NOWHERE,
	                                      .length = units->length,
	                                      .data = data,
	                                      .size = length,
	                                      .old = units->marks,
	                                      .old_size = mark_block(units, number)};
	int err = units_note(units, &journal, error);

	return err < 0 ? err : put_block(units, &journal, error);
}

static int mtd_resume(struct storage_units *units, const struct units_journal *journal, struct error *error)
{
	struct units_journal moving = *journal;
	uint32_t index = find_block(&units->map, journal->offset);

	if (index == units->map.count)
		return 0; /* it is marked bad: all behind it has moved, and the content is in the next block */
	if (journal->moving == UNITS_NOWHERE && is_foreign(units, index, journal)) {
		log_printf(&units->storage->log, "units: %s was written by somebody else since: its journal is dropped",
		           units->label);
		return 0;
	}
	if (journal->moving == UNITS_NOWHERE)
		return put_block(units, journal, error);
	return move_up(units, &moving, error);
}

const struct units_kind units_mtd = {
	.measure = mtd_measure, .read = mtd_read, .change = mtd_change, .resume = mtd_resume};
