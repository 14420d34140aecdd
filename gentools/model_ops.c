/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/model_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SET_ID_BITS 06000u
#define PLENTY      ((uint64_t)1 << 40) /* free space, bytes: how much a module has is not known here */

int model_look_up(void *medium, const char *path, bool follow, struct model_node **node)
{
	char resolved[STORAGE_PATH_MAX];
	int err = model_resolve(medium, path, follow, resolved);

	if (err < 0)
		return err;
	*node = model_find(medium, resolved);
	return *node ? 0 : -ENOENT;
}

int model_create(struct model *model, const char *path, enum object_type type, struct model_node **node)
{
	char resolved[STORAGE_PATH_MAX];
	char *slash;
	const struct model_node *parent;
	int err = model_resolve(model, path, false, resolved);

	if (err < 0)
		return err;
	err = model_add(model, resolved, type, node);
	if (err < 0)
		return err;
	slash = strrchr(resolved, '/');
	*(slash ? slash : resolved) = '\0';
	parent = model_find(model, resolved);
	if (parent && parent->inode->mode & 02000)
		(*node)->inode->gid = parent->inode->gid;
	return 0;
}

/* ---- Looking ---- */

static int op_stat(void *medium, const char *path, struct storage_stat *stat)
{
	struct model_node *node;
	int err = model_look_up(medium, path, false, &node);

	if (err < 0)
		return err;
	*stat = (struct storage_stat){
		.type = node->inode->type == OBJECT_FILE        ? STORAGE_REGULAR
	                : node->inode->type == OBJECT_DIRECTORY ? STORAGE_DIRECTORY
	                : node->inode->type == OBJECT_LINK      ? STORAGE_SYMLINK
	                : node->inode->node.kind == 'c'         ? STORAGE_CHARACTER
	                : node->inode->node.kind == 'b'         ? STORAGE_BLOCKDEV
	                                                        : STORAGE_FIFO,
		.major = node->inode->node.major,
		.minor = node->inode->node.minor,
		.mode = node->inode->mode,
		.uid = node->inode->uid,
		.gid = node->inode->gid,
		.size = node->inode->body.size,
		.device = 1,
		.inode = node->inode->number,
		.links = node->inode->names,
		.modified = node->inode->modified,
	};
	return 0;
}

static ssize_t op_read_link(void *medium, const char *path, char *target, size_t size)
{
	struct model_node *node;
	int err = model_look_up(medium, path, false, &node);
	size_t length;

	if (err < 0)
		return err;
	if (node->inode->type != OBJECT_LINK)
		return -EINVAL;
	length = strlen(node->inode->link);
	if (length > size)
		length = size;
	memcpy(target, node->inode->link, length);
	return (ssize_t)length;
}

static int op_list(void *medium, const char *path, int (*each)(void *ctx, const char *name), void *ctx)
{
	const struct model *model = medium;
	struct model_node *folder;
	size_t length;
	int err = model_look_up(medium, path, true, &folder);

	if (err < 0)
		return err;
	if (folder->inode->type != OBJECT_DIRECTORY)
		return -ENOTDIR;
	length = strlen(folder->path) + (*folder->path != '\0');
	for (size_t i = model_position(model, folder->path) + 1; err == 0 && i < model->count; i++) {
		const char *name = model->nodes[i]->path + length;

		if (*folder->path && !path_in(model->nodes[i]->path, folder->path))
			break;
		if (!strchr(name, '/'))
			err = each(ctx, name);
	}
	return err;
}

static int op_free_space(void *medium, const char *path, uint64_t *bytes)
{
	struct model_node *node;

	*bytes = PLENTY;
	return model_look_up(medium, path, true, &node);
}

static int find_directory(void *medium, const char *path)
{
	struct model_node *node;
	int err = model_look_up(medium, path, true, &node);

	return err == 0 && node->inode->type != OBJECT_DIRECTORY ? -ENOTDIR : err;
}

