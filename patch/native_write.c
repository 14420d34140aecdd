/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/native_write.h"

#include "patch/make.h"
#include "patch/model.h"
#include "patch/patch.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that a frame of a patch makes that is not applied in place. */
#define USUAL_UNIT (256u << 10)

/* Of the streams. Dictionaries are log2 of bytes: what is larger saves hardly anything. */
static const unsigned usual_dictionaries[NATIVE_STREAMS] = {16, 18, 19};
static const enum native_content contents[NATIVE_STREAMS] = {NATIVE_OF_NUMBERS, NATIVE_OF_RESIDUE, NATIVE_OF_BYTES};

static int open_writer(struct native_writer *w)
{
	uint64_t whole = native_whole_size(w);

	w->units = (size_t)(whole / w->head.unit + (whole % w->head.unit > 0));
	w->predicted = malloc((size_t)w->new.size + NATIVE_ITEM_SIZE);
	if (!w->predicted)
		return patch_no_memory(w->error);
	for (unsigned i = 0; i < NATIVE_STREAMS; i++) {
		w->streams[i].plain_sizes = calloc(w->units + 1, sizeof(size_t));
		w->streams[i].packed_sizes = calloc(w->units + 1, sizeof(size_t));
		if (!w->streams[i].plain_sizes || !w->streams[i].packed_sizes)
			return patch_no_memory(w->error);
	}
	return 0;
}

/* As before it was opened. */
static void close_writer(struct native_writer *w)
{
	for (unsigned i = 0; i < NATIVE_STREAMS; i++) {
		buffer_free(&w->streams[i].plain);
		buffer_free(&w->streams[i].packed);
		free(w->streams[i].plain_sizes);
		free(w->streams[i].packed_sizes);
		w->streams[i] = (struct native_stream){.used = 0};
	}
	free(w->predicted);
	w->predicted = NULL;
	buffer_free(&w->body);
	buffer_free(&w->records);
	buffer_free(&w->patch);
}

/* ---- Head ---- */

static void sha256(struct digest_value *value, const struct image *image)
{
	struct digest digest;

	digest_start(&digest, DIGEST_SHA256);
	digest_add(&digest, image->data, (size_t)image->size);
	digest_finish(&digest, value);
}

/* The whole patch, when all its other records are there. */
static int put_together(struct native_writer *w)
{
	const struct native_head *head = &w->head;
	const uint64_t first[] = {head->flags, head->old_size, head->new_size};
	int err;

	w->body.size = 0;
	w->patch.size = 0;
	err = buffer_append(&w->patch, NATIVE_MAGIC, PATCH_MAGIC_SIZE, w->error);
	for (size_t i = 0; err == 0 && i < sizeof(first) / sizeof(first[0]); i++)
		err = native_put_number(&w->body, first[i], w->error);
	if (err == 0 && head->flags & NATIVE_DIGESTS)
		err = buffer_append(&w->body, head->old_digest.bytes, digest_size(DIGEST_SHA256), w->error);
	if (err == 0 && head->flags & NATIVE_DIGESTS)
		err = buffer_append(&w->body, head->new_digest.bytes, digest_size(DIGEST_SHA256), w->error);
	if (err == 0)
		err = native_put_number(&w->body, head->unit, w->error);
	if (err == 0)
		err = native_put_number(&w->body, head->memory, w->error);
	if (err == 0 && head->flags & NATIVE_IN_PLACE)
		err = native_put_number(&w->body, head->changed, w->error);
	if (err == 0 && head->flags & NATIVE_IN_PLACE)
		err = native_put_number(&w->body, head->kept, w->error);
	if (err == 0)
		err = native_put_record(&w->patch, NATIVE_HEAD, &w->body, w->error);
	return err == 0 ? buffer_append(&w->patch, w->records.data, w->records.size, w->error) : err;
}

/* ---- Frames ---- */

int native_pack_streams(struct native_writer *w)
{
	int err = 0;

	for (unsigned i = 0; err == 0 && i < NATIVE_STREAMS; i++) {
		struct native_stream *stream = &w->streams[i];

		stream->used = 0;
		err = native_pack(&stream->plain, contents[i], w->dictionaries[i], &stream->coding, &stream->packed,
		                  w->error);
	}
	return err;
}

int native_put_frame(struct native_writer *w, size_t unit, unsigned flags)
{
	uint8_t coding[3];
	int err = 0;

	w->body.size = 0;
	if (w->head.flags & NATIVE_IN_PLACE)
		err = native_put_number(&w->body, unit, w->error);
	if (err == 0)
		err = native_put_number(&w->body, flags, w->error);
	if (err == 0)
		err = native_put_number(&w->body, w->streams[NATIVE_CONTROL].plain_sizes[unit], w->error);
	for (unsigned i = 0; err == 0 && i < NATIVE_STREAMS; i++) {
		if (flags & NATIVE_ANEW)
			err = buffer_append(&w->body, coding, native_coding_write(coding, &w->streams[i].coding),
			                    w->error);
		if (err == 0)
			err = native_put_number(&w->body, w->streams[i].packed_sizes[unit], w->error);
	}
	for (unsigned i = 0; err == 0 && i < NATIVE_STREAMS; i++) {
		struct native_stream *stream = &w->streams[i];

		err = buffer_append(&w->body, stream->packed.data + stream->used, stream->packed_sizes[unit], w->error);
		stream->used += stream->packed_sizes[unit];
	}
	return err == 0 ? native_put_record(&w->records, NATIVE_FRAME, &w->body, w->error) : err;
}

