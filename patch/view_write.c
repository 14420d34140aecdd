/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/view_parts.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct view_writer {
	const struct view *view;
	struct sink sink; /* of the image, or of the sorted one */
	struct sorted_writer *sorted;
	struct error *error;
	struct view_cursor cursor;
	struct view_part part; /* the next one, or the one that is being written */
	bool has_part;
	uint64_t plain_at;              /* of the next byte to come */
	struct recipe_encoder *encoder; /* of the part; NULL: it has not begun */
	struct sink encoded;            /* for what the encoder makes */
	uint64_t raw_left;              /* of it */
};

static int not_reproduced(struct view_writer *w)
{
	return patch_broken(w->error, "patch: what %s %s makes at %" PRIu64 " of the new content is not what was there",
	                    recipe_library(w->part.recipe.coder), recipe_version(w->part.recipe.coder), w->part.raw_at);
}

static int pass_on(void *ctx, const void *data, size_t length)
{
	struct view_writer *w = ctx;

	if (length > w->raw_left)
		return not_reproduced(w);
	w->raw_left -= length;
	return w->sink.write(w->sink.ctx, data, length);
}

/* Where this offset of the view is in the image; it is in no part. */
static uint64_t raw_offset(const struct view_writer *w, uint64_t plain_at)
{
	return w->has_part ? w->part.raw_at - (w->part.plain_at - plain_at)
	                   : w->view->raw_size - (w->view->plain_size - plain_at);
}

static int begin(struct view_writer *w, const struct sink *sink)
{
	int err;

	view_seek_plain(&w->cursor, w->view, w->plain_at);
	w->has_part = view_next(&w->cursor, &w->part);
	if (w->has_part && w->part.plain_at < w->plain_at)
		return patch_broken(w->error, "patch: begins inside a part of a view");
	if (w->view->sorted.leb_size == 0)
		return 0;
	err = sorted_writer_open(&w->sorted, &w->view->sorted, raw_offset(w, w->plain_at), sink, w->error);
	if (err == 0)
		w->sink = sorted_writer_sink(w->sorted);
	return err;
}

int view_writer_open(struct view_writer **writer, const struct view *view, uint64_t plain_at, const struct sink *sink,
                     struct error *error)
{
	struct view_writer *w;
	int err;

	*writer = NULL;
	if (!view->exact)
		return patch_broken(error, "patch: a view that is only for reading cannot be written");
	if (plain_at > view->plain_size)
		return patch_broken(error, "patch: begins behind the end of a view");
	w = calloc(1, sizeof(*w));
	if (!w)
		return patch_no_memory(error);
	*w = (struct view_writer){.view = view, .sink = *sink, .error = error, .plain_at = plain_at};
	w->encoded = (struct sink){.write = pass_on, .ctx = w};
	err = begin(w, sink);
	if (err < 0)
		free(w);
	else
		*writer = w;
	return err;
}

static int begin_part(struct view_writer *w)
{
	w->raw_left = w->part.raw_size;
	return recipe_encoder_open(&w->encoder, &w->part.recipe, w->part.plain_size, &w->encoded, w->error);
}

static int end_part(struct view_writer *w)
{
	int err = recipe_encoder_finish(w->encoder);

	recipe_encoder_close(w->encoder);
	w->encoder = NULL;
	if (err == 0 && w->raw_left > 0)
		err = not_reproduced(w);
	w->has_part = view_next(&w->cursor, &w->part);
	return err;
}

/* As much of the data as belongs to the part, or lies in front of it. */
static int write_some(struct view_writer *w, const void *data, size_t length, size_t *done)
{
	bool inside = w->has_part && w->plain_at >= w->part.plain_at;
	uint64_t end = inside ? view_part_plain_end(&w->part) : w->has_part ? w->part.plain_at : w->view->plain_size;
	size_t n = length < end - w->plain_at ? length : (size_t)(end - w->plain_at);
	int err = 0;

	if (n == 0)
		return patch_broken(w->error, "patch: yields more than a view has");
	if (inside && !w->encoder)
		err = begin_part(w);
	if (err == 0 && inside) {
		struct sink encoder = recipe_encoder_sink(w->encoder);

		err = encoder.write(encoder.ctx, data, n);
	} else if (err == 0) {
		err = w->sink.write(w->sink.ctx, data, n);
	}
	w->plain_at += n;
	if (err == 0 && inside && w->plain_at == end)
		err = end_part(w);
	*done = n;
	return err;
}

static int view_write(void *ctx, const void *data, size_t length)
{
	struct view_writer *w = ctx;
	const uint8_t *from = data;
	int err = 0;

	while (err == 0 && length > 0) {
		size_t done = 0;

		err = write_some(w, from, length, &done);
		from += done;
		length -= done;
	}
	return err;
}

struct sink view_writer_sink(struct view_writer *writer)
{
	return (struct sink){.write = view_write, .ctx = writer};
}

int view_writer_finish(struct view_writer *writer)
{
	if (writer->encoder)
		return patch_broken(writer->error, "patch: ends inside a part of a view");
	return writer->sorted ? sorted_writer_finish(writer->sorted) : 0;
}

void view_writer_close(struct view_writer *writer)
{
	if (!writer)
		return;
	recipe_encoder_close(writer->encoder);
	sorted_writer_close(writer->sorted);
	free(writer);
}

uint64_t view_writer_memory(const struct view *view)
{
	uint64_t most = 0;

	for (size_t i = 0; i < view->recipe_count; i++) {
		const struct view_recipe *r = &view->recipes[i];
		uint64_t memory = recipe_encode_memory(&r->recipe, r->plain_max);

		if (most < memory)
			most = memory;
	}
	return sizeof(struct view_writer) + sorted_writer_memory(&view->sorted) + most;
}
