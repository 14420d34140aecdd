/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORAGE_UNITS_H
#define STORAGE_UNITS_H

/* What the files units*.c share: objects changed in place. */
#include "storage/internal.h"

#define UNITS_MAX_UNIT (16u << 20) /* bounds the buffers; erase blocks have up to 4 MiB */

/* ---- The journal: what is being written, and where ---- */

#define UNITS_NOWHERE UINT64_MAX

struct units_journal {
	uint64_t offset; /* where the content belongs: bytes from the object's beginning, of MTD with bad blocks counted
	                  */
	uint64_t moving; /* the block that is being filled, since the one at offset failed; UNITS_NOWHERE: none is */
	uint64_t length; /* bytes of the object that count */
	uint32_t unit;
	const uint8_t *data;
	size_t size;
	const uint8_t *old; /* marks of what the pages held before, by which somebody else's content is told; or none */
	size_t old_size;
};

#define UNITS_MARK_SIZE 4u /* bytes, of a page's SHA-256 */

/* Replace the journal, durably. */
int units_journal_save(struct storage *storage, const char *path, const struct storage_name *object,
                       const struct units_journal *journal, struct error *error);

/* ---- Units ---- */

struct units_kind {
	/* Compare the medium with the unit wanted, and tell the object's size. The handle is open. */
	int (*measure)(struct storage_units *units, struct error *error);
	int (*read)(const struct storage_units *units, uint64_t offset, void *buffer, size_t length);
	int (*change)(struct storage_units *units, uint64_t number, const uint8_t *data, size_t length,
	              struct error *error);
	/* Finish what the journal says. NULL: the kind needs none. */
	int (*resume)(struct storage_units *units, const struct units_journal *journal, struct error *error);
};

extern const struct units_kind units_ubi;
extern const struct units_kind units_mtd;
extern const struct units_kind units_block;

struct storage_units {
	const struct units_kind *kind;
	struct storage *storage;
	struct storage_name name;
	char label[STORAGE_PATH_MAX + 8]; /* the name with its kind, for messages */
	int handle;                       /* -1: closed */
	uint32_t unit;                    /* bytes */
	uint64_t size;                    /* bytes of the object */
	uint64_t length;                  /* of these so many count */
	char *journal;                    /* path, owned; NULL: none is needed */
	bool look;                        /* nothing is changed */
	bool journaled;                   /* the journal may be there */
	bool failed;                      /* a change failed: the journal must stay */
	uint8_t *back;                    /* a unit, to read back */
	uint8_t *block;                   /* MTD only: a block as it is programmed */
	uint8_t *marks;                   /* MTD only: of a block's pages */
	struct mtd_map map;               /* MTD only */
};

/* As storage_units_open() when there is no journal, and storage_units_close(). */
int units_create(struct storage *storage, const struct storage_name *name, const struct storage_units_options *options,
                 struct storage_units **units, struct error *error);
int units_end(struct storage_units *units, struct error *error);

/* Enter into the journal what is about to be written; unit and length are the object's. */
int units_note(struct storage_units *units, const struct units_journal *journal, struct error *error);

/* Fill *error with what a failed change of a LEB, or a failed opening of its volume, means; returns err. */
int units_ubi_fail(const struct storage_units *units, uint64_t number, int err, struct error *error);

#endif
