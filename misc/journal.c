/* SPDX-License-Identifier: Apache-2.0 */
#include "misc/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * A block whose erase was cut short may show records that were old when it began, and blank pages that do not keep what
 * is programmed into them. So the journal is only erased while a message is armed that has its newest record
 * (misc_set_epoch), older ones do not count, and a journal without a record that counts is erased before it is used. On
 * the other side the message is only rewritten while the journal knows what is armed.
 */

/* Kept free for what comes when the message is being cleared: it cannot help with an erase any more. */
#define RECORDS_RESERVED 2 /* CLOSED, RESET */

static uint64_t slot_offset(const struct misc *misc, uint32_t slot)
{
	return misc->journal_offset + (uint64_t)slot * misc->record_size;
}

static bool erases(const struct misc *misc)
{
	return misc->info.kind == STORAGE_MTD;
}

static bool is_blank(const uint8_t *data, uint32_t length)
{
	return data[0] == 0xFF && memcmp(data, data + 1, length - 1) == 0;
}

/* buffer: one record's pages. */
static int scan(struct misc *misc, struct journal *journal, uint8_t *buffer, struct error *error)
{
	struct record record;

	for (uint32_t slot = 0; slot < misc->record_count; slot++) {
		int err = storage_raw_read(misc->raw, slot_offset(misc, slot), buffer, misc->record_size, error);

		if (err && err != -EBADMSG)
			return err;
		if (erases(misc) && (err || !is_blank(buffer, misc->record_size)))
			journal->next = slot + 1;
		if (err || !record_decode(buffer, &record))
			continue;
		if (!journal->empty && (int32_t)(record.sequence - journal->newest.sequence) < 0)
			continue;
		journal->newest = record;
		journal->empty = false;
		if (!erases(misc))
			journal->next = (slot + 1) % misc->record_count;
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
	err = scan(misc, journal, buffer, error);
	free(buffer);
	if (!err && erases(misc) && !misc->shared_block)
		err = drop_stale(misc, journal, error);
	return err;
}

/* Program one slot and look whether it is really there. buffer: two records' pages, the first encoded. */
static int write_slot(struct misc *misc, uint32_t slot, uint8_t *buffer, struct error *error)
{
	uint8_t *check = buffer + misc->record_size;
	int err = storage_raw_program(misc->raw, slot_offset(misc, slot), buffer, misc->record_size, error);

	if (!err)
		err = storage_raw_read(misc->raw, slot_offset(misc, slot), check, misc->record_size, error);
	if (!err && memcmp(buffer, check, misc->record_size) != 0)
		err = error_set(error, RESULT_VERIFY, EIO, "%s: journal record %u reads back wrong", misc->partition,
		                slot);
	return err;
}

/* Write to the next slot; one that does not take the record is passed over. */
static int write_next(struct misc *misc, struct journal *journal, uint8_t *buffer, struct error *error)
{
	int err = error_set(error, 0, ENOSPC, "%s: the attempt journal is full", misc->partition);

	while (err && journal->next < misc->record_count)
		err = write_slot(misc, journal->next++, buffer, error);
	if (!erases(misc))
		journal->next %= misc->record_count;
	return err;
}

bool journal_has_room(const struct misc *misc, const struct journal *journal, unsigned count)
{
	if (!erases(misc))
		return true;
	if (misc->shared_block)
		return misc->record_count - journal->next >= count;
	return !journal->empty && misc->record_count - journal->next >= count + RECORDS_RESERVED;
}

/*
 * With the message's help, see above. `newest` is the record that comes next: a cut in here makes it the newest one. A
 * message that was lost meanwhile is armed again.
 */
static int erase_journal(struct misc *misc, struct journal *journal, struct error *error)
{
	struct misc_message message;
	int err = 0;

	if (!journal->empty) {
		err = misc_read_message(misc, &message, error);
		if (err)
			return err;
		if (!misc_is_armed(&message))
			misc_arm_message(&message, &journal->newest);
		misc_set_epoch(&message, &journal->newest);
		err = misc_write_message(misc, &message, error);
	}
	if (!err)
		err = storage_raw_erase(misc->raw, misc->journal_offset, error);
	journal->next = 0;
	return err;
}

/* The journal's block fails: the next good one is the journal's then. */
static int leave_block(struct misc *misc, struct journal *journal, struct error *error)
{
	int err = storage_raw_retire(misc->raw, misc->journal_offset, &misc->info, error);

	if (!err && !misc_lay_out_mtd(misc))
		err = error_set(error, 0, EINVAL, "%s: no place for a journal any more", misc->partition);
	if (!err && misc->shared_block)
		err = error_set(error, 0, ENOSPC, "%s: the block of the attempt journal went bad", misc->partition);
	journal->next = 0;
	return err;
}

static int write_record(struct misc *misc, struct journal *journal, uint8_t *buffer, struct error *error)
{
	bool closing = journal->newest.kind == RECORD_CLOSED || journal->newest.kind == RECORD_RESET;
	int err = 0;

	if (erases(misc) && !misc->shared_block && (journal->empty || (!closing && !journal_has_room(misc, journal, 1))))
		err = erase_journal(misc, journal, error);
	if (!err)
		err = write_next(misc, journal, buffer, error);
	while (storage_is_block_failure(err) && erases(misc) && !misc->shared_block) {
		int left = leave_block(misc, journal, error);

		if (left)
			return left;
		err = storage_raw_erase(misc->raw, misc->journal_offset, error);
		if (!err)
			err = write_next(misc, journal, buffer, error);
	}
	return err;
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

int journal_copy_behind(struct misc *misc, struct error *error)
{
	uint64_t behind = misc->journal_offset + misc->info.erase_size;
	struct journal journal;
	uint8_t *buffer;
	int err = journal_read(misc, &journal, error);

	if (err)
		return err;
	err = storage_raw_erase(misc->raw, behind, error);
	if (err || journal.empty)
		return err;
	journal.newest.sequence++;
	buffer = encode(misc, &journal.newest, error);
	if (!buffer)
		return -ENOMEM;
	err = storage_raw_program(misc->raw, behind, buffer, misc->record_size, error);
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
