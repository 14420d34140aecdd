/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/votes.h"

#include "patch/codec.h"
#include <stdlib.h>
#include <string.h>

/* About how many bytes of a patch another entry among the shifts costs, and an item that they get wrong. */
#define COST_OF_ENTRY 3
#define COST_OF_MISS  2

/* Shifts that are kept in mind on the way up the addresses, and how many of an address's own are considered. */
#define STATES     6
#define CANDIDATES 3

#define FIRST_ROOM ((size_t)1 << 14)

#define DIGIT  11
#define DIGITS ((size_t)1 << DIGIT)

int votes_add(struct votes *votes, uint32_t from, uint32_t to, struct error *error)
{
	if (votes->count == votes->capacity) {
		size_t capacity = votes->capacity > 0 ? 2 * votes->capacity : FIRST_ROOM;
		uint64_t *list = realloc(votes->list, capacity * sizeof(*list));

		if (!list)
			return patch_no_memory(error);
		votes->list = list;
		votes->capacity = capacity;
	}
	votes->list[votes->count++] = (uint64_t)from << 32 | (uint32_t)(to - from);
	return 0;
}

/* Move them to `sorted`, in order of one digit. False when all have the same, and nothing was moved. */
static bool sort_digit(const uint64_t *list, size_t count, unsigned bit, uint64_t *sorted)
{
	size_t starts[DIGITS] = {0};
	size_t sum = 0;

	for (size_t i = 0; i < count; i++)
		starts[list[i] >> bit & (DIGITS - 1)]++;
	if (starts[list[0] >> bit & (DIGITS - 1)] == count)
		return false;
	for (size_t digit = 0; digit < DIGITS; digit++) {
		size_t here = starts[digit];

		starts[digit] = sum;
		sum += here;
	}
	for (size_t i = 0; i < count; i++)
		sorted[starts[list[i] >> bit & (DIGITS - 1)]++] = list[i];
	return true;
}

static int sort_votes(struct votes *votes, struct error *error)
{
	uint64_t *spare = malloc(votes->capacity * sizeof(*spare));

	if (!spare)
		return patch_no_memory(error);
	for (unsigned bit = 0; bit < 64; bit += DIGIT) {
		if (sort_digit(votes->list, votes->count, bit, spare)) {
			uint64_t *sorted = spare;

			spare = votes->list;
			votes->list = sorted;
		}
	}
	free(spare);
	return 0;
}

/* What the votes say of one old value: its most frequent shifts. */
struct opinion {
	uint32_t from;
	uint32_t votes;
	unsigned count;
	struct {
		uint32_t shift;
		uint32_t votes;
	} shifts[CANDIDATES];
};

static void opinion_add(struct opinion *opinion, uint32_t shift, uint32_t votes)
{
	unsigned rank = opinion->count;

	opinion->votes += votes;
	while (rank > 0 && opinion->shifts[rank - 1].votes < votes)
		rank--;
	if (rank == CANDIDATES)
		return;
	if (opinion->count < CANDIDATES)
		opinion->count++;
	memmove(&opinion->shifts[rank + 1], &opinion->shifts[rank],
	        (opinion->count - rank - 1) * sizeof(opinion->shifts[0]));
	opinion->shifts[rank].shift = shift;
	opinion->shifts[rank].votes = votes;
}

/* The opinion on the value of vote `at`; where the next value's votes begin. */
static size_t opinion_read(struct opinion *opinion, const struct votes *votes, size_t at)
{
	const uint64_t *list = votes->list;

	*opinion = (struct opinion){.from = (uint32_t)(list[at] >> 32)};
	while (at < votes->count && list[at] >> 32 == opinion->from) {
		size_t begin = at;

		while (at < votes->count && list[at] == list[begin])
			at++;
		opinion_add(opinion, (uint32_t)list[begin], (uint32_t)(at - begin));
	}
	return at;
}

/* The cheapest ways to come to this value with one shift or another. */
struct state {
	uint32_t shift;
	uint64_t cost;
	uint8_t before; /* state of the value before from which it came */
};

struct states {
	unsigned count;
	struct state list[STATES + CANDIDATES]; /* the cheapest first */
};

