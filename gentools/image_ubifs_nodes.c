/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/image_ubifs_nodes.h"

#include "base/bytes.h"
#include "gentools/image_crc.h"
#include "gentools/image_ubifs.h"
#include "gentools/order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Types of nodes other than enum ubifs_kind. */
enum { NODE_PADDING = 5, NODE_SUPERBLOCK = 6, NODE_MASTER = 7, NODE_INDEX = 9, NODE_COMMIT = 10 };

enum {
	HEADER_SIZE = 24,
	SUPERBLOCK_SIZE = 4096,
	MASTER_SIZE = 512,
	COMMIT_SIZE = 32,
	INDEX_SIZE = 28,
	BRANCH_SIZE = 20,
	LEAST_BLOCK_SIZE = 15 * 1024,
	/* A tree of the least fanout, three, with so many levels exceeds any flash. */
	MAX_LEVELS = 64,
};

#define MAX_BLOCK_SIZE (64u << 20)

/* Flags of the superblock and of the master node. */
enum { IS_ENCRYPTED = 0x10, IS_SIGNED = 0x20, MASTER_DIRTY = 1 };

#define FIRST_MASTER 1u /* there are two, in blocks of their own */
#define MASTERS      2u

static int failed(struct error *error, const char *what)
{
	return error_set(error, RESULT_FORMAT, EINVAL, "UBIFS: %s", what);
}

static int damaged(uint32_t block, uint32_t offset, struct error *error)
{
	return error_set(error, RESULT_FORMAT, EINVAL, "UBIFS: damaged at block %u, byte %u", block, offset);
}

/* -EINVAL when there is no whole node of this type and length. */
static int read_node(struct ubifs *fs, uint32_t block, uint32_t offset, uint32_t length, unsigned type)
{
	uint8_t *node = fs->node;
	int err;

	if (length < HEADER_SIZE || offset > fs->block_size || length > fs->block_size - offset)
		return -EINVAL;
	err = fs->reader->read_at(fs->reader->ctx, (uint64_t)block * fs->block_size + offset, node, length);
	if (err < 0)
		return err;
	return get_le32(node) == UBIFS_MAGIC && get_le32(node + 16) == length && node[20] == type &&
	                       get_le32(node + 4) == image_crc(node + 8, length - 8)
	               ? 0
	               : -EINVAL;
}

static int read_superblock(struct ubifs *fs, uint32_t block_size, struct error *error)
{
	uint8_t start[SUPERBLOCK_SIZE];
	uint32_t flags;

	if (fs->reader->size < sizeof(start) || fs->reader->read_at(fs->reader->ctx, 0, start, sizeof(start)) < 0 ||
	    get_le32(start) != UBIFS_MAGIC || start[20] != NODE_SUPERBLOCK ||
	    get_le32(start + 4) != image_crc(start + 8, sizeof(start) - 8))
		return failed(error, "damaged superblock");
	fs->page_size = get_le32(start + 32);
	fs->block_size = get_le32(start + 36);
	flags = get_le32(start + 28);
	if (start[27] != 0 || get_le32(start + 124) != 0 || get_le32(start + 80) < 4)
		return failed(error, "a format of another version");
	if (flags & (IS_ENCRYPTED | IS_SIGNED))
		return failed(error, "encrypted or signed");
	if (fs->block_size < LEAST_BLOCK_SIZE || fs->block_size > MAX_BLOCK_SIZE || fs->page_size == 0 ||
	    (fs->page_size & (fs->page_size - 1)) != 0 || fs->page_size > fs->block_size)
		return failed(error, "its superblock makes no sense");
	if (block_size != 0 && block_size != fs->block_size)
		return error_set(
			error, RESULT_FORMAT, EINVAL,
			"UBIFS: made for logical erase blocks of %u bytes (mkfs.ubifs -e), those of its volume have %u",
			fs->block_size, block_size);
	return 0;
}

static uint32_t align(uint32_t value, uint32_t to)
{
	return (value + to - 1) / to * to;
}

