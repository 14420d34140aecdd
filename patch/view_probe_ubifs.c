/* SPDX-License-Identifier: Apache-2.0 */
/* Data nodes of UBIFS (struct ubifs_data_node in Linux's fs/ubifs/ubifs-media.h). */
#include "base/bytes.h"
#include "patch/nodes.h"
#include "patch/view_probe.h"

#include <zlib.h>

#define MAGIC 0x06101831u

enum { CRC_AT = 4, CHECKED_AT = 8, LENGTH_AT = 16, TYPE_AT = 20, SIZE_AT = 40, COMPRESSION_AT = 44, NODE_SIZE = 48 };
enum { DATA_NODE = 1 };
enum { COMPRESSION_LZO = 1, COMPRESSION_ZLIB = 2, COMPRESSION_ZSTD = 3 };

#define BLOCK_SIZE       4096u
#define ZLIB_WINDOW_BITS 11

/* The part's coder and size as the node's head has them. False: stored, or by a coder that is not known. */
static bool read_head(struct view_part *part, const uint8_t *head)
{
	part->plain_size = get_le32(head + SIZE_AT);
	switch (get_le16(head + COMPRESSION_AT)) {
	case COMPRESSION_LZO:
		part->recipe.coder = RECIPE_LZO;
		break;
	case COMPRESSION_ZLIB:
		part->recipe.coder = RECIPE_DEFLATE;
		part->recipe.settings[DEFLATE_WINDOW] = ZLIB_WINDOW_BITS;
		break;
	default:
		return false;
	}
	(void)recipe_guess(&part->recipe, 0);
	return part->plain_size > 0 && part->plain_size <= BLOCK_SIZE;
}

int view_probe_ubifs(struct view_parts *parts, const struct image *image, int64_t at, int64_t *next,
                     struct error *error)
{
	const uint8_t *node = image->data + at;
	struct view_part part = {.raw_at = (uint64_t)at + NODE_SIZE};
	uint32_t length;

	if (image->size - at <= NODE_SIZE || get_le32(node) != MAGIC || node[TYPE_AT] != DATA_NODE)
		return 0;
	length = get_le32(node + LENGTH_AT);
	if (length <= NODE_SIZE || length > image->size - at ||
	    get_le32(node + CRC_AT) != ~(uint32_t)crc32(0, node + CHECKED_AT, length - CHECKED_AT) ||
	    !read_head(&part, node)) /* zstd's frames are found by themselves */
		return 0;
	part.raw_size = length - NODE_SIZE;
	*next = at + length;
	return view_parts_add(parts, &part, error);
}

int view_probe_sorted(struct view_parts *parts, const struct image *image, int64_t leb_at, uint32_t leb_size,
                      struct error *error)
{
	struct nodes_walk walk = {.leb_at = 0};
	struct nodes_data node;
	int err = 0;

	while (err == 0 && nodes_next(&walk, image->data + leb_at, leb_size, &node)) {
		struct view_part part = {.raw_at = (uint64_t)leb_at + node.at, .raw_size = (uint32_t)node.size};
		int64_t end;

		if (get_le16(node.head + COMPRESSION_AT) == COMPRESSION_ZSTD)
			err = view_probe_zstd(parts, image, (int64_t)part.raw_at, &end, error);
		else if (read_head(&part, node.head))
			err = view_parts_add(parts, &part, error);
	}
	return err;
}
