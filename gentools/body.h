/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_BODY_H
#define GENTOOLS_BODY_H

/*
 * Content of files and partitions that an upgrade on trial changes: what it writes lies in blocks of one temporary
 * file, what it does not write is read from where it was unpacked. Functions return 0 or a negative errno value;
 * -ENOSPC when the temporary file's file system is full.
 */
#include "gentools/spool.h"

struct body_store {
	struct spool spool;
	uint32_t used;   /* blocks of the spool, in use or spare */
	uint32_t *spare; /* numbers of blocks to use again */
	size_t spare_count;
	size_t spare_capacity;
};

/* All zero: empty content. */
struct body {
	struct extent base; /* of its bytes, those that no block holds; behind its end they are 0 */
	uint64_t size;      /* bytes; may be more or less than the base's */
	uint32_t *blocks;   /* number of the block of each BODY_BLOCK_SIZE bytes, 0: none */
	size_t count;       /* of blocks[] */
};

#define BODY_BLOCK_SIZE 16384u

/* Ends with body_store_close(), also after a failure. */
int body_store_open(struct body_store *store);
void body_store_close(struct body_store *store);

/* Whatever lies behind the end is not read: all of length must be there. */
int body_read(const struct body_store *store, const struct body *body, uint64_t offset, void *buffer, size_t length);

/* Grows with what is written behind its end. */
int body_write(struct body_store *store, struct body *body, uint64_t offset, const void *data, size_t length);

/* Make it empty. */
void body_clear(struct body_store *store, struct body *body);

#endif
