/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/image_squashfs.h"

#include "gentools/image_squashfs_open.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Inodes of one image; modules have thousands. */
#define MAX_INODES 1000000u
#define PIECE_SIZE 65536u

struct walk {
	struct squashfs fs;
	struct image_place *place;
	bool *seen; /* directories, by inode number - 1 */
};

/* What only an extended inode tells of, and of files alone. */
static uint32_t count_links(const sqfs_inode_generic_t *inode)
{
	return inode->base.type == SQFS_INODE_EXT_FILE ? inode->data.file_ext.nlink : 1;
}

static uint32_t device_of(const sqfs_inode_generic_t *inode)
{
	switch (inode->base.type) {
	case SQFS_INODE_BDEV:
	case SQFS_INODE_CDEV:
		return inode->data.dev.devno;
	case SQFS_INODE_EXT_BDEV:
	case SQFS_INODE_EXT_CDEV:
		return inode->data.dev_ext.devno;
	default:
		return 0;
	}
}

static int read_file(struct walk *walk, const sqfs_inode_generic_t *inode, struct object *object, struct error *error)
{
	uint8_t *piece = malloc(PIECE_SIZE);
	struct tree_data data;
	sqfs_u64 size = 0;
	sqfs_u64 done = 0;
	int code = sqfs_inode_get_file_size(inode, &size);
	int err = 0;

	if (!piece)
		return error_set(error, 0, ENOMEM, "out of memory");
	if (code < 0)
		err = squashfs_failed(object->path, code, error);
	tree_data_start(&data, walk->place->tree, object);
	while (err == 0 && done < size) {
		sqfs_u32 length = size - done < PIECE_SIZE ? (sqfs_u32)(size - done) : PIECE_SIZE;
		sqfs_s32 n = sqfs_data_reader_read(walk->fs.data, inode, done, piece, length);

		if (n <= 0)
			err = squashfs_failed(object->path, n < 0 ? n : SQFS_ERROR_CORRUPTED, error);
		else
			err = image_place_data(walk->place, &data, piece, (size_t)n, error);
		done += n > 0 ? (sqfs_u64)n : 0;
	}
	tree_data_finish(&data);
	free(piece);
	return err;
}

/* One name and value, behind the ones before. */
static int read_attribute(struct walk *walk, struct object *object, struct error *error)
{
	sqfs_xattr_entry_t *name = NULL;
	sqfs_xattr_value_t *value = NULL;
	int code = sqfs_xattr_reader_read_key(walk->fs.attributes, &name);
	int err = 0;

	if (code == 0)
		code = sqfs_xattr_reader_read_value(walk->fs.attributes, name, &value);
	if (code < 0)
		err = squashfs_failed(object->path, code, error);
	else if (name && value)
		err = image_place_xattr(walk->place, object, (const char *)name->key, strlen((const char *)name->key),
		                        value->value, value->size, error);
	sqfs_free(value);
	sqfs_free(name);
	return err;
}

static int read_attributes(struct walk *walk, const sqfs_inode_generic_t *inode, struct object *object,
                           struct error *error)
{
	sqfs_xattr_id_t attributes = {0};
	sqfs_u32 index = 0;
	int code = sqfs_inode_get_xattr_index(inode, &index);
	int err = 0;

	if (code == 0 && index != 0xffffffff)
		code = sqfs_xattr_reader_get_desc(walk->fs.attributes, index, &attributes);
	if (code == 0 && attributes.count > 0)
		code = sqfs_xattr_reader_seek_kv(walk->fs.attributes, &attributes);
	if (code < 0)
		return squashfs_failed(object->path, code, error);
	for (sqfs_u32 i = 0; err == 0 && i < attributes.count; i++)
		err = read_attribute(walk, object, error);
	return err;
}

/* Takes the inode over when that succeeds. */
static int add_folder(struct walk *walk, const char *path, sqfs_inode_generic_t *inode, struct error *error)
{
	uint32_t number = inode->base.inode_number;

	/* A directory in itself would never end. */
	if (number == 0 || number > walk->fs.super.inode_count || walk->seen[number - 1])
		return squashfs_failed(path, SQFS_ERROR_LINK_LOOP, error);
	walk->seen[number - 1] = true;
	return image_place_defer(walk->place, path, inode, error);
}

