/* SPDX-License-Identifier: Apache-2.0 */
#include "script/tree.h"

#include <stdint.h>
#include <stdlib.h>

#define CHUNK_SIZE ((size_t)16 * 1024)

struct arena_chunk {
	struct arena_chunk *older;
	size_t size; /* of data */
	max_align_t data[];
};

static bool arena_grow(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk;

	if (size < CHUNK_SIZE)
		size = CHUNK_SIZE;
	chunk = calloc(1, sizeof(*chunk) + size);
	if (!chunk)
		return false;
	chunk->older = arena->chunks;
	chunk->size = size;
	arena->chunks = chunk;
	arena->left = size;
	return true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t unit = _Alignof(max_align_t);
	void *memory;

	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size + unit - 1) / unit * unit;
	if (size > arena->left && !arena_grow(arena, size))
		return NULL;
	memory = (char *)arena->chunks->data + (arena->chunks->size - arena->left);
	arena->left -= size;
	return memory;
}

void arena_free(struct arena *arena)
{
	while (arena->chunks) {
		struct arena_chunk *chunk = arena->chunks;

		arena->chunks = chunk->older;
		free(chunk);
	}
	arena->left = 0;
}
