/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/nodes.h"

#include "base/bytes.h"
#include <string.h>
#include <zlib.h>

#define MAGIC 0x06101831u

/* Nodes, and all else, are aligned to that. */
#define ALIGNMENT ((size_t)8)

enum { CRC_AT = 4, SEQUENCE_AT = 8, LENGTH_AT = 16, KIND_AT = 20, HEAD_SIZE = 24 };
enum { DATA_NODE = 1, INDEX_NODE = 9 };

/* An index node: how many branches, and each of them. */
enum { BRANCHES_AT = 24, FIRST_BRANCH_AT = 28, BRANCH_SIZE = 20, BRANCH_LEB = 0, BRANCH_OFFSET = 4, BRANCH_LENGTH = 8 };

/* What numbers are counted from. */
struct before {
	uint64_t sequence;
	uint32_t leb; /* of the branch before */
	uint32_t end; /* of what it leads to */
};

/* A piece of a LEB: a node and what aligns the next one, or what is none. */
struct piece {
	size_t size;
	size_t node; /* bytes of the node; 0: it is none */
	size_t data; /* of these, data of a file */
};

/* `at`: its beginning, of which no more than the head of a node is looked at. */
static struct piece piece_at(const uint8_t *at, size_t left)
{
	uint32_t length = left >= HEAD_SIZE && get_le32(at) == MAGIC ? get_le32(at + LENGTH_AT) : 0;
	struct piece piece = {.size = left < ALIGNMENT ? left : ALIGNMENT};

	if (length < HEAD_SIZE || length > left)
		return piece;
	piece.node = length;
	piece.size = left - length < ALIGNMENT ? left : (length + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	if (at[KIND_AT] == DATA_NODE && length > NODES_DATA_HEAD)
		piece.data = length - NODES_DATA_HEAD;
	return piece;
}

static unsigned count_branches(const uint8_t *node, size_t length)
{
	unsigned count = length >= FIRST_BRANCH_AT ? get_le16(node + BRANCHES_AT) : 0;

	return node[KIND_AT] == INDEX_NODE && length == FIRST_BRANCH_AT + (size_t)count * BRANCH_SIZE ? count : 0;
}

/* Behind what the branch before leads to, the next one's is expected; in another LEB, at its beginning. */
static void pass_branch(struct before *before, uint32_t leb, uint32_t offset, const uint8_t *branch)
{
	uint32_t length = get_le32(branch + BRANCH_LENGTH);

	before->leb = leb;
	before->end = offset + ((length + 7) & ~UINT32_C(7));
}

static void sort_numbers(uint8_t *node, size_t length, struct before *before)
{
	uint64_t sequence = get_le64(node + SEQUENCE_AT);
	uint8_t *branch = node + FIRST_BRANCH_AT;

	put_le32(node + CRC_AT, 0);
	put_le64(node + SEQUENCE_AT, sequence - before->sequence - 1);
	before->sequence = sequence;
	for (unsigned left = count_branches(node, length); left > 0; left--, branch += BRANCH_SIZE) {
		uint32_t leb = get_le32(branch + BRANCH_LEB), offset = get_le32(branch + BRANCH_OFFSET);

		put_le32(branch + BRANCH_LEB, leb - before->leb);
		put_le32(branch + BRANCH_OFFSET, offset - (leb == before->leb ? before->end : 0));
		pass_branch(before, leb, offset, branch);
	}
}

static void restore_numbers(uint8_t *node, size_t length, struct before *before)
{
	uint8_t *branch = node + FIRST_BRANCH_AT;

	before->sequence += get_le64(node + SEQUENCE_AT) + 1;
	put_le64(node + SEQUENCE_AT, before->sequence);
	for (unsigned left = count_branches(node, length); left > 0; left--, branch += BRANCH_SIZE) {
		uint32_t leb = get_le32(branch + BRANCH_LEB) + before->leb;
		uint32_t offset = get_le32(branch + BRANCH_OFFSET) + (leb == before->leb ? before->end : 0);

		put_le32(branch + BRANCH_LEB, leb);
		put_le32(branch + BRANCH_OFFSET, offset);
		pass_branch(before, leb, offset, branch);
	}
	put_le32(node + CRC_AT, ~(uint32_t)crc32_z(0, node + SEQUENCE_AT, length - SEQUENCE_AT));
}

/* Where the three parts of a sorted LEB are: first what is no data, then data, at last what aligns data nodes. */
struct places {
	size_t head;
	size_t data;
	size_t padding;
};

static void pass_piece(struct places *places, const struct piece *piece)
{
	size_t padding = piece->data > 0 ? piece->size - piece->node : 0;

	places->head += piece->size - piece->data - padding;
	places->data += piece->data;
	places->padding += padding;
}

/* As sums of all pieces up to the LEB's end say. */
static struct places begin(const struct places *sums)
{
	return (struct places){.data = sums->head, .padding = sums->head + sums->data};
}

void nodes_sort(const uint8_t *leb, size_t size, uint8_t *sorted)
{
	struct places at, sums = {.head = 0};
	struct before before = {.sequence = 0};
	struct piece piece;

	for (size_t done = 0; done < size; done += piece.size) {
		piece = piece_at(leb + done, size - done);
		pass_piece(&sums, &piece);
	}
	at = begin(&sums);
	for (size_t done = 0; done < size; done += piece.size) {
		const uint8_t *from = leb + done;

		piece = piece_at(from, size - done);
		if (piece.data > 0) {
			memcpy(sorted + at.head, from, NODES_DATA_HEAD);
			memcpy(sorted + at.data, from + NODES_DATA_HEAD, piece.data);
			memcpy(sorted + at.padding, from + piece.node, piece.size - piece.node);
		} else {
			memcpy(sorted + at.head, from, piece.size);
		}
		if (piece.node > 0)
			sort_numbers(sorted + at.head, piece.node, &before);
		pass_piece(&at, &piece);
	}
}

static struct places begin_sorted(const uint8_t *sorted, size_t size)
{
	struct places sums = {.head = 0};
	struct piece piece;

