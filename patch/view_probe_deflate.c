/* SPDX-License-Identifier: Apache-2.0 */
/* zlib streams (RFC 1950), gzip members and zip entries. */
#include "patch/deflated.h"
#include "patch/view_probe.h"

#include <zlib.h>

enum { ZLIB_HEADER = 2 };

#define GZIP_WINDOW_BITS (MAX_WBITS + 16) /* tells zlib to expect gzip's header */

/* With the largest window and no dictionary: the four that zlib writes. Others would be found by chance too often. */
static bool is_zlib(const struct image *image, int64_t at)
{
	const uint8_t *header = image->data + at;

	return image->size - at >= ZLIB_HEADER && header[0] == 0x78 &&
	       (header[1] == 0x01 || header[1] == 0x5e || header[1] == 0x9c || header[1] == 0xda);
}

/* Run through what is here, its checksum included where there is one. */
static int measure(const struct image *image, int64_t at, int window_bits, uint64_t *size, uint64_t *plain_size,
                   struct error *error)
{
	uint8_t piece[32768];
	z_stream z = {.next_in = (Bytef *)(image->data + at), .avail_in = (uInt)(image->size - at)};
	int ret = Z_OK;

	*size = *plain_size = 0;
	if (inflateInit2(&z, window_bits) != Z_OK)
		return patch_no_memory(error);
	while (ret == Z_OK && *plain_size <= RECIPE_SIZE_MAX) {
		z.next_out = piece;
		z.avail_out = sizeof(piece);
		ret = inflate(&z, Z_NO_FLUSH);
		*plain_size += sizeof(piece) - z.avail_out;
	}
	if (ret == Z_STREAM_END)
		*size = (uint64_t)(image->size - at) - z.avail_in;
	(void)inflateEnd(&z);
	return ret == Z_MEM_ERROR ? patch_no_memory(error) : 0;
}

int view_probe_deflate(struct view_parts *parts, const struct image *image, int64_t at, int64_t *next,
                       struct error *error)
{
	struct view_part part = {.raw_at = (uint64_t)at,
	                         .recipe = {.coder = RECIPE_DEFLATE, .settings = {[DEFLATE_WINDOW] = MAX_WBITS}}};
	bool zlib = is_zlib(image, at), gzip = image->data[at] == 0x1f;
	int64_t data = zlib ? at + ZLIB_HEADER : deflated_begin(image, at, NULL);
	int window_bits = zlib ? MAX_WBITS : gzip ? GZIP_WINDOW_BITS : -MAX_WBITS;
	uint64_t size, plain_size;
	int err;

	if (data >= image->size)
		return 0;
	part.recipe.container = zlib ? CONTAINER_ZLIB : gzip ? CONTAINER_GZIP : CONTAINER_NONE;
	err = measure(image, zlib || gzip ? at : data, window_bits, &size, &plain_size, error);
	if (!zlib)
		part.raw_at = (uint64_t)data;
	if (gzip && size > 0)
		size -= (uint64_t)(data - at);
	if (err < 0 || size == 0 || size > RECIPE_SIZE_MAX || plain_size == 0 || plain_size > RECIPE_SIZE_MAX)
		return err;
	part.raw_size = (uint32_t)size;
	part.plain_size = (uint32_t)plain_size;
	(void)recipe_guess(&part.recipe, 0);
	*next = (int64_t)(part.raw_at + part.raw_size);
	return view_parts_add(parts, &part, error);
}
