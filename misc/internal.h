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
	uint32_t journal_blocks; /* erase blocks of it: 1 or 2; on block devices and files 1 */
	uint32_t record_size;    /* bytes from one journal record to the next: whole pages */
	uint32_t record_count; /* records that one of them has room for; 0: the partition is too small for a journal */
	bool shared_block;     /* the journal lies in the flag's own erase block */
	char partition[64];    /* for messages */
};

/* Where things lie on raw flash of misc->info. False when the geometry is absurd or the message does not fit. */
bool misc_lay_out_mtd(struct misc *misc);

/* ---- Journal records: misc/record.c ---- */

#define RECORD_LENGTH 1008 /* bytes */

enum record_kind {
	RECORD_RESET, /* nothing is armed */
	RECORD_ARMED,
	RECORD_BEGIN,  /* an attempt */
	RECORD_FAILED, /* it failed, another one is due */
	RECORD_ENDED,  /* with last_code, which is to be told */
	RECORD_CLOSED, /* told: only the message is to be cleared */
};

struct record {
	enum record_kind kind;
	uint32_t sequence; /* one more than the record before it; compared modulo 2^32 */
	unsigned begun;
	unsigned failed;
	unsigned stalled;
	unsigned progress;
	int last_code;
	uint32_t upgrade;                                             /* what the caller knows it by, 0: nothing */
	char arguments[sizeof(((struct misc_message *)0)->recovery)]; /* the message's field `recovery` */
	char cause[MISC_CAUSE_SIZE];                                  /* of last_code */
};

void record_encode(const struct record *record, uint8_t bytes[RECORD_LENGTH]);
bool record_decode(const uint8_t bytes[RECORD_LENGTH], struct record *record); /* false: no record */

/* The same without arguments and cause. */
#define RECORD_BRIEF_LENGTH 40 /* bytes */
void record_encode_brief(const struct record *record, uint8_t bytes[RECORD_BRIEF_LENGTH]);
bool record_decode_brief(const uint8_t bytes[RECORD_BRIEF_LENGTH], struct record *record);

/* ---- The message ---- */

/* Make every text field NUL-terminated and zero-filled; a field that starts with 0xFF becomes empty. */
void misc_clean_message(struct misc_message *message);

/*
 * A record in the last bytes of `reserved`, without arguments and cause: one in the journal with a lower sequence
 * number does not count, and where there is no other, this is the newest one. False when the message has none.
 */
bool misc_get_epoch(const struct misc_message *message, struct record *epoch);
void misc_set_epoch(struct misc_message *message, const struct record *epoch);

/* Is the message this one, soundly? One that a power cut left half written may read well now and not the next time. */
bool misc_message_is(struct misc *misc, const struct misc_message *wanted);

/* Command and arguments as the record has them; the rest stays. */
void misc_arm_message(struct misc_message *message, const struct record *record);

/* misc_write_message(); keep_journal false: a journal in the message's block goes with the erase. */
int misc_put_message(struct misc *misc, const struct misc_message *message, bool keep_journal, struct error *error);

/*
 * Rewrite the first good erase block with another message, keeping the rest of it, the journal if it lies there and
 * keep_journal: read, erase, program the pages that are not blank in ascending order, read back. For MTD only. A block
 * that fails is marked bad, so that the bootloader looks at the next one; where there is no other, only to get rid of
 * an armed message, after which misc->info.size is 0.
 */
int misc_change_block(struct misc *misc, const struct misc_message *message, bool keep_journal, struct error *error);

/* ---- The journal ---- */

struct journal {
	bool empty; /* no valid record: `newest` is a reset one */
	struct record newest;
	uint32_t block; /* of the newest record; 0 when it is empty */
	uint32_t next;  /* slot in it for the next record; record_count: none is blank */
};

/* -ENOSPC when the partition has no journal. */
int journal_read(struct misc *misc, struct journal *journal, struct error *error);

/* Where journal and message are erased apart from each other: a record that the message carries. */
void journal_stamp(const struct misc *misc, const struct record *record, struct misc_message *message);

/* Would `count` more records go in without an erase? */
bool journal_has_room(const struct misc *misc, const struct journal *journal, unsigned count);

/* Append journal->newest with the next sequence number; erases when it must, and leaves a block that fails. */
int journal_append(struct misc *misc, struct journal *journal, struct error *error);

/*
 * Before the message is rewritten: where only its epoch knows the state, the journal's erase is done again and the
 * state written there. What cannot be is left as it is: the message counts for more.
 */
void journal_settle(struct misc *misc);

/*
 * Before the flag's block, which fails, is left for the journal's first block: see to it that the newest record is in
 * the second one. For a partition of three blocks or more.
 */
int journal_leave_first_block(struct misc *misc, struct error *error);

/* The next record is RECORD_CLOSED or RECORD_RESET, unless nothing is armed anyway. */
int journal_finish(struct misc *misc, enum record_kind kind, struct error *error);

#endif
