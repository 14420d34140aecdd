/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/align.h"

#include "patch/codec.h"
#include <stdbool.h>
#include <stdlib.h>

/*
 * A stretch goes on until a turn to another place in the old image is worth its control entry. A turn starts at an
 * exact match, and is judged by how many bytes more agree, in the match and a little behind it: in programs what has
 * moved agrees in most bytes only, since it holds addresses. All the limits were found by trial on ELF files.
 */
#define WORTH_A_TURN 12 /* bytes that must agree more */
#define BEHIND       48 /* bytes behind the match that are judged with it */

/* Where the present stretch goes on with so many agreeing bytes, soon enough, nobody has to search. */
#define SURE 16
#define SOON 16

/* A match shorter than BARREN_MATCH tells nothing: where the new bytes are like nothing old, searches get rarer. */
#define BARREN_MATCH  8
#define BARREN_WINDOW 64
#define BARREN_STEP   16

/* A stretch grows in both directions for as long as at least 2 of 5 bytes agree. */
#define GROW_AGREEING  3
#define GROW_DIFFERING (-2)

/* new_at lies along old_at */
struct turn {
	int64_t new_at;
	int64_t old_at;
};

struct aligner {
	struct image old;
	struct image new;
	struct matcher matcher; /* opened when it is asked for first */
	struct turn begin;      /* of the present stretch; all before it is settled */
	int64_t shift;          /* of the match it grew from: old position minus new position */
	struct alignment *alignment;
	struct error *error;
};

static int agrees(const struct aligner *a, int64_t new_at, int64_t old_at)
{
	return old_at >= 0 && old_at < a->old.size && a->new.data[new_at] == a->old.data[old_at];
}

/* How many bytes from new_at on agree with the present stretch without a break. */
static int64_t run_length(const struct aligner *a, int64_t new_at)
{
	int64_t old_at = new_at + a->shift;
	int64_t room = a->new.size - new_at;

	if (old_at < 0 || old_at >= a->old.size)
		return 0;
	return common_prefix(a->new.data + new_at, a->old.data + old_at,
	                     room < a->old.size - old_at ? room : a->old.size - old_at);
}

/* How far the present stretch can be followed from new_at on without asking for a better one; 0: it must be asked. */
static int64_t follow(const struct aligner *a, int64_t new_at)
{
	int64_t gap = 0;

	while (gap <= SOON && new_at + gap < a->new.size) {
		int64_t run = run_length(a, new_at + gap);

		if (run >= SURE + 2 * gap || run == a->new.size - new_at - gap)
			return gap + run;
		gap += run + 1;
	}
	return 0;
}

static bool is_worth_a_turn(const struct aligner *a, int64_t new_at, const struct match *match)
{
	int64_t shift = match->old_at - new_at;
	int64_t end = new_at + match->length + BEHIND;
	int64_t score = 0;

	if (match->length < MATCH_SHORTEST)
		return false;
	for (int64_t i = new_at; i < end && i < a->new.size &&score <= WORTH_A_TURN; i++)
		score += agrees(a, i, i + shift) - agrees(a, i, i + a->shift);
	return score > WORTH_A_TURN;
}

static int find(struct aligner *a, int64_t new_at, struct match *match)
{
	int err = a->matcher.starts ? 0 : matcher_open(&a->matcher, &a->old, a->error);

	if (err == 0)
		*match = matcher_find(&a->matcher, a->new.data + new_at, a->new.size - new_at, new_at + a->shift);
	return err;
}

/*
 * Go forward from *new_at to where another place in the old image, the match, explains the new bytes better than the
 * present stretch does, or to the new image's end, where there is no match.
 */
static int find_turn(struct aligner *a, int64_t *new_at, struct match *match)
{
	int64_t at = *new_at;
	int64_t barren = 0;
	int err = 0;

	while (at < a->new.size) {
		int64_t step = follow(a, at);

		if (step > 0) {
			barren = 0;
			at += step;
			continue;
		}
		err = find(a, at, match);
		if (err < 0 || is_worth_a_turn(a, at, match))
			break;
		barren = match->length < BARREN_MATCH ? barren + 1 : 0;
		step = 1 + barren / BARREN_WINDOW;
		if (match->length > 0 && run_length(a, at) >= match->length)
			step = match->length; /* the present stretch holds all of it */
		else if (step > BARREN_STEP)
			step = BARREN_STEP;
		at += step;
	}
	if (at >= a->new.size) {
		at = a->new.size;
		*match = (struct match){0};
	}
	*new_at = at;
	return err;
}

