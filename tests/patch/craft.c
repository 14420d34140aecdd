/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/patch/craft.h"

#include "base/bytes.h"
#include "patch/bsdiff.h"
#include <bzlib.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

const struct deflate_params default_params = {
	.level = 6, .method = Z_DEFLATED, .window_bits = -15, .mem_level = 8, .strategy = Z_DEFAULT_STRATEGY};

static void put_signed(uint8_t *p, int64_t value)
{
	put_le64(p, value < 0 ? (0 - (uint64_t)value) | UINT64_C(1) << 63 : (uint64_t)value);
}

static struct bytes bzip_bytes(const struct bytes *plain)
{
	unsigned int size = (unsigned int)(plain->size + plain->size / 50 + 1000);
	struct bytes packed = bytes_new(size);

	ck_assert_int_eq(BZ2_bzBuffToBuffCompress((char *)packed.data, &size, (char *)plain->data,
	                                          (unsigned int)plain->size, 1, 0, 0),
	                 BZ_OK);
	packed.size = size;
	return packed;
}

struct bytes craft_bsdiff40(const struct entry *entries, size_t count, const struct bytes *diff,
                            const struct bytes *extra, int64_t new_size)
{
	struct bytes control = bytes_new(count * BSDIFF_ENTRY_SIZE);
	struct bytes patch = bytes_copy(BSDIFF_MAGIC, BSDIFF_HEADER_SIZE / 4);
	struct bytes packed[3];
	uint8_t field[8];

	for (size_t i = 0; i < count; i++) {
		put_signed(control.data + i * BSDIFF_ENTRY_SIZE, entries[i].add);
		put_signed(control.data + i * BSDIFF_ENTRY_SIZE + 8, entries[i].copy);
		put_signed(control.data + i * BSDIFF_ENTRY_SIZE + 16, entries[i].seek);
	}
	packed[0] = bzip_bytes(&control);
	packed[1] = bzip_bytes(diff);
	packed[2] = bzip_bytes(extra);
	put_signed(field, (int64_t)packed[0].size);
	bytes_append(&patch, field, sizeof(field));
	put_signed(field, (int64_t)packed[1].size);
	bytes_append(&patch, field, sizeof(field));
	put_signed(field, new_size);
	bytes_append(&patch, field, sizeof(field));
	for (size_t i = 0; i < 3; i++) {
		bytes_append(&patch, packed[i].data, packed[i].size);
		bytes_free(&packed[i]);
	}
	bytes_free(&control);
	return patch;
}

struct bytes plain_bsdiff40(const struct bytes *old, const struct bytes *new)
{
	size_t shared = old->size < new->size ? old->size : new->size;
	struct entry entry = {.add = (int64_t)shared, .copy = (int64_t)(new->size - shared)};
	struct bytes diff = bytes_copy(new->data, shared);
	struct bytes extra = bytes_copy(new->data + shared, new->size - shared);
	struct bytes patch;

	for (size_t i = 0; i < shared; i++)
		diff.data[i] = (uint8_t)(diff.data[i] - old->data[i]);
	patch = craft_bsdiff40(&entry, 1, &diff, &extra, (int64_t) new->size);
	bytes_free(&diff);
	bytes_free(&extra);
	return patch;
}

struct bytes make_bsdiff40(const struct bytes *old, const struct bytes *new)
{
	struct bytes patch = {0};
	struct sink sink = bytes_sink(&patch);
	struct error error = {0};
	int err = patch_make_bsdiff40(old->data, old->size, new->data, new->size, 0, &sink, &error);

	ck_assert_msg(err == 0, "%s", error.message);
	return patch;
}

static void append_le32(struct bytes *bytes, uint32_t value)
{
	uint8_t field[4];

	put_le32(field, value);
	bytes_append(bytes, field, sizeof(field));
}

static void append_le64(struct bytes *bytes, uint64_t value)
{
	uint8_t field[8];

	put_le64(field, value);
	bytes_append(bytes, field, sizeof(field));
}

static size_t chunk_size(const struct chunk *chunk)
{
	switch (chunk->type) {
	case IMGDIFF_RAW:
		return 8 + chunk->raw->size;
	case IMGDIFF_DEFLATE:
		return 4 + IMGDIFF_DEFLATE_SIZE;
	default:
		return 4 + IMGDIFF_NORMAL_SIZE;
	}
}

static void append_chunk(struct bytes *patch, const struct chunk *chunk, size_t blob_at)
{
	append_le32(patch, chunk->type);
	if (chunk->type == IMGDIFF_RAW) {
		append_le32(patch, (uint32_t)chunk->raw->size);
		bytes_append(patch, chunk->raw->data, chunk->raw->size);
		return;
	}
	append_le64(patch, chunk->source_start);
	append_le64(patch, chunk->source_size);
	append_le64(patch, blob_at);
	if (chunk->type != IMGDIFF_DEFLATE)
		return;
	append_le64(patch, chunk->inflated_source);
	append_le64(patch, chunk->inflated_target);
	append_le32(patch, (uint32_t)chunk->params.level);
	append_le32(patch, (uint32_t)chunk->params.method);
	append_le32(patch, (uint32_t)chunk->params.window_bits);
	append_le32(patch, (uint32_t)chunk->params.mem_level);
	append_le32(patch, (uint32_t)chunk->params.strategy);
}

struct bytes craft_imgdiff2(const struct chunk *chunks, size_t count)
{
	struct bytes patch = bytes_copy(IMGDIFF_MAGIC, 8);
	size_t blob_at = IMGDIFF_HEADER_SIZE;

	append_le32(&patch, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		blob_at += chunk_size(&chunks[i]);
	for (size_t i = 0; i < count; i++) {
		append_chunk(&patch, &chunks[i], blob_at);
		if (chunks[i].bsdiff)
			blob_at += chunks[i].bsdiff->size;
	}
	for (size_t i = 0; i < count; i++)
		if (chunks[i].bsdiff)
			bytes_append(&patch, chunks[i].bsdiff->data, chunks[i].bsdiff->size);
	ck_assert_uint_eq(patch.size, blob_at);
	return patch;
}

struct bytes deflate_bytes(const struct bytes *plain, const struct deflate_params *params)
{
	struct bytes packed;
	z_stream z = {0};

	ck_assert_int_eq(deflateInit2(&z, params->level, params->method, params->window_bits, params->mem_level,
	                              params->strategy),
	                 Z_OK);
	packed = bytes_new(deflateBound(&z, plain->size));
	z.next_in = plain->data;
	z.avail_in = (uInt)plain->size;
	z.next_out = packed.data;
	z.avail_out = (uInt)packed.size;
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	packed.size = z.total_out;
	ck_assert_int_eq(deflateEnd(&z), Z_OK);
	return packed;
}
