/* SPDX-License-Identifier: Apache-2.0 */
/* Patches that change their source in place. */
#include "patch/native_place.h"
#include "patch/view_parts.h"

#include <stdlib.h>
#include <string.h>

#define LISTS 4u

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

	return old_part(w, unit) == size &&
	       memcmp(w->old_image.data + start, w->new_image.data + start, (size_t)size) == 0;
}

static void find_changed(struct place *p, size_t *numbers)
{
	size_t units = p->w->units;

	p->changed = numbers;
	p->index = p->changed + units;
	p->order = p->index + units;
	p->trial = p->order + units;
	for (size_t unit = 0; unit < units; unit++) {
		p->index[unit] = stays(p->w, unit) ? SIZE_MAX : p->count;
		if (p->index[unit] != SIZE_MAX)
			p->changed[p->count++] = unit;
	}
}

/* ---- Pieces ---- */

/* Who makes the part that lies over a border: this unit, unless the other one was written before. */
static unsigned border_flags(const struct place *p, size_t other, unsigned make, unsigned keep)
{
	if (p->index[other] == SIZE_MAX)
		return make;
	return p->written[other] ? 0 : make | keep;
}

static size_t find_stretch(const struct alignment *alignment, int64_t at)
{
	size_t low = 0, high = alignment->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (alignment->stretches[middle].new_at <= at)
			low = middle;
		else
			high = middle;
	}
	return low;
}

struct pieces place_pieces(const struct place *p, size_t unit)
{
	const struct view *view = &p->w->new_view.view;
	struct pieces pieces = {.place = p, .flags = NATIVE_ANEW};
	uint64_t start;
	uint64_t end = native_unit_range(p->w, unit, &start);

	(void)native_span_find(view, start, end, 0, &pieces.span);
	if (pieces.span.left)
		pieces.flags |= border_flags(p, unit - 1, NATIVE_LEFT, NATIVE_KEEP_LEFT);
	if (pieces.span.right)
		pieces.flags |= border_flags(p, unit + 1, NATIVE_RIGHT, NATIVE_KEEP_RIGHT);
	(void)native_span_find(view, start, end, pieces.flags, &pieces.span);
	pieces.at = (int64_t)pieces.span.plain_at;
	pieces.stretch = find_stretch(p->alignment, pieces.at);
	return pieces;
}

/* How far old bytes from here on are of the same units: of a part of the old view, all that it was decoded from. */
static int64_t find_units(const struct native_writer *w, struct piece *piece)
{
	uint64_t at = (uint64_t)piece->old_at;
	struct view_stretch stretch;
	uint64_t raw_at;

	view_find_stretch(&w->old_view.view, at, &stretch);
	if (stretch.is_part) {
		piece->first = (size_t)(stretch.raw_at / w->head.unit);
		piece->last = (size_t)((stretch.raw_at + stretch.raw_size - 1) / w->head.unit);
		return (int64_t)(stretch.plain_at + stretch.plain_size - at);
	}
	raw_at = stretch.raw_at + at - stretch.plain_at;
	piece->first = piece->last = (size_t)(raw_at / w->head.unit);
	if (stretch.raw_at + stretch.raw_size - raw_at < w->head.unit - raw_at % w->head.unit)
		return (int64_t)(stretch.raw_at + stretch.raw_size - raw_at);
	return (int64_t)(w->head.unit - raw_at % w->head.unit);
}