static int op_is_mounted(void *medium, const char *mount_point, bool *mounted)
{
	int err = find_directory(medium, mount_point);

	*mounted = err == 0;
	return err == -ENOENT || err == -ENOTDIR ? 0 : err;
}

static int op_mount(void *medium, const char *fs_type, const char *device, const char *mount_point, const char *options)
{
	(void)fs_type;
	(void)device;
	(void)options;
	return find_directory(medium, mount_point);
}

static int op_find(void *medium, enum storage_kind kind, const char *name, struct storage_location *location)
{
	struct model_node *node;
	int n = snprintf(location->path, sizeof(location->path), "%s%s", *name == '/' ? "" : "/dev/", name);
	int err;

	if (kind == STORAGE_UBI && model_find_volume(medium, name, location) == 0)
		return 0;
	if (n < 0 || (size_t)n >= sizeof(location->path))
		return -ENAMETOOLONG;
	location->kind = STORAGE_BLOCK;
	err = model_look_up(medium, location->path, true, &node);
	return err == 0 && node->inode->type != OBJECT_FILE ? -ENODEV : err;
}

/* ---- Names ---- */

static bool is_empty(const struct model *model, const struct model_node *node)
{
	size_t next = model_position(model, node->path) + 1;

	return next == model->count || !path_in(model->nodes[next]->path, node->path);
}

static int op_unlink(void *medium, const char *path)
{
	struct model_node *node;
	int err = model_look_up(medium, path, false, &node);

	if (err < 0)
		return err;
	if (node->inode->type == OBJECT_DIRECTORY)
		return -EISDIR;
	model_remove(medium, node);
	return 0;
}

static int op_rmdir(void *medium, const char *path)
{
	struct model_node *node;
	int err = model_look_up(medium, path, false, &node);

	if (err < 0)
		return err;
	if (node->inode->type != OBJECT_DIRECTORY || !*node->path)
		return *node->path ? -ENOTDIR : -EBUSY;
	if (!is_empty(medium, node))
		return -ENOTEMPTY;
	model_remove(medium, node);
	return 0;
}

static int op_rename(void *medium, const char *from, const char *to)
{
	char resolved[STORAGE_PATH_MAX];
	struct model_node *node;
	struct model_node *old;
	int err = model_look_up(medium, from, false, &node);

	if (err == 0)
		err = model_resolve(medium, to, false, resolved);
	if (err < 0)
		return err;
	if (!*node->path)
		return -EBUSY;
	old = model_find(medium, resolved);
	if (old && old->inode == node->inode)
		return 0;
	if (path_in(resolved, node->path))
		return -EINVAL;
	if (model_area_of(resolved) != node->inode->area)
		return -EXDEV;
	if (old && (old->inode->type == OBJECT_DIRECTORY) != (node->inode->type == OBJECT_DIRECTORY))
		return old->inode->type == OBJECT_DIRECTORY ? -EISDIR : -ENOTDIR;
	if (old && !is_empty(medium, old))
		return -ENOTEMPTY;
	if (old)
		model_remove(medium, old);
	return model_rename(medium, node, resolved);
}

static int op_mkdir(void *medium, const char *path, uint32_t mode)
{
	struct model_node *node;
	int err = model_create(medium, path, OBJECT_DIRECTORY, &node);

	if (err == 0)
		node->inode->mode = mode & 07777;
	return err;
}

static int op_symlink(void *medium, const char *target, const char *path)
{
	struct model_node *node;
	char *copy = strdup(target);
	int err = copy ? model_create(medium, path, OBJECT_LINK, &node) : -ENOMEM;

	if (err < 0) {
		free(copy);
		return err;
	}
	node->inode->link = copy;
	node->inode->mode = 0777;
	node->inode->body.size = strlen(target);
	return 0;
}

