/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/imgdiff.h"

#include "base/bytes.h"
#include "patch/bsdiff.h"
#include "patch/inflated.h"
#include "patch/redeflate.h"
#include <inttypes.h>
#include <string.h>

#define RAW_PIECE_SIZE 4096
#define SMALLEST_CHUNK 8 /* RAW without data */

struct imgdiff_run {
	const struct reader *old;
	const struct content *patch;
	const struct reader *bonus;
	const struct sink *sink;
	struct error *error;
	struct stream stream; /* the chunk headers, in order */
	uint64_t left;        /* bytes of the content behind the stream's position */
	uint32_t index;       /* of the chunk */
};

/* What NORMAL and DEFLATE chunks have in common: where their source and their bsdiff lie. */
struct imgdiff_source {
	struct old_range range;
	struct bsdiff_header header;
};

/* What a DEFLATE chunk has beside that. */
struct imgdiff_deflate {
	struct imgdiff_source source;
	struct old_range bonus;
	uint64_t inflated_size; /* of the source, without bonus */
	struct deflate_params params;
};

/* Inflated data with bonus data behind it. */
struct joined {
	struct reader first;
	struct reader second;
};

static int read_header(struct imgdiff_run *run, void *buffer, size_t length)
{
	int err;

	if (length > run->left)
		return patch_broken(run->error, "patch: the chunk headers are cut short");
	run->left -= length;
	err = stream_read_all(&run->stream, buffer, length);
	return err < 0 ? patch_read_failed(run->error, err) : 0;
}

static int parse_source(const struct imgdiff_run *run, const uint8_t *raw, struct imgdiff_source *source)
{
	uint64_t start = get_le64(raw);
	uint64_t size = get_le64(raw + 8);

	if (start > run->old->size || size > run->old->size - start)
		return patch_broken(run->error,
		                    "patch: source range of %" PRIu64 " bytes at %" PRIu64
		                    " lies outside of the %" PRIu64 " old ones",
		                    size, start, run->old->size);
	source->range = (struct old_range){.old = run->old, .start = start, .size = size, .error = run->error};
	return bsdiff_read_header(run->patch, get_le64(raw + 16), &source->header, run->error);
}

static int run_normal(struct imgdiff_run *run)
{
	uint8_t raw[IMGDIFF_NORMAL_SIZE];
	struct imgdiff_source source;
	struct reader reader;
	int err;

	err = read_header(run, raw, sizeof(raw));
	if (err == 0)
		err = parse_source(run, raw, &source);
	if (err < 0)
		return err;
	reader = reader_from_range(&source.range);
	return bsdiff_apply(&reader, run->patch, &source.header, run->sink, run->error);
}

static int joined_read_at(void *ctx, uint64_t offset, void *buffer, size_t length)
{
	struct joined *joined = ctx;
	uint64_t split = joined->first.size;
	size_t n = 0;
	int err;

	if (offset < split) {
		n = length < split - offset ? length : (size_t)(split - offset);
		err = joined->first.read_at(joined->first.ctx, offset, buffer, n);
		if (err < 0)
			return err;
	}
	if (n == length)
		return 0;
	return joined->second.read_at(joined->second.ctx, offset + n - split, (uint8_t *)buffer + n, length - n);
}

static int parse_deflate(const struct imgdiff_run *run, const uint8_t *raw, struct imgdiff_deflate *chunk)
{
	uint64_t source_size = get_le64(raw + 24);
	uint64_t target_size = get_le64(raw + 32);
	int err;

	err = parse_source(run, raw, &chunk->source);
	if (err < 0)
		return err;
	if (chunk->source.header.new_size != target_size)
		return patch_broken(run->error,
		                    "patch: inflated target of %" PRIu64 " bytes, but its bsdiff makes %" PRIu64,
		                    target_size, chunk->source.header.new_size);
	chunk->bonus = (struct old_range){.old = run->bonus, .error = run->error};
	if (run->bonus && run->index == IMGDIFF_BONUS_CHUNK)
		chunk->bonus.size = run->bonus->size;
	if (source_size < chunk->bonus.size)
		return patch_broken(run->error,
		                    "patch: inflated source of %" PRIu64 " bytes, but %" PRIu64 " of bonus data",
		                    source_size, chunk->bonus.size);
	chunk->inflated_size = source_size - chunk->bonus.size;
	chunk->params = (struct deflate_params){.level = (int32_t)get_le32(raw + 40),
	                                        .method = (int32_t)get_le32(raw + 44),
	                                        .window_bits = (int32_t)get_le32(raw + 48),
	                                        .mem_level = (int32_t)get_le32(raw + 52),
	                                        .strategy = (int32_t)get_le32(raw + 56)};
	return 0;
}

