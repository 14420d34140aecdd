/* SPDX-License-Identifier: Apache-2.0 */
/* The blocks of an xz stream, by The .xz File Format. */
#include "patch/view_probe.h"

#include <lzma.h>
#include <string.h>

/* LZMA2's chunks: a control byte, and what follows by it. */
enum chunk_control { CHUNK_END = 0, CHUNK_STORED_MAX = 2, CHUNK_LZMA = 0x80, CHUNK_NEW_PROPERTIES = 0xc0 };

#define PROPERTIES_DEFAULT 0x5d /* lc 3, lp 0, pb 2; for data that are all stored */

static unsigned get_be16(const uint8_t *from)
{
	return (unsigned)from[0] << 8 | from[1];
}

/* How long the LZMA2 data at part->raw_at are, by the heads of their chunks; false: these are none, or empty. */
static bool measure(const struct image *image, struct view_part *part)
{
	const uint8_t *data = image->data;
	uint64_t size = (uint64_t)image->size, at = part->raw_at, plain = 0;
	uint8_t *properties = &part->recipe.settings[LZMA2_PROPERTIES];

	*properties = PROPERTIES_DEFAULT;
	for (bool is_first = true; at < size && data[at] != CHUNK_END && plain <= RECIPE_SIZE_MAX;) {
		uint8_t control = data[at];
		unsigned head = control < CHUNK_LZMA ? 3 : control < CHUNK_NEW_PROPERTIES ? 5 : 6;

		if (size - at < head || (control > CHUNK_STORED_MAX && control < CHUNK_LZMA))
			return false;
		if (control < CHUNK_LZMA) {
			plain += get_be16(data + at + 1) + 1;
			at += head + get_be16(data + at + 1) + 1;
			continue;
		}
		if (control >= CHUNK_NEW_PROPERTIES && is_first) {
			*properties = data[at + 5];
			is_first = false;
		}
		plain += ((control & 0x1fu) << 16) + get_be16(data + at + 1) + 1;
		at += head + get_be16(data + at + 3) + 1;
	}
	if (at >= size || data[at] != CHUNK_END || plain == 0 || plain > RECIPE_SIZE_MAX ||
	    at + 1 - part->raw_at > RECIPE_SIZE_MAX)
		return false;
	part->raw_size = (uint32_t)(at + 1 - part->raw_at);
	part->plain_size = (uint32_t)plain;
	return true;
}

/* False: filters, or settings of theirs, that recipes do not have. */
static bool set_filters(struct recipe *recipe, const lzma_filter *filter)
{
	const lzma_options_lzma *lzma2;
	uint8_t dictionary = 0;

	if (filter->id >= LZMA_FILTER_X86 && filter->id < LZMA_FILTER_LZMA2) {
		const lzma_options_bcj *options = filter->options;

		if (options && options->start_offset != 0)
			return false;
		recipe->settings[LZMA2_BRANCH] = (uint8_t)filter->id;
		filter++;
	}
	if (filter->id != LZMA_FILTER_LZMA2 || filter[1].id != LZMA_VLI_UNKNOWN)
		return false;
	lzma2 = filter->options;
	while (recipe_dictionary_size(dictionary) < lzma2->dict_size)
		dictionary++;
	recipe->settings[LZMA2_DICTIONARY] = dictionary;
	return true;
}

/* The part whose block's header is here; its raw_size is 0 if there is none. The block's filters are no more. */
static int read_block(const struct image *image, int64_t at, struct view_part *part, lzma_block *block,
                      struct error *error)
{
	lzma_ret ret;

	*part = (struct view_part){.recipe.coder = RECIPE_LZMA2};
	if (at >= image->size || image->data[at] == 0) /* the index has come */
		return 0;
	block->header_size = lzma_block_header_size_decode(image->data[at]);
	if (block->header_size > image->size - at)
		return 0;
	ret = lzma_block_header_decode(block, NULL, image->data + at);
	if (ret != LZMA_OK)
		return ret == LZMA_MEM_ERROR ? patch_no_memory(error) : 0;
	part->raw_at = (uint64_t)at + block->header_size;
	if (!set_filters(&part->recipe, block->filters) || !measure(image, part) ||
	    recipe_check(&part->recipe, NULL) < 0)
		part->raw_size = 0;
	lzma_filters_free(block->filters, NULL);
	return 0;
}

/*
 * The part becomes the whole stream that begins at `at`, if its block is the only one and the headers are such as
 * liblzma writes. What they say is not looked at: a stream that says something else is not reproduced.
 */
static void take_stream(const struct image *image, int64_t at, const lzma_block *block, struct view_part *part)
{
	uint64_t check_size = lzma_check_size(block->check);
	lzma_vli unpadded = block->header_size + part->raw_size + check_size;
	uint64_t behind = part->raw_at + part->raw_size, index, end;
	bool sized = block->compressed_size != LZMA_VLI_UNKNOWN;
	struct recipe recipe = part->recipe;

	behind += (4 - (behind - (uint64_t)at) % 4) % 4 + check_size;
	index = 2 + lzma_vli_size(unpadded) + lzma_vli_size(part->plain_size);
	index += (4 - index % 4) % 4 + 4;
	end = behind + index + LZMA_STREAM_HEADER_SIZE;
	recipe.container = CONTAINER_XZ;
	recipe.details[XZ_CHECK] = (uint8_t)((unsigned)block->check | (sized ? XZ_SIZED : 0));
	recipe.details[XZ_HEADER] = (uint8_t)(block->header_size / 4);
	if (end > (uint64_t)image->size || end - (uint64_t)at > RECIPE_SIZE_MAX || image->data[behind] != 0 ||
	    image->data[behind + 1] != 1 || sized != (block->uncompressed_size != LZMA_VLI_UNKNOWN) ||
	    recipe_check(&recipe, NULL) < 0)
		return;
	part->recipe = recipe;
	part->raw_at = (uint64_t)at;
	part->raw_size = (uint32_t)(end - (uint64_t)at);
}

int view_probe_xz(struct view_parts *parts, const struct image *image, int64_t at, int64_t *next, struct error *error)
{
	static const uint8_t magic[] = {0xfd, '7', 'z', 'X', 'Z', 0};
	int64_t block_at = at + LZMA_STREAM_HEADER_SIZE;
	lzma_stream_flags flags;
	struct view_part part;
	int err;

	if (image->size - at < LZMA_STREAM_HEADER_SIZE || memcmp(image->data + at, magic, sizeof(magic)) != 0 ||
	    lzma_stream_header_decode(&flags, image->data + at) != LZMA_OK)
		return 0;
	do {
		lzma_filter filters[LZMA_FILTERS_MAX + 1];
		lzma_block block = {.version = 1, .check = flags.check, .filters = filters};

		err = read_block(image, block_at, &part, &block, error);
		if (err < 0 || part.raw_size == 0)
			break;
		if (block_at == at + LZMA_STREAM_HEADER_SIZE)
			take_stream(image, at, &block, &part);
		err = view_parts_add(parts, &part, error);
		*next = (int64_t)(part.raw_at + part.raw_size);
		/* Blocks are padded to multiples of 4 from their beginnings. */
		block_at = *next + (4 - (*next - block_at) % 4) % 4 + lzma_check_size(flags.check);
	} while (err == 0 && part.recipe.container == CONTAINER_NONE);
	return err;
}