bool place_next_piece(struct pieces *pieces, struct piece *piece)
{
	const struct stretch *stretch = &pieces->place->alignment->stretches[pieces->stretch];
	int64_t end = (int64_t)pieces->span.plain_end;

	if (pieces->at >= end)
		return false;
	while (stretch->new_at + stretch->add + stretch->copy <= pieces->at)
		stretch = &pieces->place->alignment->stretches[++pieces->stretch];
	*piece = (struct piece){.new_at = pieces->at, .old_at = -1};
	if (pieces->at < stretch->new_at + stretch->add) {
		int64_t most;

		piece->old_at = stretch->old_at + pieces->at - stretch->new_at;
		most = find_units(pieces->place->w, piece);
		if (end > stretch->new_at + stretch->add)
			end = stretch->new_at + stretch->add;
		if (end - piece->new_at > most)
			end = piece->new_at + most;
	} else if (end > stretch->new_at + stretch->add + stretch->copy) {
		end = stretch->new_at + stretch->add + stretch->copy;
	}
	piece->size = end - piece->new_at;
	pieces->at = end;
	return true;
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

		err = put_check(w, &w->old_image, start, old_part(w, unit));
		if (err == 0)
			err = put_check(w, &w->new_image, start, end - start);
	}
	return err == 0 ? native_put_record(&w->records, NATIVE_UNITS, &w->body, w->error) : err;
}

/* What is gone is a literal. */
static int put_pieces(struct native_writer *w, struct pieces *pieces)
{
	int64_t from = pieces->at;
	struct stretch stretch = {.new_at = from, .old_at = from < w->old.size ? from : w->old.size};
	struct piece piece;
	int err = 0;

	while (err == 0 && place_next_piece(pieces, &piece)) {
		bool along = place_is_there(pieces->place, &piece);

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
	return err == 0 && stretch.add + stretch.copy > 0 ? native_put_stretch(w, &stretch, from) : err;
}

static int put_unit(struct place *p, size_t unit)
{
	struct pieces pieces = place_pieces(p, unit);
	struct native_writer *w = p->w;
	int err;

	for (unsigned i = 0; i < NATIVE_STREAMS; i++)
		w->streams[i].plain.size = 0;
	err = native_put_kinds(w, pieces.span.plain_at, pieces.span.plain_end);
	if (err == 0)
		err = put_pieces(w, &pieces);
	if (err == 0)
		err = native_pack_streams(w);
	if (err < 0)
		return err;
	w->streams[NATIVE_CONTROL].plain_sizes[unit] = w->streams[NATIVE_CONTROL].plain.size;
	for (unsigned i = 0; i < NATIVE_STREAMS; i++)
		w->streams[i].packed_sizes[unit] = w->streams[i].packed.size;
	return native_put_frame(w, unit, pieces.flags);
}

/* What is kept for neighbours, when this unit is made, and what is left of that when it is written. */
static void count_kept(const struct place *p, size_t unit, uint64_t *kept, uint64_t *most)
{
	const struct pieces pieces = place_pieces(p, unit);
	const struct native_span *span = &pieces.span;
	uint64_t start;
	uint64_t end = native_unit_range(p->w, unit, &start);

	if (pieces.flags & NATIVE_KEEP_LEFT)
		*kept += start - span->raw_at;
	if (pieces.flags & NATIVE_KEEP_RIGHT)
		*kept += span->raw_end - end;
	if (*kept > *most)
		*most = *kept;
	if (span->left && !(pieces.flags & NATIVE_LEFT))
		*kept -= span->raw_at - start;
	if (span->right && !(pieces.flags & NATIVE_RIGHT))
		*kept -= end - span->raw_end;
}

uint64_t place_count_kept(struct place *p, const size_t *order)
{
	uint64_t kept = 0;
	uint64_t most = 0;

	place_forget_written(p);
	for (size_t i = 0; i < p->count; i++) {
		count_kept(p, order[i], &kept, &most);
		p->written[order[i]] = true;
	}
	return most;
}

static int put_all(struct place *p)
{
	struct native_writer *w = p->w;
	int err = place_choose_order(p);

	if (err == 0 && w->head.flags & NATIVE_VIEWS)
		err = native_put_views(w);
	if (err == 0)
		err = put_units(w);
	if (err == 0 && w->model)
		err = native_put_model(w);
	w->head.changed = p->count;
	w->head.kept = place_count_kept(p, p->order);
	place_forget_written(p);
	for (size_t i = 0; err == 0 && i < p->count; i++) {
		err = put_unit(p, p->order[i]);
		p->written[p->order[i]] = true;
	}
	return err;
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
	err = put_all(&p);
out:
	free(p.needs);
	free(written);
	free(numbers);
	return err;
}