static void states_add(struct states *states, const struct state *state)
{
	unsigned at = 0;

	while (at < states->count && states->list[at].shift != state->shift)
		at++;
	if (at == states->count)
		states->count++;
	else if (states->list[at].cost <= state->cost)
		return;
	for (; at > 0 && states->list[at - 1].cost > state->cost; at--)
		states->list[at] = states->list[at - 1];
	states->list[at] = *state;
}

static uint32_t votes_for(const struct opinion *opinion, uint32_t shift)
{
	for (unsigned i = 0; i < opinion->count; i++) {
		if (opinion->shifts[i].shift == shift)
			return opinion->shifts[i].votes;
	}
	return 0;
}

static void states_step(struct states *states, const struct opinion *opinion)
{
	struct states next = {0};

	for (unsigned i = 0; i < states->count; i++) {
		const struct state *state = &states->list[i];
		uint64_t missed = opinion->votes - votes_for(opinion, state->shift);

		states_add(&next, &(struct state){.shift = state->shift,
		                                  .cost = state->cost + COST_OF_MISS * missed,
		                                  .before = (uint8_t)i});
	}
	for (unsigned i = 0; i < opinion->count; i++) {
		uint64_t missed = opinion->votes - opinion->shifts[i].votes;

		states_add(&next,
		           &(struct state){.shift = opinion->shifts[i].shift,
		                           .cost = states->list[0].cost + COST_OF_ENTRY + COST_OF_MISS * missed});
	}
	if (next.count > STATES)
		next.count = STATES;
	*states = next;
}

/* The states at one value, as far as the way back needs them. */
struct trace {
	uint32_t from;
	uint32_t shifts[STATES];
	uint8_t before[STATES];
};

static void trace_keep(struct trace *trace, uint32_t from, const struct states *states)
{
	trace->from = from;
	for (unsigned i = 0; i < states->count; i++) {
		trace->shifts[i] = states->list[i].shift;
		trace->before[i] = states->list[i].before;
	}
}

static size_t trace_all(const struct votes *votes, struct trace *traces)
{
	struct states states = {.count = 1};
	struct opinion opinion;
	size_t count = 0;

	for (size_t at = 0; at < votes->count; count++) {
		at = opinion_read(&opinion, votes, at);
		states_step(&states, &opinion);
		trace_keep(&traces[count], opinion.from, &states);
	}
	return count;
}

/* Back along the cheapest way; then its turns are the entries. */
static void trace_back(struct trace *traces, size_t count, struct predict_shifts *shifts)
{
	unsigned state = 0;
	uint32_t by = 0;

	for (size_t i = count; i-- > 0;) {
		unsigned before = traces[i].before[state];

		traces[i].shifts[0] = traces[i].shifts[state];
		state = before;
	}
	for (size_t i = 0; i < count; i++) {
		if (traces[i].shifts[0] == by)
			continue;
		by = traces[i].shifts[0];
		shifts->list[shifts->count++] = (struct predict_shift){.from = traces[i].from, .by = by};
	}
}

static size_t count_values(const struct votes *votes)
{
	size_t count = 0;

	for (size_t i = 0; i < votes->count; i++)
		count += i == 0 || votes->list[i] >> 32 != votes->list[i - 1] >> 32;
	return count;
}

int votes_settle(struct votes *votes, struct predict_shifts *shifts, struct error *error)
{
	struct trace *traces = NULL;
	size_t values;
	int err;

	free(shifts->list);
	*shifts = (struct predict_shifts){.list = NULL};
	if (votes->count == 0)
		return 0;
	err = sort_votes(votes, error);
	if (err < 0)
		return err;
	values = count_values(votes);
	traces = calloc(values + 1, sizeof(*traces));
	shifts->list = malloc((values + 1) * sizeof(*shifts->list));
	if (!traces || !shifts->list) {
		err = patch_no_memory(error);
		goto cleanup;
	}
	trace_back(traces, trace_all(votes, traces), shifts);
	predict_index(shifts);
	votes->count = 0;
cleanup:
	free(traces);
	return err;
}

void votes_free(struct votes *votes)
{
	free(votes->list);
	*votes = (struct votes){.list = NULL};
}
