/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/deflated.h"

#include "base/bytes.h"
#include "patch/codec.h"
#include "patch/expect.h"
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define PIECE_SIZE 32768

#define GZIP_HEADER_SIZE 10
enum gzip_flag { GZIP_CHECKSUM = 2, GZIP_EXTRA = 4, GZIP_NAME = 8, GZIP_COMMENT = 16, GZIP_RESERVED = 0xe0 };

#define ZIP_HEADER_SIZE 30
#define ZIP_ENCRYPTED   1
#define ZIP_DEFLATED    8

/* Behind the zero byte that ends a string, or the image's end. */
static int64_t skip_string(const struct image *image, int64_t at)
{
	while (at < image->size && image->data[at] != 0)
		at++;
	return at + 1;
}

static bool is_at(const struct image *image, int64_t at, const char *magic, int64_t magic_size, int64_t header_size)
{
	return image->size - at >= header_size && memcmp(image->data + at, magic, (size_t)magic_size) == 0;
}

/* Where the data of the gzip member begin whose header starts here; not inside the image: it is none. */
static int64_t parse_gzip(const struct image *image, int64_t at)
{
	uint8_t flags;

	if (!is_at(image, at, "\x1f\x8b\x08", 3, GZIP_HEADER_SIZE))
		return image->size;
	flags = image->data[at + 3];
	at += GZIP_HEADER_SIZE;
	if (flags & GZIP_RESERVED)
		return image->size;
	if (flags & GZIP_EXTRA)
		at += image->size - at < 2 ? 2 : 2 + get_le16(image->data + at);
	if (flags & GZIP_NAME)
		at = skip_string(image, at);
	if (flags & GZIP_COMMENT)
		at = skip_string(image, at);
	return flags & GZIP_CHECKSUM ? at + 2 : at;
}

/* The same for a zip entry. found may be NULL. */
static int64_t parse_zip(const struct image *image, int64_t at, struct deflated *found)
{
	const uint8_t *header = image->data + at;

	if (!is_at(image, at, "PK\3\4", 4, ZIP_HEADER_SIZE) || get_le16(header + 6) & ZIP_ENCRYPTED ||
	    get_le16(header + 8) != ZIP_DEFLATED)
		return image->size;
	if (found) {
		found->name = header + ZIP_HEADER_SIZE;
		found->name_size = get_le16(header + 26);
	}
	return at + ZIP_HEADER_SIZE + get_le16(header + 26) + get_le16(header + 28);
}

int64_t deflated_begin(const struct image *image, int64_t at, struct deflated *found)
{
	if (image->data[at] == 0x1f)
		return parse_gzip(image, at);
	return image->data[at] == 'P' ? parse_zip(image, at, found) : image->size;
}

/* Inflate what begins at found->at, to the buffer if there is one, and learn how long it is. */
static int inflate_all(const struct image *image, struct deflated *found, struct buffer *plain, bool *ended,
                       struct error *error)
{
	uint8_t piece[PIECE_SIZE];
	z_stream z = {0};
	int err = 0, ret = Z_OK;

	if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
		return patch_no_memory(error);
	z.next_in = (Bytef *)(image->data + found->at); /* zlib only reads it */
	z.avail_in = (uInt)(image->size - found->at);
	for (found->plain_size = 0; err == 0 && ret == Z_OK && found->plain_size <= DEFLATED_PLAIN_MAX;) {
		z.next_out = piece;
		z.avail_out = sizeof(piece);
		ret = inflate(&z, Z_NO_FLUSH);
		found->plain_size += (int64_t)(sizeof(piece) - z.avail_out);
		if (plain)
			err = buffer_append(plain, piece, sizeof(piece) - z.avail_out, error);
	}
	found->size = image->size - found->at - z.avail_in;
	*ended = ret == Z_STREAM_END && found->plain_size > 0 && found->plain_size <= DEFLATED_PLAIN_MAX;
	(void)inflateEnd(&z);
	return err == 0 && ret == Z_MEM_ERROR ? patch_no_memory(error) : err;
}

static int add(struct deflated_list *list, const struct deflated *found, struct error *error)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 16;
		struct deflated *items = reallocarray(list->items, capacity, sizeof(*items));

		if (!items)
			return patch_no_memory(error);
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count++] = *found;
	return 0;
}

int deflated_find(struct deflated_list *list, const struct image *image, struct error *error)
{
	int err = 0;

	*list = (struct deflated_list){0};
	for (int64_t at = 0; err == 0 && at < image->size; at++) {
		struct deflated found = {0};
		bool ended = false;

		found.at = deflated_begin(image, at, &found);
		if (found.at < image->size)
			err = inflate_all(image, &found, NULL, &ended, error);
		if (err == 0 && ended) {
			err = add(list, &found, error);
			at = found.at + found.size - 1;
		}
	}
	return err;
}

void deflated_free(struct deflated_list *list)
{
	free(list->items);
	*list = (struct deflated_list){0};
}

int deflated_inflate(const struct image *image, const struct deflated *deflated, struct buffer *plain,
                     struct error *error)
{
	struct deflated again = *deflated;
	bool ended;
	int err = buffer_reserve(plain, (size_t)deflated->plain_size, error);

	return err == 0 ? inflate_all(image, &again, plain, &ended, error) : err;
}

/* Stops at the first byte that differs: with the wrong parameters that is soon. */
static int reproduces(const struct image *image, const struct deflated *deflated, const struct buffer *plain,
                      const struct deflate_params *params, bool *same, struct error *error)
{
	struct expected expected = {.data = image->data + deflated->at, .left = (size_t)deflated->size};
	struct sink sink = sink_from_expected(&expected);
	struct redeflate *redeflate;
	struct sink in;
	int err = redeflate_open(&redeflate, params, &sink, error);

	if (err < 0)
		return err;
	in = redeflate_sink(redeflate);
	for (size_t done = 0; err == 0 && done < plain->size;) {
		size_t n = plain->size - done < PIECE_SIZE ? plain->size - done : PIECE_SIZE;

		err = in.write(in.ctx, plain->data + done, n);
		done += n;
	}
	if (err == 0)
		err = redeflate_finish(redeflate);
	redeflate_close(redeflate);
	*same = err == 0 && expected.left == 0;
	return err == -EILSEQ ? 0 : err;
}

int deflated_find_params(const struct image *image, const struct deflated *deflated, const struct buffer *plain,
                         struct deflate_params *params, bool *found, struct error *error)
{
	/* Those that most writers use come first. */
	static const int8_t levels[] = {6, 9, 1, 8, 7, 5, 4, 3, 2};
	static const int8_t mem_levels[] = {8, 9};
	int err = 0;

	*found = false;
	for (size_t i = 0; err == 0 && !*found && i < 2 * sizeof(levels); i++) {
		*params = (struct deflate_params){.level = levels[i / 2],
		                                  .method = Z_DEFLATED,
		                                  .window_bits = -MAX_WBITS,
		                                  .mem_level = mem_levels[i % 2],
		                                  .strategy = Z_DEFAULT_STRATEGY};
		err = reproduces(image, deflated, plain, params, found, error);
	}
	return err;
}
