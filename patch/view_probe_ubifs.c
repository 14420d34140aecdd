/* SPDX-License-Identifier: Apache-2.0 */
/* Data nodes of UBIFS (struct ubifs_data_node in Linux's fs/ubifs/ubifs-media.h). */
#include "base/bytes.h"
#include "patch/view_probe.h"

#include <zlib.h>

#define MAGIC 0x06101831u

enum { CRC_AT = 4, CHECKED_AT = 8, LENGTH_AT = 16, TYPE_AT = 20, SIZE_AT = 40, COMPRESSION_AT = 44, NODE_SIZE = 48 };
enum { DATA_NODE = 1 };
enum { COMPRESSION_LZO = 1, COMPRESSION_ZLIB = 2 };

#define BLOCK_SIZE       4096u
#define ZLIB_WINDOW_BITS 11

int view_probe_ubifs(struct view_parts *parts, const struct image *image, int64_t at, int64_t *next,
                     struct error *error)
{
	const uint8_t *node = image->data + at;
	struct view_part part = {.raw_at = (uint64_t)at + NODE_SIZE};
	uint32_t length;

	if (image->size - at <= NODE_SIZE || get_le32(node) != MAGIC || node[TYPE_AT] != DATA_NODE)
		return 0;
	length = get_le32(node + LENGTH_AT);
	part.plain_size = get_le32(node + SIZE_AT);
	if (length <= NODE_SIZE || length > image->size - at || part.plain_size == 0 || part.plain_size > BLOCK_SIZE ||
	    get_le32(node + CRC_AT) != ~(uint32_t)crc32(0, node + CHECKED_AT, length - CHECKED_AT))
		return 0;
	part.raw_size = length - NODE_SIZE;
	switch (get_le16(node + COMPRESSION_AT)) {
	case COMPRESSION_LZO:
		part.recipe.coder = RECIPE_LZO;
		break;
	case COMPRESSION_ZLIB:
		part.recipe.coder = RECIPE_DEFLATE;
		part.recipe.settings[DEFLATE_WINDOW] = ZLIB_WINDOW_BITS;
		break;
	default: /* zstd's frames are found by themselves */
		return 0;
	}
	(void)recipe_guess(&part.recipe, 0);
	*next = at + length;
	return view_parts_add(parts, &part, error);
}
