/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDATER_JOURNAL_H
#define UPDATER_JOURNAL_H

/*
 * UPDATER_JOURNAL: which objects this package's earlier runs have finished, so that a resumed run need not read all of
 * them again. It is made durable before the first change to the module (that it exists says that changes were begun),
 * and an object enters it only after its content is durable. Private to updater/.
 *
 * It never outweighs a hash: what it says of an object counts only as long as the object shows the evidence that was
 * recorded with it; else the object is hashed as if there were no journal. The evidence of a file is its inode, size
 * and time of modification: every way of ours to write a file makes a new inode, and changes of owner, mode or label
 * leave all three alone. That of a partition or volume is its bytes at regular places; since an interrupted write could
 * have come just right there, the journal says durably that it is being written before it is.
 *
 * Format: lines of one length, "V PAYLOAD CHECK\n": a letter, 32 bytes in hexadecimal, and in hexadecimal the first 4
 * bytes of the SHA-256 of the line before its second blank (a check against tearing, as good as a CRC-32).
 *      J  SHA-256 over the package's directory: its objects follow; what stands before is void
 *      F  a file is finished: 8 bytes of the SHA-256 of its name, u64 size (little-endian), 16 bytes of the SHA-256 of
 *         name, digest of the content, size and evidence
 *      R  the same of a partition or volume
 *      D  the partition or volume with these 8 bytes of name is being written, its record is void; 24 zeros
 * Any other line counts as none; it may have been a D, so that no R before it counts either.
 */
#include "base/digest.h"
#include "base/log.h"
#include "package/package.h"
#include "storage/storage.h"

struct journal;

/*
 * Without `resume` an existing journal is removed, durably. Returns NULL when there is no memory, or the package cannot
 * be read: then nothing is known and nothing recorded, an existing journal is removed too, and all functions below take
 * a NULL. None of them fails: an upgrade must not end for want of its journal.
 */
struct journal *journal_open(struct storage *storage, struct package *package, bool resume, const struct log *log);

/* Write what was held back, and tell the log the bytes counted. */
void journal_close(struct journal *journal);

/* Before anything is changed. */
void journal_begin(struct journal *journal);

/*
 * Does the object still have a content that was recorded, with one of these digests? *size: its bytes. Nothing else
 * than the object's evidence is read.
 */
bool journal_vouches(struct journal *journal, const struct storage_name *name, const struct digest_value *const *wanted,
                     unsigned count, uint64_t *size);

/* The object's first size bytes have this digest, durably. Written at once for a partition, sooner or later for files.
 */
void journal_record(struct journal *journal, const struct storage_name *name, const struct digest_value *digest,
                    uint64_t size);

/* Before a partition or volume is written. One that is named by its device may be any of those on record. */
void journal_begin_write(struct journal *journal, const struct storage_name *name);
void journal_forget_partitions(struct journal *journal);

/*
 * Was writing of this partition or volume begun, and nothing recorded since? What power left of a page may read well
 * now and not the next time, so that it must be written again, whatever is read there.
 */
bool journal_is_interrupted(struct journal *journal, const struct storage_name *name);

/* Bytes were read only to see what an object holds. */
void journal_count(struct journal *journal, uint64_t bytes);

/* What stands for the digest of a package entry's content: of its name, size and CRC-32 in this one package. */
int journal_entry_digest(struct package *package, uint32_t index, struct digest_value *value, struct error *error);

#endif