	for (size_t done = 0; done < size; done += piece.size) {
		piece = piece_at(sorted + sums.head, size - done);
		pass_piece(&sums, &piece);
	}
	return begin(&sums);
}

void nodes_restore(const uint8_t *sorted, size_t size, uint8_t *leb)
{
	struct places at = begin_sorted(sorted, size);
	struct before before = {.sequence = 0};
	struct piece piece;

	for (size_t done = 0; done < size; done += piece.size) {
		uint8_t *to = leb + done;

		piece = piece_at(sorted + at.head, size - done);
		if (piece.data > 0) {
			memcpy(to, sorted + at.head, NODES_DATA_HEAD);
			memcpy(to + NODES_DATA_HEAD, sorted + at.data, piece.data);
			memcpy(to + piece.node, sorted + at.padding, piece.size - piece.node);
		} else {
			memcpy(to, sorted + at.head, piece.size);
		}
		if (piece.node > 0)
			restore_numbers(to, piece.node, &before);
		pass_piece(&at, &piece);
	}
}

bool nodes_next(struct nodes_walk *walk, const uint8_t *sorted, size_t size, struct nodes_data *data)
{
	struct places at = {.head = walk->head_at, .data = walk->data_at};

	if (walk->leb_at == 0)
		at = begin_sorted(sorted, size);
	data->size = 0;
	while (data->size == 0 && walk->leb_at < size) {
		struct piece piece = piece_at(sorted + at.head, size - walk->leb_at);

		*data = (struct nodes_data){.head = sorted + at.head, .at = at.data, .size = piece.data};
		walk->leb_at += piece.size;
		pass_piece(&at, &piece);
	}
	walk->head_at = at.head;
	walk->data_at = at.data;
	return data->size > 0;
}
