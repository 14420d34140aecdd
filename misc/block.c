/* SPDX-License-Identifier: Apache-2.0 */
#include "misc/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WRITE_TRIES 2 /* a second erase often revives a block that a power cut left half erased */

static bool is_blank(const uint8_t *data, uint32_t length)
{
	return data[0] == 0xFF && (length == 1 || memcmp(data, data + 1, length - 1) == 0);
}

/* The whole block. A page that ECC cannot correct was torn by a power cut: there is nothing in it to keep. */
static int load_block(struct misc *misc, uint8_t *block, struct error *error)
{
	uint32_t page = misc->info.page_size;
	int err = storage_raw_read(misc->raw, 0, block, misc->info.erase_size, error);

	if (err != -EBADMSG)
		return err;
	for (uint32_t at = 0; at < misc->info.erase_size; at += page) {
		err = storage_raw_read(misc->raw, at, block + at, page, error);
		if (err == -EBADMSG)
			memset(block + at, 0xFF, page);
		else if (err)
			return err;
	}
	return 0;
}

static int write_block_once(struct misc *misc, const uint8_t *block, uint8_t *check, struct error *error)
{
	uint32_t page = misc->info.page_size;
	int err = storage_raw_erase(misc->raw, 0, error);

	for (uint32_t at = 0; !err && at < misc->info.erase_size; at += page) {
		if (!is_blank(block + at, page))
			err = storage_raw_program(misc->raw, at, block + at, page, error);
	}
	if (!err)
		err = storage_raw_read(misc->raw, 0, check, misc->info.erase_size, error);
	if (!err && memcmp(block, check, misc->info.erase_size) != 0)
		err = error_set(error, RESULT_VERIFY, EIO, "%s: the block of the bootloader message reads back wrong",
		                misc->partition);
	return err;
}

/*
 * The block does not take the message. With it marked bad the journal's first block is where the bootloader looks, and
 * the journal begins with the one behind that: so what the journal knows goes there first.
 */
static int leave_block(struct misc *misc, const struct misc_message *message, struct error *error)
{
	uint64_t blocks = misc->info.size / misc->info.erase_size;
	int err = 0;

	if (blocks == 1 && misc_is_armed(message))
		return error_set(error, 0, EIO, "%s: the only block left does not take the bootloader message",
		                 misc->partition);
	if (blocks > 2)
		err = journal_leave_first_block(misc, error);
	if (!err)
		err = storage_raw_retire(misc->raw, 0, &misc->info, error);
	if (err)
		return err;
	if (misc->info.size == 0)
		misc->record_count = 0;
	else if (!misc_lay_out_mtd(misc))
		err = error_set(error, 0, EIO, "%s: no place for a bootloader message any more", misc->partition);
	return err;
}

static int write_block(struct misc *misc, const struct misc_message *message, const uint8_t *block, uint8_t *check,
                       struct error *error)
{
	int err;

	do {
		for (int i = 0; i < WRITE_TRIES; i++) {
			err = write_block_once(misc, block, check, error);
			if (!err)
				return 0;
		}
		if (storage_is_block_failure(err))
			err = leave_block(misc, message, error);
	} while (!err && misc->info.size);
	return err;
}

int misc_change_block(struct misc *misc, const struct misc_message *message, bool keep_journal, struct error *error)
{
	uint8_t *block = malloc(misc->info.erase_size);
	uint8_t *check = malloc(misc->info.erase_size);
	int err;

	if (!block || !check) {
		err = error_set(error, 0, ENOMEM, "%s: no memory for a block of %u bytes", misc->partition,
		                misc->info.erase_size);
		goto out;
	}
	err = load_block(misc, block, error);
	if (err)
		goto out;
	memcpy(block + misc->message_offset, message, sizeof(*message));
	if (misc->shared_block && !keep_journal)
		memset(block + misc->journal_offset, 0xFF, (size_t)misc->record_size * misc->record_count);
	err = write_block(misc, message, block, check, error);
out:
	free(check);
	free(block);
	return err;
}
