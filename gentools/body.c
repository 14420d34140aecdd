/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/body.h"

#include "base/io.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int body_store_open(struct body_store *store)
{
	*store = (struct body_store){.spool = {.fd = -1}};
	return spool_open(&store->spool);
}

void body_store_close(struct body_store *store)
{
	free(store->spare);
	spool_close(&store->spool);
	*store = (struct body_store){.spool = {.fd = -1}};
}

static int read_all(int fd, uint64_t offset, void *buffer, size_t length)
{
	struct reader file = reader_from_file(&fd, offset + length);

	return file.read_at(file.ctx, offset, buffer, length);
}

/* Where a block lies in the spool; they are counted from 1. */
static uint64_t block_offset(uint32_t block)
{
	return (uint64_t)(block - 1) * BODY_BLOCK_SIZE;
}

static int read_base(const struct extent *base, uint64_t offset, void *buffer, size_t length)
{
	uint64_t left = offset < base->size ? base->size - offset : 0;
	size_t known = left < length ? (size_t)left : length;

	memset((char *)buffer + known, 0, length - known);
	return known > 0 ? read_all(base->spool->fd, base->offset + offset, buffer, known) : 0;
}

/* Bytes of the piece at offset that lie in one block. */
static size_t piece_of(uint64_t offset, size_t length)
{
	size_t left = BODY_BLOCK_SIZE - (size_t)(offset % BODY_BLOCK_SIZE);

	return length < left ? length : left;
}

static uint32_t block_at(const struct body *body, uint64_t offset)
{
	uint64_t index = offset / BODY_BLOCK_SIZE;

	return index < body->count ? body->blocks[index] : 0;
}

int body_read(const struct body_store *store, const struct body *body, uint64_t offset, void *buffer, size_t length)
{
	char *at = buffer;

	while (length > 0) {
		uint32_t block = block_at(body, offset);
		size_t piece = piece_of(offset, length);
		int err = block ? read_all(store->spool.fd, block_offset(block) + offset % BODY_BLOCK_SIZE, at, piece)
		                : read_base(&body->base, offset, at, piece);

		if (err < 0)
			return err;
		at += piece;
		offset += piece;
		length -= piece;
	}
	return 0;
}

/* 0 when there are no more. */
static uint32_t take_block(struct body_store *store)
{
	if (store->spare_count > 0)
		return store->spare[--store->spare_count];
	return store->used < UINT32_MAX ? ++store->used : 0;
}

static int reserve_blocks(struct body *body, uint64_t size)
{
	size_t count = (size_t)((size + BODY_BLOCK_SIZE - 1) / BODY_BLOCK_SIZE);
	size_t doubled = 2 * body->count;
	uint32_t *blocks;

	if (count <= body->count)
		return 0;
	if (count < doubled)
		count = doubled;
	blocks = reallocarray(body->blocks, count, sizeof(*blocks));
	if (!blocks)
		return -ENOMEM;
	memset(blocks + body->count, 0, (count - body->count) * sizeof(*blocks));
	body->blocks = blocks;
	body->count = count;
	return 0;
}

/* A whole block for the bytes around offset, which are those of the base until they are written. */
static int make_block(struct body_store *store, struct body *body, uint64_t offset)
{
	uint64_t start = offset - offset % BODY_BLOCK_SIZE;
	char bytes[BODY_BLOCK_SIZE];
	uint32_t block;
	int err = read_base(&body->base, start, bytes, sizeof(bytes));

	if (err < 0)
		return err;
	block = take_block(store);
	if (block == 0)
		return -EFBIG;
	body->blocks[start / BODY_BLOCK_SIZE] = block;
	return spool_write_at(&store->spool, block_offset(block), bytes, sizeof(bytes));
}

int body_write(struct body_store *store, struct body *body, uint64_t offset, const void *data, size_t length)
{
	const char *at = data;
	int err = reserve_blocks(body, offset + length);

	while (err == 0 && length > 0) {
		size_t piece = piece_of(offset, length);

		if (block_at(body, offset) == 0)
			err = make_block(store, body, offset);
		if (err == 0)
			err = spool_write_at(&store->spool,
			                     block_offset(block_at(body, offset)) + offset % BODY_BLOCK_SIZE, at,
			                     piece);
		at += piece;
		offset += piece;
		length -= piece;
		if (err == 0 && offset > body->size)
			body->size = offset;
	}
	return err;
}

/* Blocks that cannot be remembered as spare are only lost until the store is closed. */
static void spare_block(struct body_store *store, uint32_t block)
{
	if (store->spare_count == store->spare_capacity) {
		size_t capacity = store->spare_capacity ? 2 * store->spare_capacity : 256;
		uint32_t *spare = reallocarray(store->spare, capacity, sizeof(*spare));

		if (!spare)
			return;
		store->spare = spare;
		store->spare_capacity = capacity;
	}
	store->spare[store->spare_count++] = block;
}

void body_clear(struct body_store *store, struct body *body)
{
	for (size_t i = 0; i < body->count; i++)
		if (body->blocks[i])
			spare_block(store, body->blocks[i]);
	free(body->blocks);
	*body = (struct body){0};
}
