/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/model.h"

#include "base/bytes.h"
#include "patch/codec.h"
#include "patch/pair.h"
#include "patch/space.h"
#include "patch/votes.h"
#include <stdlib.h>
#include <string.h>

/*
 * Which shifts there are depends on which words are addresses, and the other way round. So everything that could be an
 * address votes first; then each block gets the kinds that do best with these shifts; then only these vote.
 */
#define ROUNDS 2

#define BLOCK (INT64_C(1) << MODEL_BLOCK_LOG)

/* Kinds that blocks are tried with, one by one. */
static const uint8_t trials[] = {
	PREDICT_ADDRESS,  PREDICT_A32,    PREDICT_T32, PREDICT_LITERAL, PREDICT_T32 | PREDICT_LITERAL,
	PREDICT_DISTANCE, PREDICT_OFFSET, PREDICT_REL, PREDICT_REL_ODD,
};
#define TRIALS (sizeof(trials) / sizeof(trials[0]))
#define WORDS  0u /* the first trial: words that lie between code, too */

/* Kinds that a block can get: those of a trial, some with words. The first choice is none. */
static const struct choice {
	uint8_t trial;
	bool has_words;
} choices[] = {
	{TRIALS, false}, {WORDS, false}, {1, false}, {1, true},  {2, false}, {2, true},  {3, false},
	{4, false},      {4, true},      {5, false}, {6, false}, {7, false}, {8, false},
};
#define CHOICES (sizeof(choices) / sizeof(choices[0]))

/* Another kind than that of the block before must be better by more than this many bytes. */
#define WORTH_A_CHANGE 1

/*
 * One block of so many shows whether a trial is worth being made everywhere: when it gains a part of what the best one
 * does. Small images have no blocks to spare for that.
 */
#define SAMPLE       8
#define SMALL        ((size_t)2048)
#define WORTH_A_PART 64

struct scores {
	int16_t of[TRIALS]; /* bytes of the block that are right only with the prediction, less those only right without
	                     */
};

struct modeller {
	struct prediction *prediction;
	const struct image *old;
	const struct image *new;
	const struct alignment *alignment;
	size_t blocks;
	uint8_t *kinds;       /* what the blocks have: the prediction's */
	uint8_t *tried;       /* what they are tried with */
	uint8_t *is_changed;  /* a byte of the block differs from the old one that it lies along */
	uint8_t *was_changed; /* the same for blocks of the old image */
	struct scores *scores;
	bool is_hopeless[TRIALS];
	unsigned trial;
	struct votes addresses;
	struct votes symbols;
	struct error *error;
};

typedef int visit_pair(struct modeller *m, const struct pair *pair);

static int visit_stretch(struct modeller *m, const struct stretch *stretch, visit_pair *visit)
{
	struct predict_window window = {.data = m->old->data + stretch->old_at, .end = (uint64_t)stretch->add};
	struct pair pair = {.new_stretch = m->new->data + stretch->new_at};
	struct predict_walk walk;
	int err = 0;

	predict_begin(&walk, m->prediction, (uint64_t)stretch->old_at, (uint64_t)stretch->new_at, window.end);
	while (err == 0 && predict_next(&walk, &window, window.end, &pair.item)) {
		pair.new_at = walk.new_at + pair.item.at;
		pair.new_place = predict_land(&walk, &pair.item);
		pair.new_code = get_le32(pair.new_stretch + pair.item.at);
		err = visit(m, &pair);
	}
	return err;
}

static int visit_all(struct modeller *m, const uint8_t *kinds, visit_pair *visit)
{
	int err = 0;

	m->prediction->kinds = kinds;
	for (size_t i = 0; err == 0 && i < m->alignment->count; i++)
		err = visit_stretch(m, &m->alignment->stretches[i], visit);
	return err;
}

static int vote(struct modeller *m, const struct pair *pair)
{
	struct votes *votes = pair->item.form == PREDICT_SYMBOL ? &m->symbols : &m->addresses;
	uint32_t target;

	return pair_read_target(pair, &target) ? votes_add(votes, pair->item.target, target, m->error) : 0;
}

