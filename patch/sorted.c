/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/sorted.h"

#include "patch/nodes.h"
#include <stdlib.h>
#include <string.h>

/* Sorted LEBs that are kept: stretches go to and fro between what a LEB says of files, and files. */
#define SLOTS 3

int sorted_check(const struct sorted *sorted, uint64_t image_size, struct error *error)
{
	uint64_t end = 0;
	bool is_sane = sorted->leb_size >= SORTED_LEB_MIN && sorted->leb_size <= SORTED_LEB_MAX && sorted->count > 0 &&
	               sorted->count <= SORTED_RUNS_MAX;

	for (size_t i = 0; is_sane && i < sorted->count; i++) {
		const struct sorted_run *run = &sorted->runs[i];

		is_sane = run->count > 0 && (i == 0 || run->first > end);
		end = (uint64_t)run->first + run->count;
	}
	if (!is_sane || end > image_size / sorted->leb_size)
		return patch_broken(error, "patch: a view's sorted LEBs are out of place");
	return 0;
}

/* The range around this offset that is one sorted LEB, or up to the next one none. */
static bool is_sorted(const struct sorted *sorted, uint64_t at, uint64_t *begin, uint64_t *end)
{
	uint64_t leb = at / sorted->leb_size;

	*begin = 0;
	*end = UINT64_MAX;
	for (size_t i = 0; i < sorted->count; i++) {
		const struct sorted_run *run = &sorted->runs[i];

		if (leb < run->first) {
			*end = (uint64_t)run->first * sorted->leb_size;
			return false;
		}
		if (leb - run->first < run->count) {
			*begin = leb * sorted->leb_size;
			*end = *begin + sorted->leb_size;
			return true;
		}
	}
	return false;
}

bool sorted_begins(const struct sorted *sorted, uint64_t at)
{
	uint64_t begin, end;

	return sorted->leb_size > 0 && at % sorted->leb_size == 0 && is_sorted(sorted, at, &begin, &end);
}

void sorted_widen(const struct sorted *sorted, uint64_t *begin, uint64_t *end)
{
	uint64_t leb_begin, leb_end;

	if (sorted->leb_size == 0 || *begin >= *end)
		return;
	if (is_sorted(sorted, *begin, &leb_begin, &leb_end))
		*begin = leb_begin;
	if (is_sorted(sorted, *end - 1, &leb_begin, &leb_end))
		*end = leb_end;
}

/* ---- Reading ---- */

struct slot {
	uint64_t begin;
	uint64_t used; /* when, on the clock; 0: it is empty */
	uint8_t *data; /* in the reader's memory */
};

struct sorted_reader {
	const struct sorted *sorted;
	const struct reader *image;
	uint64_t clock;
	struct slot slots[SLOTS];
	uint8_t *leb; /* as it is in the image */
	uint8_t memory[];
};

int sorted_reader_open(struct sorted_reader **reader, const struct sorted *sorted, const struct reader *image,
                       struct error *error)
{
	struct sorted_reader *r = malloc(sizeof(*r) + (SLOTS + (size_t)1) * sorted->leb_size);

	*reader = r;
	if (!r)
		return patch_no_memory(error);
	*r = (struct sorted_reader){.sorted = sorted, .image = image};
	for (size_t i = 0; i < SLOTS; i++)
		r->slots[i].data = r->memory + i * sorted->leb_size;
	r->leb = r->memory + (size_t)SLOTS * sorted->leb_size;
	return 0;
}

/* The sorted LEB that begins there. */
static int find_leb(struct sorted_reader *r, uint64_t begin, const uint8_t **data)
{
	struct slot *found = r->slots;
	int err = 0;

	for (struct slot *slot = r->slots; slot < r->slots + SLOTS; slot++) {
		if (slot->used > 0 && slot->begin == begin) {
			found = slot;
			break;
		}
		if (slot->used < found->used)
			found = slot;
	}
	if (found->used == 0 || found->begin != begin) {
		found->used = 0;
		err = r->image->read_at(r->image->ctx, begin, r->leb, r->sorted->leb_size);
		if (err < 0)
			return err;
		nodes_sort(r->leb, r->sorted->leb_size, found->data);
		found->begin = begin;
	}
	found->used = ++r->clock;
	*data = found->data;
	return 0;
}

