/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/origin.h"

#include "base/bytes.h"
#include "patch/arm.h"
#include "patch/codec.h"
#include <stdlib.h>
#include <string.h>

#define PAGE   4096u
#define PLACES ((size_t)PAGE / 4)

/* Called at least so often, it is a function, and not what data look like. */
#define CALLS 3

/* Changed words that are looked at, at most; how many functions of each place in a page; how many origins are tried. */
#define WORDS     ((size_t)4096)
#define FUNCTIONS ((size_t)64)
#define TRIALS    8

/* So many of the words must agree, and so many times as many as with origin 0. */
#define AGREEING 16
#define TIMES    2

/* How finely it is known where the alignment has moved old bytes. */
#define GRAIN   64
#define UNKNOWN INT32_MIN

struct word {
	uint32_t old;
	uint32_t new;
};

struct origin_search {
	struct image old;
	struct image new;
	const struct alignment *alignment;
	uint8_t *calls;      /* of each 4 bytes of the old image */
	int32_t *moves;      /* of each GRAIN */
	uint32_t *functions; /* FUNCTIONS for each place in a page: offsets */
	uint8_t *filled;     /* how many of them there are */
	struct word *words;
	size_t word_count;
	uint32_t *origins; /* for each pair of a word and a function that it could lead to */
	size_t origin_count;
};

static void count_call(struct origin_search *search, uint32_t target)
{
	if (target < search->old.size && search->calls[target / 4] < CALLS)
		search->calls[target / 4]++;
}

static void count_calls(struct origin_search *search)
{
	uint32_t end = search->old.size < 4 ? 0 : (uint32_t)search->old.size - 3;

	for (uint32_t at = 0; at < end; at += 2) {
		uint32_t code = get_le32(search->old.data + at);
		uint32_t target;

		if ((at % 4 == 0 && code >> 24 == 0xeb && arm_a32_branch(code, at, &target)) ||
		    ((code & 0xd000f800) == 0xd000f000 && arm_t32_branch(code, at, &target) == ARM_BRANCH))
			count_call(search, target);
	}
}

static void list_functions(struct origin_search *search)
{
	for (uint32_t at = 0; at < search->old.size; at += 4) {
		uint32_t place = at % PAGE / 4;

		if (search->calls[at / 4] == CALLS && search->filled[place] < FUNCTIONS)
			search->functions[place * FUNCTIONS + search->filled[place]++] = at;
	}
}

static void note_moves(struct origin_search *search)
{
	size_t grains = (size_t)search->old.size / GRAIN + 1;

	for (size_t i = 0; i < grains; i++)
		search->moves[i] = UNKNOWN;
	for (size_t i = 0; i < search->alignment->count; i++) {
		const struct stretch *stretch = &search->alignment->stretches[i];

		for (int64_t at = stretch->old_at / GRAIN; at * GRAIN < stretch->old_at + stretch->add; at++)
			search->moves[at] = (int32_t)(stretch->new_at - stretch->old_at);
	}
}

/* Changed words, but no branches: all of them, or one of so many. How many there are. */
static size_t list_words(struct origin_search *search, size_t step, struct word *list, size_t room)
{
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < search->alignment->count; i++) {
		const struct stretch *stretch = &search->alignment->stretches[i];

		for (int64_t at = -stretch->old_at & 3; at + 4 <= stretch->add; at += 4) {
			struct word word = {.old = get_le32(search->old.data + stretch->old_at + at),
			                    .new = get_le32(search->new.data + stretch->new_at + at)};
			uint32_t target;

			if (word.old == word.new || arm_a32_branch(word.old, 0, &target))
				continue;
			if (count++ % step == 0 && kept < room)
				list[kept++] = word;
		}
	}
	return room > 0 ? kept : count;
}

static int compare_words(const void *a, const void *b)
{
	const struct word *x = a, *y = b;

	return x->old < y->old ? -1 : x->old > y->old;
}

/* No word twice: it would say the same twice. */
static void take_words(struct origin_search *search)
{
	size_t count = list_words(search, 1, NULL, 0);
	size_t kept = 0;

	count = list_words(search, count / WORDS + 1, search->words, WORDS);
	qsort(search->words, count, sizeof(*search->words), compare_words);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || search->words[i].old != search->words[i - 1].old)
			search->words[kept++] = search->words[i];
	}
	search->word_count = kept;
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

static void list_origins(struct origin_search *search)
{
	for (size_t i = 0; i < search->word_count; i++) {
		uint32_t word = search->words[i].old & ~UINT32_C(3);
		uint32_t place = word % PAGE / 4;

		for (unsigned k = 0; k < search->filled[place]; k++)
			search->origins[search->origin_count++] = word - search->functions[place * FUNCTIONS + k];
	}
	qsort(search->origins, search->origin_count, sizeof(*search->origins), compare_numbers);
}

/* How many words lead to something that moved as the word changed. */
static size_t count_agreeing(const struct origin_search *search, uint32_t origin)
{
	size_t count = 0;

	for (size_t i = 0; i < search->word_count; i++) {
		const struct word *word = &search->words[i];
		uint32_t offset = word->old - origin;

		if (offset < search->old.size &&
		    search->moves[offset / GRAIN] == (int64_t)(int32_t)(word->new - word->old))
			count++;
	}
	return count;
}

/* The most frequent origin below the number of times that *times is; 0 when there is none. */
static uint32_t next_frequent(const struct origin_search *search, size_t *times)
{
	size_t below = *times;
	uint32_t origin = 0;

	*times = 0;
	for (size_t i = 0, next; i < search->origin_count; i = next) {
		for (next = i; next < search->origin_count && search->origins[next] == search->origins[i];)
			next++;
		if (next - i > *times && next - i < below) {
			*times = next - i;
			origin = search->origins[i];
		}
	}
	return origin;
}

static uint32_t best_origin(const struct origin_search *search)
{
	size_t best = count_agreeing(search, 0) * TIMES;
	size_t times = SIZE_MAX;
	uint32_t origin = 0;

	best = best > AGREEING ? best : AGREEING;
	for (unsigned i = 0; i < TRIALS; i++) {
		uint32_t trial = next_frequent(search, &times);
		size_t agreeing;

		if (times == 0)
			break;
		agreeing = count_agreeing(search, trial);
		if (agreeing > best) {
			best = agreeing;
			origin = trial;
		}
	}
	return origin;
}

int origin_find(const struct image *old, const struct image *new, const struct alignment *alignment, uint32_t *origin,
                struct error *error)
{
	struct origin_search search = {.old = *old, .new = *new, .alignment = alignment};
	int err = 0;

	*origin = 0;
	search.calls = calloc((size_t)old->size / 4 + 1, 1);
	search.moves = malloc(((size_t)old->size / GRAIN + 1) * sizeof(*search.moves));
	search.functions = malloc(PLACES * FUNCTIONS * sizeof(*search.functions));
	search.filled = calloc(PLACES, 1);
	search.words = malloc(WORDS * sizeof(*search.words));
	search.origins = malloc(WORDS * FUNCTIONS * sizeof(*search.origins));
	if (!search.calls || !search.moves || !search.functions || !search.filled || !search.words || !search.origins) {
		err = patch_no_memory(error);
		goto cleanup;
	}
	take_words(&search);
	if (search.word_count >= AGREEING) {
		count_calls(&search);
		list_functions(&search);
		note_moves(&search);
		list_origins(&search);
		*origin = best_origin(&search);
	}
cleanup:
	free(search.calls);
	free(search.moves);
	free(search.functions);
	free(search.filled);
	free(search.words);
	free(search.origins);
	return err;
}
