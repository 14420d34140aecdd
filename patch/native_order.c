/* SPDX-License-Identifier: Apache-2.0 */
/* In which order units are written, so that the least is lost that others need. */
#include "patch/native_place.h"

#include <stdlib.h>

/* Above this many units that change, only the two plain orders are looked at. */
#define SEARCHED_UNITS 8192u

/* Units that the piece needs, other than `own`, in [first, last]: those of the target are all that are ever written. */
static void count_needs(const struct place *p, const struct piece *piece, size_t row)
{
	if (piece->old_at < 0)
		return;
	for (size_t unit = piece->first; unit <= piece->last && unit < p->w->units; unit++)
		if (p->index[unit] != SIZE_MAX && p->index[unit] != row)
			p->needs[row * p->count + p->index[unit]] += (uint32_t)piece->size;
}

static int find_needs(struct place *p)
{
	if (p->count > SEARCHED_UNITS)
		return 0;
	p->needs = calloc(p->count * p->count + 1, sizeof(*p->needs));
	if (!p->needs)
		return patch_no_memory(p->w->error);
	for (size_t row = 0; row < p->count; row++) {
		struct pieces pieces = place_pieces(p, p->changed[row]);
		struct piece piece;

		while (place_next_piece(&pieces, &piece))
			count_needs(p, &piece, row);
	}
	return 0;
}

void place_forget_written(struct place *p)
{
	for (size_t unit = 0; unit < p->w->units; unit++)
		p->written[unit] = false;
}

bool place_is_there(const struct place *p, const struct piece *piece)
{
	for (size_t unit = piece->first; unit <= piece->last && unit < p->w->units; unit++)
		if (p->written[unit])
			return false;
	return piece->old_at >= 0;
}

/* Bytes that units need which are gone by then, in this order of changed units. */
static uint64_t count_lost(struct place *p, const size_t *order)
{
	uint64_t lost = 0;

	place_forget_written(p);
	for (size_t i = 0; i < p->count; i++) {
		struct pieces pieces = place_pieces(p, order[i]);
		struct piece piece;

		while (place_next_piece(&pieces, &piece))
			if (piece.old_at >= 0 && !place_is_there(p, &piece))
				lost += (uint64_t)piece.size;
		p->written[order[i]] = true;
	}
	return lost;
}

/* Of a unit that is not in the order yet: bytes that it needs of others that are not, and that they need of it. */
struct balance {
	uint64_t needed;
	uint64_t lost;
	bool done;
};

/* The next one: what nobody needs, else what saves most. */
static size_t pick(const struct place *p, const struct balance *balances)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < p->count; i++) {
		const struct balance *balance = &balances[i];

		if (balance->done)
			continue;
		if (balance->lost == 0)
			return i;
		if (best == SIZE_MAX ||
		    (int64_t)(balance->needed - balance->lost) > (int64_t)(balances[best].needed - balances[best].lost))
			best = i;
	}
	return best;
}

static int search_order(const struct place *p, size_t *order)
{
	struct balance *balances = calloc(p->count + 1, sizeof(*balances));
	const uint32_t *needs = p->needs;

	if (!balances)
		return patch_no_memory(p->w->error);
	for (size_t row = 0; row < p->count; row++)
		for (size_t column = 0; column < p->count; column++) {
			balances[row].needed += needs[row * p->count + column];
			balances[column].lost += needs[row * p->count + column];
		}
	for (size_t i = 0; i < p->count; i++) {
		size_t best = pick(p, balances);

		order[i] = p->changed[best];
		balances[best].done = true;
		for (size_t j = 0; j < p->count; j++) {
			balances[j].needed -= needs[j * p->count + best];
			balances[j].lost -= needs[best * p->count + j];
		}
	}
	free(balances);
	return 0;
}

/* What is lost, and what is kept at a time beyond a unit's bytes, for which /cache may have no room. */
static uint64_t cost_of(struct place *p, const size_t *order)
{
	uint64_t kept = place_count_kept(p, order);
	uint64_t unit = p->w->head.unit;

	return count_lost(p, order) + (kept > unit ? kept - unit : 0);
}

/* The trial becomes the order when it costs less. Returns what the order costs. */
static uint64_t take_better(struct place *p, uint64_t least)
{
	uint64_t cost = cost_of(p, p->trial);

	if (cost >= least)
		return least;
	for (size_t i = 0; i < p->count; i++)
		p->order[i] = p->trial[i];
	return cost;
}

int place_choose_order(struct place *p)
{
	uint64_t least;
	int err = find_needs(p);

	if (err < 0)
		return err;
	for (size_t i = 0; i < p->count; i++)
		p->trial[i] = p->changed[i];
	least = take_better(p, UINT64_MAX);
	for (size_t i = 0; i < p->count; i++)
		p->trial[i] = p->changed[p->count - 1 - i];
	least = take_better(p, least);
	if (least == 0 || !p->needs)
		return 0;
	err = search_order(p, p->trial);
	if (err == 0)
		(void)take_better(p, least);
	return err;
}
