/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDATER_BACKUP_H
#define UPDATER_BACKUP_H

/*
 * UPDATER_BACKUP, the one copy of a source that is being overwritten. This file is its only owner: it is made whole
 * (temporary file, read back, rename) or not at all, and once it is the chosen source nobody opens it for writing.
 *
 * Format: a header of BACKUP_HEADER_SIZE bytes, then the content. Little-endian.
 *      0  "FOTASAVE"
 *      8  u32 version, 1
 *     12  u32 enum digest_kind of the content's digest
 *     16  u64 length of the content, bytes
 *     24  the digest, zero-filled to 32 bytes
 *     56  label of the object, NUL-terminated and zero-filled, 424 bytes
 *    480  SHA-256 of the bytes before
 * A file without such a header is a backup as the lineage's updaters left it: content only, owner unknown.
 */
#include "updater/object.h"

#define BACKUP_HEADER_SIZE 512
#define BACKUP_LABEL_SIZE  424

struct backup {
	struct storage_reader *file;   /* NULL: not open */
	struct reader whole;           /* the file */
	uint64_t start;                /* of the content in it */
	struct reader io;              /* the content; refers to this struct, which must not move while it is used */
	char label[BACKUP_LABEL_SIZE]; /* "" when unknown */
	struct digest_value digest;    /* as the header says; means nothing when the label is unknown */
};

/* -ENOENT, without a message, when there is none; -EILSEQ when it was cut or damaged. */
int backup_open(struct storage *storage, struct backup *backup, struct error *error);
void backup_close(struct backup *backup); /* may be repeated */

/* Is it known to be the copy of this object? */
bool backup_is_of(const struct backup *backup, const char *label);

/* Digest of the content as it lies there. */
int backup_digest(const struct backup *backup, enum digest_kind kind, struct digest_value *value, struct error *error);

/*
 * Bytes that the content of a backup may have: what is free in its place and what the present backup holds, without
 * what the header and the file system take.
 */
int backup_space(struct storage *storage, uint64_t *bytes, struct error *error);

/* Is there room for a backup of so many bytes? -ENOSPC and RESULT_SPACE when not. */
int backup_check_room(struct storage *storage, uint64_t length, struct error *error);

/*
 * Copy the source, which must have the digest, to a new backup in place of the present one. like: a path whose mode and
 * owner the backup keeps for the time when the source is gone, or NULL. -ENOSPC and RESULT_SPACE when it does not fit.
 */
int backup_make(struct storage *storage, const char *label, const char *like, const struct reader *source,
                const struct digest_value *digest, struct error *error);

int backup_remove(struct storage *storage, struct error *error);

#endif
