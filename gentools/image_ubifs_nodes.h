/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_IMAGE_UBIFS_NODES_H
#define GENTOOLS_IMAGE_UBIFS_NODES_H

/* The nodes of a UBIFS: found by their keys, checked, unpacked. */
#include "base/error.h"
#include "base/io.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UBIFS_BLOCK_SIZE 4096u /* of files' content */
#define UBIFS_ROOT_INODE 1u

/* Kinds of keys, and of the nodes that these lead to. */
enum ubifs_kind { UBIFS_INODE, UBIFS_DATA, UBIFS_ENTRY, UBIFS_ATTRIBUTE };

/* Sizes of nodes without what follows, bytes. */
enum {
	UBIFS_INODE_SIZE = 160,
	UBIFS_DATA_SIZE = 48,
	UBIFS_ENTRY_SIZE = 56,
};

/* A key and where its node is. */
struct ubifs_branch {
	uint32_t inode;
	uint32_t rest; /* kind in the upper 3 bits, then a block's number or a name's hash */
	uint32_t block;
	uint32_t offset;
	uint32_t length;
	bool seen; /* for the walk through the file system */
};

struct ubifs_branches {
	struct ubifs_branch *all;
	size_t count;
	size_t capacity;
};

struct ubifs {
	const struct reader *reader;
	uint32_t block_size;          /* of logical erase blocks, bytes */
	uint32_t page_size;           /* bytes */
	struct ubifs_branches leaves; /* by key */
	uint8_t *node;                /* that was read last; block_size bytes */
};

/* Ends with ubifs_close(), also after a failure. block_size: what the medium has, 0 when not known. */
int ubifs_open(struct ubifs *fs, const struct reader *reader, uint32_t block_size, struct error *error);
void ubifs_close(struct ubifs *fs);

/* The leaves of one inode and kind. */
struct ubifs_branch *ubifs_find(const struct ubifs *fs, uint32_t inode, enum ubifs_kind kind, size_t *count);

/* Read a leaf's node into fs->node; it has at least the size of its kind. */
int ubifs_read_leaf(struct ubifs *fs, const struct ubifs_branch *leaf, struct error *error);

/* Of the data node in fs->node: its content, at most UBIFS_BLOCK_SIZE bytes, and how many these are. */
int ubifs_unpack_data(const struct ubifs *fs, const struct ubifs_branch *leaf, uint8_t content[UBIFS_BLOCK_SIZE],
                      size_t *size);

static inline enum ubifs_kind ubifs_kind(const struct ubifs_branch *leaf)
{
	return (enum ubifs_kind)(leaf->rest >> 29);
}

/* The number of the block of a file that a data leaf has. */
static inline uint32_t ubifs_data_block(const struct ubifs_branch *leaf)
{
	return leaf->rest & 0x1fffffff;
}

#endif
