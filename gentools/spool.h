/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_SPOOL_H
#define GENTOOLS_SPOOL_H

/*
 * Bulk data off memory: one nameless temporary file to which pieces are appended, each of which can be mapped. It
 * vanishes with its descriptor, however the program ends.
 */
#include "base/digest.h"
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct spool {
	int fd;
	uint64_t size; /* bytes */
};

/* A piece of a spool. */
struct extent {
	const struct spool *spool;
	uint64_t offset; /* a multiple of the page size */
	uint64_t size;   /* bytes */
};

/* A mapped piece. */
struct mapping {
	const void *data; /* not NULL even when the size is 0 */
	size_t size;
	void *map; /* to end it with; NULL when the size is 0 */
};

/* Where spools lie: TMPDIR, or /tmp. */
const char *spool_folder(void);

int spool_open(struct spool *spool);
void spool_close(struct spool *spool);

/* Text, written to a stream, that becomes a piece of a spool in the end. */
struct spool_text {
	FILE *out;
	char *text;
	size_t size;
};
int spool_text_open(struct spool_text *text);
int spool_text_close(struct spool_text *text, struct spool *spool, struct extent *extent);

/* All of the data at this offset, for users that give out the room themselves: the spool's size stays as it is. */
int spool_write_at(const struct spool *spool, uint64_t offset, const void *data, size_t length);

/* Start a piece, then append to it until the next one is started. */
void spool_start(struct spool *spool, struct extent *extent);
int spool_append(struct spool *spool, struct extent *extent, const void *data, size_t length);

int extent_map(const struct extent *extent, struct mapping *mapping);
void extent_unmap(struct mapping *mapping);

/* Of all its bytes. A negative errno value when it cannot be mapped. */
int extent_digest(const struct extent *extent, enum digest_kind kind, struct digest_value *value);

#endif