/* bsdiff from the inflated source, bonus data behind it, into the sink that deflates. */
static int patch_inflated(struct imgdiff_run *run, struct imgdiff_deflate *chunk, struct inflated *inflated,
                          struct redeflate *redeflate)
{
	struct joined joined = {.first = inflated_reader(inflated), .second = reader_from_range(&chunk->bonus)};
	struct reader source = {
		.read_at = joined_read_at, .ctx = &joined, .size = joined.first.size + joined.second.size};
	struct sink out = redeflate_sink(redeflate);
	int err;

	err = bsdiff_apply(&source, run->patch, &chunk->source.header, &out, run->error);
	return err == 0 ? redeflate_finish(redeflate) : err;
}

static int run_deflate(struct imgdiff_run *run)
{
	uint8_t raw[IMGDIFF_DEFLATE_SIZE];
	struct redeflate *redeflate = NULL;
	struct inflated *inflated = NULL;
	struct imgdiff_deflate chunk;
	struct reader deflated;
	int err;

	err = read_header(run, raw, sizeof(raw));
	if (err == 0)
		err = parse_deflate(run, raw, &chunk);
	if (err < 0)
		return err;
	deflated = reader_from_range(&chunk.source.range);
	err = redeflate_open(&redeflate, &chunk.params, run->sink, run->error);
	if (err == 0)
		err = inflated_open(&inflated, &deflated, chunk.inflated_size, run->error);
	if (err == 0)
		err = patch_inflated(run, &chunk, inflated, redeflate);
	inflated_close(inflated);
	redeflate_close(redeflate);
	return err;
}

static int run_raw(struct imgdiff_run *run)
{
	uint8_t piece[RAW_PIECE_SIZE];
	uint32_t length;
	int err;

	err = read_header(run, piece, 4);
	if (err < 0)
		return err;
	for (length = get_le32(piece); length > 0;) {
		size_t n = length < sizeof(piece) ? length : sizeof(piece);

		err = read_header(run, piece, n);
		if (err == 0)
			err = run->sink->write(run->sink->ctx, piece, n);
		if (err < 0)
			return err;
		length -= (uint32_t)n;
	}
	return 0;
}

static int run_chunk(struct imgdiff_run *run)
{
	uint8_t raw[4];
	uint32_t type;
	int err;

	err = read_header(run, raw, sizeof(raw));
	if (err < 0)
		return err;
	type = get_le32(raw);
	switch (type) {
	case IMGDIFF_NORMAL:
		return run_normal(run);
	case IMGDIFF_DEFLATE:
		return run_deflate(run);
	case IMGDIFF_RAW:
		return run_raw(run);
	case IMGDIFF_GZIP:
		return patch_broken(run->error, "patch: type GZIP belongs to IMGDIFF1 and is not supported");
	default:
		return patch_broken(run->error, "patch: type %" PRIu32 " is unknown", type);
	}
}

static int run_chunks(struct imgdiff_run *run)
{
	uint8_t raw[IMGDIFF_HEADER_SIZE];
	uint32_t count;
	int err;

	err = read_header(run, raw, sizeof(raw));
	if (err < 0)
		return err;
	count = get_le32(raw + PATCH_MAGIC_SIZE);
	if (count > run->left / SMALLEST_CHUNK)
		return patch_broken(run->error, "patch: %" PRIu32 " chunks do not fit %" PRIu64 " bytes", count,
		                    run->left);
	for (run->index = 0; run->index < count; run->index++) {
		err = run_chunk(run);
		if (err < 0) {
			error_prefix(run->error, "chunk %" PRIu32 " of %" PRIu32, run->index, count);
			return err;
		}
	}
	return 0;
}

int imgdiff_apply(const struct reader *old, const struct content *patch, const struct reader *bonus,
                  const struct sink *sink, struct error *error)
{
	struct imgdiff_run run = {.old = old, .patch = patch, .bonus = bonus, .sink = sink, .error = error};
	int err;

	run.left = patch->size;
	err = patch->open(patch->ctx, 0, &run.stream);
	if (err < 0)
		return patch_read_failed(error, err);
	err = run_chunks(&run);
	stream_close(&run.stream);
	return err;
}
