/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_NUMBER_H
#define PATCH_NUMBER_H

/*
 * Numbers of any size, as patch/FORMAT.md has them: in groups of 7 bits, the lowest first, all but the last with the
 * highest bit set. Signed ones are 2n for n >= 0 and -2n - 1 below.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NUMBER_SIZE_MAX 10

/* Returns the bytes written, at most NUMBER_SIZE_MAX. */
static inline size_t number_put(uint8_t *to, uint64_t number)
{
	size_t size = 0;

	for (; number >= 0x80; number >>= 7)
		to[size++] = (uint8_t)(number | 0x80);
	to[size++] = (uint8_t)number;
	return size;
}

/* Returns the bytes read; 0: cut short, too large, or longer than it need be. */
static inline size_t number_get(const uint8_t *from, size_t left, uint64_t *number)
{
	*number = 0;
	for (size_t i = 0; i < left && i < NUMBER_SIZE_MAX; i++) {
		if (i == NUMBER_SIZE_MAX - 1 && from[i] > 1)
			return 0;
		*number |= (uint64_t)(from[i] & 0x7f) << (7 * i);
		if (from[i] < 0x80)
			return i == 0 || from[i] != 0 ? i + 1 : 0;
	}
	return 0;
}

static inline size_t number_put_signed(uint8_t *to, int64_t number)
{
	return number_put(to, number < 0 ? ((uint64_t) - (number + 1) << 1) + 1 : (uint64_t)number << 1);
}

/* Bytes in memory that are read one after the other. Once it has failed, it goes on to fail, and all values are 0. */
struct number_source {
	const uint8_t *data;
	size_t left;
	bool failed; /* it ended too early, or a number was too long */
};

uint64_t number_read(struct number_source *source);
int64_t number_read_signed(struct number_source *source);
/* A number that must not be greater than `most`. */
uint64_t number_read_up_to(struct number_source *source, uint64_t most);
/* The next `length` bytes as they are; NULL when there are fewer. */
const uint8_t *number_read_bytes(struct number_source *source, size_t length);

#endif
