/* SPDX-License-Identifier: Apache-2.0 */
#include "misc/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * A block whose erase was cut short may show records that were old when it began, and blank pages that do not keep what
 * is programmed into them.
 *
 * Where there are two blocks for the journal, the one that is erased never has the newest record: when one is full, the
 * other is erased and goes on with the next record. A first record that is not there yet, or not readable, leaves the
 * full block as it was.
 *
 * Where there is one, it is only erased while a message is armed that has a record of the upgrade (journal_stamp):
 * older ones do not count, and a journal without a record that counts is erased before it is used. On the other side
 * the message is only rewritten while the journal knows what is armed.
 */

/* In one block, kept free for what comes when the message is being cleared: it cannot help with an erase any more. */
#define RECORDS_RESERVED 2 /* CLOSED, RESET */

#define NO_BLOCK UINT32_MAX

static uint64_t slot_offset(const struct misc *misc, uint32_t block, uint32_t slot)
{
	return misc->journal_offset + (uint64_t)block * misc->info.erase_size + (uint64_t)slot * misc->record_size;
}

static bool erases(const struct misc *misc)
{
	return misc->info.kind == STORAGE_MTD;
}

/* One block apart from the message's: neither may be erased without the other. */
static bool needs_message(const struct misc *misc)
{
	return erases(misc) && !misc->shared_block && misc->journal_blocks == 1;
}

static bool is_blank(const uint8_t *data, uint32_t length)
{
	return data[0] == 0xFF && memcmp(data, data + 1, length - 1) == 0;
}

/* buffer: one record's pages. */
static int scan(struct misc *misc, uint32_t block, struct journal *journal, uint8_t *buffer, struct error *error)
{
	bool is_newest = block == 0;
	struct record record;
	uint32_t next = 0;

	for (uint32_t slot = 0; slot < misc->record_count; slot++) {
		int err = storage_raw_read(misc->raw, slot_offset(misc, block, slot), buffer, misc->record_size, error);

		if (err && err != -EBADMSG)
			return err;
		if (erases(misc) && (err || !is_blank(buffer, misc->record_size)))
			next = slot + 1;
		if (err || !record_decode(buffer, &record))
			continue;
		if (!journal->empty && (int32_t)(record.sequence - journal->newest.sequence) < 0)
			continue;
		journal->newest = record;
		journal->empty = false;
		is_newest = true;
		if (!erases(misc))
			next = (slot + 1) % misc->record_count;
	}
	if (is_newest) {
		journal->block = block;
		journal->next = next;
	}
	return 0;
}

static int drop_stale(struct misc *misc, struct journal *journal, struct error *error)
{
	struct misc_message message;
	struct record epoch;
	int err = misc_read_message(misc, &message, error);

	if (err || !misc_get_epoch(&message, &epoch))
		return err;
	if (journal->empty || (int32_t)(journal->newest.sequence - epoch.sequence) < 0) {
		memcpy(epoch.arguments, message.recovery, sizeof(epoch.arguments));
		journal->newest = epoch;
		journal->empty = true;
	}
	return 0;
}

int journal_read(struct misc *misc, struct journal *journal, struct error *error)
{
	uint8_t *buffer;
	int err;

	*journal = (struct journal){.empty = true};
	if (misc->record_count == 0)
		return error_set(error, 0, ENOSPC, "%s: no room for the attempt journal", misc->partition);
	buffer = malloc(misc->record_size);
	if (!buffer)
		return error_set(error, 0, ENOMEM, "%s: no memory for the attempt journal", misc->partition);
	err = scan(misc, 0, journal, buffer, error);
	if (!err && misc->journal_blocks == 2)
		err = scan(misc, 1, journal, buffer, error);
	free(buffer);
	if (!err && needs_message(misc))
		err = drop_stale(misc, journal, error);
	return err;
}

/* Program one slot and look whether it is really there. buffer: two records' pages, the first encoded. */
static int write_slot(struct misc *misc, uint64_t offset, uint8_t *buffer, struct error *error)
{
	uint8_t *check = buffer + misc->record_size;
	int err = storage_raw_program(misc->raw, offset, buffer, misc->record_size, error);

	if (!err)
		err = storage_raw_read(misc->raw, offset, check, misc->record_size, error);
	if (!err && memcmp(buffer, check, misc->record_size) != 0)
		err = error_set(error, RESULT_VERIFY, EIO, "%s: the journal record at 0x%llx reads back wrong",
		                misc->partition, (unsigned long long)offset);
	return err;
}

/* Write to the next slot; one that does not take the record is passed over. */
static int write_next(struct misc *misc, struct journal *journal, uint8_t *buffer, struct error *error)
{
	int err = error_set(error, 0, ENOSPC, "%s: the attempt journal is full", misc->partition);

	while (err && journal->next < misc->record_count)
		err = write_slot(misc, slot_offset(misc, journal->block, journal->next++), buffer, error);
	if (!erases(misc) && journal->next == misc->record_count)
		journal->next = 0;
	return err;
}

bool journal_has_room(const struct misc *misc, const struct journal *journal, unsigned count)
{
	if (!erases(misc) || misc->journal_blocks == 2)
		return true;
	if (misc->shared_block)
		return misc->record_count - journal->next >= count;
	return !journal->empty && misc->record_count - journal->next >= count + RECORDS_RESERVED;
}

void journal_stamp(const struct misc *misc, const struct record *record, struct misc_message *message)
{
	if (needs_message(misc))
		misc_set_epoch(message, record);
}

