/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_BUNZIP_H
#define PATCH_BUNZIP_H

/* One bzip2 stream inside a patch, read forward. A `bzip2 -9` stream costs 3.7 MiB while it is open. */
#include "patch/codec.h"
#include <bzlib.h>
#include <stdbool.h>

#define BUNZIP_INPUT_SIZE 16384

struct bunzip {
	const char *name; /* for messages */
	struct stream stream;
	uint64_t left; /* compressed bytes not yet read from the stream */
	bz_stream bz;
	bool started; /* bz needs its end call */
	bool ended;   /* the end of the bzip2 stream was seen and its checksum was right */
	struct error *error;
	char input[BUNZIP_INPUT_SIZE];
};

/*
 * Open the compressed bytes [offset, offset + length) of the patch, which the caller has found to lie inside it. To be
 * closed whether or not this succeeds; a zeroed bunzip may be closed too.
 */
int bunzip_open(struct bunzip *bunzip, const struct content *patch, uint64_t offset, uint64_t length, const char *name,
                struct error *error);

/* Fill the buffer whole. A stream that ends before that is a broken patch. */
int bunzip_read(struct bunzip *bunzip, void *buffer, size_t length);

/* The stream must end here, with the right checksum. */
int bunzip_finish(struct bunzip *bunzip);

void bunzip_close(struct bunzip *bunzip);

#endif
