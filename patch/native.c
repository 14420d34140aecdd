/* SPDX-License-Identifier: Apache-2.0 */
/* The native format: head, units and frames, up to the point where bytes are made (native_unit.c). */
#include "patch/native.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int broken_record(struct error *error, const char *name)
{
	return patch_broken(error, "patch: its %s record is wrong", name);
}

static void read_sha256(struct number_source *source, struct digest_value *value)
{
	const uint8_t *bytes = number_read_bytes(source, digest_size(DIGEST_SHA256));

	value->kind = DIGEST_SHA256;
	if (bytes)
		memcpy(value->bytes, bytes, digest_size(DIGEST_SHA256));
}

static int read_head(struct native *native)
{
	struct native_input *input = &native->input;
	struct native_head *head = &native->head;
	struct number_source source;
	int err = native_input_next(input);

	if (err < 0)
		return err;
	if (err == 0 || input->type != NATIVE_HEAD)
		return patch_broken(input->error, "patch: it does not begin with a head record");
	source = (struct number_source){.data = input->body, .left = input->size};
	head->flags = (unsigned)number_read_up_to(&source, UINT32_MAX);
	if (head->flags & ~(unsigned)NATIVE_FLAGS)
		return patch_broken(input->error, "patch: its flags %x are of a later format", head->flags);
	head->old_size = number_read_up_to(&source, NATIVE_SIZE_MAX);
	head->new_size = number_read_up_to(&source, NATIVE_SIZE_MAX);
	if (head->flags & NATIVE_DIGESTS) {
		read_sha256(&source, &head->old_digest);
		read_sha256(&source, &head->new_digest);
	}
	head->unit = (uint32_t)number_read_up_to(&source, NATIVE_UNIT_MAX);
	head->memory = number_read_up_to(&source, NATIVE_MEMORY_MAX);
	if (head->flags & NATIVE_IN_PLACE) {
		head->changed = number_read(&source);
		head->kept = number_read(&source);
	}
	if (source.failed || source.left > 0 || head->unit == 0)
		return broken_record(input->error, "head");
	native->old_size = head->old_size;
	native->new_size = head->new_size;
	return 0;
}

/* What the units of a patch in place are, before and after. */
static int read_units(struct native *native)
{
	struct native_input *input = &native->input;
	int err = native_input_next(input);

	if (err < 0)
		return err;
	if (err == 0 || input->type != NATIVE_UNITS || input->size % ((size_t)2 * NATIVE_CHECK_SIZE) != 0 ||
	    input->size / ((size_t)2 * NATIVE_CHECK_SIZE) != native->units || native->head.changed > native->units)
		return broken_record(input->error, "units");
	native->checks = input->body;
	input->body = NULL;
	return 0;
}

static int open_patch(struct native *native, const struct content *patch, uint64_t limit, struct error *error)
{
	int err;

	*native = (struct native){.pool = {.limit = NATIVE_HEAD_MAX}};
	err = native_input_open(&native->input, patch, &native->pool, error);
	if (err == 0)
		err = read_head(native);
	if (err < 0)
		return err;
	if (native->head.memory > limit)
		return error_set(error, 0, ENOMEM,
		                 "patch: it takes %" PRIu64 " bytes of memory, and %" PRIu64 " are allowed",
		                 native->head.memory, limit);
	native->pool.limit = native->head.memory;
	return 0;
}

int native_open(struct native *native, const struct content *patch, uint64_t limit, struct error *error)
{
	int err = open_patch(native, patch, limit, error);
	const struct native_head *head = &native->head;
	uint64_t size;

	if (err == 0 && head->flags & NATIVE_VIEWS)
		err = native_views_read(native);
	if (err < 0)
		return err;
	size = head->flags & NATIVE_IN_PLACE ? head->new_size : native->new_size;
	native->units = size / head->unit + (size % head->unit > 0);
	return head->flags & NATIVE_IN_PLACE ? read_units(native) : 0;
}

int native_read_head(const struct content *patch, struct native_head *head, struct error *error)
{
	struct native *native = calloc(1, sizeof(*native));
	int err;

	if (!native)
		return patch_no_memory(error);
	err = open_patch(native, patch, UINT64_MAX, error);
	*head = native->head;
	native_close(native);
	free(native);
	return err;
}

bool native_has_check(const struct native *native, uint64_t unit, bool is_new, const void *data, size_t size)
{
	const uint8_t *check = native->checks + (2 * unit + is_new) * NATIVE_CHECK_SIZE;
	struct digest_value value;
	struct digest digest;

	digest_start(&digest, DIGEST_SHA256);
	digest_add(&digest, data, size);
	digest_finish(&digest, &value);
	return memcmp(value.bytes, check, NATIVE_CHECK_SIZE) == 0;
}

/* ---- Frames ---- */

/* Which unit, and which bytes of the target or its view that means. */
static int begin_unit(struct native *native, struct number_source *source)
{
	const struct native_head *head = &native->head;
	bool in_place = head->flags & NATIVE_IN_PLACE;
	uint64_t size = in_place ? head->new_size : native->new_size;

	native->unit = in_place ? number_read(source) : native->frames;
	native->flags = (unsigned)number_read_up_to(source, in_place ? NATIVE_FRAME_FLAGS : NATIVE_ANEW);
	native->frames++;
	if (source->failed || native->unit >= native->units)
		return broken_record(native->input.error, "frame");
	if (!(native->flags & NATIVE_ANEW) && (!native->has_begun || in_place))
		return patch_broken(native->input.error, "patch: a frame goes on with what never began");
	native->position = native->unit * head->unit;
	native->end = size - native->position > head->unit ? native->position + head->unit : size;
	if (!in_place)
		return 0;
	if (!native_span_find(&native->views.new, native->position, native->end, native->flags, &native->span))
		return broken_record(native->input.error, "frame");
	native->position = native->span.plain_at;
	native->end = native->span.plain_end;
	return 0;
}

