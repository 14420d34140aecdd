/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_SKETCH_H
#define GENTOOLS_SKETCH_H

/*
 * How much two contents have in common, wherever it lies in them, for the price of reading each once: of the hashes of
 * all runs of SKETCH_RUN bytes, a sketch keeps the smallest. Those that two contents share are about the part that the
 * contents share (min-hash).
 */
#include <stddef.h>
#include <stdint.h>

#define SKETCH_MARKS 48
#define SKETCH_RUN   16 /* bytes */

struct sketch {
	unsigned count;               /* fewer than SKETCH_MARKS for content that is short or repeats itself */
	uint32_t marks[SKETCH_MARKS]; /* ascending, none twice */
};

/* A number for each byte that looks like chance and is the same on all machines. */
struct sketcher {
	uint32_t numbers[256];
};

void sketcher_prepare(struct sketcher *sketcher);

void sketch_make(const struct sketcher *sketcher, const void *data, size_t size, struct sketch *sketch);

#endif
