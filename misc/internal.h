/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MISC_INTERNAL_H
#define MISC_INTERNAL_H

/* What misc's own files share. */
#include "misc/misc.h"

struct misc {
	struct storage_raw *raw;
	struct storage_raw_info info;
	uint64_t message_offset; /* bytes from the start of the partition */
	uint64_t journal_offset;
	uint32_t record_size;  /* bytes from one journal record to the next: whole pages */
	uint32_t record_count; /* records the journal has room for; 0: the partition is too small for a journal */
	bool shared_block;     /* the journal lies in the flag's own erase block */
	char partition[64];    /* for messages */
};

/* Make every text field NUL-terminated and zero-filled; a field that starts with 0xFF becomes empty. */
void misc_clean_message(struct misc_message *message);

/*
 * Change `length` bytes at `offset` of the first good erase block (data NULL: to 0xFF, so that the pages can be
 * programmed later) and keep the rest of it: read, erase, program the pages that are not blank in ascending order, read
 * back. For MTD only.
 */
int misc_change_block(struct misc *misc, uint32_t offset, const void *data, uint32_t length, struct error *error);

#endif