/* How far the present stretch reaches towards `to`: the length with the best score. */
static int64_t grow_forward(const struct aligner *a, int64_t to)
{
	int64_t score = 0, best = 0, length = 0;

	for (int64_t i = 0; a->begin.new_at + i < to && a->begin.old_at + i < a->old.size; i++) {
		score += agrees(a, a->begin.new_at + i, a->begin.old_at + i) ? GROW_AGREEING : GROW_DIFFERING;
		if (score > best) {
			best = score;
			length = i + 1;
		}
	}
	return length;
}

/* The same for the stretch that begins with the turn, backward and at most to the present stretch's begin. */
static int64_t grow_backward(const struct aligner *a, const struct turn *turn)
{
	int64_t score = 0, best = 0, length = 0;

	for (int64_t i = 1; turn->new_at - i >= a->begin.new_at && i <= turn->old_at; i++) {
		score += agrees(a, turn->new_at - i, turn->old_at - i) ? GROW_AGREEING : GROW_DIFFERING;
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
static int64_t split_overlap(const struct aligner *a, int64_t new_at, int64_t earlier, int64_t later, int64_t overlap)
{
	int64_t score = 0, best = 0, keep = 0;

	for (int64_t i = 0; i < overlap; i++) {
		score += agrees(a, new_at + i, earlier + i) - agrees(a, new_at + i, later + i);
		if (score > best) {
			best = score;
			keep = i + 1;
		}
	}
	return keep;
}

static int add_stretch(struct aligner *a, const struct stretch *stretch)
{
	struct alignment *list = a->alignment;

	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 64;
		struct stretch *stretches = reallocarray(list->stretches, capacity, sizeof(*stretches));

		if (!stretches)
			return patch_no_memory(a->error);
		list->stretches = stretches;
		list->capacity = capacity;
	}
	list->stretches[list->count++] = *stretch;
	return 0;
}

/* Settle where the present stretch ends and the turn's begins. */
static int take_turn(struct aligner *a, const struct turn *turn)
{
	int64_t add = grow_forward(a, turn->new_at);
	int64_t back = turn->new_at < a->new.size ? grow_backward(a, turn) : 0;
	int64_t overlap = a->begin.new_at + add - (turn->new_at - back);
	struct stretch stretch = {.new_at = a->begin.new_at, .old_at = a->begin.old_at};

	if (overlap > 0) {
		int64_t keep = split_overlap(a, turn->new_at - back, a->begin.old_at + add - overlap,
		                             turn->old_at - back, overlap);

		add -= overlap - keep;
		back -= keep;
	}
	a->begin = (struct turn){.new_at = turn->new_at - back, .old_at = turn->old_at - back};
	a->shift = turn->old_at - turn->new_at;
	stretch.add = add;
	stretch.copy = a->begin.new_at - stretch.new_at - add;
	return add_stretch(a, &stretch);
}

int alignment_make(struct alignment *alignment, const struct image *old, const struct image *new, struct error *error)
{
	struct aligner a = {.old = *old, .new = *new, .alignment = alignment, .error = error};
	struct match match = {0};
	struct turn turn = {0};
	int err = 0;

	*alignment = (struct alignment){0};
	while (err == 0 && turn.new_at < new->size) {
		/* The match that made the last turn agrees: look for the next turn behind it. */
		turn.new_at += match.length;
		err = find_turn(&a, &turn.new_at, &match);
		turn.old_at = match.old_at;
		if (err == 0)
			err = take_turn(&a, &turn);
	}
	matcher_close(&a.matcher);
	return err;
}

int64_t alignment_size(const struct alignment *alignment)
{
	const struct stretch *last;

	if (alignment->count == 0)
		return 0;
	last = &alignment->stretches[alignment->count - 1];
	return last->new_at + last->add + last->copy - alignment->stretches->new_at;
}

void alignment_free(struct alignment *alignment)
{
	free(alignment->stretches);
	*alignment = (struct alignment){0};
}
