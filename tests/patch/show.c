/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/patch/show.h"

#include "patch/native.h"

#include <stdlib.h>
#include <string.h>

void show_add(struct show *show, struct bytes stretch)
{
	bytes_append(&show->image, stretch.data, stretch.size);
	bytes_free(&stretch);
}

struct image show_image(const struct show *show)
{
	return (struct image){.data = show->image.data, .size = (int64_t)show->image.size};
}

void show_free(struct show *show)
{
	viewed_free(&show->found);
	bytes_free(&show->image);
}

/* Heap in use, looked at whenever something is read or written. */
struct heap {
	size_t base;
	size_t peak;
};

static void look(struct heap *heap)
{
	size_t now = heap_in_use();

	if (now > heap->base && now - heap->base > heap->peak)
		heap->peak = now - heap->base;
}

struct watched_image {
	const struct bytes *image;
	struct heap heap;
};

static int watched_read(void *ctx, uint64_t offset, void *buffer, size_t length)
{
	struct watched_image *watched = ctx;

	look(&watched->heap);
	ck_assert(offset <= watched->image->size && length <= watched->image->size - offset);
	memcpy(buffer, watched->image->data + offset, length);
	return 0;
}

static void expect_range(const struct reader *reader, const struct buffer *plain, size_t at, size_t length)
{
	uint8_t buffer[5000];

	ck_assert_uint_le(length, sizeof(buffer));
	ck_assert_int_eq(reader->read_at(reader->ctx, at, buffer, length), 0);
	ck_assert(memcmp(buffer, plain->data + at, length) == 0);
}

void show_expect_read(const struct view *view, const struct bytes *image, const struct buffer *plain, size_t cache)
{
	struct watched_image watched = {.image = image, .heap.base = heap_in_use()};
	struct reader raw = {.read_at = watched_read, .ctx = &watched, .size = image->size};
	struct error error = {0};
	struct view_reader *view_of;
	struct reader reader;
	uint32_t random = 7;
	uint8_t beyond;

	ck_assert_int_eq(view_reader_open(&view_of, view, &raw, cache, &error), 0);
	reader = view_reader(view_of);
	ck_assert_uint_eq(reader.size, plain->size);
	for (size_t at = 0; at < plain->size; at += 5000)
		expect_range(&reader, plain, at, plain->size - at < 5000 ? plain->size - at : 5000);
	for (size_t i = 0; i < 50 && plain->size > 0; i++) {
		size_t at = next_random(&random) % plain->size;

		expect_range(&reader, plain, at, plain->size - at < 300 ? plain->size - at : 300);
	}
	ck_assert_int_lt(reader.read_at(reader.ctx, plain->size, &beyond, 1), 0);
	ck_assert_ptr_nonnull(strstr(error.message, "behind the end"));
	view_reader_close(view_of);
	ck_assert_uint_le(watched.heap.peak, view_reader_memory(view, cache));
}

struct watched_sink {
	struct bytes out;
	struct heap heap;
};

static int take(void *ctx, const void *data, size_t length)
{
	struct watched_sink *watched = ctx;

	look(&watched->heap);
	memcpy(watched->out.data + watched->out.size, data, length);
	watched->out.size += length;
	return 0;
}

/* From this offset of the view, which is raw_at of the image; in pieces of odd sizes. */
static void expect_written(const struct view *view, const struct bytes *image, const struct buffer *plain,
                           size_t plain_at, size_t raw_at)
{
	struct watched_sink watched = {.out = bytes_new(image->size)};
	struct sink sink = {.write = take, .ctx = &watched};
	struct error error = {0};
	struct view_writer *writer;
	struct sink in;

	watched.out.size = 0;
	watched.heap.base = heap_in_use();
	ck_assert_int_eq(view_writer_open(&writer, view, plain_at, &sink, &error), 0);
	in = view_writer_sink(writer);
	for (size_t at = plain_at; at < plain->size;) {
		size_t n = plain->size - at < 4321 ? plain->size - at : 4321;

		ck_assert_msg(in.write(in.ctx, plain->data + at, n) == 0, "%s", error.message);
		at += n;
	}
	ck_assert_int_eq(view_writer_finish(writer), 0);
	ck_assert_int_eq(in.write(in.ctx, "x", 1), -EINVAL); /* there is no more */
	view_writer_close(writer);
	ck_assert_uint_eq(watched.out.size, image->size - raw_at);
	ck_assert(memcmp(watched.out.data, image->data + raw_at, watched.out.size) == 0);
	ck_assert_uint_le(watched.heap.peak, view_writer_memory(view));
	bytes_free(&watched.out);
}

