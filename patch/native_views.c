/* SPDX-License-Identifier: Apache-2.0 */
/* Patches that make a copy, of images or of what views show of them. */
#include "patch/native.h"

#include <inttypes.h>
#include <stdlib.h>

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

int native_copy(struct native *native, const struct reader *old, const struct sink *sink)
{
	struct native_views *views = &native->views;
	struct error *error = native->input.error;
	struct reader view;
	struct sink writer;
	int err;

	if (!(native->head.flags & NATIVE_VIEWS))
		return make_all(native, old, sink);
	if (old->size < native->head.old_size)
		return error_set(error, RESULT_VERIFY, EINVAL,
		                 "old content: %" PRIu64 " bytes, and the patch is for %" PRIu64, old->size,
		                 native->head.old_size);
	views->image = *old;
	views->image.size = native->head.old_size;
	err = view_reader_open(&views->reader, &views->old, &views->image, views->cache, error);
	if (err == 0)
		err = view_writer_open(&views->writer, &views->new, 0, sink, error);
	if (err < 0)
		return err;
	view = view_reader(views->reader);
	writer = view_writer_sink(views->writer);
	err = make_all(native, &view, &writer);
	return err == 0 ? view_writer_finish(views->writer) : err;
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