static int settle(struct modeller *m)
{
	int err = votes_settle(&m->addresses, &m->prediction->addresses, m->error);

	return err == 0 ? votes_settle(&m->symbols, &m->prediction->symbols, m->error) : err;
}

/* Code's words are no addresses before it is known which words its instructions load. */
static bool has_first_vote(unsigned kinds)
{
	return kinds != PREDICT_T32 && kinds != PREDICT_LITERAL;
}

static int first_votes(struct modeller *m)
{
	int err = 0;

	for (unsigned i = 0; err == 0 && i < TRIALS; i++) {
		if (!has_first_vote(trials[i]))
			continue;
		memset(m->tried, trials[i], m->blocks);
		err = visit_all(m, m->tried, vote);
	}
	return err == 0 ? settle(m) : err;
}

static int differing_bytes(uint32_t a, uint32_t b)
{
	uint32_t difference = a ^ b;
	int count = 0;

	for (; difference != 0; difference >>= 8)
		count += (difference & 0xff) != 0;
	return count;
}

static int score(struct modeller *m, const struct pair *pair)
{
	const struct predict_item *item = &pair->item;
	bool is_symbol = item->form == PREDICT_SYMBOL;
	const struct predict_shifts *shifts = is_symbol ? &m->prediction->symbols : &m->prediction->addresses;
	uint32_t target = predict_shifted(shifts, item->target);
	uint32_t code = predict_encode(item, &pair->new_place, target);
	int16_t *sum = &m->scores[pair->new_at >> MODEL_BLOCK_LOG].of[m->trial];

	if (code != item->code)
		*sum = (int16_t)(*sum + differing_bytes(item->code, pair->new_code) -
		                 differing_bytes(code, pair->new_code));
	return 0;
}

/* In a block that has not changed no kind is of any use. */
static int score_trial(struct modeller *m, unsigned trial, size_t step)
{
	m->trial = trial;
	memset(m->tried, 0, m->blocks);
	for (size_t block = 0; block < m->blocks; block += step) {
		m->scores[block].of[trial] = 0;
		m->tried[block] = m->is_changed[block] ? trials[trial] : 0;
	}
	return visit_all(m, m->tried, score);
}

static int find_hopeless(struct modeller *m)
{
	uint64_t gains[TRIALS] = {0};
	uint64_t best = 0;

	if (m->blocks < SMALL)
		return 0;
	for (unsigned i = 0; i < TRIALS; i++) {
		int err = score_trial(m, i, SAMPLE);

		if (err < 0)
			return err;
		for (size_t block = 0; block < m->blocks; block += SAMPLE)
			gains[i] += m->scores[block].of[i] > 0 ? (uint64_t)m->scores[block].of[i] : 0;
		best = gains[i] > best ? gains[i] : best;
	}
	for (unsigned i = 0; i < TRIALS; i++)
		m->is_hopeless[i] = gains[i] * WORTH_A_PART < best;
	return 0;
}

static int score_all(struct modeller *m)
{
	int err = 0;

	memset(m->scores, 0, m->blocks * sizeof(*m->scores));
	for (unsigned i = 0; err == 0 && i < TRIALS; i++) {
		if (!m->is_hopeless[i])
			err = score_trial(m, i, 1);
	}
	return err;
}

static int choice_score(const struct scores *scores, unsigned choice)
{
	if (choice == 0)
		return 0;
	return scores->of[choices[choice].trial] + (choices[choice].has_words ? scores->of[WORDS] : 0);
}

static uint8_t choice_kinds(unsigned choice)
{
	if (choice == 0)
		return 0;
	return trials[choices[choice].trial] | (choices[choice].has_words ? trials[WORDS] : 0);
}

/* The same kinds for as long as others are hardly better: what changes costs bytes, too. */
static void choose_kinds(struct modeller *m)
{
	unsigned last = 0;

	for (size_t block = 0; block < m->blocks; block++) {
		const struct scores *scores = &m->scores[block];
		unsigned best = 0;

		for (unsigned i = 1; i < CHOICES; i++) {
			if (choice_score(scores, i) > choice_score(scores, best))
				best = i;
		}
		if (choice_score(scores, best) > choice_score(scores, last) + WORTH_A_CHANGE)
			last = best;
		m->kinds[block] = choice_kinds(last);
	}
}