static int sorted_read_at(void *ctx, uint64_t offset, void *buffer, size_t length)
{
	struct sorted_reader *r = ctx;
	uint8_t *to = buffer;
	int err = 0;

	while (err == 0 && length > 0) {
		uint64_t begin, end;
		bool sorted = is_sorted(r->sorted, offset, &begin, &end);
		size_t n = length < end - offset ? length : (size_t)(end - offset);
		const uint8_t *leb = NULL;

		if (!sorted) {
			err = r->image->read_at(r->image->ctx, offset, to, n);
		} else {
			err = find_leb(r, begin, &leb);
			if (err == 0)
				memcpy(to, leb + (offset - begin), n);
		}
		to += n;
		offset += n;
		length -= n;
	}
	return err;
}

struct reader sorted_reader(struct sorted_reader *reader)
{
	return (struct reader){.read_at = sorted_read_at, .ctx = reader, .size = reader->image->size};
}

void sorted_reader_close(struct sorted_reader *reader)
{
	free(reader);
}

uint64_t sorted_reader_memory(const struct sorted *sorted)
{
	return sorted->leb_size > 0 ? sizeof(struct sorted_reader) + (SLOTS + UINT64_C(1)) * sorted->leb_size : 0;
}

/* ---- Writing ---- */

struct sorted_writer {
	const struct sorted *sorted;
	const struct sink *sink;
	struct error *error;
	uint64_t at;    /* of the next byte to come */
	uint64_t begin; /* of the LEB that is gathered, or of what is not sorted */
	uint64_t end;
	bool is_sorted;
	uint8_t *leb; /* as it is in the image */
	uint8_t gathered[];
};

int sorted_writer_open(struct sorted_writer **writer, const struct sorted *sorted, uint64_t at, const struct sink *sink,
                       struct error *error)
{
	uint64_t begin, end;
	struct sorted_writer *w;

	*writer = NULL;
	if (is_sorted(sorted, at, &begin, &end) && begin != at)
		return patch_broken(error, "patch: begins inside a sorted LEB");
	w = malloc(sizeof(*w) + (size_t)2 * sorted->leb_size);
	if (!w)
		return patch_no_memory(error);
	*w = (struct sorted_writer){.sorted = sorted, .sink = sink, .error = error, .at = at, .end = at};
	w->leb = w->gathered + sorted->leb_size;
	*writer = w;
	return 0;
}

static int gather(struct sorted_writer *w, const uint8_t *data, size_t length)
{
	memcpy(w->gathered + (w->at - w->begin), data, length);
	if (w->at + length < w->end)
		return 0;
	nodes_restore(w->gathered, w->sorted->leb_size, w->leb);
	return w->sink->write(w->sink->ctx, w->leb, w->sorted->leb_size);
}

static int sorted_write(void *ctx, const void *data, size_t length)
{
	struct sorted_writer *w = ctx;
	const uint8_t *from = data;
	int err = 0;

	while (err == 0 && length > 0) {
		size_t n;

		if (w->at == w->end)
			w->is_sorted = is_sorted(w->sorted, w->at, &w->begin, &w->end);
		n = length < w->end - w->at ? length : (size_t)(w->end - w->at);
		err = w->is_sorted ? gather(w, from, n) : w->sink->write(w->sink->ctx, from, n);
		w->at += n;
		from += n;
		length -= n;
	}
	return err;
}

struct sink sorted_writer_sink(struct sorted_writer *writer)
{
	return (struct sink){.write = sorted_write, .ctx = writer};
}

int sorted_writer_finish(struct sorted_writer *writer)
{
	if (writer->is_sorted && writer->at < writer->end)
		return patch_broken(writer->error, "patch: ends inside a sorted LEB");
	return 0;
}

void sorted_writer_close(struct sorted_writer *writer)
{
	free(writer);
}

uint64_t sorted_writer_memory(const struct sorted *sorted)
{
	return sorted->leb_size > 0 ? sizeof(struct sorted_writer) + UINT64_C(2) * sorted->leb_size : 0;
}
