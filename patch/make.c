/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/patch.h"

#include "base/bytes.h"
#include "patch/bsdiff.h"
#include "patch/bzip.h"
#include "patch/match.h"
#include <string.h>

/*
 * The idea is Colin Percival's ("Naive differences of executable code"): lay the new image along the old one in
 * stretches that differ in a few bytes only, so that the byte-wise differences are mostly zero and compress well.
 * A stretch grows from an exact match in both directions for as long as at least half of its bytes agree.
 */

/* Another place in the old image must explain this many bytes more than the present stretch, or it is not worth a turn.
 */
#define WORTH_A_TURN 8
#define PIECE_SIZE   4096

/* new_at lies along old_at */
struct alignment {
	int64_t new_at;
	int64_t old_at;
};

struct maker {
	struct image old;
	struct image new;
	struct matcher matcher;
	struct bzip control;
	struct bzip diff;
	struct bzip extra;
	struct alignment stretch; /* where the present stretch begins; all before it is written */
	int64_t shift;            /* of the match it grew from: old position minus new position */
};

static int64_t agrees(const struct maker *m, int64_t new_at, int64_t old_at)
{
	return old_at >= 0 && old_at < m->old.size && m->new.data[new_at] == m->old.data[old_at];
}

/*
 * Go forward from new_at to where another place in the old image, the match, explains the new bytes better than the
 * present stretch does. Returns that position, or the new image's end when there is none.
 */
static int64_t find_turn(struct maker *m, int64_t new_at, struct match *match)
{
	int64_t counted = new_at; /* agreeing is about [new_at, counted) */
	int64_t agreeing = 0;

	while (new_at < m->new.size) {
		*match = matcher_find(&m->matcher, new_at);
		for (; counted < new_at + match->length; counted++)
			agreeing += agrees(m, counted, counted + m->shift);
		if (match->length > agreeing + WORTH_A_TURN)
			return new_at;
		if (match->length > 0 && match->length == agreeing) {
			/* The present stretch holds all of the match: go on behind it. */
			new_at = counted;
			agreeing = 0;
		} else if (counted > new_at) {
			agreeing -= agrees(m, new_at, new_at + m->shift);
			new_at++;
		} else {
			counted = ++new_at;
		}
	}
	*match = (struct match){0};
	return m->new.size;
}

/* How far the present stretch reaches towards `to`: the length with the most agreeing over differing bytes. */
static int64_t grow_forward(const struct maker *m, int64_t to)
{
	int64_t score = 0, best = 0, length = 0;

	for (int64_t i = 0; m->stretch.new_at + i < to && m->stretch.old_at + i < m->old.size; i++) {
		score += agrees(m, m->stretch.new_at + i, m->stretch.old_at + i) ? 1 : -1;
		if (score > best) {
			best = score;
			length = i + 1;
		}
	}
	return length;
}

/* The same for the stretch that begins with the turn, backward and at most to the present stretch's begin. */
static int64_t grow_backward(const struct maker *m, const struct alignment *turn)
{
	int64_t score = 0, best = 0, length = 0;

	for (int64_t i = 1; turn->new_at - i >= m->stretch.new_at && i <= turn->old_at; i++) {
		score += agrees(m, turn->new_at - i, turn->old_at - i) ? 1 : -1;
		if (score > best) {
			best = score;
			length = i;
		}
	}
	return length;
}

/*
 * Both stretches claim the `overlap` bytes that begin at new_at, at these places of the old image. Returns how many of
 * them the earlier one should keep, so that the most bytes agree.
 */
static int64_t split_overlap(const struct maker *m, int64_t new_at, int64_t earlier, int64_t later, int64_t overlap)
{
	int64_t score = 0, best = 0, keep = 0;

	for (int64_t i = 0; i < overlap; i++) {
		score += agrees(m, new_at + i, earlier + i) - agrees(m, new_at + i, later + i);
		if (score > best) {
			best = score;
			keep = i + 1;
		}
	}
	return keep;
}

static int write_diff(struct maker *m, int64_t length)
{
	uint8_t piece[PIECE_SIZE];
	int err = 0;

	for (int64_t done = 0; err == 0 && done < length;) {
		const uint8_t *old = m->old.data + m->stretch.old_at + done;
		const uint8_t *new = m->new.data + m->stretch.new_at + done;
		size_t n = length - done < PIECE_SIZE ? (size_t)(length - done) : PIECE_SIZE;

		for (size_t i = 0; i < n; i++)
			piece[i] = (uint8_t)(new[i] - old[i]);
		err = bzip_write(&m->diff, piece, n);
		done += (int64_t)n;
	}
	return err;
}

