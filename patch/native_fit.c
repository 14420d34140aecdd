/* SPDX-License-Identifier: Apache-2.0 */
/* Patches that take less memory. */
#include "patch/native_write.h"

#include "patch/patch.h"

/* A cache that is not worth its memory. */
#define CACHE_MIN (64u << 10)

uint64_t native_memory_limit(const struct native_writer *w)
{
	if (w->memory > 0)
		return w->memory;
	if (!(w->head.flags & NATIVE_VIEWS))
		return UINT64_MAX;
	return native_views_memory(w) + NATIVE_LEAST_MEMORY > PATCH_NATIVE_MEMORY ? PATCH_NATIVE_VIEW_MEMORY
	                                                                          : PATCH_NATIVE_MEMORY;
}

/* Of what can become less. */
static uint64_t memory_of(const struct native_writer *w)
{
	uint64_t memory = view_reader_memory(&w->old_view.view, w->cache);

	for (unsigned i = 0; i < NATIVE_STREAMS; i++)
		memory += UINT64_C(1) << w->dictionaries[i];
	return memory;
}

/* The cache, or else the largest dictionary, becomes a smaller one. False: they all are as small as can be. */
static bool take_a_step(struct native_writer *w)
{
	unsigned largest = 0;

	if (w->cache > 0) {
		w->cache = w->cache > CACHE_MIN ? w->cache / 2 : 0;
		return true;
	}
	for (unsigned i = 1; i < NATIVE_STREAMS; i++)
		if (w->dictionaries[i] > w->dictionaries[largest])
			largest = i;
	if (w->dictionaries[largest] == NATIVE_DICTIONARY_MIN)
		return false;
	w->dictionaries[largest]--;
	return true;
}

bool native_take_less(struct native_writer *w, uint64_t too_much)
{
	uint64_t before = memory_of(w);

	while (before - memory_of(w) < too_much && take_a_step(w))
		;
	return memory_of(w) < before;
}
