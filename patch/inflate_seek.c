/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/inflate_seek.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
	PIECE = 65536,
	PIECES = 8,
	MARKS = 16,
	MARK_DISTANCE = 512 << 10, /* at least */
	HISTORY = 1 << MAX_WBITS,
	INPUT = 16384,
};

/* zlib's state and its window, by its zconf.h, rounded up. */
#define INFLATE_STATE (HISTORY + 12288u)

struct piece {
	uint8_t *data; /* owned; NULL: none yet */
	uint64_t at;   /* in the plain data; UINT64_MAX: has none */
	uint64_t used; /* when, on the clock */
};

struct mark {
	uint8_t *history; /* owned: up to HISTORY bytes before it */
	uInt history_size;
	uint64_t plain_at;
	uint64_t coded_at; /* of the next whole byte */
	int bits;          /* of the byte before that are not used yet */
	uint8_t byte;
};

struct inflate_seek {
	struct reader coded;
	uint64_t plain_size;
	struct error *error;
	z_stream z;
	uint64_t plain_at; /* decoded up to here */
	uint64_t coded_at; /* read up to here */
	uint8_t last;      /* byte of the input that was read before this one */
	uint64_t clock;
	struct piece pieces[PIECES];
	struct mark marks[MARKS]; /* ascending */
	size_t mark_count;
	uint8_t input[INPUT];
};

uint64_t inflate_seek_memory(void)
{
	return sizeof(struct inflate_seek) + (uint64_t)PIECES * PIECE + (uint64_t)MARKS * HISTORY + INFLATE_STATE;
}

int inflate_seek_open(struct inflate_seek **seek, const struct reader *coded, uint64_t plain_size, struct error *error)
{
	struct inflate_seek *s = calloc(1, sizeof(*s));

	*seek = NULL;
	if (!s)
		return patch_no_memory(error);
	s->coded = *coded;
	s->plain_size = plain_size;
	s->error = error;
	s->z.next_in = s->input;
	if (inflateInit2(&s->z, -MAX_WBITS) != Z_OK) {
		free(s);
		return patch_no_memory(error);
	}
	for (struct piece *piece = s->pieces; piece < s->pieces + PIECES; piece++)
		piece->at = UINT64_MAX;
	*seek = s;
	return 0;
}

void inflate_seek_close(struct inflate_seek *s)
{
	if (!s)
		return;
	for (struct piece *piece = s->pieces; piece < s->pieces + PIECES; piece++)
		free(piece->data);
	for (struct mark *mark = s->marks; mark < s->marks + MARKS; mark++)
		free(mark->history);
	(void)inflateEnd(&s->z);
	free(s);
}

static int broken(const struct inflate_seek *s)
{
	return patch_broken(s->error, "old content: no DEFLATE data of the size that the patch claims");
}

/* ---- Marks ---- */

static uint64_t mark_distance(const struct inflate_seek *s)
{
	uint64_t distance = s->plain_size / MARKS + 1;

	return distance < MARK_DISTANCE ? MARK_DISTANCE : distance;
}

/* At the beginning of a block, where nobody has been yet. */
static int leave_mark(struct inflate_seek *s)
{
	uint64_t before = s->mark_count > 0 ? s->marks[s->mark_count - 1].plain_at : 0;
	struct mark *mark = &s->marks[s->mark_count];

	if (s->mark_count == MARKS || s->plain_at < before + mark_distance(s))
		return 0;
	mark->history = malloc(HISTORY);
	if (!mark->history)
		return patch_no_memory(s->error);
	mark->history_size = HISTORY;
	(void)inflateGetDictionary(&s->z, mark->history, &mark->history_size);
	mark->plain_at = s->plain_at;
	mark->coded_at = s->coded_at - s->z.avail_in;
	mark->bits = s->z.data_type & 7;
	mark->byte = s->z.next_in > s->input ? s->z.next_in[-1] : s->last;
	s->mark_count++;
	return 0;
}

/* The last mark at or before; NULL: the beginning. */
static const struct mark *find_mark(const struct inflate_seek *s, uint64_t at)
{
	const struct mark *found = NULL;

	for (const struct mark *mark = s->marks; mark < s->marks + s->mark_count && mark->plain_at <= at; mark++)
		found = mark;
	return found;
}

