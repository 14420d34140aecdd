/* SPDX-License-Identifier: Apache-2.0 */
/* Patches that make a copy, of images or of what views show of them. */
#include "patch/native.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int load(struct native_views *views, const uint8_t *plain, size_t size, struct error *error)
{
	struct number_source source = {.data = plain, .left = size};
	size_t old_size;
	const uint8_t *old;
	int err;

	views->cache = (size_t)number_read_up_to(&source, NATIVE_MEMORY_MAX);
	old_size = (size_t)number_read_up_to(&source, source.left);
	old = number_read_bytes(&source, old_size);
	if (!old)
		return -EINVAL;
	err = view_load(&views->old, old, old_size, error);
	return err == 0 ? view_load(&views->new, source.data, source.left, error) : err;
}

/* What views take beside the pool is taken from what is allowed. */
static int take_memory(struct native *native)
{
	const struct native_views *views = &native->views;
	uint64_t need = view_memory(&views->old) + view_memory(&views->new) +
	                view_reader_memory(&views->old, views->cache) + view_writer_memory(&views->new);

	if (need > native->pool.limit || native->pool.used > native->pool.limit - need)
		return patch_broken(native->input.error, "patch: its views take more memory than it may");
	native->pool.limit -= need;
	native->views_memory = need;
	return 0;
}

int native_views_read(struct native *native)
{
	struct native_input *input = &native->input;
	uint8_t *plain = NULL;
	size_t size = 0;
	int err = native_input_next(input);

	if (err < 0)
		return err;
	if (err == 0 || input->type != NATIVE_VIEWS_RECORD)
		return patch_broken(input->error, "patch: its views are missing");
	err = native_unpack(input->body, input->size, &plain, &size, &native->pool, input->error);
	if (err == -ENOMEM)
		err = patch_broken(input->error, "patch: its views take more memory than it may");
	else if (err == 0)
		err = load(&native->views, plain, size, input->error);
	pool_free(&native->pool, plain);
	if (err == 0 && (native->views.old.raw_size != native->head.old_size ||
	                 native->views.new.raw_size != native->head.new_size))
		err = patch_broken(input->error, "patch: its views are of other images");
	if (err < 0)
		return err == -EINVAL ? patch_broken(input->error, "patch: its views record is wrong") : err;
	native->old_size = native->views.old.plain_size;
	native->new_size = native->views.new.plain_size;
	return take_memory(native);
}

void native_views_close(struct native_views *views)
{
	view_writer_close(views->writer);
	view_reader_close(views->reader);
	view_free(&views->old);
	view_free(&views->new);
	*views = (struct native_views){.cache = 0};
}

static int make_all(struct native *native, const struct reader *old, const struct sink *sink)
{
	int err;

	while ((err = native_next(native)) > 0) {
		err = native_make(native, old, sink);
		if (err < 0)
			return err;
	}
	return err;
}

/* The old view, of the image as it is now. */
static int open_reader(struct native *native, const struct reader *old)
{
	struct native_views *views = &native->views;
	struct error *error = native->input.error;

	if (views->reader)
		return 0;
	if (old->size < native->head.old_size)
		return error_set(error, RESULT_VERIFY, EINVAL,
		                 "old content: %" PRIu64 " bytes, and the patch is for %" PRIu64, old->size,
		                 native->head.old_size);
	views->image = *old;
	views->image.size = native->head.old_size;
	return view_reader_open(&views->reader, &views->old, &views->image, views->cache, error);
}

/* Bytes [plain_at, ...) of the new view, encoded. */
static int make_encoded(struct native *native, uint64_t plain_at, const struct sink *sink,
                        int (*make)(struct native *native, const struct reader *old, const struct sink *sink))
{
	struct native_views *views = &native->views;
	struct reader view = view_reader(views->reader);
	struct sink writer;
	int err = view_writer_open(&views->writer, &views->new, plain_at, sink, native->input.error);

	if (err < 0)
		return err;
	writer = view_writer_sink(views->writer);
	err = make(native, &view, &writer);
	if (err == 0)
		err = view_writer_finish(views->writer);
	view_writer_close(views->writer);
	views->writer = NULL;
	return err;
}

int native_copy(struct native *native, const struct reader *old, const struct sink *sink)
{
	int err;

	if (!(native->head.flags & NATIVE_VIEWS))
		return make_all(native, old, sink);
	err = open_reader(native, old);
	return err == 0 ? make_encoded(native, 0, sink, make_all) : err;
}

/* ---- In place ---- */

/* The image's bytes that a frame makes: a share of the unit before, the unit, a share of the one behind it. */
struct shares {
	uint8_t *unit;
	uint64_t start;
	uint64_t end;
	uint8_t *left;
	uint64_t left_size;
	uint8_t *right;
	uint64_t at;
};

