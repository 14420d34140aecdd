/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/patch/squash.h"

#include "base/bytes.h"
#include "tests/patch/squeeze.h"
#include <string.h>

#define METADATA_SIZE ((size_t)8192)
#define STORED        (UINT32_C(1) << 24)
#define NOTHING       UINT64_MAX

struct squashing {
	const struct squash_settings *settings;
	struct bytes image;
	struct bytes inodes;
	struct bytes tails; /* of files, in the one fragment */
};

static void add_number(struct bytes *to, uint64_t value, size_t size)
{
	uint8_t bytes[8];

	put_le64(bytes, value);
	bytes_append(to, bytes, size);
}

/* Returns the size as a list of blocks has it. */
static uint32_t add_block(struct squashing *s, const uint8_t *data, size_t size)
{
	const struct bytes plain = {.data = (uint8_t *)data, .size = size};
	struct bytes packed = squeeze_lzo(&plain, s->settings->level, s->settings->optimized);
	bool stored = packed.size >= size;
	uint32_t listed = stored ? (uint32_t)size | STORED : (uint32_t)packed.size;

	bytes_append(&s->image, stored ? data : packed.data, stored ? size : packed.size);
	bytes_free(&packed);
	return listed;
}

/* Returns where it begins. */
static uint64_t add_metadata(struct squashing *s, const struct bytes *table)
{
	uint64_t begin = s->image.size;

	for (size_t at = 0; at < table->size; at += METADATA_SIZE) {
		size_t size = table->size - at < METADATA_SIZE ? table->size - at : METADATA_SIZE;
		size_t head = s->image.size;
		uint32_t listed;

		add_number(&s->image, 0, 2);
		listed = add_block(s, table->data + at, size);
		put_le16(s->image.data + head, (uint16_t)(listed & STORED ? size | 0x8000 : listed));
	}
	return begin;
}

/* Returns where the list of its blocks is. */
static uint64_t add_table(struct squashing *s, const struct bytes *table)
{
	uint64_t begin = add_metadata(s, table), list = s->image.size;

	add_number(&s->image, begin, 8);
	return list;
}

static void begin_inode(struct squashing *s, unsigned kind)
{
	add_number(&s->inodes, kind, 2);
	add_number(&s->inodes, 0x1a4, 2);
	add_number(&s->inodes, 0, 4);
	add_number(&s->inodes, 1700000000, 8);
}

/* With so many bytes more, which are 0. */
static void add_inode(struct squashing *s, unsigned kind, size_t more)
{
	begin_inode(s, kind);
	for (size_t i = 0; i < more; i++)
		add_number(&s->inodes, 0, 1);
}

/* All kinds that have no blocks. */
static void add_others(struct squashing *s)
{
	static const uint8_t more[] = {
		[1] = 16, [4] = 8, [5] = 8, [6] = 4, [7] = 4, [11] = 12, [12] = 12, [13] = 8, [14] = 8};

	for (unsigned kind = 0; kind < sizeof(more); kind++)
		if (more[kind])
			add_inode(s, kind, more[kind]);
	add_inode(s, 3, 8 + 5);
	put_le32(s->inodes.data + s->inodes.size - 9, 5);
	add_inode(s, 10, 8 + 5 + 4);
	put_le32(s->inodes.data + s->inodes.size - 13, 5);
	add_inode(s, 8, 24 + 2 * (12 + 3)); /* an index of two names */
	put_le16(s->inodes.data + s->inodes.size - 38, 2);
	put_le32(s->inodes.data + s->inodes.size - 22, 2);
	put_le32(s->inodes.data + s->inodes.size - 7, 2);
}

static void add_file(struct squashing *s, const struct bytes *file, bool is_long)
{
	bool has_tail = s->settings->has_fragments && file->size % SQUASH_BLOCK > 0;
	uint64_t begin = s->image.size;
	size_t end = has_tail ? file->size - file->size % SQUASH_BLOCK : file->size;
	struct bytes list = {0};

	for (size_t at = 0; at < end; at += SQUASH_BLOCK)
		add_number(&list, add_block(s, file->data + at, end - at < SQUASH_BLOCK ? end - at : SQUASH_BLOCK), 4);
	begin_inode(s, is_long ? 9 : 2);
	add_number(&s->inodes, begin, is_long ? 8 : 4);
	if (is_long) {
		add_number(&s->inodes, file->size, 8);
		add_number(&s->inodes, 0, 8);
		add_number(&s->inodes, 1, 4);
	}
	add_number(&s->inodes, has_tail ? 0 : UINT32_MAX, 4);
	add_number(&s->inodes, has_tail ? s->tails.size : 0, 4);
	add_number(&s->inodes, is_long ? UINT32_MAX : file->size, 4);
	bytes_append(&s->inodes, list.data, list.size);
	bytes_append(&s->tails, file->data + end, file->size - end);
	bytes_free(&list);
}

static uint64_t add_fragment(struct squashing *s, uint64_t begin, uint32_t listed)
{
	struct bytes table = {0};
	uint64_t at;

	add_number(&table, begin, 8);
	add_number(&table, listed, 8);
	at = add_table(s, &table);
	bytes_free(&table);
	return at;
}

struct bytes squash(const struct bytes *files, size_t count, const struct squash_settings *settings)
{
	struct squashing s = {.settings = settings, .image = bytes_new(96)};
	struct bytes folders = text_bytes(9000, 99), ids = text_bytes(400, 98);
	uint64_t inodes_at, folders_at, fragments_at = NOTHING, exports_at = NOTHING, ids_at, tails_at;
	uint32_t listed = 0;
	uint8_t *head;

	for (size_t i = 0; i < count; i++) {
		add_others(&s);
		add_file(&s, &files[i], i % 2 == 1);
	}
	tails_at = s.image.size;
	if (settings->has_fragments)
		listed = add_block(&s, s.tails.data, s.tails.size);
	inodes_at = add_metadata(&s, &s.inodes);
	folders_at = add_metadata(&s, &folders);
	if (settings->has_fragments)
		fragments_at = add_fragment(&s, tails_at, listed);
	if (settings->has_exports)
		exports_at = add_table(&s, &ids);
	ids_at = add_table(&s, &ids);
	head = s.image.data;
	put_le32(head, 0x73717368);
	put_le32(head + 12, SQUASH_BLOCK);
	put_le32(head + 16, settings->has_fragments);
	put_le16(head + 20, 3);
	put_le16(head + 28, 4);
	put_le64(head + 40, s.image.size);
	put_le64(head + 48, ids_at);
	put_le64(head + 56, NOTHING);
	put_le64(head + 64, inodes_at);
	put_le64(head + 72, folders_at);
	put_le64(head + 80, fragments_at);
	put_le64(head + 88, exports_at);
	bytes_free(&folders);
	bytes_free(&ids);
	bytes_free(&s.inodes);
	bytes_free(&s.tails);
	return s.image;
}