/* The last of the nodes in one of the masters' blocks. */
static int read_master(struct ubifs *fs, uint32_t block, uint8_t master[MASTER_SIZE], struct error *error)
{
	uint32_t step = align(MASTER_SIZE, fs->page_size);
	uint32_t count = 0;

	while (read_node(fs, block, count * step, MASTER_SIZE, NODE_MASTER) == 0) {
		memcpy(master, fs->node, MASTER_SIZE);
		count++;
	}
	return count > 0 ? 0 : damaged(block, 0, error);
}

/* Erased, or a page's rest. */
static bool is_unused(const struct ubifs *fs, uint32_t block, uint32_t offset)
{
	uint8_t header[HEADER_SIZE];
	bool erased = true;

	if (offset > fs->block_size - HEADER_SIZE)
		return true;
	if (fs->reader->read_at(fs->reader->ctx, (uint64_t)block * fs->block_size + offset, header, sizeof(header)) < 0)
		return false;
	for (size_t i = 0; i < sizeof(header); i++)
		erased = erased && header[i] == 0xff;
	return erased || (get_le32(header) == UBIFS_MAGIC && header[20] == NODE_PADDING);
}

/* Behind the start of the last commit nothing may be in the journal: it would change what the index tells. */
static int check_journal(struct ubifs *fs, const uint8_t *master, struct error *error)
{
	uint32_t block = get_le32(master + 44);

	if (read_node(fs, block, 0, COMMIT_SIZE, NODE_COMMIT) < 0 ||
	    get_le64(fs->node + HEADER_SIZE) != get_le64(master + 32))
		return damaged(block, 0, error);
	if (!is_unused(fs, block, COMMIT_SIZE) || !is_unused(fs, block, align(COMMIT_SIZE, fs->page_size)))
		return failed(error, "taken from a module that wrote to it, with a journal that is not empty; take the "
		                     "image that mkfs.ubifs made");
	return 0;
}

/* Where the index begins, as a branch, from two masters that agree. */
static int read_masters(struct ubifs *fs, struct ubifs_branch *root, struct error *error)
{
	uint8_t masters[MASTERS][MASTER_SIZE] = {{0}};

	for (uint32_t i = 0; i < MASTERS; i++) {
		int err = read_master(fs, FIRST_MASTER + i, masters[i], error);

		if (err < 0)
			return err;
	}
	if (memcmp(masters[0] + HEADER_SIZE, masters[1] + HEADER_SIZE, MASTER_SIZE - HEADER_SIZE) != 0 ||
	    get_le32(masters[0] + 40) & MASTER_DIRTY)
		return failed(error, "taken from a module while it was mounted; take the image that mkfs.ubifs made");
	*root = (struct ubifs_branch){
		.block = get_le32(masters[0] + 48),
		.offset = get_le32(masters[0] + 52),
		.length = get_le32(masters[0] + 56),
	};
	return check_journal(fs, masters[0], error);
}

static int add_branch(struct ubifs *fs, struct ubifs_branches *branches, const uint8_t *at, struct error *error)
{
	/* No two branches lead to the same node: there are no more of them than nodes would fit. */
	if (branches->count >= fs->reader->size / HEADER_SIZE)
		return failed(error, "its index is larger than the file system");
	if (branches->count == branches->capacity) {
		size_t capacity = branches->capacity ? 2 * branches->capacity : 64;
		struct ubifs_branch *all = reallocarray(branches->all, capacity, sizeof(*all));

		if (!all)
			return error_set(error, 0, ENOMEM, "out of memory");
		branches->all = all;
		branches->capacity = capacity;
	}
	branches->all[branches->count++] = (struct ubifs_branch){
		.block = get_le32(at),
		.offset = get_le32(at + 4),
		.length = get_le32(at + 8),
		.inode = get_le32(at + 12),
		.rest = get_le32(at + 16),
	};
	return 0;
}

/* The branches of one index node. */
static int read_index(struct ubifs *fs, const struct ubifs_branch *from, unsigned level, struct ubifs_branches *to,
                      struct error *error)
{
	uint32_t count;
	int err = 0;