/* Sign and magnitude, not two's complement. */
static void put_signed(uint8_t *p, int64_t value)
{
	put_le64(p, value < 0 ? (uint64_t)-value | UINT64_C(1) << 63 : (uint64_t)value);
}

/* Write the present stretch, `add` bytes long, and what lies between it and `next`, where the next one begins. */
static int write_stretch(struct maker *m, int64_t add, const struct alignment *next)
{
	int64_t copy = next->new_at - m->stretch.new_at - add;
	uint8_t entry[BSDIFF_ENTRY_SIZE];
	int err;

	put_signed(entry, add);
	put_signed(entry + 8, copy);
	put_signed(entry + 16, next->old_at - m->stretch.old_at - add);
	err = bzip_write(&m->control, entry, sizeof(entry));
	if (err == 0)
		err = write_diff(m, add);
	if (err == 0 && copy > 0)
		err = bzip_write(&m->extra, m->new.data + m->stretch.new_at + add, (size_t)copy);
	return err;
}

/* Settle where the present stretch ends and the turn's begins, and write all before that. */
static int take_turn(struct maker *m, const struct alignment *turn)
{
	int64_t add = grow_forward(m, turn->new_at);
	int64_t back = turn->new_at < m->new.size ? grow_backward(m, turn) : 0;
	int64_t overlap = m->stretch.new_at + add - (turn->new_at - back);
	struct alignment next;
	int err;

	if (overlap > 0) {
		int64_t keep = split_overlap(m, turn->new_at - back, m->stretch.old_at + add - overlap,
		                             turn->old_at - back, overlap);

		add -= overlap - keep;
		back -= keep;
	}
	next = (struct alignment){.new_at = turn->new_at - back, .old_at = turn->old_at - back};
	err = write_stretch(m, add, &next);
	m->stretch = next;
	m->shift = turn->old_at - turn->new_at;
	return err;
}

static int compare(struct maker *m)
{
	struct alignment turn = {0};
	struct match match = {0};
	int err;

	while (turn.new_at < m->new.size) {
		/* The match that made the last turn agrees: look for the next turn behind it. */
		turn.new_at = find_turn(m, turn.new_at + match.length, &match);
		turn.old_at = match.old_at;
		err = take_turn(m, &turn);
		if (err < 0)
			return err;
	}
	return 0;
}

static int put_patch(const struct maker *m, const struct sink *sink, struct error *error)
{
	const struct bzip *streams[] = {&m->control, &m->diff, &m->extra};
	uint8_t header[BSDIFF_HEADER_SIZE] = BSDIFF_MAGIC;
	int err;

	put_le64(header + 8, m->control.size);
	put_le64(header + 16, m->diff.size);
	put_le64(header + 24, (uint64_t)m->new.size);
	err = sink->write(sink->ctx, header, sizeof(header));
	for (size_t i = 0; err == 0 && i < sizeof(streams) / sizeof(streams[0]); i++)
		err = sink->write(sink->ctx, streams[i]->data, streams[i]->size);
	return err < 0 ? error_set(error, 0, -err, "patch cannot be written: %s", strerror(-err)) : 0;
}

int patch_make_bsdiff40(const void *old_data, size_t old_size, const void *new_data, size_t new_size,
                        const struct sink *sink, struct error *error)
{
	struct maker m = {.old = {.data = old_data}, .new = {.data = new_data}};
	int err;

	if (old_size > INT32_MAX || new_size > INT32_MAX)
		return error_set(error, 0, EFBIG, "bsdiff: images of %zu and %zu bytes are too large", old_size,
		                 new_size);
	m.old.size = (int64_t)old_size;
	m.new.size = (int64_t)new_size;

	err = matcher_open(&m.matcher, &m.old, &m.new, error);
	if (err == 0)
		err = bzip_open(&m.control, error);
	if (err == 0)
		err = bzip_open(&m.diff, error);
	if (err == 0)
		err = bzip_open(&m.extra, error);
	if (err == 0)
		err = compare(&m);
	if (err == 0)
		err = bzip_finish(&m.control);
	if (err == 0)
		err = bzip_finish(&m.diff);
	if (err == 0)
		err = bzip_finish(&m.extra);
	if (err == 0)
		err = put_patch(&m, sink, error);

	bzip_close(&m.extra);
	bzip_close(&m.diff);
	bzip_close(&m.control);
	matcher_close(&m.matcher);
	return err;
}
