/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/image_ubifs.h"

#include "base/bytes.h"
#include "gentools/image_ubifs_nodes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct walk {
	struct ubifs fs;
	struct image_place *place;
};

/* Of an inode, whose data are right behind it in the node. */
struct inode {
	struct image_inode basic;
	uint64_t size;
	uint32_t length; /* of the data */
	struct ubifs_branch *leaf;
};

static int damaged(const char *path, const char *what, struct error *error)
{
	return error_set(error, RESULT_FORMAT, EINVAL, "UBIFS: %s: %s", path, what);
}

/* The inode, which is in fs.node then. */
static int read_inode(struct walk *walk, uint32_t number, const char *path, struct inode *inode, struct error *error)
{
	const uint8_t *node = walk->fs.node;
	size_t count;
	struct ubifs_branch *leaf = ubifs_find(&walk->fs, number, UBIFS_INODE, &count);
	int err;

	*inode = (struct inode){0};
	if (count != 1)
		return damaged(path, "has no inode", error);
	err = ubifs_read_leaf(&walk->fs, leaf, error);
	if (err < 0)
		return err;
	*inode = (struct inode){
		.basic = {.mode = get_le32(node + 104),
	                  .uid = get_le32(node + 96),
	                  .gid = get_le32(node + 100),
	                  .links = get_le32(node + 92),
	                  .number = number},
		.size = get_le64(node + 48),
		.length = get_le32(node + 112),
		.leaf = leaf,
	};
	if (inode->length != leaf->length - UBIFS_INODE_SIZE)
		return damaged(path, "its inode makes no sense", error);
	if (!S_ISCHR(inode->basic.mode) && !S_ISBLK(inode->basic.mode))
		return 0;
	/* union ubifs_dev_desc; what its longer form has more is 0. */
	if (inode->length != 4 && inode->length != 8)
		return damaged(path, "a device node without a number", error);
	inode->basic.device = get_le32(node + UBIFS_INODE_SIZE);
	return 0;
}

/* Of an entry of a directory or of an inode's attributes, which is in fs.node: whose name it is, and which. */
static int read_entry(struct walk *walk, const struct ubifs_branch *leaf, const char *path, uint32_t *inode,
                      const char **name, size_t *length, struct error *error)
{
	const uint8_t *node = walk->fs.node;
	int err = ubifs_read_leaf(&walk->fs, leaf, error);

	if (err < 0)
		return err;
	*length = get_le16(node + 50);
	*name = (const char *)node + UBIFS_ENTRY_SIZE;
	if (leaf->length != UBIFS_ENTRY_SIZE + *length + 1 || get_le64(node + 40) > UINT32_MAX)
		return damaged(path, "an entry of it makes no sense", error);
	*inode = get_le32(node + 40);
	return 0;
}

static int read_attributes(struct walk *walk, uint32_t number, struct object *object, struct error *error)
{
	size_t count;
	const struct ubifs_branch *leaf = ubifs_find(&walk->fs, number, UBIFS_ATTRIBUTE, &count);
	int err = 0;

	for (size_t i = 0; err == 0 && i < count; i++) {
		struct inode value;
		uint32_t inode = 0;
		const char *text = NULL; /* in the node, which the value's inode takes over */
		char name[UINT8_MAX];
		size_t length = 0;

		err = read_entry(walk, &leaf[i], object->path, &inode, &text, &length, error);
		if (err < 0)
			break;
		if (length > sizeof(name))
			return damaged(object->path, "an attribute's name is too long", error);
		memcpy(name, text, length);
		err = read_inode(walk, inode, object->path, &value, error);
		if (err == 0)
			err = image_place_xattr(walk->place, object, name, length, walk->fs.node + UBIFS_INODE_SIZE,
			                        value.length, error);
	}
	return err;
}

/* What no node tells reads as zeros. */
static int add_zeros(struct walk *walk, struct tree_data *data, uint64_t count, struct error *error)
{
	static const uint8_t zeros[UBIFS_BLOCK_SIZE];
	int err = 0;

	while (err == 0 && count > 0) {
		size_t n = count < sizeof(zeros) ? (size_t)count : sizeof(zeros);

		err = image_place_data(walk->place, data, zeros, n, error);
		count -= n;
	}
	return err;
}