/* ---- Patches that make a copy ---- */

/* These bytes of the target have as many bytes in the stream. */
static void count_range(struct native_writer *w, unsigned stream, uint64_t at, uint64_t length)
{
	while (length > 0) {
		uint64_t room = w->head.unit - at % w->head.unit;
		uint64_t part = length < room ? length : room;

		w->streams[stream].plain_sizes[at / w->head.unit] += (size_t)part;
		at += part;
		length -= part;
	}
}

/* The kinds of all units up to this one, whose stretches come next. */
static int begin_units(struct native_writer *w, size_t *begun, size_t unit)
{
	struct native_stream *control = &w->streams[NATIVE_CONTROL];
	int err = 0;

	for (; err == 0 && *begun <= unit; ++*begun) {
		size_t before = control->plain.size;
		uint64_t start;
		uint64_t end = native_unit_range(w, *begun, &start);

		err = native_put_kinds(w, start, end);
		control->plain_sizes[*begun] = control->plain.size - before;
	}
	return err;
}

static int put_stretches(struct native_writer *w, const struct alignment *alignment)
{
	struct native_stream *control = &w->streams[NATIVE_CONTROL];
	size_t begun = 0; /* units */
	int64_t from = 0;
	int err = 0;

	for (size_t i = 0; err == 0 && i < alignment->count; i++) {
		const struct stretch *stretch = &alignment->stretches[i];
		size_t unit = (size_t)stretch->new_at / w->head.unit;
		size_t before;

		if (stretch->add + stretch->copy == 0)
			continue;
		err = begin_units(w, &begun, unit);
		before = control->plain.size;
		if (err == 0)
			err = native_put_stretch(w, stretch, from);
		control->plain_sizes[unit] += control->plain.size - before;
		count_range(w, NATIVE_RESIDUE, (uint64_t)stretch->new_at, (uint64_t)stretch->add);
		count_range(w, NATIVE_LITERALS, (uint64_t)(stretch->new_at + stretch->add), (uint64_t)stretch->copy);
		from = stretch->old_at + stretch->add;
	}
	return err == 0 && w->units > 0 ? begin_units(w, &begun, w->units - 1) : err;
}

static int put_copy(struct native_writer *w, const struct alignment *alignment)
{
	int err = w->head.flags & NATIVE_VIEWS ? native_put_views(w) : 0;

	if (err == 0 && w->model)
		err = native_put_model(w);
	if (err == 0)
		err = put_stretches(w, alignment);
	if (err == 0)
		err = native_pack_streams(w);
	for (unsigned i = 0; err == 0 && i < NATIVE_STREAMS; i++) {
		struct native_stream *stream = &w->streams[i];

		err = native_split(&stream->coding, &stream->packed, stream->plain_sizes, w->units,
		                   stream->packed_sizes, w->error);
	}
	for (size_t unit = 0; err == 0 && unit < w->units; unit++)
		err = native_put_frame(w, unit, unit == 0 ? NATIVE_ANEW : 0);
	return err;
}

/* On the module pointers are not larger, and allocators round in other ways. */
static uint64_t with_reserve(uint64_t memory)
{
	return (memory + memory / 64 + 8192) & ~UINT64_C(4095);
}

static int write_once(struct native_writer *w, const struct alignment *alignment)
{
	uint64_t memory = 0;
	int err = open_writer(w);

	w->head.memory = NATIVE_MEMORY_MAX;
	if (err == 0)
		err = w->head.flags & NATIVE_IN_PLACE ? native_put_in_place(w, alignment) : put_copy(w, alignment);
	if (err == 0)
		err = put_together(w);
	if (err == 0)
		err = native_prove(w, &memory);
	w->head.memory = with_reserve(memory);
	return err == 0 ? put_together(w) : err;
}

static int write_patch(struct native_writer *w, const struct alignment *alignment)
{
	uint64_t limit = native_memory_limit(w);
	int err = write_once(w, alignment);

	while (err == 0 && w->head.memory > limit && native_take_less(w, w->head.memory - limit)) {
		close_writer(w);
		err = write_once(w, alignment);
	}
	/* The usual limit is a wish, the caller's is not. */
	if (err == 0 && w->memory > 0 && w->head.memory > w->memory)
		err = error_set(w->error, 0, ENOMEM,
		                "patch: it takes %" PRIu64 " bytes of memory at least, and %" PRIu64 " are allowed",
		                w->head.memory, w->memory);
	return err;
}

