/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"
#include "gentools/image_crc.h"
#include "gentools/image_squashfs.h"
#include "gentools/image_ubi.h"
#include "gentools/image_ubifs.h"

#include <stdlib.h>
#include <string.h>

/* The input is an image without what is erased: its pages' count, then number and content of each page that is not. */
enum { PAGE = 256, MAX_PAGES = 4096, RECORD = 2 + PAGE };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

/* libsquashfs asks for what a file's size makes necessary, and copes when there is not so much. */
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1:max_allocation_size_mb=1024";
}

static uint8_t *make_image(const uint8_t *data, size_t size, size_t *image_size)
{
	size_t pages = get_le16(data) % MAX_PAGES + 1u;
	uint8_t *image = malloc(pages * PAGE);

	if (!image)
		return NULL;
	memset(image, 0xff, pages * PAGE);
	for (size_t at = 2; size - at >= RECORD; at += RECORD)
		memcpy(image + get_le16(data + at) % pages * PAGE, data + at + 2, PAGE);
	*image_size = pages * PAGE;
	return image;
}

static void put_be32(uint8_t *p, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Checksums hold off nobody who means it. */
static void repair(uint8_t *image, size_t size)
{
	for (size_t at = 0; at + 64 <= size; at += 8) {
		uint8_t *node = image + at;
		uint32_t length = get_le32(node + 16);

		if (get_le32(node) == UBIFS_MAGIC && length >= 24 && length <= size - at)
			put_le32(node + 4, image_crc(node + 8, length - 8));
		else if (memcmp(node, "UBI", 3) == 0)
			put_be32(node + 60, image_crc(node, 60));
	}
}

static void unpack(const struct reader *reader, uint32_t block_size, struct tree *tree)
{
	struct image_place place = {.tree = tree, .folder = "SYSTEM", .room = 1 << 20};
	struct error error;
	uint8_t magic[4];

	if (reader->size < sizeof(magic) || reader->read_at(reader->ctx, 0, magic, sizeof(magic)) < 0)
		return;
	if (memcmp(magic, SQUASHFS_MAGIC, sizeof(magic)) == 0)
		(void)image_unpack_squashfs(reader, &place, &error); /* may fail, must not crash */
	else
		(void)image_unpack_ubifs(reader, block_size, &place, &error); /* as above */
}

/* Any bytes as an image of a file system, or of a flash with UBI, with good checksums. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tree tree = {.name = "image", .spool = {.fd = -1}};
	struct memory_block block;
	struct reader reader;
	struct error error;
	struct ubi ubi;
	uint8_t *image;

	if (size < 2)
		return 0;
	image = make_image(data, size, &block.size);
	if (!image || spool_open(&tree.spool) < 0)
		abort();
	repair(image, block.size);
	block.data = image;
	reader = reader_from_memory(&block);
	if (memcmp(image, UBI_MAGIC, 4) != 0) {
		unpack(&reader, 0, &tree);
	} else {
		bool opened = ubi_open(&ubi, image, block.size, &error) == 0;

		for (size_t i = 0; opened && i < ubi.volume_count; i++) {
			reader = ubi_volume_reader(&ubi.volumes[i]);
			unpack(&reader, ubi.volumes[i].block_size, &tree);
		}
		ubi_close(&ubi);
	}
	tree_free(&tree);
	free(image);
	return 0;
}
