/* SPDX-License-Identifier: Apache-2.0 */
/* Patches that change their source in place: in which order, and what of the old image is still there by then. */
#include "patch/native_write.h"

#include <stdlib.h>
#include <string.h>

/* Above this many units that change, only the two plain orders are looked at. */
#define SEARCHED_UNITS 8192u

#define LISTS 5u

struct place {
	struct native_writer *w;
	const struct alignment *alignment;
	size_t *first;   /* of each unit, the first stretch that has bytes of it */
	size_t *changed; /* units, ascending */
	size_t count;
	size_t *index;   /* in changed[], of each unit; SIZE_MAX for those that stay */
	uint32_t *needs; /* bytes that changed[row] takes from changed[column], count x count; NULL: not looked at */
	size_t *order;   /* of changed units */
	size_t *trial;
	bool *written; /* units of the old image that are no more */
};

static uint64_t old_part(const struct native_writer *w, size_t unit)
{
	uint64_t start = (uint64_t)unit * w->head.unit;

	if (start >= w->head.old_size)
		return 0;
	return w->head.old_size - start < w->head.unit ? w->head.old_size - start : w->head.unit;
}

static bool stays(const struct native_writer *w, size_t unit)
{
	uint64_t start;
	uint64_t size = native_unit_range(w, unit, &start) - start;

	return old_part(w, unit) == size && memcmp(w->old.data + start, w->new.data + start, (size_t)size) == 0;
}

static void find_changed(struct place *p, size_t *numbers)
{
	size_t units = p->w->units;

	p->first = numbers;
	p->changed = p->first + units;
	p->index = p->changed + units;
	p->order = p->index + units;
	p->trial = p->order + units;
	for (size_t unit = 0; unit < units; unit++) {
		p->index[unit] = stays(p->w, unit) ? SIZE_MAX : p->count;
		if (p->index[unit] != SIZE_MAX)
			p->changed[p->count++] = unit;
	}
	for (size_t i = 0, unit = 0; unit < units; unit++) {
		const struct stretch *stretch = p->alignment->stretches;

		while (stretch[i].new_at + stretch[i].add + stretch[i].copy <= (int64_t)unit * p->w->head.unit)
			i++;
		p->first[unit] = i;
	}
}

/* ---- Pieces of a unit: parts of stretches, cut where units of either image end ---- */

struct piece {
	int64_t new_at;
	int64_t old_at; /* -1: literals */
	int64_t size;
	size_t old_unit;
};

struct pieces {
	const struct place *place;
	size_t stretch;
	int64_t at;
	int64_t end;
};

static struct pieces pieces_of(const struct place *p, size_t unit)
{
	uint64_t start;
	uint64_t end = native_unit_range(p->w, unit, &start);

	return (struct pieces){.place = p, .stretch = p->first[unit], .at = (int64_t)start, .end = (int64_t)end};
}

static bool next_piece(struct pieces *pieces, struct piece *piece)
{
	const struct stretch *stretch = &pieces->place->alignment->stretches[pieces->stretch];
	int64_t unit = pieces->place->w->head.unit;
	int64_t end = pieces->end;

	if (pieces->at >= end)
		return false;
	while (stretch->new_at + stretch->add + stretch->copy <= pieces->at)
		stretch = &pieces->place->alignment->stretches[++pieces->stretch];
	*piece = (struct piece){.new_at = pieces->at, .old_at = -1};
	if (pieces->at < stretch->new_at + stretch->add) {
		piece->old_at = stretch->old_at + pieces->at - stretch->new_at;
		piece->old_unit = (size_t)(piece->old_at / unit);
		if (end > stretch->new_at + stretch->add)
			end = stretch->new_at + stretch->add;
		if (end - piece->new_at > unit - piece->old_at % unit)
			end = piece->new_at + unit - piece->old_at % unit;
	} else if (end > stretch->new_at + stretch->add + stretch->copy) {
		end = stretch->new_at + stretch->add + stretch->copy;
	}
	piece->size = end - piece->new_at;
	pieces->at = end;
	return true;
}

/* ---- The order ---- */

/* The unit of the changed ones in which the piece's old bytes lie, if that is another one than `own`. */
static bool is_need(const struct place *p, const struct piece *piece, size_t own, size_t *index)
{
	if (piece->old_at < 0 || piece->old_unit == own || piece->old_unit >= p->w->units)
		return false;
	*index = p->index[piece->old_unit];
	return *index != SIZE_MAX;
}

static int find_needs(struct place *p)
{
	if (p->count > SEARCHED_UNITS)
		return 0;
	p->needs = calloc(p->count * p->count + 1, sizeof(*p->needs));
	if (!p->needs)
		return patch_no_memory(p->w->error);
	for (size_t row = 0; row < p->count; row++) {
		struct pieces pieces = pieces_of(p, p->changed[row]);
		struct piece piece;
		size_t column;

		while (next_piece(&pieces, &piece))
			if (is_need(p, &piece, p->changed[row], &column))
				p->needs[row * p->count + column] += (uint32_t)piece.size;
	}
	return 0;
}