static int read_file(struct walk *walk, uint32_t number, uint64_t size, struct object *object, struct error *error)
{
	size_t count;
	const struct ubifs_branch *leaf = ubifs_find(&walk->fs, number, UBIFS_DATA, &count);
	uint8_t content[UBIFS_BLOCK_SIZE];
	struct tree_data data;
	uint64_t done = 0;
	int err = 0;

	tree_data_start(&data, walk->place->tree, object);
	for (size_t i = 0; err == 0 && i < count; i++) {
		uint64_t start = (uint64_t)ubifs_data_block(&leaf[i]) * UBIFS_BLOCK_SIZE;
		size_t length = 0;

		if (start < done || start >= size)
			return damaged(object->path, "content that is not its own", error);
		err = ubifs_read_leaf(&walk->fs, &leaf[i], error);
		if (err == 0 && ubifs_unpack_data(&walk->fs, &leaf[i], content, &length) < 0)
			err = damaged(object->path, "content that cannot be unpacked", error);
		if (length > size - start)
			length = (size_t)(size - start);
		if (err == 0)
			err = add_zeros(walk, &data, start - done, error);
		if (err == 0)
			err = image_place_data(walk->place, &data, content, length, error);
		done = start + length;
	}
	if (err == 0)
		err = add_zeros(walk, &data, size - done, error);
	tree_data_finish(&data);
	return err;
}

static int add_folder(struct walk *walk, const char *path, struct inode *inode, struct error *error)
{
	/* A directory in itself would never end. */
	if (inode->leaf->seen)
		return damaged(path, "a directory that has two names", error);
	inode->leaf->seen = true;
	return image_place_defer(walk->place, path, inode->leaf, error);
}

static int read_object(struct walk *walk, const char *path, uint32_t number, struct error *error)
{
	struct inode inode;
	struct object *object = NULL;
	bool is_root = number == UBIFS_ROOT_INODE;
	int err = read_inode(walk, number, path, &inode, error);

	if (err == 0)
		err = image_place_add(walk->place, path, &inode.basic, &object, error);
	if (err < 0)
		return err;
	if (is_root && !S_ISDIR(inode.basic.mode))
		return damaged(path, "no directory", error);
	/* The target is in the node. */
	if (object && S_ISLNK(inode.basic.mode))
		err = image_place_link(object, (const char *)walk->fs.node + UBIFS_INODE_SIZE, inode.length, error);
	if (err == 0 && object)
		err = read_attributes(walk, number, object, error);
	if (err < 0)
		return err;
	if (S_ISDIR(inode.basic.mode))
		return object || is_root ? add_folder(walk, path, &inode, error) : 0;
	return object && S_ISREG(inode.basic.mode) ? read_file(walk, number, inode.size, object, error) : 0;
}

static int read_folder(struct walk *walk, const struct image_folder *folder, struct error *error)
{
	size_t count;
	const struct ubifs_branch *self = folder->inode;
	const struct ubifs_branch *leaf = ubifs_find(&walk->fs, self->inode, UBIFS_ENTRY, &count);
	int err = 0;

	for (size_t i = 0; err == 0 && i < count; i++) {
		uint32_t inode = 0;
		const char *name = NULL;
		size_t length = 0;
		char *path;

		err = read_entry(walk, &leaf[i], folder->path, &inode, &name, &length, error);
		if (err < 0)
			break;
		path = image_place_path(folder->path, name, length, error);
		err = path ? read_object(walk, path, inode, error) : -EINVAL;
		free(path);
	}
	return err;
}

int image_unpack_ubifs(const struct reader *reader, uint32_t block_size, struct image_place *place, struct error *error)
{
	struct walk walk = {.place = place};
	struct image_folder *folder;
	int err = ubifs_open(&walk.fs, reader, block_size, error);

	if (err == 0)
		err = read_object(&walk, place->folder, UBIFS_ROOT_INODE, error);
	while ((folder = image_place_next(place))) {
		if (err == 0)
			err = read_folder(&walk, folder, error);
		image_place_done(folder);
	}
	ubifs_close(&walk.fs);
	return err;
}
