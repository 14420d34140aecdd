/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/inflated.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define INPUT_SIZE 16384

/* A decoder about to produce the first byte of a block. zlib's state points back at its z_stream: never move one. */
struct inflated_point {
	z_stream z;
	uint64_t input_at; /* the next compressed byte */
};

struct inflated_slot {
	uint64_t block;
	uint64_t used; /* when, on the clock; 0: never */
	size_t length;
	uint8_t data[INFLATED_BLOCK_SIZE];
};

struct inflated {
	const struct reader *deflated;
	uint64_t size;
	struct error *error;

	z_stream z;          /* the running decoder */
	uint64_t input_at;   /* offset of the next byte to put into input[] */
	uint64_t next_block; /* what the running decoder produces next */
	bool ended;

	struct inflated_point *points[INFLATED_POINTS]; /* points[i] stands before block i * span */
	size_t point_count;
	uint64_t span; /* blocks */

	uint64_t clock;
	uint8_t input[INPUT_SIZE];
	struct inflated_slot slots[INFLATED_SLOTS];
};

static void drop_point(struct inflated_point *point)
{
	(void)inflateEnd(&point->z); /* fails only on a state that was never set up */
	free(point);
}

/* Make room by keeping every second point. */
static void thin_points(struct inflated *f)
{
	for (size_t i = 0; i < INFLATED_POINTS / 2; i++) {
		drop_point(f->points[2 * i + 1]);
		f->points[i] = f->points[2 * i];
	}
	f->point_count = INFLATED_POINTS / 2;
	f->span *= 2;
}

/* Save the running decoder where it stands. */
static int add_point(struct inflated *f)
{
	struct inflated_point *point;

	if (f->point_count == INFLATED_POINTS)
		thin_points(f);
	point = malloc(sizeof(*point));
	if (!point)
		return patch_no_memory(f->error);
	if (inflateCopy(&point->z, &f->z) != Z_OK) {
		free(point);
		return patch_no_memory(f->error);
	}
	point->input_at = f->input_at - f->z.avail_in;
	f->points[f->point_count++] = point;
	return 0;
}

static int resume_point(struct inflated *f, size_t index)
{
	struct inflated_point *point = f->points[index];

	(void)inflateEnd(&f->z);
	if (inflateCopy(&f->z, &point->z) != Z_OK)
		return patch_no_memory(f->error);
	f->z.avail_in = 0;
	f->input_at = point->input_at;
	f->next_block = index * f->span;
	f->ended = false;
	return 0;
}

static int refill(struct inflated *f)
{
	uint64_t left = f->deflated->size - f->input_at;
	size_t length = left < sizeof(f->input) ? (size_t)left : sizeof(f->input);
	int err;

	if (length == 0)
		return 0;
	err = f->deflated->read_at(f->deflated->ctx, f->input_at, f->input, length);
	if (err < 0)
		return err;
	f->input_at += length;
	f->z.next_in = f->input;
	f->z.avail_in = (uInt)length;
	return 0;
}

/* Let the running decoder fill the slot with its next block, which is short only where the stream ends. */
static int decode_block(struct inflated *f, struct inflated_slot *slot)
{
	int err = 0;

	f->z.next_out = slot->data;
	f->z.avail_out = sizeof(slot->data);
	while (f->z.avail_out > 0 && !f->ended) {
		if (f->z.avail_in == 0)
			err = refill(f);
		if (err < 0)
			return err;
		switch (inflate(&f->z, Z_NO_FLUSH)) {
		case Z_OK:
			break;
		case Z_STREAM_END:
			f->ended = true;
			break;
		case Z_MEM_ERROR:
			return patch_no_memory(f->error);
		case Z_BUF_ERROR:
			return patch_broken(f->error, "patch: source range ends inside of its deflated data");
		default:
			return patch_broken(f->error, "patch: source range does not hold deflated data");
		}
	}
	slot->block = f->next_block++;
	slot->length = sizeof(slot->data) - f->z.avail_out;
	slot->used = ++f->clock;
	return 0;
}