/*
 * The only block. While the upgrade runs the message is left alone, since behind a kernel that is half written nobody
 * could bring it back; it has the record it was armed with, and a cut in here may cost the count of attempts. Before
 * the first change and behind the last one it is given the record that comes next.
 */
static int prepare_message(struct misc *misc, const struct record *next, struct error *error)
{
	struct misc_message message;
	struct record epoch;
	int err = misc_read_message(misc, &message, error);

	if (err)
		return err;
	if (next->kind != RECORD_ENDED &&
	    (next->kind != RECORD_BEGIN || next->begun != 1 || misc_get_epoch(&message, &epoch)))
		return 0;
	misc_arm_message(&message, next);
	journal_stamp(misc, next, &message);
	return misc_write_message(misc, &message, error);
}

/* See to it that the next record has a slot. `newest` is that record. */
static int make_room(struct misc *misc, struct journal *journal, struct error *error)
{
	bool closing = journal->newest.kind == RECORD_CLOSED || journal->newest.kind == RECORD_RESET;
	bool ended = journal->newest.kind == RECORD_ENDED;
	int err = 0;

	if (!erases(misc) || misc->shared_block)
		return 0;
	if (misc->journal_blocks == 2) {
		if (!journal->empty && journal->next < misc->record_count)
			return 0;
		journal->block = journal->empty ? 0 : 1 - journal->block;
	} else {
		/* An end is told to others, so that it must not be in a block which a cut may have left half erased. */
		if (!journal->empty && (closing || (!ended && journal_has_room(misc, journal, 1))))
			return 0;
		if (!journal->empty)
			err = prepare_message(misc, &journal->newest, error);
	}
	journal->next = 0;
	return err ? err : storage_raw_erase(misc->raw, slot_offset(misc, journal->block, 0), error);
}

/* A block of the journal fails, which is not the one of the newest record unless there is no other. */
static int leave_block(struct misc *misc, struct journal *journal, uint32_t *home, struct error *error)
{
	uint32_t failed = journal->block;
	bool lost = journal->empty || failed == *home;
	int err = storage_raw_retire(misc->raw, slot_offset(misc, failed, 0), &misc->info, error);

	if (!err && !misc_lay_out_mtd(misc))
		err = error_set(error, 0, EINVAL, "%s: no place for a journal any more", misc->partition);
	if (!err && misc->shared_block)
		err = error_set(error, 0, ENOSPC, "%s: the block of the attempt journal went bad", misc->partition);
	journal->empty = lost;
	*home = lost ? NO_BLOCK : 0; /* of the two the other one is the first now */
	journal->block = 0;
	journal->next = misc->record_count;
	return err;
}

static int write_record(struct misc *misc, struct journal *journal, uint8_t *buffer, struct error *error)
{
	uint32_t home = journal->empty ? NO_BLOCK : journal->block;

	for (;;) {
		int err = make_room(misc, journal, error);

		if (!err)
			err = write_next(misc, journal, buffer, error);
		if (!storage_is_block_failure(err) || !erases(misc) || misc->shared_block)
			return err;
		/* Full of slots that take nothing: the newest record stays in it until the other block has one. */
		if (misc->journal_blocks == 2 && journal->block == home)
			continue;
		err = leave_block(misc, journal, &home, error);
		if (err)
			return err;
	}
}

/* Two records' pages, the first with the record in it; NULL: no memory. */
static uint8_t *encode(const struct misc *misc, const struct record *record, struct error *error)
{
	uint8_t *buffer = malloc((size_t)misc->record_size * 2);

	if (!buffer) {
		(void)error_set(error, 0, ENOMEM, "%s: no memory for the attempt journal", misc->partition);
		return NULL;
	}
	memset(buffer, 0xFF, misc->record_size);
	record_encode(record, buffer);
	return buffer;
}

int journal_append(struct misc *misc, struct journal *journal, struct error *error)
{
	uint8_t *buffer;
	int err;

	journal->newest.sequence++;
	buffer = encode(misc, &journal->newest, error);
	if (!buffer)
		return -ENOMEM;
	err = write_record(misc, journal, buffer, error);
	if (!err)
		journal->empty = false;
	free(buffer);
	return err;
}

void journal_settle(struct misc *misc)
{
	struct journal journal;

	if (misc->record_count && journal_read(misc, &journal, NULL) == 0 && journal.empty &&
	    journal.newest.kind != RECORD_RESET)
		(void)journal_append(misc, &journal, NULL);
}

int journal_leave_first_block(struct misc *misc, struct error *error)
{
	struct journal journal;
	uint8_t *buffer;
	int err = journal_read(misc, &journal, error);

	if (err || journal.empty || journal.block == 1)
		return err;
	journal.newest.sequence++;
	buffer = encode(misc, &journal.newest, error);
	if (!buffer)
		return -ENOMEM;
	err = storage_raw_erase(misc->raw, slot_offset(misc, 1, 0), error);
	if (!err)
		err = write_slot(misc, slot_offset(misc, 1, 0), buffer, error);
	free(buffer);
	return err;
}

int journal_finish(struct misc *misc, enum record_kind kind, struct error *error)
{
	struct journal journal;
	int err;

	if (misc->record_count == 0)
		return 0;
	err = journal_read(misc, &journal, error);
	if (err || journal.newest.kind == RECORD_RESET || journal.newest.kind == kind)
		return err;
	if (kind == RECORD_RESET)
		journal.newest = (struct record){.sequence = journal.newest.sequence};
	journal.newest.kind = kind;
	err = journal_append(misc, &journal, error);
	/* Full of repeated endings. Whoever reads what lies there may repeat it once more. */
	return err == -ENOSPC ? 0 : err;
}
