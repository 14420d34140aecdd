/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/view_sort.h"

#include "base/bytes.h"
#include "patch/nodes.h"
#include <stdlib.h>
#include <string.h>

/* The superblock, which is the first node (struct ubifs_sb_node in Linux's fs/ubifs/ubifs-media.h). */
#define MAGIC 0x06101831u
enum { KIND_AT = 20, LEB_SIZE_AT = 36, SUPERBLOCK_SIZE = 4096 };
enum { SUPERBLOCK_NODE = 6 };

/* 0: it is no image of UBIFS, or none whose LEBs can be sorted. */
static uint32_t leb_size_of(const struct image *image, uint32_t unit)
{
	uint32_t size;

	if (image->size < SUPERBLOCK_SIZE || get_le32(image->data) != MAGIC || image->data[KIND_AT] != SUPERBLOCK_NODE)
		return 0;
	size = get_le32(image->data + LEB_SIZE_AT);
	return size >= SORTED_LEB_MIN && size <= SORTED_LEB_MAX && unit % size == 0 ? size : 0;
}

static bool add_leb(struct sorted *sorted, uint32_t leb)
{
	struct sorted_run *last = &sorted->runs[sorted->count];

	if (sorted->count > 0 && last[-1].first + last[-1].count == leb) {
		last[-1].count++;
		return true;
	}
	if (sorted->count == SORTED_RUNS_MAX)
		return false;
	*last = (struct sorted_run){.first = leb, .count = 1};
	sorted->count++;
	return true;
}

int view_sort(const struct image *image, uint32_t unit, struct sorted *sorted, struct buffer *data, struct error *error)
{
	uint32_t size = leb_size_of(image, unit);
	uint8_t *again = NULL;
	int err = 0;

	*sorted = (struct sorted){.leb_size = size};
	if (size == 0)
		return 0;
	again = malloc(size);
	err = again ? buffer_append(data, image->data, (size_t)image->size, error) : patch_no_memory(error);
	for (uint32_t leb = 0; err == 0 && leb < (uint64_t)image->size / size; leb++) {
		const uint8_t *from = image->data + (size_t)leb * size;
		uint8_t *to = data->data + (size_t)leb * size;

		nodes_sort(from, size, to);
		nodes_restore(to, size, again);
		/* Where nothing is to be sorted, it is a matter of indifference. */
		if (memcmp(again, from, size) != 0 || memcmp(to, from, size) == 0 || !add_leb(sorted, leb))
			memcpy(to, from, size);
	}
	free(again);
	if (sorted->count == 0) {
		*sorted = (struct sorted){.leb_size = 0};
		data->size = 0;
	}
	return err;
}
