/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_VIEW_H
#define PATCH_VIEW_H

/*
 * A view of an image is its bytes with compressed parts of it replaced by what they decode to, so that two images can
 * be differenced as if nothing in them was compressed. FORMAT.md, "Views", has the saved form.
 *
 * The view of an old image is only read: its parts need to decode. That of a new image is written, and every part must
 * come out of the encoder bit for bit; its saved form names the versions of the libraries that did so for its maker.
 * Where LEBs are sorted, all else is said of the image after that.
 */
#include "patch/recipe.h"
#include "patch/sorted.h"

#define VIEW_RECIPES_MAX 64

/* Offsets and sizes in bytes; raw: in the image, plain: in the view. */
struct view_part {
	uint64_t raw_at;
	uint64_t plain_at;
	uint32_t raw_size;   /* at least 1 */
	uint32_t plain_size; /* at least 1 */
	struct recipe recipe;
};

/* A recipe and the most that its parts have. */
struct view_recipe {
	struct recipe recipe;
	uint32_t raw_max;
	uint32_t plain_max; /* of those that are decoded whole */
	bool is_sought;     /* whether there are others */
};

struct view_mark;

/* Parts are kept as they are saved, some 3 bytes each, with a mark at every so many of them. A zeroed one is empty. */
struct view {
	uint64_t raw_size;
	uint64_t plain_size;
	bool exact; /* the view of a new image */
	struct sorted sorted;
	size_t count;
	struct view_recipe recipes[VIEW_RECIPES_MAX];
	size_t recipe_count;

	uint8_t *parts; /* owned */
	size_t parts_size;
	size_t parts_capacity;
	struct view_mark *marks; /* owned */
	size_t mark_capacity;
	struct view_part last; /* added */
};

/*
 * Make one: the view of an image that has nothing but raw bytes, then parts in order, none within another. A part that
 * is out of place, or more recipes than VIEW_RECIPES_MAX, are a broken patch. To be freed in any case.
 */
void view_start(struct view *view, uint64_t raw_size, bool exact);
int view_add(struct view *view, const struct view_part *part, struct error *error); /* plain_at is not looked at */
void view_free(struct view *view);

/*
 * Load refuses whatever is not as save writes it (a broken patch), and an exact view whose libraries are not those of
 * this program (-ENOTSUP). What it takes is bounded by a multiple of size.
 */
int view_save(const struct view *view, const struct sink *sink, struct error *error);
int view_load(struct view *view, const void *data, size_t size, struct error *error);

/* Walk the parts: from the first one that does not end before or at this offset. */
struct view_cursor {
	const struct view *view;
	size_t index; /* of the next part */
	size_t at;    /* of it, in view->parts */
	struct view_part part;
};
void view_seek_plain(struct view_cursor *cursor, const struct view *view, uint64_t plain_at);
void view_seek_raw(struct view_cursor *cursor, const struct view *view, uint64_t raw_at);
bool view_next(struct view_cursor *cursor, struct view_part *part); /* false behind the last */

/* The bytes of the image that a range of the view comes from; of a part, or of a sorted LEB, all. */
void view_raw_range(const struct view *view, uint64_t plain_at, uint64_t plain_size, uint64_t *raw_at,
                    uint64_t *raw_size);

/*
 * Random access to the view of an image. Decoded parts stay in a cache of `cache` bytes, or of the largest part when
 * that is more. Image and view must outlive it. The image's reader need not fill the error; the view's does.
 */
struct view_reader;
int view_reader_open(struct view_reader **reader, const struct view *view, const struct reader *image, size_t cache,
                     struct error *error);
struct reader view_reader(struct view_reader *reader);
void view_reader_close(struct view_reader *reader); /* tolerates NULL */

/*
 * A sink for the bytes of an exact view that makes the image's of them. It begins at plain_at, which must not be inside
 * a part, and ends anywhere that is not. The sink behind it fills the error itself.
 */
struct view_writer;
int view_writer_open(struct view_writer **writer, const struct view *view, uint64_t plain_at, const struct sink *sink,
                     struct error *error);
struct sink view_writer_sink(struct view_writer *writer);
int view_writer_finish(struct view_writer *writer); /* an end inside a part is a broken patch */
void view_writer_close(struct view_writer *writer); /* tolerates NULL */

/* The most heap of a view, and of a reader and a writer beside it. */
uint64_t view_memory(const struct view *view);
uint64_t view_reader_memory(const struct view *view, size_t cache);
uint64_t view_writer_memory(const struct view *view);

#endif
