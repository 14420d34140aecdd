/* SPDX-License-Identifier: Apache-2.0 */
/* Where a view shows files of UBIFS, by the keys of their data nodes. */
#include "base/bytes.h"
#include "patch/nodes.h"
#include "patch/view_sort.h"

#include <stdlib.h>

/* Of a data node (struct ubifs_data_node in Linux's fs/ubifs/ubifs-media.h): its key, and how it is compressed. */
enum { INODE_AT = 24, BLOCK_AT = 28, COMPRESSION_AT = 44 };
enum { STORED = 0 };

#define BLOCK_BITS 29
#define BLOCK_SIZE 4096u

static int add_extent(struct extents *extents, const struct extent *extent, struct error *error)
{
	struct extent *last = extents->list && extents->count > 0 ? &extents->list[extents->count - 1] : NULL;

	if (last && last->file == extent->file && last->at + last->size == extent->at &&
	    last->file_at + last->size == extent->file_at) {
		last->size += extent->size;
		return 0;
	}
	if (!extents->list || extents->count == extents->capacity) {
		size_t capacity = extents->capacity ? 2 * extents->capacity : 64;
		struct extent *list = reallocarray(extents->list, capacity, sizeof(*list));

		if (!list)
			return patch_no_memory(error);
		extents->list = list;
		extents->capacity = capacity;
	}
	extents->list[extents->count++] = *extent;
	return 0;
}

/* Parts of the view, in order, up to the first one that is behind what is looked for. */
struct search {
	struct view_cursor cursor;
	struct view_part next;
	bool has_next;
};

/* Where the view shows this data of a node, if it does: what is left compressed shows nothing. */
static bool find_shown(struct search *search, uint64_t raw_at, const struct nodes_data *node, struct extent *extent)
{
	const struct view *view = search->cursor.view;

	while (search->has_next && search->next.raw_at < raw_at)
		search->has_next = view_next(&search->cursor, &search->next);
	if (search->has_next && search->next.raw_at == raw_at) {
		extent->at = search->next.plain_at;
		extent->size = search->next.plain_size;
		return true;
	}
	extent->at = search->has_next ? search->next.plain_at - (search->next.raw_at - raw_at)
	                              : view->plain_size - (view->raw_size - raw_at);
	extent->size = node->size;
	return get_le16(node->head + COMPRESSION_AT) == STORED;
}

static int list_leb(struct search *search, const uint8_t *sorted, uint64_t leb_at, struct extents *extents,
                    struct error *error)
{
	struct nodes_walk walk = {.leb_at = 0};
	struct nodes_data node;
	int err = 0;

	while (err == 0 && nodes_next(&walk, sorted, search->cursor.view->sorted.leb_size, &node)) {
		uint32_t block = get_le32(node.head + BLOCK_AT) & ((UINT32_C(1) << BLOCK_BITS) - 1);
		struct extent extent = {.file = get_le32(node.head + INODE_AT),
		                        .file_at = (uint64_t)block * BLOCK_SIZE};

		if (find_shown(search, leb_at + node.at, &node, &extent))
			err = add_extent(extents, &extent, error);
	}
	return err;
}

int view_list_extents(const struct view *view, const struct image *sorted, struct extents *extents, struct error *error)
{
	struct search search = {.has_next = false};
	uint32_t leb_size = view->sorted.leb_size;
	int err = 0;

	view_seek_raw(&search.cursor, view, 0);
	search.has_next = view_next(&search.cursor, &search.next);
	for (uint64_t at = 0; err == 0 && leb_size > 0 && at < view->raw_size; at += leb_size)
		if (sorted_begins(&view->sorted, at))
			err = list_leb(&search, sorted->data + at, at, extents, error);
	return err;
}
