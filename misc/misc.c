/* SPDX-License-Identifier: Apache-2.0 */
#include "misc/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_JOURNAL_OFFSET   4096
#define FILE_RECORD_SIZE      1024
#define FILE_RECORDS_MAX      64
#define MTD_RECORD_MIN        1024 /* NOR flash programs single bytes, old NAND pages of 512 */
#define MTD_RECORDS_MAX       128
#define ERASE_SIZE_MAX        (16u << 20) /* beyond any NAND of this class; a block is held in memory twice */
#define MESSAGE_SIZE          ((uint32_t)sizeof(struct misc_message))
#define READS                 3 /* a page that power cut short may read well once */
#define ROUND_UP(value, unit) (((value) + (unit)-1) / (unit) * (unit))

static uint32_t at_most(uint64_t value, uint32_t limit)
{
	return value < limit ? (uint32_t)value : limit;
}

bool misc_lay_out_mtd(struct misc *misc)
{
	const struct storage_raw_info *info = &misc->info;
	uint32_t page = info->page_size;
	uint32_t journal; /* where it begins when it shares the flag's block */

	if (page == 0 || info->erase_size == 0 || info->erase_size > ERASE_SIZE_MAX || info->erase_size % page ||
	    info->size < info->erase_size || page > info->erase_size / 2 || page + MESSAGE_SIZE > info->erase_size)
		return false;
	misc->message_offset = page;
	misc->record_size = ROUND_UP(MTD_RECORD_MIN, page);
	misc->record_count = 0;
	misc->shared_block = false;
	if (info->size / info->erase_size >= 2) {
		misc->journal_offset = info->erase_size;
		misc->journal_blocks = info->size / info->erase_size >= 3 ? 2 : 1;
		misc->record_count = at_most(info->erase_size / misc->record_size, MTD_RECORDS_MAX);
		return true;
	}
	misc->shared_block = true;
	misc->journal_blocks = 1;
	journal = ROUND_UP(page + MESSAGE_SIZE, misc->record_size);
	if (journal < 4 * page)
		journal = 4 * page;
	misc->journal_offset = journal;
	if (journal < info->erase_size)
		misc->record_count = at_most((info->erase_size - journal) / misc->record_size, MTD_RECORDS_MAX);
	return true;
}

static bool lay_out_file(struct misc *misc)
{
	misc->message_offset = 0;
	misc->journal_blocks = 1;
	misc->journal_offset = FILE_JOURNAL_OFFSET;
	misc->record_size = FILE_RECORD_SIZE;
	if (misc->info.size > FILE_JOURNAL_OFFSET)
		misc->record_count =
			at_most((misc->info.size - FILE_JOURNAL_OFFSET) / FILE_RECORD_SIZE, FILE_RECORDS_MAX);
	/* One slot would be overwritten in place, and a torn write would lose the count. */
	if (misc->record_count < 2)
		misc->record_count = 0;
	return misc->info.size >= MESSAGE_SIZE;
}

int misc_open(struct storage *storage, const char *partition, struct misc **misc_out, struct error *error)
{
	struct misc *misc = calloc(1, sizeof(*misc));
	bool fits;
	int err;

	*misc_out = NULL;
	if (!misc)
		return error_set(error, 0, ENOMEM, "%s: no memory", partition);
	(void)snprintf(misc->partition, sizeof(misc->partition), "%s", partition);
	err = storage_raw_open(storage, partition, &misc->raw, &misc->info, error);
	if (err) {
		free(misc);
		return err;
	}
	fits = misc->info.kind == STORAGE_MTD ? misc_lay_out_mtd(misc) : lay_out_file(misc);
	if (!fits) {
		err = error_set(error, 0, EINVAL,
		                "%s: no place for a bootloader message (%llu bytes, block %u, page %u)", partition,
		                (unsigned long long)misc->info.size, misc->info.erase_size, misc->info.page_size);
		misc_close(misc);
		return err;
	}
	*misc_out = misc;
	return 0;
}

void misc_close(struct misc *misc)
{
	if (!misc)
		return;
	storage_raw_close(misc->raw);
	free(misc);
}

/* -EBADMSG when ECC cannot correct it, which leaves an empty message. */
static int read_message(struct misc *misc, struct misc_message *message, struct error *error)
{
	int err = storage_raw_read(misc->raw, misc->message_offset, message, sizeof(*message), error);

	if (err)
		memset(message, 0, sizeof(*message));
	misc_clean_message(message);
	return err;
}