/* The slot unused for longest, emptied. */
static struct inflated_slot *take_slot(struct inflated *f)
{
	struct inflated_slot *oldest = &f->slots[0];

	for (size_t i = 1; i < INFLATED_SLOTS; i++)
		if (f->slots[i].used < oldest->used)
			oldest = &f->slots[i];
	oldest->used = 0;
	return oldest;
}

/* The first pass: the size is right when this succeeds. */
static int measure(struct inflated *f)
{
	struct inflated_slot *slot;
	uint64_t total = 0;
	int err;

	while (!f->ended) {
		err = f->next_block % f->span == 0 ? add_point(f) : 0;
		slot = take_slot(f);
		if (err == 0)
			err = decode_block(f, slot);
		if (err < 0)
			return err;
		total += slot->length;
		if (total > f->size)
			break;
	}
	if (total != f->size)
		return patch_broken(f->error, "patch: source range inflates to %s%" PRIu64 " bytes, expected %" PRIu64,
		                    f->ended ? "" : "at least ", total, f->size);
	return 0;
}

int inflated_open(struct inflated **inflated, const struct reader *deflated, uint64_t size, struct error *error)
{
	struct inflated *f;
	int err;

	*inflated = NULL;
	f = calloc(1, sizeof(*f));
	if (!f)
		return patch_no_memory(error);
	f->deflated = deflated;
	f->size = size;
	f->error = error;
	f->span = 1;
	err = inflateInit2(&f->z, -MAX_WBITS) == Z_OK ? measure(f) : patch_no_memory(error);
	if (err < 0) {
		inflated_close(f);
		return err;
	}
	*inflated = f;
	return 0;
}

static struct inflated_slot *find_slot(struct inflated *f, uint64_t block)
{
	for (size_t i = 0; i < INFLATED_SLOTS; i++)
		if (f->slots[i].used > 0 && f->slots[i].block == block)
			return &f->slots[i];
	return NULL;
}

/* The slot that holds the block, inflated now if it has to be. */
static int load_block(struct inflated *f, uint64_t block, struct inflated_slot **found)
{
	struct inflated_slot *slot = find_slot(f, block);
	uint64_t point = block / f->span;
	int err;

	if (!slot && (block < f->next_block || f->next_block < point * f->span)) {
		err = resume_point(f, (size_t)point);
		if (err < 0)
			return err;
	}
	while (!slot) {
		struct inflated_slot *next = take_slot(f);

		err = decode_block(f, next);
		if (err < 0)
			return err;
		if (next->block == block)
			slot = next;
	}
	slot->used = ++f->clock;
	*found = slot;
	return 0;
}

static int inflated_read_at(void *ctx, uint64_t offset, void *buffer, size_t length)
{
	struct inflated *f = ctx;
	struct inflated_slot *slot;
	uint8_t *to = buffer;
	int err;

	if (offset > f->size || length > f->size - offset)
		return patch_broken(f->error, "patch: reads outside of the inflated source");
	while (length > 0) {
		size_t from = (size_t)(offset % INFLATED_BLOCK_SIZE);
		size_t n = INFLATED_BLOCK_SIZE - from;

		if (n > length)
			n = length;
		err = load_block(f, offset / INFLATED_BLOCK_SIZE, &slot);
		if (err < 0)
			return err;
		if (slot->length < from + n)
			return error_set(f->error, 0, EIO, "old content: changed while it was read");
		memcpy(to, slot->data + from, n);
		to += n;
		offset += n;
		length -= n;
	}
	return 0;
}

struct reader inflated_reader(struct inflated *inflated)
{
	return (struct reader){.read_at = inflated_read_at, .ctx = inflated, .size = inflated->size};
}

void inflated_close(struct inflated *inflated)
{
	if (!inflated)
		return;
	for (size_t i = 0; i < inflated->point_count; i++)
		drop_point(inflated->points[i]);
	(void)inflateEnd(&inflated->z); /* fails only on a state that was never set up */
	free(inflated);
}
