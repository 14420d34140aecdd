/* SPDX-License-Identifier: Apache-2.0 */
/* xz streams of one block (The .xz File Format 1.1.0), by liblzma. */
#include "patch/recipe_container.h"

#include "base/bytes.h"
#include "patch/recipe_lzma2.h"

enum { INDEX_MAX = 32, BACKWARD_AT = 4, ALIGNMENT = 4 };

static lzma_check check_of(const struct recipe *recipe)
{
	return (lzma_check)(recipe->details[XZ_CHECK] & ~XZ_SIZED);
}

static uint32_t header_size(const struct recipe *recipe)
{
	return 4u * recipe->details[XZ_HEADER];
}

static bool is_known(const struct recipe *recipe)
{
	lzma_check check = check_of(recipe);

	return recipe->coder == RECIPE_LZMA2 && header_size(recipe) >= LZMA_BLOCK_HEADER_SIZE_MIN &&
	       (check == LZMA_CHECK_NONE || check == LZMA_CHECK_CRC32 || check == LZMA_CHECK_CRC64) &&
	       lzma_check_is_supported(check);
}

static bool holds(const struct recipe *recipe)
{
	return (recipe->details[XZ_CHECK] & XZ_SIZED) != 0;
}

/* How long the block is, header, check and all but its padding, says the index; 0: it does not. */
static int read_index(const struct reader *raw, uint64_t *block)
{
	uint8_t footer[LZMA_STREAM_HEADER_SIZE], index[INDEX_MAX];
	size_t used = 2; /* its mark, and the number of blocks */
	lzma_vli size = 0;
	uint64_t index_size;
	int err = raw->read_at(raw->ctx, raw->size - sizeof(footer), footer, sizeof(footer));

	*block = 0;
	if (err < 0)
		return err;
	index_size = 4 * ((uint64_t)get_le32(footer + BACKWARD_AT) + 1);
	if (index_size > sizeof(index) || index_size > raw->size - sizeof(footer))
		return 0;
	err = raw->read_at(raw->ctx, raw->size - sizeof(footer) - index_size, index, (size_t)index_size);
	if (err == 0 && lzma_vli_decode(&size, NULL, index, &used, (size_t)index_size) == LZMA_OK)
		*block = size;
	return err;
}

static int strip(const struct recipe *recipe, const struct reader *raw, uint64_t *at, uint64_t *size,
                 struct error *error)
{
	uint64_t front = LZMA_STREAM_HEADER_SIZE + header_size(recipe);
	uint64_t around = header_size(recipe) + lzma_check_size(check_of(recipe));
	uint64_t block = 0;
	int err = raw->size > front ? read_index(raw, &block) : 0;

	if (err == 0 && (block < around || block - around > raw->size - front))
		return patch_broken(error, "old content: no xz stream as the patch claims");
	*at = front;
	*size = block - around;
	return err;
}

static uint64_t add(const struct container *container, const void *plain, size_t length)
{
	switch (check_of(&container->recipe)) {
	case LZMA_CHECK_CRC32:
		return lzma_crc32(plain, length, (uint32_t)container->sum);
	case LZMA_CHECK_CRC64:
		return lzma_crc64(plain, length, container->sum);
	default:
		return 0;
	}
}

static int refused(const struct container *container)
{
	return error_set(container->error, 0, EINVAL, "patch: liblzma cannot make such a stream");
}

static int front(const struct container *container, uint8_t *to, size_t *size)
{
	const struct recipe *recipe = &container->recipe;
	lzma_stream_flags flags = {.check = check_of(recipe), .backward_size = LZMA_VLI_UNKNOWN};
	struct lzma2_chain chain;
	lzma_block block = {.version = 1,
	                    .check = check_of(recipe),
	                    .header_size = header_size(recipe),
	                    .compressed_size = holds(recipe) ? container->coded_size : LZMA_VLI_UNKNOWN,
	                    .uncompressed_size = holds(recipe) ? container->plain_size : LZMA_VLI_UNKNOWN,
	                    .filters = chain.filters};

	lzma2_chain_set(&chain, recipe, recipe_dictionary_size(recipe->settings[LZMA2_DICTIONARY]));
	*size = LZMA_STREAM_HEADER_SIZE + block.header_size;
	return lzma_stream_header_encode(&flags, to) == LZMA_OK &&
	                       lzma_block_header_encode(&block, to + LZMA_STREAM_HEADER_SIZE) == LZMA_OK
	               ? 0
	               : refused(container);
}

/* Of one block. */
static size_t put_index(uint8_t *to, lzma_vli block, lzma_vli plain_size)
{
	size_t at = 0;

	to[at++] = 0;
	to[at++] = 1;
	/* Sizes of recipes are such that these do not fail. */
	(void)lzma_vli_encode(block, NULL, to, &at, INDEX_MAX);
	(void)lzma_vli_encode(plain_size, NULL, to, &at, INDEX_MAX);
	while (at % ALIGNMENT != 0)
		to[at++] = 0;
	put_le32(to + at, lzma_crc32(to, at, 0));
	return at + 4;
}

static int back(const struct container *container, uint8_t *to, size_t *size)
{
	lzma_stream_flags flags = {.check = check_of(&container->recipe)};
	size_t check_size = lzma_check_size(flags.check), at = 0;

	while ((container->coded_size + at) % ALIGNMENT != 0)
		to[at++] = 0;
	for (size_t i = 0; i < check_size; i++)
		to[at++] = (uint8_t)(container->sum >> (8 * i));
	flags.backward_size = put_index(to + at, header_size(&container->recipe) + container->coded_size + check_size,
	                                container->plain_size);
	at += (size_t)flags.backward_size;
	*size = at + LZMA_STREAM_HEADER_SIZE;
	return lzma_stream_footer_encode(&flags, to + at) == LZMA_OK ? 0 : refused(container);
}

const struct container_ops container_xz = {
	.is_known = is_known,
	.holds = holds,
	.strip = strip,
	.add = add,
	.front = front,
	.back = back,
};