int misc_read_message(struct misc *misc, struct misc_message *message, struct error *error)
{
	int err = read_message(misc, message, error);

	return err == -EBADMSG ? 0 : err;
}

bool misc_message_is(struct misc *misc, const struct misc_message *wanted)
{
	struct misc_message there;

	for (int i = 0; i < READS; i++) {
		if (read_message(misc, &there, NULL) || memcmp(&there, wanted, sizeof(there)) != 0)
			return false;
	}
	return true;
}

bool misc_message_is_sound(struct misc *misc)
{
	struct misc_message there;

	return read_message(misc, &there, NULL) == 0 && misc_message_is(misc, &there);
}

int misc_put_message(struct misc *misc, const struct misc_message *message, bool keep_journal, struct error *error)
{
	struct misc_message wanted = *message;
	int err;

	misc_clean_message(&wanted);
	if (misc_message_is(misc, &wanted))
		return 0;
	if (misc->info.kind == STORAGE_MTD)
		err = misc_change_block(misc, &wanted, keep_journal, error);
	else
		err = storage_raw_program(misc->raw, misc->message_offset, &wanted, sizeof(wanted), error);
	if (!err && misc->info.size && !misc_message_is(misc, &wanted))
		err = error_set(error, RESULT_VERIFY, EIO, "%s: the bootloader message reads back wrong",
		                misc->partition);
	return err;
}

int misc_write_message(struct misc *misc, const struct misc_message *message, struct error *error)
{
	journal_settle(misc);
	return misc_put_message(misc, message, true, error);
}

static int arm_journal(struct misc *misc, struct journal *journal, const struct misc_message *message,
                       struct error *error)
{
	journal->newest = (struct record){.kind = RECORD_ARMED, .sequence = journal->newest.sequence};
	memcpy(journal->newest.arguments, message->recovery, sizeof(journal->newest.arguments));
	return journal_append(misc, journal, error);
}

/* The journal before the message, so that the message can be brought back; but it is erased only when that is there. */
static int arm(struct misc *misc, const struct misc_message *message, struct error *error)
{
	struct record first = {.kind = RECORD_ARMED};
	struct misc_message armed = *message;
	struct journal journal;
	int err;

	if (misc->record_count == 0)
		return misc_write_message(misc, message, error);
	err = journal_read(misc, &journal, error);
	if (err)
		return err;
	first.sequence = journal.newest.sequence + 1;
	journal_stamp(misc, &first, &armed);
	if (!misc->shared_block && journal_has_room(misc, &journal, 1)) {
		err = arm_journal(misc, &journal, message, error);
		return err ? err : misc_write_message(misc, &armed, error);
	}
	err = misc_put_message(misc, &armed, false, error);
	if (!err && misc->shared_block)
		err = journal_read(misc, &journal, error); /* it went with the block, or the message was there before */
	return err ? err : arm_journal(misc, &journal, message, error);
}

int misc_arm(struct misc *misc, const char *const *arguments, unsigned count, struct error *error)
{
	struct misc_message message;
	int err = misc_make_message(arguments, count, &message, error);

	return err ? err : arm(misc, &message, error);
}

int misc_rearm(struct misc *misc, const struct misc_message *message, struct error *error)
{
	struct misc_message armed = *message;
	struct journal journal;
	int err;

	if (misc_message_is(misc, message))
		return 0;
	if (misc->record_count == 0)
		return misc_write_message(misc, message, error);
	err = journal_read(misc, &journal, error);
	if (err)
		return err;
	if (journal.newest.kind == RECORD_RESET)
		return arm(misc, message, error);
	journal_stamp(misc, &journal.newest, &armed);
	return misc_write_message(misc, &armed, error);
}

int misc_clear(struct misc *misc, struct error *error)
{
	struct misc_message nothing = {0};
	int err;

	/* Where the journal cannot be written any more, the module must get out of recovery all the same. */
	(void)journal_finish(misc, RECORD_CLOSED, NULL);
	err = misc_put_message(misc, &nothing, false, error);
	/*
	 * After the message, so that an ending which power cut short is still known as one. Before anyone else arms,
	 * so that a tool that knows no journal starts with five attempts.
	 */
	return err ? err : journal_finish(misc, RECORD_RESET, error);
}
