/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/noise.h"

#include "patch/bzip.h"

#define BLOCK    4096
#define TAIL     512 /* of an image; what ends it needs no chunk behind it, and pays for its own sooner */
#define SHORTEST ((size_t)64 << 10) /* of less bzip2 makes too few bytes more to pay for another chunk */

/*
 * The sum of the squares of how often each byte occurs is the smaller the more alike the counts are. Random bytes are
 * expected to be at size + size * size / 256; what is above five quarters of that surely compresses.
 */
static bool is_noisy(const uint8_t *data, uint32_t size)
{
	uint32_t counts[256] = {0};
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i++)
		counts[data[i]]++;
	for (size_t i = 0; i < 256; i++)
		sum += counts[i] * counts[i];
	return sum <= (size + size * size / 256) / 4 * 5;
}

/* The next run of noisy blocks that is long enough, from the offset on. */
static struct noise find_run(const uint8_t *data, size_t size, size_t at)
{
	size_t start = at;

	for (; size - at >= BLOCK; at += BLOCK) {
		if (is_noisy(data + at, BLOCK))
			continue;
		if (at - start >= SHORTEST)
			return (struct noise){.at = start, .size = at - start};
		start = at + BLOCK;
	}
	/* What is left behind the last whole block is like it. */
	if (at - start >= SHORTEST)
		return (struct noise){.at = start, .size = size - start};
	return (struct noise){0};
}

bool noise_is_likely(const uint8_t *data, size_t size)
{
	return find_run(data, size, 0).size > 0 || (size >= TAIL && is_noisy(data + size - TAIL, TAIL));
}

int noise_is_all(const uint8_t *data, size_t size, bool *noise, struct error *error)
{
	struct buffer packed = {0};
	int err = bzip_append(&packed, data, &(struct blocks){.sizes = &size, .count = 1}, BZIP_LEVELS, error);

	*noise = packed.size >= size;
	buffer_free(&packed);
	return err;
}

int noise_find(const uint8_t *data, size_t size, struct noise *noise, struct error *error)
{
	bool is_noise = false;
	size_t at = 0;
	int err = 0;

	do {
		*noise = find_run(data, size, at);
		at = noise->at + noise->size;
		if (noise->size > 0)
			err = noise_is_all(data + noise->at, noise->size, &is_noise, error);
	} while (err == 0 && noise->size > 0 && !is_noise);
	return err;
}
