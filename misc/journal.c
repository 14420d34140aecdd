/* SPDX-License-Identifier: Apache-2.0 */
#include "misc/internal.h"

#include "base/bytes.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/*
 * One record, little-endian, the rest of its page 0xFF. The newest valid one is the state; the others are history.
 *   0  u32 magic     "FOAJ"
 *   4  u16 version   1
 *   6  u16 kind      enum record_kind
 *   8  u32 sequence  one more than the record before it; compared modulo 2^32
 *  12  u32 begun
 *  16  u32 progress
 *  20  u32 last_code
 *  24  u32 upgrade   what the caller knows the upgrade by, 0: nothing
 *  28  u32 CRC-32 (zlib's) of the bytes before it
 */
#define RECORD_MAGIC   UINT32_C(0x4A414F46)
#define RECORD_VERSION 1
#define RECORD_LENGTH  32

/* Room that a reset leaves for the upgrade to come, so that a journal is erased between upgrades and not inside one. */
#define RECORDS_SPARE 16

enum record_kind { RECORD_RESET, RECORD_BEGIN, RECORD_FAILED, RECORD_SUCCEEDED };

struct record {
	enum record_kind kind;
	uint32_t sequence;
	unsigned begun;
	unsigned progress;
	int last_code;
	uint32_t upgrade;
};

struct journal {
	bool empty; /* no valid record: `newest` is a reset one */
	struct record newest;
	uint32_t next; /* slot for the next record; record_count: none is blank */
};

static void encode(const struct record *record, uint8_t *bytes)
{
	put_le32(bytes, RECORD_MAGIC);
	put_le16(bytes + 4, RECORD_VERSION);
	put_le16(bytes + 6, (uint16_t)record->kind);
	put_le32(bytes + 8, record->sequence);
	put_le32(bytes + 12, record->begun);
	put_le32(bytes + 16, record->progress);
	put_le32(bytes + 20, (uint32_t)record->last_code);
	put_le32(bytes + 24, record->upgrade);
	put_le32(bytes + 28, (uint32_t)crc32(0, bytes, 28));
}

static bool decode(const uint8_t *bytes, struct record *record)
{
	uint16_t kind = get_le16(bytes + 6);
	uint32_t begun = get_le32(bytes + 12);
	uint32_t progress = get_le32(bytes + 16);
	uint32_t code = get_le32(bytes + 20);

	if (get_le32(bytes) != RECORD_MAGIC || get_le16(bytes + 4) != RECORD_VERSION ||
	    get_le32(bytes + 28) != (uint32_t)crc32(0, bytes, 28))
		return false;
	/* The sum is no signature: out of range is as good as damaged. */
	if (kind > RECORD_SUCCEEDED || begun > UINT16_MAX || progress > 100 || code > UINT16_MAX)
		return false;
	*record = (struct record){.kind = (enum record_kind)kind,
	                          .sequence = get_le32(bytes + 8),
	                          .begun = begun,
	                          .progress = progress,
	                          .last_code = (int)code,
	                          .upgrade = get_le32(bytes + 24)};
	return true;
}

static uint64_t slot_offset(const struct misc *misc, uint32_t slot)
{
	return misc->journal_offset + (uint64_t)slot * misc->record_size;
}

static bool is_blank(const uint8_t *data, uint32_t length)
{
	return data[0] == 0xFF && memcmp(data, data + 1, length - 1) == 0;
}

/* journal: an empty one. buffer: one record's pages. */
static int scan(struct misc *misc, struct journal *journal, uint8_t *buffer, struct error *error)
{
	bool erases = misc->info.kind == STORAGE_MTD;
	struct record record;

	for (uint32_t slot = 0; slot < misc->record_count; slot++) {
		int err = storage_raw_read(misc->raw, slot_offset(misc, slot), buffer, misc->record_size, error);

		if (err && err != -EBADMSG)
			return err;
		if (erases && (err || !is_blank(buffer, misc->record_size)))
			journal->next = slot + 1;
		if (err || !decode(buffer, &record))
			continue;
		if (!journal->empty && (int32_t)(record.sequence - journal->newest.sequence) < 0)
			continue;
		journal->newest = record;
		journal->empty = false;
		if (!erases)
			journal->next = (slot + 1) % misc->record_count;
	}
	return 0;
}

static int erase_journal(struct misc *misc, struct error *error)
{
	uint32_t length = misc->record_size * misc->record_count;

	if (misc->shared_block)
		return misc_change_block(misc, (uint32_t)misc->journal_offset, NULL, length, error);
	return storage_raw_erase(misc->raw, misc->journal_offset, error);
}

/* Program one slot and look whether it is really there. buffer: two records' pages. */
static int write_slot(struct misc *misc, uint32_t slot, const struct record *record, uint8_t *buffer,
                      struct error *error)
{
	uint8_t *check = buffer + misc->record_size;
	int err;

	memset(buffer, 0xFF, misc->record_size);
	encode(record, buffer);
	err = storage_raw_program(misc->raw, slot_offset(misc, slot), buffer, misc->record_size, error);
	if (!err)
		err = storage_raw_read(misc->raw, slot_offset(misc, slot), check, misc->record_size, error);
	if (!err && memcmp(buffer, check, misc->record_size) != 0)
		err = error_set(error, RESULT_VERIFY, EIO, "%s: journal record %u reads back wrong", misc->partition,
		                slot);
	return err;
}

/* Append to the journal; a slot that does not take the record is passed over. */
static int append(struct misc *misc, const struct journal *journal, const struct record *record, uint8_t *buffer,
                  struct error *error)
{
	uint32_t slot = journal->next;
	int err = -ENOSPC;

	for (; err && slot < misc->record_count; slot++)
		err = write_slot(misc, slot, record, buffer, error);
	if (err && misc->info.kind == STORAGE_MTD) {
		/* Full. The count is lost if power goes now: the upgrade then gets attempts anew, which beats none. */
		err = erase_journal(misc, error);
		if (!err)
			err = write_slot(misc, 0, record, buffer, error);
	}
	return err;
}

/* Read the journal. *buffer: room for two records' pages, the caller frees it whatever the result. */
static int load(struct misc *misc, struct journal *journal, uint8_t **buffer, struct error *error)
{
	*journal = (struct journal){.empty = true};
	*buffer = NULL;
	if (misc->record_count == 0)
		return error_set(error, 0, ENOSPC, "%s: no room for the attempt journal", misc->partition);
	*buffer = malloc((size_t)misc->record_size * 2);
	if (!*buffer)
		return error_set(error, 0, ENOMEM, "%s: no memory for the attempt journal", misc->partition);
	return scan(misc, journal, *buffer, error);
}

static struct misc_attempts attempts_of(const struct record *record)
{
	return (struct misc_attempts){.begun = record->begun,
	                              .progress = record->progress,
	                              .last_code = record->last_code,
	                              .running = record->kind == RECORD_BEGIN,
	                              .succeeded = record->kind == RECORD_SUCCEEDED};
}

/* What another upgrade left there is nothing to this one. */
static void keep_to(struct record *record, uint32_t upgrade)
{
	if (upgrade && record->upgrade != upgrade)
		*record = (struct record){.sequence = record->sequence, .upgrade = upgrade};
}

int misc_attempts_read(struct misc *misc, uint32_t upgrade, struct misc_attempts *attempts, struct error *error)
{
	struct journal journal;
	uint8_t *buffer;
	int err = load(misc, &journal, &buffer, error);

	if (err)
		journal.newest = (struct record){0};
	keep_to(&journal.newest, upgrade);
	*attempts = attempts_of(&journal.newest);
	free(buffer);
	return err;
}

unsigned misc_attempts_held(const struct misc_attempts *attempts, unsigned progress)
{
	if (attempts->running && attempts->begun && progress > attempts->progress)
		return attempts->begun - 1;
	return attempts->begun;
}

static void begin(struct record *record, uint32_t upgrade, unsigned progress)
{
	struct misc_attempts attempts;

	keep_to(record, upgrade);
	attempts = attempts_of(record);
	record->begun = misc_attempts_held(&attempts, progress) + 1;
	record->progress = progress;
}

/* Append what follows the newest record. value: of BEGIN the progress, of FAILED the code. */
static int advance(struct misc *misc, enum record_kind kind, uint32_t upgrade, unsigned value, struct error *error)
{
	struct journal journal;
	struct record *record = &journal.newest;
	uint8_t *buffer;
	int err = load(misc, &journal, &buffer, error);

	if (!err) {
		if (kind == RECORD_BEGIN)
			begin(record, upgrade, value);
		else if (kind == RECORD_FAILED)
			record->last_code = (int)value;
		record->kind = kind;
		record->sequence++;
		err = append(misc, &journal, record, buffer, error);
	}
	free(buffer);
	return err;
}

int misc_attempt_begin(struct misc *misc, uint32_t upgrade, unsigned progress, struct error *error)
{
	return advance(misc, RECORD_BEGIN, upgrade, progress > 100 ? 100 : progress, error);
}

int misc_attempt_failed(struct misc *misc, int code, struct error *error)
{
	if (code < 0 || code > UINT16_MAX)
		code = RESULT_ABNORMAL;
	return advance(misc, RECORD_FAILED, 0, (unsigned)code, error);
}

int misc_attempt_succeeded(struct misc *misc, struct error *error)
{
	return advance(misc, RECORD_SUCCEEDED, 0, 0, error);
}

int misc_attempts_reset(struct misc *misc, struct error *error)
{
	struct journal journal;
	uint8_t *buffer;
	int err = load(misc, &journal, &buffer, error);

	if (err)
		goto out;
	if (misc->info.kind == STORAGE_MTD && journal.next > 0 && misc->record_count - journal.next < RECORDS_SPARE) {
		err = erase_journal(misc, error); /* a blank journal is a reset one */
	} else if (!journal.empty && journal.newest.kind != RECORD_RESET) {
		journal.newest = (struct record){.kind = RECORD_RESET, .sequence = journal.newest.sequence + 1};
		err = append(misc, &journal, &journal.newest, buffer, error);
	}
out:
	free(buffer);
	return err;
}
