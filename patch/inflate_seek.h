/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_INFLATE_SEEK_H
#define PATCH_INFLATE_SEEK_H

/*
 * Any bytes of what raw DEFLATE data decode to, in the same memory whatever their size. Pieces that were read last are
 * kept. Where blocks begin, now and then, a mark is left with the 32 KiB before it, so that other pieces are decoded
 * from the mark before them on. Reading far back and forth costs time, and in order costs none.
 */
#include "patch/codec.h"

struct inflate_seek;

/* coded: the raw DEFLATE data, of at most 4 GiB; copied. Readers fill the error themselves. */
int inflate_seek_open(struct inflate_seek **seek, const struct reader *coded, uint64_t plain_size, struct error *error);

/* Data that are none, or fewer than was said, are a broken patch. */
int inflate_seek_read(struct inflate_seek *seek, uint64_t at, void *buffer, size_t length);

void inflate_seek_close(struct inflate_seek *seek); /* tolerates NULL */

uint64_t inflate_seek_memory(void); /* bytes of heap at most */

#endif