	if (from->length < INDEX_SIZE || read_node(fs, from->block, from->offset, from->length, NODE_INDEX) < 0)
		return damaged(from->block, from->offset, error);
	count = get_le16(fs->node + 24);
	if (count == 0 || from->length != INDEX_SIZE + count * BRANCH_SIZE || get_le16(fs->node + 26) != level)
		return damaged(from->block, from->offset, error);
	for (uint32_t i = 0; err == 0 && i < count; i++)
		err = add_branch(fs, to, fs->node + INDEX_SIZE + (size_t)i * BRANCH_SIZE, error);
	return err;
}

static int compare_keys(const struct ubifs_branch *a, const struct ubifs_branch *b)
{
	int order = order_numbers(a->inode, b->inode);

	return order != 0 ? order : order_numbers(a->rest, b->rest);
}

/* All leaves, by one level of the index after the other. */
static int read_leaves(struct ubifs *fs, const struct ubifs_branch *root, struct error *error)
{
	struct ubifs_branches level = {0};
	unsigned depth;
	int err = 0;

	if (root->length < INDEX_SIZE || read_node(fs, root->block, root->offset, root->length, NODE_INDEX) < 0)
		return damaged(root->block, root->offset, error);
	depth = get_le16(fs->node + 26);
	if (depth >= MAX_LEVELS)
		return failed(error, "its index is too deep");
	err = read_index(fs, root, depth, &fs->leaves, error);
	for (; err == 0 && depth > 0; depth--) {
		free(level.all);
		level = fs->leaves;
		fs->leaves = (struct ubifs_branches){0};
		for (size_t i = 0; err == 0 && i < level.count; i++)
			err = read_index(fs, &level.all[i], depth - 1, &fs->leaves, error);
	}
	free(level.all);
	for (size_t i = 1; err == 0 && i < fs->leaves.count; i++)
		if (compare_keys(&fs->leaves.all[i - 1], &fs->leaves.all[i]) > 0)
			err = failed(error, "its index is out of order");
	return err;
}

int ubifs_open(struct ubifs *fs, const struct reader *reader, uint32_t block_size, struct error *error)
{
	struct ubifs_branch root = {0};
	int err;

	*fs = (struct ubifs){.reader = reader};
	err = read_superblock(fs, block_size, error);
	if (err < 0)
		return err;
	fs->node = malloc(fs->block_size);
	if (!fs->node)
		return error_set(error, 0, ENOMEM, "out of memory");
	err = read_masters(fs, &root, error);
	if (err == 0)
		err = read_leaves(fs, &root, error);
	return err;
}

void ubifs_close(struct ubifs *fs)
{
	free(fs->leaves.all);
	free(fs->node);
	*fs = (struct ubifs){0};
}

struct ubifs_branch *ubifs_find(const struct ubifs *fs, uint32_t inode, enum ubifs_kind kind, size_t *count)
{
	const struct ubifs_branch least = {.inode = inode, .rest = (uint32_t)kind << 29};
	size_t first = 0;
	size_t end = fs->leaves.count;

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (compare_keys(&fs->leaves.all[middle], &least) < 0)
			first = middle + 1;
		else
			end = middle;
	}
	while (end < fs->leaves.count && fs->leaves.all[end].inode == inode && ubifs_kind(&fs->leaves.all[end]) == kind)
		end++;
	*count = end - first;
	return fs->leaves.all + first;
}

int ubifs_read_leaf(struct ubifs *fs, const struct ubifs_branch *leaf, struct error *error)
{
	static const uint32_t sizes[] = {UBIFS_INODE_SIZE, UBIFS_DATA_SIZE, UBIFS_ENTRY_SIZE, UBIFS_ENTRY_SIZE};
	static const unsigned types[] = {0, 1, 2, 3};
	enum ubifs_kind kind = ubifs_kind(leaf);

	if (kind > UBIFS_ATTRIBUTE || leaf->length < sizes[kind] ||
	    read_node(fs, leaf->block, leaf->offset, leaf->length, types[kind]) < 0 ||
	    get_le32(fs->node + HEADER_SIZE) != leaf->inode || get_le32(fs->node + HEADER_SIZE + 4) != leaf->rest)
		return damaged(leaf->block, leaf->offset, error);
	return 0;
}