static void forget_written(struct place *p)
{
	for (size_t unit = 0; unit < p->w->units; unit++)
		p->written[unit] = false;
}

/* Bytes that units need which are gone by then, in this order of changed units. */
static uint64_t count_lost(struct place *p, const size_t *order)
{
	uint64_t lost = 0;
	size_t column;

	forget_written(p);
	for (size_t i = 0; i < p->count; i++) {
		struct pieces pieces = pieces_of(p, order[i]);
		struct piece piece;

		while (next_piece(&pieces, &piece))
			if (is_need(p, &piece, order[i], &column) && p->written[piece.old_unit])
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

/* The trial becomes the order when less is lost in it. Returns what is lost in the order. */
static uint64_t take_better(struct place *p, uint64_t least)
{
	uint64_t lost = count_lost(p, p->trial);

	if (lost >= least)
		return least;
	for (size_t i = 0; i < p->count; i++)
		p->order[i] = p->trial[i];
	return lost;
}

static int choose_order(struct place *p)
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

/* ---- Records ---- */

static int put_check(struct native_writer *w, const struct image *image, uint64_t start, uint64_t size)
{
	struct digest_value value;
	struct digest digest;

	digest_start(&digest, DIGEST_SHA256);
	if (size > 0)
		digest_add(&digest, image->data + start, (size_t)size);
	digest_finish(&digest, &value);
	return buffer_append(&w->body, value.bytes, NATIVE_CHECK_SIZE, w->error);
}

static int put_units(struct native_writer *w)
{
	int err = 0;

	w->body.size = 0;
	for (size_t unit = 0; err == 0 && unit < w->units; unit++) {
		uint64_t start;
		uint64_t end = native_unit_range(w, unit, &start);

		err = put_check(w, &w->old, start, old_part(w, unit));
		if (err == 0)
			err = put_check(w, &w->new, start, end - start);
	}
	return err == 0 ? native_put_record(&w->records, NATIVE_UNITS, &w->body, w->error) : err;
}

/* What is gone is a literal. */
static bool is_there(const struct place *p, const struct piece *piece)
{
	return piece->old_at >= 0 && (piece->old_unit >= p->w->units || !p->written[piece->old_unit]);
}

static int put_pieces(struct place *p, size_t unit)
{
	struct native_writer *w = p->w;
	struct pieces pieces = pieces_of(p, unit);
	int64_t from = pieces.at;
	struct stretch stretch = {.new_at = from, .old_at = from < w->old.size ? from : w->old.size};
	struct piece piece;
	int err = 0;

	while (err == 0 && next_piece(&pieces, &piece)) {
		bool along = is_there(p, &piece);

		if (along && (stretch.copy > 0 || stretch.old_at + stretch.add != piece.old_at)) {
			if (stretch.add + stretch.copy > 0) {
				err = native_put_stretch(w, &stretch, from);
				from = stretch.old_at + stretch.add;
			}
			stretch = (struct stretch){.new_at = piece.new_at, .old_at = piece.old_at};
		}
		stretch.add += along ? piece.size : 0;
		stretch.copy += along ? 0 : piece.size;
	}
	return err == 0 ? native_put_stretch(w, &stretch, from) : err;
}

static int put_unit(struct place *p, size_t unit)
{
	struct native_writer *w = p->w;
	int err;

	for (unsigned i = 0; i < NATIVE_STREAMS; i++)
		w->streams[i].plain.size = 0;
	err = native_put_kinds(w, unit);
	if (err == 0)
		err = put_pieces(p, unit);
	if (err == 0)
		err = native_pack_streams(w);
	if (err < 0)
		return err;
	w->streams[NATIVE_CONTROL].plain_sizes[unit] = w->streams[NATIVE_CONTROL].plain.size;
	for (unsigned i = 0; i < NATIVE_STREAMS; i++)
		w->streams[i].packed_sizes[unit] = w->streams[i].packed.size;
	return native_put_frame(w, unit, true);
}

int native_put_in_place(struct native_writer *w, const struct alignment *alignment)
{
	size_t *numbers = calloc(w->units + 1, LISTS * sizeof(*numbers));
	bool *written = calloc(w->units + 1, sizeof(*written));
	struct place p = {.w = w, .alignment = alignment, .written = written};
	int err;

	if (!numbers || !written) {
		err = patch_no_memory(w->error);
		goto out;
	}
	find_changed(&p, numbers);
	err = choose_order(&p);
	if (err == 0)
		err = put_units(w);
	if (err == 0 && w->model)
		err = native_put_model(w);
	w->head.changed = p.count;
	forget_written(&p);
	for (size_t i = 0; err == 0 && i < p.count; i++) {
		err = put_unit(&p, p.order[i]);
		p.written[p.order[i]] = true;
	}
out:
	free(p.needs);
	free(written);
	free(numbers);
	return err;
}