/* From each LEB on; from where a sorted one has begun nothing can be written. */
static void expect_lebs_written(const struct view *view, const struct bytes *image, const struct buffer *plain)
{
	struct sink sink = {.write = NULL};
	struct native_span span;
	struct view_writer *writer;

	for (uint64_t at = 0; at < image->size; at += view->sorted.leb_size) {
		ck_assert(native_span_find(view, at, at + view->sorted.leb_size, 0, &span));
		expect_written(view, image, plain, (size_t)span.plain_at, (size_t)at);
		if (sorted_begins(&view->sorted, at))
			ck_assert_int_eq(view_writer_open(&writer, view, span.plain_at + 1, &sink, NULL), -EINVAL);
	}
}

void show_expect_written(const struct view *view, const struct bytes *image, const struct buffer *plain)
{
	struct view_cursor cursor;
	struct view_part part;

	expect_written(view, image, plain, 0, 0);
	if (view->sorted.leb_size > 0) {
		expect_lebs_written(view, image, plain);
		return;
	}
	view_seek_plain(&cursor, view, 0);
	while (view_next(&cursor, &part)) {
		if (cursor.index % (view->count / 3 + 1) != 0)
			continue;
		expect_written(view, image, plain, (size_t)part.plain_at, (size_t)part.raw_at);
		expect_written(view, image, plain, (size_t)(part.plain_at + part.plain_size),
		               (size_t)(part.raw_at + part.raw_size));
	}
}

struct bytes show_save(const struct view *view)
{
	struct bytes saved = {0};
	struct sink sink = bytes_sink(&saved);

	ck_assert_int_eq(view_save(view, &sink, NULL), 0);
	return saved;
}

static void expect_range_of(const struct view *view, const struct view_part *part, uint64_t raw_at, uint64_t raw_size)
{
	uint64_t begin = part->raw_at, end = part->raw_at + part->raw_size;

	sorted_widen(&view->sorted, &begin, &end);
	ck_assert(raw_at == begin && raw_size == end - begin);
	ck_assert(view->sorted.leb_size > 0 || (raw_at == part->raw_at && raw_size == part->raw_size));
}

/* Every offset leads to the part that it is in, and a range to the bytes of the image that it comes from. */
static void expect_sought(const struct view *view)
{
	struct view_cursor cursor, walk;
	struct view_part part, found;
	uint64_t raw_at, raw_size, raw_end = 0, plain_end = 0;

	view_seek_plain(&walk, view, 0);
	while (view_next(&walk, &part)) {
		ck_assert_uint_eq(part.plain_at - plain_end, part.raw_at - raw_end);
		for (uint64_t at = part.plain_at; at < part.plain_at + part.plain_size; at += part.plain_size - 1) {
			view_seek_plain(&cursor, view, at);
			ck_assert(view_next(&cursor, &found) && found.raw_at == part.raw_at);
			view_raw_range(view, at, 1, &raw_at, &raw_size);
			expect_range_of(view, &part, raw_at, raw_size);
		}
		view_seek_raw(&cursor, view, part.raw_at + part.raw_size - 1);
		ck_assert(view_next(&cursor, &found) && found.plain_at == part.plain_at);
		raw_end = part.raw_at + part.raw_size;
		plain_end = part.plain_at + part.plain_size;
		view_seek_raw(&cursor, view, raw_end);
		ck_assert(!view_next(&cursor, &found) || found.raw_at >= raw_end);
		view_raw_range(view, part.plain_at + 1, part.plain_size, &raw_at, &raw_size);
		if (plain_end < view->plain_size)
			ck_assert(raw_at <= part.raw_at && raw_size > part.raw_size);
	}
	ck_assert_uint_eq(view->plain_size - plain_end, view->raw_size - raw_end);
}

void show_expect(struct show *show, size_t count)
{
	const struct image image = show_image(show);
	struct error error = {0};
	struct bytes saved, again;
	struct view loaded;

	ck_assert_msg(view_find(&show->found, &image, 0, &error) == 0, "%s", error.message);
	ck_assert_uint_eq(show->found.view.count, count);
	ck_assert_uint_eq(show->found.view.plain_size, show->found.plain.size);
	saved = show_save(&show->found.view);
	ck_assert_msg(view_load(&loaded, saved.data, saved.size, &error) == 0, "%s", error.message);
	again = show_save(&loaded);
	bytes_expect_equal(&again, &saved);
	expect_sought(&loaded);
	show_expect_read(&loaded, &show->image, &show->found.plain, 0);
	show_expect_read(&loaded, &show->image, &show->found.plain, 1 << 20);
	show_expect_written(&loaded, &show->image, &show->found.plain);
	view_free(&loaded);
	bytes_free(&again);
	bytes_free(&saved);
}

bool show_has(const struct viewed *viewed, const struct bytes *plain)
{
	return memmem(viewed->plain.data, viewed->plain.size, plain->data, plain->size) != NULL;
}