static int divide(void *ctx, const void *data, size_t length)
{
	struct shares *shares = ctx;
	const uint8_t *bytes = data;

	while (length > 0) {
		uint64_t at = shares->at;
		uint64_t part = length;
		uint8_t *to;

		if (at < shares->start) {
			to = shares->left + (shares->left_size - (shares->start - at));
			part = part < shares->start - at ? part : shares->start - at;
		} else if (at < shares->end) {
			to = shares->unit + (at - shares->start);
			part = part < shares->end - at ? part : shares->end - at;
		} else {
			to = shares->right + (at - shares->end);
		}
		memcpy(to, bytes, (size_t)part);
		bytes += part;
		length -= (size_t)part;
		shares->at += part;
	}
	return 0;
}

static int keep_failed(const struct native *native, const char *what, int err)
{
	return error_set(native->input.error, 0, -err,
	                 "patch: unit %" PRIu64 ": what its neighbour shares with it cannot be %s: %s", native->unit,
	                 what, strerror(-err));
}

static int load_shares(const struct native *native, const struct patch_keep *keep, const struct shares *shares)
{
	const struct native_span *span = &native->span;
	int err = 0;

	if (!keep && (span->left || span->right))
		return error_set(native->input.error, 0, ENOTSUP, "patch: it needs a place to keep what units share");
	if (span->left && !(native->flags & NATIVE_LEFT))
		err = keep->load(keep->ctx, native->unit, shares->unit, (size_t)(span->raw_at - shares->start));
	if (err == 0 && span->right && !(native->flags & NATIVE_RIGHT))
		err = keep->load(keep->ctx, native->unit + 1, shares->unit + (span->raw_end - shares->start),
		                 (size_t)(shares->end - span->raw_end));
	return err < 0 ? keep_failed(native, "read", err) : 0;
}

static int save_shares(const struct native *native, const struct patch_keep *keep, const struct shares *shares)
{
	const struct native_span *span = &native->span;
	int err = 0;

	if (native->flags & NATIVE_KEEP_LEFT)
		err = keep->save(keep->ctx, native->unit, shares->left, (size_t)(shares->start - span->raw_at));
	if (err == 0 && native->flags & NATIVE_KEEP_RIGHT)
		err = keep->save(keep->ctx, native->unit + 1, shares->right, (size_t)(span->raw_end - shares->end));
	return err < 0 ? keep_failed(native, "kept", err) : 0;
}

static int make_shares(struct native *native, const struct reader *old, struct shares *shares)
{
	struct sink sink = {.write = divide, .ctx = shares};
	int err;

	if (!(native->head.flags & NATIVE_VIEWS))
		return native_make(native, old, &sink);
	/* What it has decoded before may be of bytes that are no more: nobody shall need that. */
	err = open_reader(native, old);
	if (err == 0)
		err = make_encoded(native, native->span.plain_at, &sink, native_make);
	view_reader_close(native->views.reader);
	native->views.reader = NULL;
	return err;
}

int native_make_unit(struct native *native, const struct reader *old, const struct patch_keep *keep, uint8_t *data,
                     size_t *size)
{
	const struct native_span *span = &native->span;
	const struct native_head *head = &native->head;
	uint64_t start = native->unit * head->unit;
	uint64_t end = head->new_size - start > head->unit ? start + head->unit : head->new_size;
	struct shares shares = {.unit = data, .start = start, .end = end, .at = span->raw_at};
	int err = 0;

	if (span->raw_at < start)
		shares.left_size = start - span->raw_at;
	shares.left = pool_allocate(&native->pool, (size_t)shares.left_size + 1);
	shares.right = pool_allocate(&native->pool, span->raw_end > end ? (size_t)(span->raw_end - end) : 1);
	if (!shares.left || !shares.right)
		err = patch_broken(native->input.error, "patch: a frame takes more memory than it may");
	if (err == 0)
		err = load_shares(native, keep, &shares);
	if (err == 0)
		err = make_shares(native, old, &shares);
	*size = (size_t)(end - start);
	if (err == 0 && !native_has_check(native, native->unit, true, data, *size))
		err = patch_broken(native->input.error,
		                   "patch: unit %" PRIu64 " comes out wrong: the object is not as it was left",
		                   native->unit);
	if (err == 0)
		err = save_shares(native, keep, &shares);
	pool_free(&native->pool, shares.left);
	pool_free(&native->pool, shares.right);
	return err;
}

int native_apply(const struct reader *old, const struct content *patch, uint64_t new_size, const struct sink *sink,
                 struct error *error)
{
	struct native *native = calloc(1, sizeof(*native));
	int err;

	if (!native)
		return patch_no_memory(error);
	err = native_open(native, patch, UINT64_MAX, error);
	if (err == 0 && native->head.flags & NATIVE_IN_PLACE)
		err = patch_broken(error, "patch: it changes its source in place, and makes no copy");
	if (err == 0 && native->head.new_size != new_size)
		err = patch_broken(error, "patch: makes %" PRIu64 " bytes, expected %" PRIu64, native->head.new_size,
		                   new_size);
	if (err == 0)
		err = native_copy(native, old, sink);
	native_close(native);
	free(native);
	return err;
}
