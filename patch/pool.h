/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_POOL_H
#define PATCH_POOL_H

/* Heap that is counted, and refused above a limit: what applying a patch takes is what the patch says, or less. */
#include <lzma.h>
#include <stddef.h>
#include <stdint.h>

struct pool {
	uint64_t limit; /* bytes */
	uint64_t used;
	uint64_t peak;
};

/* As malloc() and realloc() (an old block of NULL is a new one); NULL above the limit, too. */
void *pool_allocate(struct pool *pool, size_t size);
void *pool_resize(struct pool *pool, void *block, size_t size);
void pool_free(struct pool *pool, void *block); /* NULL is nothing */

/* For liblzma; the pool must stay where it is. */
lzma_allocator pool_lzma(struct pool *pool);

#endif
