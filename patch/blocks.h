/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_BLOCKS_H
#define PATCH_BLOCKS_H

#include "patch/buffer.h"

/*
 * Where the blocks of a bzip2 stream should end. Each has codes of its own, and so an end costs some hundred bytes; but
 * what has changed in one part of a program is unlike what has changed in others, and better told apart.
 */
struct blocks {
	size_t *sizes; /* of what the blocks hold, in order; owned */
	size_t count;  /* at least 1 */
};

/* To be freed in any case. Large data take several times what compressing them once takes. */
int blocks_find(struct blocks *blocks, const uint8_t *data, size_t size, struct error *error);
void blocks_free(struct blocks *blocks);

#endif
