/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDATER_JOURNAL_FILE_H
#define UPDATER_JOURNAL_FILE_H

/* The journal as it lies in UPDATER_JOURNAL (format: journal.h), and its records in memory. Private to the journal. */
#include "base/log.h"
#include "storage/storage.h"

#define JOURNAL_PROOF_SIZE  16
#define JOURNAL_IDENTITY    32
#define JOURNAL_LINE_LENGTH 75                               /* without its newline */
#define JOURNAL_ENTRIES_MAX 16384u                           /* 650 KiB of memory; further objects are just hashed */
#define JOURNAL_SIZE_MAX    (4u << 20)                       /* bytes; more is not ours, or more than anybody needs */
#define JOURNAL_HELD_MAX    (50 * (JOURNAL_LINE_LENGTH + 1)) /* bytes; small files shall not each cost a sync */

struct journal_entry {
	uint64_t key;
	uint8_t proof[JOURNAL_PROOF_SIZE];
	uint64_t size;    /* bytes of the object's content */
	bool partition;   /* or a volume; else a file */
	bool interrupted; /* a partition that is being written: no proof, no size */
};

struct journal_file {
	struct storage *storage;
	const struct log *log;
	uint8_t package[JOURNAL_IDENTITY];
	bool begun;  /* the file's last J is of this package */
	bool closed; /* nothing more is written */
	uint64_t size;
	char held[JOURNAL_HELD_MAX]; /* bytes that are not in the file yet */
	size_t held_length;
	unsigned next; /* where a search begins: a rerun meets the objects in their order */
	unsigned count;
	struct journal_entry entries[JOURNAL_ENTRIES_MAX]; /* memory that no entry uses is never touched */
};

/* Take what the file says; storage, log and package are set, the rest is zero. What is wrong with it goes to the log.
 */
void journal_file_load(struct journal_file *file);

/* NULL: none. Valid until the next change. */
const struct journal_entry *journal_file_find(struct journal_file *file, uint64_t key);

/* Make the file one of this package, durably; what it said before is void. */
void journal_file_begin(struct journal_file *file);

/* In place of another one with this key. Lines are held back until journal_file_write(), or until they are many. */
void journal_file_add(struct journal_file *file, const struct journal_entry *entry);

/*
 * The partition with this key, or each one on record, is being written: durable when these return. Where that cannot be
 * written, the file is removed rather than left saying what is not so.
 */
void journal_file_interrupt(struct journal_file *file, uint64_t key);
void journal_file_drop_all(struct journal_file *file);

/* Durable. When it fails that is told once, and nothing is written any more. */
void journal_file_write(struct journal_file *file);

#endif
