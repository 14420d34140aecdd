/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_REGZIP_BLOCK_H
#define PATCH_REGZIP_BLOCK_H

/* Blocks of DEFLATE (RFC 1951, 3.2): codes are gathered, and written in the form that takes least. */
#include "base/io.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	REGZIP_CODES_MAX = 0x8000 - 1, /* of a block */
	REGZIP_MATCH_MIN = 3,
	REGZIP_MATCH_MAX = 258,
	REGZIP_LENGTHS = 286,
	REGZIP_DISTANCES = 30,
	REGZIP_OUTPUT = 16384,
};

struct regzip_block {
	const struct sink *sink;
	int failed;           /* what the sink said first; nothing is written from then on */
	unsigned level;       /* above 2, blocks may end early */
	unsigned count;       /* codes gathered */
	unsigned match_count; /* matches among them */
	uint32_t length_uses[REGZIP_LENGTHS];
	uint32_t distance_uses[REGZIP_DISTANCES];
	uint16_t distances[REGZIP_CODES_MAX]; /* 0: a literal */
	uint8_t bytes[REGZIP_CODES_MAX];      /* it, or the match's length less the least */
	uint64_t bits;                        /* that wait for a byte to be full, the lowest first */
	unsigned bit_count;
	size_t used;
	uint8_t output[REGZIP_OUTPUT];
};

void regzip_block_begin(struct regzip_block *block);

/* Gather a literal (distance 0) or a match. True: the block is to be written; covered: bytes of data in it so far. */
bool regzip_block_add(struct regzip_block *block, unsigned distance, unsigned byte, uint64_t covered);

/* Write the block of these `size` bytes and begin the next; data: NULL where they are no more. */
void regzip_block_write(struct regzip_block *block, const uint8_t *data, uint64_t size, bool is_last);

#endif
