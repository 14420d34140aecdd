/* SPDX-License-Identifier: Apache-2.0 */
/* A saved view of an image. Input: u32 size of the view (little endian), the view, the image. */
#include "base/bytes.h"
#include "patch/view.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIELDS_SIZE 4
#define MEMORY_MAX  ((uint64_t)64 << 20) /* what whoever applies a patch would have granted */
#define PLAIN_MAX   ((uint64_t)1 << 20)

static int sink_write(void *ctx, const void *data, size_t length)
{
	uint64_t *left = ctx;

	(void)data;
	if (length > *left)
		abort(); /* never more than the image has */
	*left -= length;
	return 0;
}

/* The view of the image, as far as it can be read, written into an image again. */
static void copy_view(const struct view *view, const struct reader *from)
{
	uint64_t left = view->raw_size;
	struct sink sink = {.write = sink_write, .ctx = &left}, in;
	struct view_writer *writer;
	uint8_t piece[4096];

	if (view_writer_open(&writer, view, 0, &sink, NULL) < 0)
		return;
	in = view_writer_sink(writer);
	for (uint64_t at = 0; at < from->size && at < PLAIN_MAX;) {
		size_t n = from->size - at < sizeof(piece) ? (size_t)(from->size - at) : sizeof(piece);

		if (from->read_at(from->ctx, at, piece, n) < 0 || in.write(in.ctx, piece, n) < 0)
			break;
		at += n;
		if (at == from->size && (view_writer_finish(writer) < 0 || left > 0))
			abort();
	}
	view_writer_close(writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory_block block;
	struct reader image, reader;
	struct view_reader *view_of;
	struct view view;
	size_t saved;

	if (size < FIELDS_SIZE)
		return -1;
	saved = get_le32(data) < size - FIELDS_SIZE ? get_le32(data) : size - FIELDS_SIZE;
	block = (struct memory_block){.data = data + FIELDS_SIZE + saved, .size = size - FIELDS_SIZE - saved};
	image = reader_from_memory(&block);
	if (view_load(&view, data + FIELDS_SIZE, saved, NULL) == 0 && view_reader_memory(&view, 65536) <= MEMORY_MAX &&
	    view_writer_memory(&view) <= MEMORY_MAX && view_reader_open(&view_of, &view, &image, 65536, NULL) == 0) {
		reader = view_reader(view_of);
		copy_view(&view, &reader);
		view_reader_close(view_of);
	}
	view_free(&view);
	return 0;
}
