/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDATER_OBJECT_H
#define UPDATER_OBJECT_H

/*
 * What an object (a file, partition or volume) holds now, compared with what it may hold. Private to updater/.
 *
 * The content is read once, whatever the number of candidates: at every size that counts the running digests are
 * branched. A file has one such size, its own; a partition has those of its name's content pairs and that of the
 * target.
 */
#include "base/digest.h"
#include "storage/storage.h"

#define OBJECT_MARKS      (STORAGE_CONTENT_MAX + 2)
#define OBJECT_LABEL_SIZE (STORAGE_PATH_MAX + 8)

struct object_mark {
	uint64_t size;                                 /* bytes from the start */
	struct digest_value values[DIGEST_SHA256 + 1]; /* by kind; those of `kinds` count */
};

struct object {
	struct storage_name name;
	struct storage_reader *file; /* NULL: not open */
	struct reader io;            /* the whole object */
	unsigned kinds;              /* bit set of 1 << enum digest_kind */
	unsigned mark_count;
	struct object_mark marks[OBJECT_MARKS]; /* by size, ascending */
	uint64_t bytes_read;                    /* for the marks */
	int status;                             /* 0, or the negative errno value that made it unreadable ... */
	struct error error;                     /* ... and the cause */
};

/*
 * Open the object and take its digests: of the kinds in the set, and at target_size too (0: none). An object that is
 * missing or unreadable is no error here: it has no marks. -EINVAL for a bad name.
 */
int object_open(struct storage *storage, const char *text, uint64_t target_size, unsigned kinds, struct object *object,
                struct error *error);
void object_close(struct object *object); /* the marks stay; may be repeated */

/* Do the object's first *size bytes have this digest, at any of its sizes? */
bool object_matches(const struct object *object, const struct digest_value *digest, uint64_t *size);

/* Fill *error with "NAME: expected A or B, found C". Returns -ENOENT when there is no such object, else -EILSEQ. */
int object_mismatch(const struct object *object, const struct digest_value *const *expected, unsigned count,
                    struct error *error);

/* The name without its content pairs: "/system/app", "MTD:boot". */
const char *object_label(const struct storage_name *name, char label[OBJECT_LABEL_SIZE]);

/* The directories on the way to a path. Those that a script does not provide for are private, as in the lineage. */
int object_make_parents(struct storage *storage, const char *path, struct error *error);

static inline unsigned object_kind_bit(const struct digest_value *digest)
{
	return 1U << digest->kind;
}

#endif