static int read_object(struct walk *walk, const char *path, const sqfs_inode_generic_t *inode, bool *wanted,
                       struct error *error)
{
	struct image_inode basic = {.mode = inode->base.mode,
	                            .links = count_links(inode),
	                            .number = inode->base.inode_number,
	                            .device = device_of(inode)};
	struct object *object = NULL;
	int code = sqfs_id_table_index_to_id(walk->fs.owners, inode->base.uid_idx, &basic.uid);
	int err;

	if (code == 0)
		code = sqfs_id_table_index_to_id(walk->fs.owners, inode->base.gid_idx, &basic.gid);
	if (code < 0)
		return squashfs_failed(path, code, error);
	err = image_place_add(walk->place, path, &basic, &object, error);
	*wanted = object != NULL;
	if (err == 0 && object)
		err = read_attributes(walk, inode, object, error);
	if (err < 0 || !object || S_ISDIR(basic.mode) || object->type == OBJECT_NODE)
		return err;
	if (S_ISLNK(basic.mode))
		return image_place_link(object, (const char *)inode->extra,
		                        inode->base.type == SQFS_INODE_SLINK ? inode->data.slink.target_size
		                                                             : inode->data.slink_ext.target_size,
		                        error);
	return read_file(walk, inode, object, error);
}

static int read_entry(struct walk *walk, const char *path, sqfs_inode_generic_t *inode, bool is_root,
                      struct error *error)
{
	bool is_folder = S_ISDIR(inode->base.mode);
	bool wanted = false;
	int err;

	if (is_root && !is_folder)
		err = squashfs_failed(path, SQFS_ERROR_NOT_DIR, error);
	else
		err = read_object(walk, path, inode, &wanted, error);
	if (err == 0 && is_folder && (wanted || is_root)) {
		err = add_folder(walk, path, inode, error);
		if (err == 0)
			return 0;
	}
	sqfs_free(inode);
	return err;
}

static int read_folder(struct walk *walk, const struct image_folder *folder, struct error *error)
{
	sqfs_dir_entry_t *entry = NULL;
	int code = sqfs_dir_reader_open_dir(walk->fs.folders, folder->inode, 0);
	int err = 0;

	while (err == 0 && code == 0 && (code = sqfs_dir_reader_read(walk->fs.folders, &entry)) == 0) {
		sqfs_inode_generic_t *inode = NULL;
		char *path = image_place_path(folder->path, (const char *)entry->name, (size_t)entry->size + 1, error);

		sqfs_free(entry);
		if (!path)
			return -EINVAL;
		code = sqfs_dir_reader_get_inode(walk->fs.folders, &inode);
		if (code == 0)
			err = read_entry(walk, path, inode, false, error);
		free(path);
	}
	return err == 0 && code < 0 ? squashfs_failed(folder->path, code, error) : err;
}

static int read_root(struct walk *walk, struct error *error)
{
	sqfs_inode_generic_t *inode = NULL;
	int code;

	if (walk->fs.super.inode_count > MAX_INODES)
		return squashfs_failed("its head", SQFS_ERROR_OVERFLOW, error);
	walk->seen = calloc(walk->fs.super.inode_count + 1, sizeof(walk->seen[0]));
	if (!walk->seen)
		return error_set(error, 0, ENOMEM, "out of memory");
	code = sqfs_dir_reader_get_root_inode(walk->fs.folders, &inode);
	return code < 0 ? squashfs_failed(walk->place->folder, code, error)
	                : read_entry(walk, walk->place->folder, inode, true, error);
}

int image_unpack_squashfs(const struct reader *reader, struct image_place *place, struct error *error)
{
	struct walk walk = {.place = place};
	struct image_folder *folder;
	int err = squashfs_open(&walk.fs, reader, error);

	if (err == 0)
		err = read_root(&walk, error);
	while ((folder = image_place_next(place))) {
		if (err == 0)
			err = read_folder(&walk, folder, error);
		sqfs_free(folder->inode);
		image_place_done(folder);
	}
	free(walk.seen);
	squashfs_close(&walk.fs);
	return err;
}
