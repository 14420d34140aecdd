/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_REGZIP_HUFFMAN_H
#define PATCH_REGZIP_HUFFMAN_H

/* Huffman codes of DEFLATE (RFC 1951, 3.2), of the lengths that zlib and GNU gzip give them. */
#include <stdint.h>

enum {
	HUFFMAN_SYMBOLS = 288, /* at most */
	HUFFMAN_BITS_MAX = 15,
	HUFFMAN_NODES = 2 * HUFFMAN_SYMBOLS,
};

/* A code, and what was used for making it. */
struct huffman {
	unsigned count; /* symbols */
	unsigned bits_max;
	unsigned last; /* the highest symbol that has a code */
	uint32_t uses[HUFFMAN_NODES];
	uint16_t parents[HUFFMAN_NODES];
	uint8_t bits[HUFFMAN_NODES];
	uint8_t depths[HUFFMAN_NODES];
	uint16_t codes[HUFFMAN_SYMBOLS];
	uint16_t heap[HUFFMAN_NODES]; /* from 1 on; from its end down, nodes in the order in which they got parents */
	unsigned heap_size;
	unsigned heap_end;
};

/* Make the code of `count` symbols, so much used each, of up to bits_max bits: two of them at least have a code. */
void huffman_make(struct huffman *h);

/* The codes from their lengths: those of the same length follow each other, written with their highest bit first. */
void huffman_number(struct huffman *h);

#endif
