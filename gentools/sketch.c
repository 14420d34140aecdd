/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/sketch.h"

#include <string.h>

/* Spreads every bit of x over all others. */
static uint32_t mix(uint32_t x)
{
	x = (x ^ x >> 16) * 0x7feb352du;
	x = (x ^ x >> 15) * 0x846ca68bu;
	return x ^ x >> 16;
}

void sketcher_prepare(struct sketcher *sketcher)
{
	for (uint32_t i = 0; i < 256; i++)
		sketcher->numbers[i] = mix(i + 1);
}

static void add_mark(struct sketch *sketch, uint32_t mark)
{
	unsigned i = sketch->count;

	while (i > 0 && sketch->marks[i - 1] > mark)
		i--;
	if (i > 0 && sketch->marks[i - 1] == mark)
		return;
	if (sketch->count < SKETCH_MARKS)
		sketch->count++;
	memmove(sketch->marks + i + 1, sketch->marks + i, (sketch->count - i - 1) * sizeof(sketch->marks[0]));
	sketch->marks[i] = mark;
}

void sketch_make(const struct sketcher *sketcher, const void *data, size_t size, struct sketch *sketch)
{
	const uint8_t *bytes = data;
	uint32_t hash = 0;

	sketch->count = 0;
	for (size_t i = 0; i < size; i++) {
		uint32_t mark;

		/* Two bits a byte: what is SKETCH_RUN bytes back has left the word. */
		hash = (hash << 2) + sketcher->numbers[bytes[i]];
		if (i + 1 < SKETCH_RUN)
			continue;
		mark = mix(hash);
		if (sketch->count < SKETCH_MARKS || mark < sketch->marks[SKETCH_MARKS - 1])
			add_mark(sketch, mark);
	}
}