static int go_to(struct inflate_seek *s, const struct mark *mark)
{
	if (inflateReset(&s->z) != Z_OK)
		return broken(s);
	s->z.next_in = s->input;
	s->z.avail_in = 0;
	s->plain_at = mark ? mark->plain_at : 0;
	s->coded_at = mark ? mark->coded_at : 0;
	if (!mark)
		return 0;
	s->last = mark->byte;
	if (mark->bits > 0 && inflatePrime(&s->z, mark->bits, mark->byte >> (8 - mark->bits)) != Z_OK)
		return broken(s);
	return inflateSetDictionary(&s->z, mark->history, mark->history_size) == Z_OK ? 0 : broken(s);
}

/* ---- Pieces ---- */

static int read_input(struct inflate_seek *s)
{
	uint64_t left = s->coded.size - s->coded_at;
	size_t n = left < INPUT ? (size_t)left : INPUT;
	int err;

	if (n == 0)
		return broken(s);
	if (s->z.next_in > s->input)
		s->last = s->z.next_in[-1];
	err = s->coded.read_at(s->coded.ctx, s->coded_at, s->input, n);
	s->coded_at += n;
	s->z.next_in = s->input;
	s->z.avail_in = (uInt)n;
	return err;
}

/* Decode so many bytes from where the decoder is. */
static int decode(struct inflate_seek *s, uint8_t *to, size_t size)
{
	int err = 0;

	s->z.next_out = to;
	s->z.avail_out = (uInt)size;
	while (err == 0 && s->z.avail_out > 0) {
		uInt before = s->z.avail_out;
		int ret;

		if (s->z.avail_in == 0)
			err = read_input(s);
		if (err < 0)
			return err;
		ret = inflate(&s->z, Z_BLOCK);
		s->plain_at += before - s->z.avail_out;
		if (ret == Z_MEM_ERROR)
			return patch_no_memory(s->error);
		if (ret != Z_OK && !(ret == Z_STREAM_END && s->z.avail_out == 0) && ret != Z_BUF_ERROR)
			return broken(s);
		if (ret == Z_OK && s->z.data_type & 128 && !(s->z.data_type & 64))
			err = leave_mark(s);
	}
	return err;
}

/* The piece that was not used for longest, without content. */
static int take_piece(struct inflate_seek *s, struct piece **taken)
{
	struct piece *oldest = s->pieces;

	for (struct piece *piece = s->pieces; piece < s->pieces + PIECES; piece++)
		if (piece->used < oldest->used)
			oldest = piece;
	oldest->at = UINT64_MAX;
	if (!oldest->data)
		oldest->data = malloc(PIECE);
	*taken = oldest;
	return oldest->data ? 0 : patch_no_memory(s->error);
}

/* Decode up to the end of a piece, into it. It has content when that is all of it, and is the next to be taken. */
static int fill_piece(struct inflate_seek *s, struct piece *piece)
{
	uint64_t begin = s->plain_at;
	uint64_t at = begin / PIECE * PIECE;
	uint64_t end = s->plain_size - at < PIECE ? s->plain_size : at + PIECE;
	int err = decode(s, piece->data, (size_t)(end - begin));

	if (err == 0 && begin == at)
		piece->at = at;
	return err;
}

static int decode_piece(struct inflate_seek *s, uint64_t at, struct piece **found)
{
	const struct mark *mark = find_mark(s, at);
	struct piece *piece = NULL;
	int err = 0;

	if (s->plain_at > at || (mark && mark->plain_at > s->plain_at))
		err = go_to(s, mark);
	while (err == 0 && s->plain_at <= at) {
		err = take_piece(s, &piece);
		if (err == 0)
			err = fill_piece(s, piece);
	}
	*found = piece;
	return err;
}

int inflate_seek_read(struct inflate_seek *s, uint64_t at, void *buffer, size_t length)
{
	uint8_t *to = buffer;
	int err = 0;

	if (at > s->plain_size || length > s->plain_size - at)
		return broken(s);
	while (err == 0 && length > 0) {
		uint64_t begin = at / PIECE * PIECE;
		size_t part = begin + PIECE - at < length ? (size_t)(begin + PIECE - at) : length;
		struct piece *found = NULL;

		for (struct piece *piece = s->pieces; piece < s->pieces + PIECES && !found; piece++)
			if (piece->at == begin)
				found = piece;
		if (!found)
			err = decode_piece(s, begin, &found);
		if (err < 0)
			break;
		found->used = ++s->clock;
		memcpy(to, found->data + (at - begin), part);
		to += part;
		at += part;
		length -= part;
	}
	return err;
}
