/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/regzip_huffman.h"

#include <stdbool.h>

static bool is_smaller(const struct huffman *h, unsigned a, unsigned b)
{
	return h->uses[a] < h->uses[b] || (h->uses[a] == h->uses[b] && h->depths[a] <= h->depths[b]);
}

static void sift_down(struct huffman *h, unsigned at)
{
	uint16_t node = h->heap[at];

	for (unsigned child = 2 * at; child <= h->heap_size; child = 2 * at) {
		if (child < h->heap_size && is_smaller(h, h->heap[child + 1], h->heap[child]))
			child++;
		if (is_smaller(h, node, h->heap[child]))
			break;
		h->heap[at] = h->heap[child];
		at = child;
	}
	h->heap[at] = node;
}

static uint16_t take_least(struct huffman *h)
{
	uint16_t least = h->heap[1];

	h->heap[1] = h->heap[h->heap_size--];
	sift_down(h, 1);
	h->heap[--h->heap_end] = least;
	return least;
}

static void fill_heap(struct huffman *h)
{
	h->heap_size = 0;
	h->heap_end = HUFFMAN_NODES;
	h->last = 0;
	for (unsigned symbol = 0; symbol < h->count; symbol++) {
		h->bits[symbol] = 0;
		h->depths[symbol] = 0;
		if (h->uses[symbol] == 0)
			continue;
		h->heap[++h->heap_size] = (uint16_t)symbol;
		h->last = symbol;
	}
	/* Two symbols at least have a code. */
	while (h->heap_size < 2) {
		unsigned symbol = h->last < 2 && h->heap_size > 0 ? ++h->last : 0;

		h->uses[symbol] = 1;
		h->heap[++h->heap_size] = (uint16_t)symbol;
	}
}

/* Where codes would be too long: a leaf from further up takes one of them beside itself, again and again. */
static void shorten(struct huffman *h, unsigned per_bits[HUFFMAN_BITS_MAX + 1], int overflow)
{
	unsigned at = HUFFMAN_NODES;

	for (; overflow > 0; overflow -= 2) {
		unsigned bits = h->bits_max - 1;

		while (per_bits[bits] == 0)
			bits--;
		per_bits[bits]--;
		per_bits[bits + 1] += 2;
		per_bits[h->bits_max]--;
	}
	for (unsigned bits = h->bits_max; bits > 0; bits--) {
		for (unsigned left = per_bits[bits]; left > 0;) {
			unsigned node = h->heap[--at];

			if (node >= h->count)
				continue;
			h->bits[node] = (uint8_t)bits;
			left--;
		}
	}
}

static void count_bits(struct huffman *h, unsigned per_bits[HUFFMAN_BITS_MAX + 1])
{
	int overflow = 0;

	h->bits[h->heap[h->heap_end]] = 0;
	for (unsigned at = h->heap_end + 1; at < HUFFMAN_NODES; at++) {
		unsigned node = h->heap[at];
		unsigned bits = h->bits[h->parents[node]] + 1u;

		if (bits > h->bits_max) {
			bits = h->bits_max;
			overflow++;
		}
		h->bits[node] = (uint8_t)bits;
		if (node < h->count)
			per_bits[bits]++;
	}
	if (overflow > 0)
		shorten(h, per_bits, overflow);
}

void huffman_number(struct huffman *h)
{
	unsigned per_bits[HUFFMAN_BITS_MAX + 1] = {0};
	unsigned next[HUFFMAN_BITS_MAX + 1];
	unsigned code = 0;

	for (unsigned symbol = 0; symbol < h->count; symbol++)
		per_bits[h->bits[symbol]]++;
	per_bits[0] = 0;
	for (unsigned bits = 1; bits <= HUFFMAN_BITS_MAX; bits++)
		next[bits] = code = (code + per_bits[bits - 1]) << 1;
	for (unsigned symbol = 0; symbol < h->count; symbol++) {
		unsigned reversed = 0;

		if (h->bits[symbol] == 0)
			continue;
		code = next[h->bits[symbol]]++;
		for (unsigned bit = 0; bit < h->bits[symbol]; bit++)
			reversed = reversed << 1 | (code >> bit & 1);
		h->codes[symbol] = (uint16_t)reversed;
	}
}

void huffman_make(struct huffman *h)
{
	unsigned per_bits[HUFFMAN_BITS_MAX + 1] = {0};
	unsigned node = h->count;

	fill_heap(h);
	for (unsigned at = h->heap_size / 2; at > 0; at--)
		sift_down(h, at);
	while (h->heap_size >= 2) {
		unsigned a = take_least(h);
		unsigned b = h->heap[1];

		h->heap[--h->heap_end] = (uint16_t)b;
		h->uses[node] = h->uses[a] + h->uses[b];
		h->depths[node] = (uint8_t)((h->depths[a] > h->depths[b] ? h->depths[a] : h->depths[b]) + 1);
		h->parents[a] = h->parents[b] = (uint16_t)node;
		h->heap[1] = (uint16_t)node++;
		sift_down(h, 1);
	}
	h->heap[--h->heap_end] = h->heap[1];
	count_bits(h, per_bits);
	huffman_number(h);
}