/* Codings and packed sizes of the streams, and the packed bytes. */
static int begin_streams(struct native *native, struct number_source *source, bool anew, size_t *control)
{
	struct error *error = native->input.error;
	uint64_t *sizes = native->packed_sizes;
	struct native_coding coding;
	int err = 0;

	*control = (size_t)number_read_up_to(source, UINT32_MAX);
	for (unsigned i = 0; err == 0 && i < NATIVE_STREAMS; i++) {
		if (anew && !native_coding_read(source, &coding))
			return broken_record(error, "frame");
		if (anew)
			err = native_packed_open(&native->streams[i], &coding, &native->pool, error);
		sizes[i] = number_read_up_to(source, UINT32_MAX);
	}
	if (err == 0 && (source->failed || sizes[0] + sizes[1] + sizes[2] != source->left))
		return broken_record(error, "frame");
	for (unsigned i = 0; err == 0 && i < NATIVE_STREAMS; i++)
		err = native_packed_feed(&native->streams[i], number_read_bytes(source, (size_t)sizes[i]),
		                         (size_t)sizes[i], error);
	return err;
}

static int read_kinds(struct native *native)
{
	unsigned block_log = native->model.block_log;
	uint64_t first = native->position >> block_log;
	uint64_t count = native->end > native->position ? ((native->end - 1) >> block_log) - first + 1 : 0;
	uint8_t *kinds = pool_resize(&native->pool, native->kinds, (size_t)count + 1);

	if (!kinds)
		return patch_no_memory(native->input.error);
	native->kinds = kinds;
	for (uint64_t at = 0; at < count;) {
		uint64_t run = number_read_up_to(&native->entries, count - at);
		const uint8_t *kind = number_read_bytes(&native->entries, 1);

		if (!kind || run == 0)
			return broken_record(native->input.error, "frame");
		memset(kinds + at, *kind, (size_t)run);
		at += run;
	}
	native->model.kinds = kinds;
	native->model.first_block = first;
	return 0;
}

static int read_control(struct native *native, size_t size)
{
	uint8_t *control = pool_resize(&native->pool, native->control, size + 1);
	int err;

	if (!control)
		return patch_broken(native->input.error, "patch: a frame takes more memory than it may");
	native->control = control;
	err = native_packed_read(&native->streams[NATIVE_CONTROL], control, size, native->input.error);
	native->entries = (struct number_source){.data = control, .left = size};
	native->control_size = size;
	if (err == 0 && native->has_model)
		err = read_kinds(native);
	return err;
}

static int read_frame(struct native *native)
{
	struct native_input *input = &native->input;
	struct number_source source = {.data = input->body, .left = input->size};
	bool anew;
	size_t control = 0;
	int err = begin_unit(native, &source);

	if (err < 0)
		return err;
	anew = native->flags & NATIVE_ANEW;
	err = begin_streams(native, &source, anew, &control);
	if (err < 0)
		return err;
	if (anew)
		native->stretch = (struct native_stretch){.old_at = native->position};
	native->has_begun = true;
	return read_control(native, control);
}

static int read_model(struct native *native)
{
	const struct native_input *input = &native->input;
	int err = native_model_read(&native->model, input->body, input->size, &native->pool, input->error);

	/* A stretch that is under way belongs to the model before. */
	native->has_begun = false;
	native->has_model = err == 0;
	native->model_bytes += input->size;
	native->model_shifts += native->model.addresses.count + native->model.symbols.count;
	return err;
}

static int check_end(const struct native *native)
{
	bool in_place = native->head.flags & NATIVE_IN_PLACE;

	if (native->frames != (in_place ? native->head.changed : native->units))
		return patch_broken(native->input.error, "patch: it ends before the last frame");
	return 0;
}

int native_next(struct native *native)
{
	struct native_input *input = &native->input;
	int err;

	while ((err = native_input_next(input)) > 0) {
		if (input->type == NATIVE_FRAME)
			err = read_frame(native);
		else if (input->type == NATIVE_MODEL)
			err = read_model(native);
		else
			err = patch_broken(input->error, "patch: a record of type %u is none of this format",
			                   input->type);
		if (err < 0)
			return err;
		if (input->type == NATIVE_FRAME)
			return 1;
	}
	return err == 0 ? check_end(native) : err;
}

void native_close(struct native *native)
{
	native_input_close(&native->input);
	native_views_close(&native->views);
	for (unsigned i = 0; i < NATIVE_STREAMS; i++)
		native_packed_close(&native->streams[i]);
	native_model_free(&native->model, &native->pool);
	pool_free(&native->pool, native->kinds);
	pool_free(&native->pool, native->checks);
	pool_free(&native->pool, native->control);
	pool_free(&native->pool, native->window);
	pool_free(&native->pool, native->out);
	native->kinds = native->checks = native->control = native->window = native->out = NULL;
}
