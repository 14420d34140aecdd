/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/pool.h"

#include <stdlib.h>
#include <string.h>

/* In front of each block: its size, where what follows is aligned for anything. */
union header {
	size_t size;
	max_align_t align;
};

void *pool_resize(struct pool *pool, void *block, size_t size)
{
	union header *old = block ? (union header *)block - 1 : NULL;
	uint64_t others = pool->used - (old ? old->size : 0);
	union header *header;

	if (size > pool->limit || others > pool->limit - size || size > SIZE_MAX - sizeof(*header))
		return NULL;
	header = realloc(old, sizeof(*header) + size);
	if (!header)
		return NULL;
	header->size = size;
	pool->used = others + size;
	if (pool->used > pool->peak)
		pool->peak = pool->used;
	return header + 1;
}

void *pool_allocate(struct pool *pool, size_t size)
{
	return pool_resize(pool, NULL, size);
}

void pool_free(struct pool *pool, void *block)
{
	union header *header = block ? (union header *)block - 1 : NULL;

	if (header)
		pool->used -= header->size;
	free(header);
}

static void *lzma_allocate(void *ctx, size_t count, size_t size)
{
	return size > 0 && count > SIZE_MAX / size ? NULL : pool_allocate(ctx, count * size);
}

static void lzma_release(void *ctx, void *block)
{
	pool_free(ctx, block);
}

lzma_allocator pool_lzma(struct pool *pool)
{
	return (lzma_allocator){.alloc = lzma_allocate, .free = lzma_release, .opaque = pool};
}