/* What was not looked at, or does not do together what each did alone. */
static int drop_kinds_that_harm(struct modeller *m)
{
	int err;

	m->trial = 0;
	memset(m->scores, 0, m->blocks * sizeof(*m->scores));
	err = visit_all(m, m->kinds, score);
	for (size_t block = 0; block < m->blocks; block++) {
		if (m->scores[block].of[0] < 0)
			m->kinds[block] = 0;
	}
	return err;
}

static void find_changed(struct modeller *m)
{
	for (size_t i = 0; i < m->alignment->count; i++) {
		const struct stretch *stretch = &m->alignment->stretches[i];
		int64_t length;

		for (int64_t done = 0; done < stretch->add; done += length) {
			int64_t new_at = stretch->new_at + done;
			int64_t old_at = stretch->old_at + done;

			length = BLOCK - (new_at % BLOCK > old_at % BLOCK ? new_at : old_at) % BLOCK;
			if (length > stretch->add - done)
				length = stretch->add - done;
			if (memcmp(m->new->data + new_at, m->old->data + old_at, (size_t)length) == 0)
				continue;
			m->is_changed[new_at / BLOCK] = 1;
			m->was_changed[old_at / BLOCK] = 1;
		}
	}
}

static int find_spaces(struct modeller *m, const struct region_image *old, const struct region_image *new)
{
	struct prediction *prediction = m->prediction;
	struct regions old_regions = {.count = 0}, new_regions = {.count = 0};
	int err = regions_find(&old_regions, &new_regions, old, new, m->alignment, m->error);

	if (err == 0)
		err = space_find(&prediction->old, old, m->was_changed, &old_regions, m->error);
	if (err == 0)
		err = space_find(&prediction->new, new, m->is_changed, &new_regions, m->error);
	regions_free(&old_regions);
	regions_free(&new_regions);
	return err;
}

static int make_rounds(struct modeller *m)
{
	int err = first_votes(m);

	if (err == 0)
		err = find_hopeless(m);
	for (unsigned round = 1; err == 0; round++) {
		err = score_all(m);
		if (err < 0 || round > ROUNDS)
			break;
		choose_kinds(m);
		err = drop_kinds_that_harm(m);
		if (err == 0)
			err = visit_all(m, m->kinds, vote);
		if (err == 0)
			err = settle(m);
	}
	choose_kinds(m);
	return err == 0 ? drop_kinds_that_harm(m) : err;
}

int prediction_make(struct prediction *prediction, const struct region_image *old, const struct region_image *new,
                    const struct alignment *alignment, struct error *error)
{
	struct modeller m = {.prediction = prediction,
	                     .old = &old->image,
	                     .new = &new->image,
	                     .alignment = alignment,
	                     .error = error};
	int err;

	m.blocks = (size_t)((uint64_t)m.new->size >> MODEL_BLOCK_LOG) + 1;
	m.kinds = calloc(1, m.blocks);
	m.tried = malloc(m.blocks);
	m.is_changed = calloc(1, m.blocks);
	m.was_changed = calloc(1, (size_t)(m.old->size / BLOCK) + 1);
	m.scores = calloc(m.blocks, sizeof(*m.scores));
	*prediction = (struct prediction){.kinds = m.kinds, .block_log = MODEL_BLOCK_LOG};
	if (!m.kinds || !m.tried || !m.is_changed || !m.was_changed || !m.scores) {
		err = patch_no_memory(error);
		goto cleanup;
	}
	find_changed(&m);
	err = find_spaces(&m, old, new);
	if (err == 0)
		err = make_rounds(&m);
	prediction->kinds = m.kinds;
cleanup:
	votes_free(&m.addresses);
	votes_free(&m.symbols);
	free(m.tried);
	free(m.is_changed);
	free(m.was_changed);
	free(m.scores);
	return err;
}

void prediction_free(struct prediction *prediction)
{
	space_free(&prediction->old);
	space_free(&prediction->new);
	free(prediction->addresses.list);
	free(prediction->symbols.list);
	free((void *)prediction->kinds);
	*prediction = (struct prediction){.kinds = NULL};
}
