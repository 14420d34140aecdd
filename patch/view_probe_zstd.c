/* SPDX-License-Identifier: Apache-2.0 */
/* zstd frames that say how large their content is. */
#include "patch/view_probe.h"

#include <string.h>
#include <zstd.h>

enum { MAGIC_SIZE = 4, HAS_DICTIONARY = 3, HAS_CHECKSUM = 4 };

int view_probe_zstd(struct view_parts *parts, const struct image *image, int64_t at, int64_t *next, struct error *error)
{
	const uint8_t *data = image->data + at;
	size_t left = (size_t)(image->size - at), raw_size;
	struct view_part part = {.raw_at = (uint64_t)at, .recipe.coder = RECIPE_ZSTD};
	unsigned long long plain_size;

	if (left <= MAGIC_SIZE || memcmp(data, "\x28\xb5\x2f\xfd", MAGIC_SIZE) != 0 ||
	    (data[MAGIC_SIZE] & HAS_DICTIONARY) != 0)
		return 0;
	raw_size = ZSTD_findFrameCompressedSize(data, left);
	plain_size = ZSTD_getFrameContentSize(data, left);
	/* What zstd has for errors is larger than that. */
	if (raw_size > RECIPE_SIZE_MAX || plain_size == 0 || plain_size > RECIPE_SIZE_MAX)
		return 0;
	part.raw_size = (uint32_t)raw_size;
	part.plain_size = (uint32_t)plain_size;
	(void)recipe_guess(&part.recipe, 0);
	part.recipe.settings[ZSTD_CHECKSUM] = (data[MAGIC_SIZE] & HAS_CHECKSUM) != 0;
	*next = at + (int64_t)raw_size;
	return view_parts_add(parts, &part, error);
}
