/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/patch/volume.h"

#include "base/bytes.h"
#include "tests/patch/squeeze.h"
#include <string.h>
#include <zlib.h>

#define BLOCK    ((size_t)4096)
#define BRANCHES 8

enum { INODE = 0, DATA = 1, PADDING = 5, SUPERBLOCK = 6, INDEX = 9 };

struct volume {
	const struct volume_settings *settings;
	struct bytes image;
	uint64_t sequence;
	struct bytes branches; /* of an index node that is to come */
};

/* Up to the LEB's end. */
static void end_leb(struct volume *volume)
{
	while (volume->image.size % VOLUME_LEB > 0)
		bytes_append(&volume->image, "\xff", 1);
}

/* Completes the node, frees it, and returns where it is. */
static size_t add_node(struct volume *volume, struct bytes node, uint8_t kind)
{
	size_t at;

	if (VOLUME_LEB - volume->image.size % VOLUME_LEB < node.size)
		end_leb(volume);
	at = volume->image.size;
	put_le32(node.data, 0x06101831);
	put_le64(node.data + 8, volume->sequence++);
	put_le32(node.data + 16, (uint32_t)node.size);
	node.data[20] = kind;
	put_le32(node.data + 4, ~(uint32_t)crc32(0, node.data + 8, (uInt)node.size - 8));
	bytes_append(&volume->image, node.data, node.size);
	bytes_free(&node);
	while (volume->image.size % 8 > 0)
		bytes_append(&volume->image, "", 1);
	return at;
}

static void add_index(struct volume *volume)
{
	struct bytes node = bytes_new(28);

	put_le16(node.data + 24, (uint16_t)(volume->branches.size / 20));
	bytes_append(&node, volume->branches.data, volume->branches.size);
	volume->branches.size = 0;
	(void)add_node(volume, node, INDEX);
}

static void add_branch(struct volume *volume, size_t at, size_t length, uint32_t inode, uint32_t block)
{
	uint8_t branch[20];

	put_le32(branch, (uint32_t)(at / VOLUME_LEB));
	put_le32(branch + 4, (uint32_t)(at % VOLUME_LEB));
	put_le32(branch + 8, (uint32_t)length);
	put_le32(branch + 12, inode);
	put_le32(branch + 16, block);
	bytes_append(&volume->branches, branch, sizeof(branch));
	if (volume->branches.size == BRANCHES * sizeof(branch))
		add_index(volume);
}

static void add_block(struct volume *volume, uint32_t inode, uint32_t block, const uint8_t *data, size_t size)
{
	const struct bytes plain = {.data = (uint8_t *)data, .size = size};
	struct bytes packed = squeeze_lzo(&plain, 8, false), node = bytes_new(48);
	bool is_packed = volume->settings->packed && packed.size < size;
	size_t length;

	put_le32(node.data + 24, inode);
	put_le32(node.data + 28, block | UINT32_C(1) << 29);
	put_le32(node.data + 40, (uint32_t)size);
	put_le16(node.data + 44, is_packed);
	bytes_append(&node, is_packed ? packed.data : data, is_packed ? packed.size : size);
	length = node.size;
	add_branch(volume, add_node(volume, node, DATA), length, inode, block | UINT32_C(1) << 29);
	bytes_free(&packed);
}

struct bytes volume_of(const struct bytes *files, size_t count, const struct volume_settings *settings)
{
	struct volume volume = {.settings = settings, .sequence = settings->sequence};
	struct bytes superblock = bytes_new(BLOCK);

	put_le32(superblock.data + 36, (uint32_t)VOLUME_LEB);
	(void)add_node(&volume, superblock, SUPERBLOCK);
	end_leb(&volume);
	for (size_t i = 0; i < count; i++) {
		uint32_t inode = (uint32_t)(64 + i);

		(void)add_node(&volume, bytes_new(160), INODE);
		for (size_t at = 0; at < files[i].size; at += BLOCK)
			add_block(&volume, inode, (uint32_t)(at / BLOCK), files[i].data + at,
			          files[i].size - at < BLOCK ? files[i].size - at : BLOCK);
		(void)add_node(&volume, bytes_new(28), PADDING);
	}
	add_index(&volume);
	end_leb(&volume);
	bytes_free(&volume.branches);
	return volume.image;
}