static int op_link(void *medium, const char *first, const char *path)
{
	char resolved[STORAGE_PATH_MAX];
	struct model_node *node;
	int err = model_look_up(medium, first, false, &node);

	if (err == 0 && node->inode->type == OBJECT_DIRECTORY)
		err = -EPERM;
	if (err == 0)
		err = model_resolve(medium, path, false, resolved);
	if (err == 0 && model_area_of(resolved) != node->inode->area)
		err = -EXDEV;
	return err < 0 ? err : model_link(medium, resolved, node->inode);
}

static int op_mknod(void *medium, const char *path, int type, uint32_t major, uint32_t minor)
{
	static const char kinds[] = {[STORAGE_CHARACTER] = 'c', [STORAGE_BLOCKDEV] = 'b', [STORAGE_FIFO] = 'p'};
	struct model_node *node;
	int err = model_create(medium, path, OBJECT_NODE, &node);

	if (err < 0)
		return err;
	node->inode->mode = 0600;
	node->inode->node = (struct object_node){
		.kind = kinds[type],
		.major = major,
		.minor = minor,
	};
	return 0;
}

/* ---- Attributes ---- */

static int op_set_owner(void *medium, const char *path, uint32_t uid, uint32_t gid)
{
	struct model_node *node;
	int err = model_look_up(medium, path, false, &node);

	if (err < 0)
		return err;
	node->inode->uid = uid;
	node->inode->gid = gid;
	if (node->inode->type == OBJECT_FILE) {
		node->inode->mode &= ~SET_ID_BITS;
		(void)model_set_xattr(node->inode, CAPABILITY_XATTR, NULL, 0); /* there need not be one */
	}
	return 0;
}

static int op_set_mode(void *medium, const char *path, uint32_t mode)
{
	struct model_node *node;
	int err = model_look_up(medium, path, false, &node);

	if (err < 0)
		return err;
	if (node->inode->type == OBJECT_LINK)
		return -EOPNOTSUPP;
	node->inode->mode = mode & 07777;
	return 0;
}

static int op_set_xattr(void *medium, const char *path, const char *name, const void *value, size_t size)
{
	struct model_node *node;
	int err = model_look_up(medium, path, false, &node);

	return err < 0 ? err : model_set_xattr(node->inode, name, value, size);
}

static ssize_t op_get_xattr(void *medium, const char *path, const char *name, void *value, size_t size)
{
	const struct model_xattr *xattr;
	struct model_node *node;
	int err = model_look_up(medium, path, false, &node);

	if (err < 0)
		return err;
	xattr = model_get_xattr(node->inode, name);
	if (!xattr)
		return -ENODATA;
	if (xattr->size > size)
		return -ERANGE;
	memcpy(value, xattr->value, xattr->size);
	return (ssize_t)xattr->size;
}

static int op_sync_all(void *medium)
{
	(void)medium;
	return 0;
}

/* No MTD operations: every partition is found as STORAGE_BLOCK. */
struct storage_ops model_ops(void)
{
	return (struct storage_ops){
		.stat = op_stat,
		.read_link = op_read_link,
		.list = op_list,
		.free_space = op_free_space,
		.is_mounted = op_is_mounted,
		.find = op_find,
		.open = model_op_open,
		.close = model_op_close,
		.read = model_op_read,
		.write = model_op_write,
		.size = model_op_size,
		.sync = model_op_sync,
		.rename = op_rename,
		.unlink = op_unlink,
		.mkdir = op_mkdir,
		.rmdir = op_rmdir,
		.symlink = op_symlink,
		.link = op_link,
		.mknod = op_mknod,
		.set_owner = op_set_owner,
		.set_mode = op_set_mode,
		.set_xattr = op_set_xattr,
		.get_xattr = op_get_xattr,
		.sync_directory = find_directory,
		.sync_all = op_sync_all,
		.mount = op_mount,
		.unmount = find_directory,
		.ubi_info = model_op_ubi_info,
		.ubi_update = model_op_ubi_update,
		.ubi_write = model_op_ubi_write,
		.ubi_change = model_op_ubi_change,
	};
}
