/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks of a squashfs 4.0 (squashfs_fs.h in Linux's fs/squashfs) with LZO, whose data have no marks of their own:
 * inodes and the table of fragments say where blocks are. With other coders they are found by themselves.
 */
#include "base/bytes.h"
#include "patch/buffer.h"
#include "patch/view_probe.h"

#include <lzo/lzo1x.h>
#include <stdlib.h>

#define MAGIC           0x73717368u
#define COMPRESSION_LZO 3
#define BLOCK_MAX       (1u << 20)
#define METADATA_SIZE   8192u
#define METADATA_STORED 0x8000u
#define BLOCK_STORED    (UINT32_C(1) << 24)
#define NO_FRAGMENT     UINT32_MAX
#define SUPERBLOCK_SIZE 96
#define FRAGMENT_SIZE   16u

/* In the superblock. Tables: inodes and folders, from where they begin; others by a list of where their blocks are. */
enum {
	BLOCK_SIZE_AT = 12,
	FRAGMENTS_AT = 16,
	COMPRESSION_AT = 20,
	VERSION_AT = 28,
	SIZE_AT = 40,
	IDS_AT = 48,
	INODES_AT = 64,
	FOLDERS_AT = 72,
	FRAGMENT_TABLE_AT = 80,
	EXPORTS_AT = 88,
};

/* Kinds of inodes; of each there is a long form, this much further on. */
enum { FOLDER = 1, FILE_INODE, LINK, BLOCK_DEVICE, CHARACTER_DEVICE, PIPE, SOCKET, LONG_FORM = 7 };

struct squashfs {
	const uint8_t *data; /* of the file system */
	uint64_t size;
	uint64_t image_at; /* where it begins */
	uint32_t block_size;
	uint8_t *plain; /* a block decoded; owned */
	struct view_parts *parts;
	struct error *error;
};

static uint64_t field(const struct squashfs *fs, size_t at)
{
	return get_le64(fs->data + at);
}

/* A block that is compressed becomes a part, if it is one. `plain_size`: what it decodes to, in fs->plain. */
static int add_block(struct squashfs *fs, uint64_t at, uint32_t size, uint32_t most, lzo_uint *plain_size)
{
	struct view_part part = {.raw_at = fs->image_at + at, .raw_size = size, .recipe.coder = RECIPE_LZO};

	*plain_size = most;
	if (size == 0 || at > fs->size || size > fs->size - at ||
	    lzo1x_decompress_safe(fs->data + at, size, fs->plain, plain_size, NULL) != LZO_E_OK || *plain_size == 0) {
		*plain_size = 0;
		return 0;
	}
	part.plain_size = (uint32_t)*plain_size;
	(void)recipe_guess(&part.recipe, 0);
	return view_parts_add(fs->parts, &part, fs->error);
}

/* Blocks of metadata from `at` up to `end`. `table`: what they hold; NULL: it does not matter. */
static int add_metadata(struct squashfs *fs, uint64_t at, uint64_t end, struct buffer *table)
{
	int err = 0;

	while (err == 0 && end <= fs->size && at < end && end - at > 2) {
		unsigned head = get_le16(fs->data + at);
		uint32_t size = head & ~METADATA_STORED;
		lzo_uint plain_size = size;

		at += 2;
		if (size == 0 || size > METADATA_SIZE || size > end - at)
			break;
		if (!(head & METADATA_STORED))
			err = add_block(fs, at, size, METADATA_SIZE, &plain_size);
		if (err == 0 && table)
			err = buffer_append(table, head & METADATA_STORED ? fs->data + at : fs->plain, plain_size,
			                    fs->error);
		at += size;
	}
	return err;
}

/* Where the first block of a table is that has a list of them, which is behind its blocks; SIZE_MAX: nowhere. */
static uint64_t first_block(const struct squashfs *fs, uint64_t list)
{
	uint64_t first = list <= fs->size && fs->size - list >= 8 ? get_le64(fs->data + list) : UINT64_MAX;

	return first < list ? first : UINT64_MAX;
}

static int add_fragments(struct squashfs *fs, const struct buffer *table)
{
	uint32_t count = get_le32(fs->data + FRAGMENTS_AT);
	int err = 0;

	for (size_t at = 0; err == 0 && count > 0 && table->size - at >= FRAGMENT_SIZE; at += FRAGMENT_SIZE, count--) {
		uint32_t size = get_le32(table->data + at + 8);
		lzo_uint plain_size;

		if (!(size & BLOCK_STORED))
			err = add_block(fs, get_le64(table->data + at), size, fs->block_size, &plain_size);
	}
	return err;
}

/* The blocks of a file, whose sizes are listed here; *length: of this list. */
static int add_file(struct squashfs *fs, const uint8_t *inode, size_t left, bool is_long, size_t *length)
{
	uint64_t at = is_long ? get_le64(inode + 16) : get_le32(inode + 16);
	uint64_t size = is_long ? get_le64(inode + 24) : get_le32(inode + 28);
	bool has_tail = get_le32(inode + (is_long ? 44 : 20)) != NO_FRAGMENT;
	uint64_t count = size / fs->block_size + (!has_tail && size % fs->block_size > 0);
	const uint8_t *list = inode + *length;
	int err = 0;

	if (count > (left - *length) / 4) {
		*length = 0;
		return 0;
	}
	for (uint64_t i = 0; err == 0 && i < count && at < fs->size; i++) {
		uint32_t block = get_le32(list + 4 * i);
		lzo_uint plain_size;

		if (!(block & BLOCK_STORED))
			err = add_block(fs, at, block, fs->block_size, &plain_size);
		at += block & ~BLOCK_STORED;
	}
	*length += (size_t)(4 * count);
	return err;
}

/* Of a long folder: its index. 0: it is cut off. */
static size_t folder_length(const uint8_t *inode, size_t left, size_t length)
{
	for (unsigned count = get_le16(inode + 32); count > 0; count--) {
		if (left - length < 12 || left - length - 12 <= get_le32(inode + length + 8))
			return 0;
		length += 12 + (size_t)get_le32(inode + length + 8) + 1;
	}
	return length;
}

static int add_inodes(struct squashfs *fs, const struct buffer *table)
{
	static const uint8_t lengths[] = {0, 32, 32, 24, 24, 24, 20, 20, 40, 56, 24, 28, 28, 24, 24};
	size_t length = 0;
	int err = 0;

	for (size_t at = 0; err == 0 && table->size - at >= 16; at += length) {
		const uint8_t *inode = table->data + at;
		size_t left = table->size - at;
		unsigned kind = get_le16(inode);

		length = kind < sizeof(lengths) ? lengths[kind] : 0;
		if (length == 0 || length > left)
			break;
		if (kind == FILE_INODE || kind == FILE_INODE + LONG_FORM)
			err = add_file(fs, inode, left, kind != FILE_INODE, &length);
		else if (kind == FOLDER + LONG_FORM)
			length = folder_length(inode, left, length);
		else if (kind == LINK || kind == LINK + LONG_FORM)
			length += get_le32(inode + 20) + (kind == LINK ? 0 : 4u);
		if (length == 0 || length > left)
			break;
	}
	return err;
}

static int compare_parts(const void *a, const void *b)
{
	const struct view_part *x = a, *y = b;

	return (x->raw_at > y->raw_at) - (x->raw_at < y->raw_at);
}

/* Files that are the same share their blocks; what overlaps in another way is none. */
static void put_in_order(struct view_parts *parts, size_t first)
{
	size_t count = first;

	qsort(parts->all + first, parts->count - first, sizeof(*parts->all), compare_parts);
	for (size_t i = first; i < parts->count; i++) {
		const struct view_part *before = count > first ? &parts->all[count - 1] : NULL;

		if (!before || before->raw_at + before->raw_size <= parts->all[i].raw_at)
			parts->all[count++] = parts->all[i];
	}
	parts->count = count;
}

static int add_all(struct squashfs *fs)
{
	uint64_t folders = field(fs, FOLDERS_AT), fragments = field(fs, FRAGMENT_TABLE_AT);
	uint64_t exports = field(fs, EXPORTS_AT), ids = field(fs, IDS_AT);
	uint64_t fragments_begin = first_block(fs, fragments), exports_begin = first_block(fs, exports);
	uint64_t ids_begin = first_block(fs, ids), folders_end = ids_begin;
	struct buffer inodes = {0}, table = {0};
	int err = add_metadata(fs, field(fs, INODES_AT), folders, &inodes);

	folders_end = exports_begin < folders_end ? exports_begin : folders_end;
	folders_end = fragments_begin < folders_end ? fragments_begin : folders_end;
	if (err == 0)
		err = add_inodes(fs, &inodes);
	if (err == 0)
		err = add_metadata(fs, folders, folders_end, NULL);
	if (err == 0)
		err = add_metadata(fs, fragments_begin, fragments, &table);
	if (err == 0)
		err = add_fragments(fs, &table);
	if (err == 0)
		err = add_metadata(fs, exports_begin, exports, NULL);
	if (err == 0)
		err = add_metadata(fs, ids_begin, ids, NULL);
	buffer_free(&inodes);
	buffer_free(&table);
	return err;
}

int view_probe_squashfs(struct view_parts *parts, const struct image *image, int64_t at, int64_t *next,
                        struct error *error)
{
	struct squashfs fs = {.data = image->data + at, .image_at = (uint64_t)at, .parts = parts, .error = error};
	size_t first = parts->count;
	int err;

	if (image->size - at < SUPERBLOCK_SIZE || get_le32(fs.data) != MAGIC ||
	    get_le16(fs.data + COMPRESSION_AT) != COMPRESSION_LZO || get_le32(fs.data + VERSION_AT) != 4)
		return 0;
	fs.size = field(&fs, SIZE_AT);
	fs.block_size = get_le32(fs.data + BLOCK_SIZE_AT);
	if (fs.size < SUPERBLOCK_SIZE || fs.size > (uint64_t)(image->size - at) || fs.block_size < METADATA_SIZE / 2 ||
	    fs.block_size > BLOCK_MAX)
		return 0;
	fs.plain = malloc(fs.block_size > METADATA_SIZE ? fs.block_size : METADATA_SIZE);
	if (!fs.plain)
		return patch_no_memory(error);
	err = add_all(&fs);
	free(fs.plain);
	put_in_order(parts, first);
	*next = at + (int64_t)fs.size;
	return err;
}