static bool predicts_anything(const struct native_writer *w, const struct prediction *model)
{
	uint64_t blocks = ((uint64_t)w->new.size >> model->block_log) +
	                  ((uint64_t)w->new.size % (UINT64_C(1) << model->block_log) > 0);

	for (uint64_t i = 0; i < blocks; i++)
		if (model->kinds[i])
			return true;
	return false;
}

/* Whether the residue alone would not already make the patch larger than so many bytes without a model. */
static int may_be_smaller(struct native_writer *w, const struct alignment *alignment, size_t size, bool *may)
{
	size_t residue = 0;
	int err = open_writer(w);

	for (size_t i = 0; err == 0 && i < alignment->count; i++)
		err = native_put_residue(w, &alignment->stretches[i]);
	if (err == 0)
		err = native_sketch(&w->streams[NATIVE_RESIDUE].plain, NATIVE_OF_RESIDUE,
		                    w->dictionaries[NATIVE_RESIDUE], &residue, w->error);
	/* Packed well it is smaller by a quarter at most. */
	*may = residue - residue / 4 < size;
	close_writer(w);
	return err;
}

/* Small patches are made without a model, too: it may take more than it saves. */
#define SMALL_PATCH ((size_t)64 << 10)

static int write_smallest(struct native_writer *w, const struct alignment *alignment, const struct prediction *model)
{
	struct native_writer plain = *w;
	bool may = false;
	int err;

	if (!predicts_anything(w, model))
		return write_patch(w, alignment);
	w->model = model;
	err = write_patch(w, alignment);
	if (err < 0 || w->patch.size > SMALL_PATCH)
		return err;
	err = may_be_smaller(&plain, alignment, w->patch.size, &may);
	if (err == 0 && may)
		err = write_patch(&plain, alignment);
	if (err == 0 && may && plain.patch.size < w->patch.size) {
		struct native_writer larger = *w;

		*w = plain;
		plain = larger;
	}
	close_writer(&plain);
	return err;
}

static int make_between(struct native_writer *w, bool inside)
{
	struct region_borders old_borders = {.count = 0}, new_borders = {.count = 0};
	struct alignment alignment = {0};
	struct prediction model = {.kinds = NULL};
	struct region_image old, new;
	int err = native_look(w, inside, &old_borders, &new_borders);

	if (err == 0)
		err = alignment_make(&alignment, &w->old, &w->new, w->error);
	old = (struct region_image){.image = w->old, .borders = old_borders, .extents = w->old_view.extents};
	new = (struct region_image){.image = w->new, .borders = new_borders, .extents = w->new_view.extents};
	if (err == 0)
		err = prediction_make(&model, &old, &new, &alignment, w->error);
	if (err == 0)
		err = write_smallest(w, &alignment, &model);
	free(old_borders.list);
	free(new_borders.list);
	prediction_free(&model);
	alignment_free(&alignment);
	return err;
}

static int make(struct native_writer *w)
{
	int err = make_between(w, true);

	if (err != -ENOMEM || w->memory == 0 || !(w->head.flags & NATIVE_VIEWS))
		return err;
	/* Perhaps it takes more than applying may take: what is compressed stays so. */
	close_writer(w);
	w->model = NULL;
	memcpy(w->dictionaries, usual_dictionaries, sizeof(w->dictionaries));
	return make_between(w, false);
}

int patch_make_native(const void *old_data, size_t old_size, const void *new_data, size_t new_size,
                      const struct patch_native_options *options, const struct sink *sink, struct error *error)
{
	struct native_writer w = {
		.old_image = {.data = old_data, .size = (int64_t)old_size},
		.new_image = {.data = new_data, .size = (int64_t)new_size},
		.head = {.old_size = old_size, .new_size = new_size, .unit = USUAL_UNIT},
		.memory = options->memory,
		.error = error,
	};
	int err;

	if (old_size > INT32_MAX || new_size > INT32_MAX)
		return error_set(error, 0, EFBIG, "patch: images of %zu and %zu bytes are too large", old_size,
		                 new_size);
	if (options->unit > NATIVE_UNIT_MAX)
		return error_set(error, 0, EINVAL, "patch: units of %u bytes are too large", options->unit);
	memcpy(w.dictionaries, usual_dictionaries, sizeof(w.dictionaries));
	if (options->unit > 0) {
		w.head.unit = options->unit;
		w.head.flags |= NATIVE_IN_PLACE;
	}
	if (options->digests) {
		w.head.flags |= NATIVE_DIGESTS;
		sha256(&w.head.old_digest, &w.old_image);
		sha256(&w.head.new_digest, &w.new_image);
	}
	err = make(&w);
	if (err == 0)
		err = patch_hand_over(&w.patch, sink, error);
	close_writer(&w);
	viewed_free(&w.old_view);
	viewed_free(&w.new_view);
	return err;
}
