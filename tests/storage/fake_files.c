/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/storage/fake_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODE_LIMIT ((int)(sizeof(((struct fake_medium *)0)->node) / sizeof(struct fake_node *)))
#define XATTRS     (sizeof(((struct fake_node *)0)->xattr) / sizeof(((struct fake_node *)0)->xattr[0]))

static int index_of(const struct fake_medium *m, const char *path)
{
	for (int i = 0; i < m->nodes; i++)
		if (strcmp(m->node[i]->path, path) == 0)
			return i;
	return -ENOENT;
}

struct fake_node *fake_find(struct fake_medium *medium, const char *path)
{
	int index = index_of(medium, path);

	return index < 0 ? NULL : medium->node[index];
}

static void parent_of(const char *path, char parent[256])
{
	const char *slash = strrchr(path, '/');

	(void)snprintf(parent, 256, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

static int add_node(struct fake_medium *m, const char *path, int type, uint32_t mode)
{
	char parent[256];
	struct fake_node *node;

	parent_of(path, parent);
	if (strlen(path) >= sizeof(node->path) || m->nodes == NODE_LIMIT)
		return -ENOSPC;
	if (m->nodes > 0 && !fake_find(m, parent))
		return -ENOENT;
	node = calloc(1, sizeof(*node));
	if (!node)
		abort();
	memcpy(node->path, path, strlen(path) + 1);
	node->stat.type = type;
	node->stat.mode = mode;
	node->stat.inode = (uint64_t)m->nodes + 1;
	m->node[m->nodes] = node;
	return m->nodes++;
}

static int remove_node(struct fake_medium *m, int index)
{
	/* The slot stays, so that handles and inodes keep their meaning. */
	m->node[index]->path[0] = '\0';
	return 0;
}

static void resize(struct fake_node *node, uint64_t size)
{
	uint8_t *grown = realloc(node->data, (size_t)size + 1);

	if (!grown)
		abort();
	if (size > node->stat.size)
		memset(grown + node->stat.size, 0, (size_t)(size - node->stat.size));
	node->data = grown;
	node->stat.size = size;
}

struct fake_node *fake_add_file(struct fake_medium *medium, const char *path, const void *data, size_t size)
{
	char parent[256];
	int index;

	for (size_t end = 1; path[end] != '\0'; end++)
		if (path[end] == '/') {
			(void)snprintf(parent, sizeof(parent), "%.*s", (int)end, path);
			if (!fake_find(medium, parent) && add_node(medium, parent, STORAGE_DIRECTORY, 0755) < 0)
				return NULL;
		}
	index = add_node(medium, path, STORAGE_REGULAR, 0644);
	if (index < 0)
		return NULL;
	resize(medium->node[index], size);
	if (size > 0)
		memcpy(medium->node[index]->data, data, size);
	return medium->node[index];
}

int fake_open_file(struct fake_medium *medium, const char *path, enum storage_open_mode mode)
{
	int index = index_of(medium, path);
	int err = 0;

	if (mode == STORAGE_CREATE || mode == STORAGE_APPEND)
		err = fake_call(medium, "%s %s", mode == STORAGE_CREATE ? "create" : "append", path);
	if (err < 0)
		return err;
	if (index == -ENOENT && (mode == STORAGE_CREATE || mode == STORAGE_APPEND))
		index = add_node(medium, path, STORAGE_REGULAR, mode == STORAGE_CREATE ? 0600 : 0644);
	if (index < 0)
		return index;
	if (medium->node[index]->stat.type != STORAGE_REGULAR)
		return medium->node[index]->stat.type == STORAGE_SYMLINK ? -ELOOP : -EISDIR;
	if (mode == STORAGE_CREATE)
		resize(medium->node[index], 0);
	return fake_handle_new(medium, FAKE_FILE, index, mode);
}

ssize_t fake_read_file(struct fake_medium *medium, int index, uint64_t offset, void *buffer, size_t length)
{
	struct fake_node *node = medium->node[index];
	int err = fake_call(medium, "read %s %llu %zu", node->path, (unsigned long long)offset, length);

	if (err < 0)
		return err;
	if (offset >= node->stat.size)
		return 0;
	if (length > node->stat.size - offset)
		length = (size_t)(node->stat.size - offset);
	memcpy(buffer, node->data + offset, length);
	return (ssize_t)length;
}

int fake_write_file(struct fake_medium *medium, const struct fake_handle *handle, uint64_t offset, const void *data,
                    size_t length)
{
	struct fake_node *node = medium->node[handle->index];
	int result;

	if (handle->mode == STORAGE_READ)
		return -EBADF;
	if (handle->mode == STORAGE_APPEND)
		offset = node->stat.size;
	result = fake_call(medium, "write %s %llu %zu", node->path, (unsigned long long)offset, length);
	if (result < 0 || length == 0)
		return result < 0 ? result : 0;
	if (offset + length > node->stat.size)
		resize(node, offset + length);
	memcpy(node->data + offset, data, length);
	if (result == FAKE_CORRUPT)
		node->data[offset] ^= 1;
	return 0;
}

int fake_stat(void *medium, const char *path, struct storage_stat *stat)
{
	struct fake_node *node = fake_find(medium, path);

	if (!node)
		return -ENOENT;
	*stat = node->stat;
	stat->links = 0;
	for (int i = 0; i < ((struct fake_medium *)medium)->nodes; i++) {
		const struct fake_node *other = ((struct fake_medium *)medium)->node[i];

		stat->links += other->path[0] != '\0' && other->stat.inode == node->stat.inode;
	}
	return 0;
}

ssize_t fake_read_link(void *medium, const char *path, char *target, size_t size)
{
	struct fake_node *node = fake_find(medium, path);
	size_t length;

	if (!node || node->stat.type != STORAGE_SYMLINK)
		return node ? -EINVAL : -ENOENT;
	length = node->stat.size < size ? (size_t)node->stat.size : size;
	memcpy(target, node->data, length);
	return (ssize_t)length;
}

static bool is_child(const struct fake_node *node, const char *path)
{
	char parent[256];

	if (node->path[0] == '\0' || node->path[1] == '\0')
		return false;
	parent_of(node->path, parent);
	return strcmp(parent, path) == 0;
}

int fake_list(void *medium, const char *path, int (*each)(void *ctx, const char *name), void *ctx)
{
	struct fake_medium *m = medium;
	int err = fake_find(m, path) ? 0 : -ENOENT;

	for (int i = 0; i < m->nodes && err == 0; i++)
		if (is_child(m->node[i], path))
			err = each(ctx, strrchr(m->node[i]->path, '/') + 1);
	return err;
}

int fake_rename(void *medium, const char *from, const char *to)
{
	struct fake_medium *m = medium;
	int err = fake_call(m, "rename %s %s", from, to);
	int source = index_of(m, from);
	int target = index_of(m, to);

	if (err < 0 || source < 0)
		return err < 0 ? err : source;
	if (target >= 0)
		(void)remove_node(m, target);
	memcpy(m->node[source]->path, to, strlen(to) + 1);
	return 0;
}

int fake_unlink(void *medium, const char *path)
{
	struct fake_medium *m = medium;
	int index = index_of(m, path);
	int err;

	if (index < 0)
		return index;
	err = fake_call(m, "unlink %s", path);
	if (err < 0)
		return err;
	return m->node[index]->stat.type == STORAGE_DIRECTORY ? -EISDIR : remove_node(m, index);
}

int fake_mkdir(void *medium, const char *path, uint32_t mode)
{
	struct fake_medium *m = medium;
	int err = fake_call(m, "mkdir %s %o", path, mode);

	if (err < 0)
		return err;
	if (index_of(m, path) >= 0)
		return -EEXIST;
	err = add_node(m, path, STORAGE_DIRECTORY, mode);
	return err < 0 ? err : 0;
}

int fake_rmdir(void *medium, const char *path)
{
	struct fake_medium *m = medium;
	int err = fake_call(m, "rmdir %s", path);
	int index = index_of(m, path);

	if (err < 0 || index < 0)
		return err < 0 ? err : index;
	for (int i = 0; i < m->nodes; i++)
		if (is_child(m->node[i], path))
			return -ENOTEMPTY;
	return remove_node(m, index);
}

int fake_symlink(void *medium, const char *target, const char *path)
{
	struct fake_medium *m = medium;
	int err = fake_call(m, "symlink %s %s", path, target);
	int index;

	if (err < 0)
		return err;
	if (index_of(m, path) >= 0)
		return -EEXIST;
	index = add_node(m, path, STORAGE_SYMLINK, 0777);
	if (index < 0)
		return index;
	resize(m->node[index], strlen(target));
	memcpy(m->node[index]->data, target, strlen(target));
	return 0;
}

/* Names of one file have its number; of its content and attributes each has its own. */
int fake_link(void *medium, const char *first, const char *path)
{
	struct fake_medium *m = medium;
	int err = fake_call(m, "link %s %s", path, first);
	struct fake_node *from = fake_find(m, first);
	struct storage_stat stat;
	int index;

	if (err < 0 || !from)
		return err < 0 ? err : -ENOENT;
	if (index_of(m, path) >= 0)
		return -EEXIST;
	index = from->stat.type == STORAGE_DIRECTORY ? -EPERM
	                                             : add_node(m, path, (int)from->stat.type, from->stat.mode);
	if (index < 0)
		return index;
	stat = from->stat;
	resize(m->node[index], stat.size);
	memcpy(m->node[index]->data, from->data, (size_t)stat.size);
	m->node[index]->stat = stat;
	memcpy(m->node[index]->xattr, from->xattr, sizeof(from->xattr));
	return 0;
}

int fake_mknod(void *medium, const char *path, int type, uint32_t major, uint32_t minor)
{
	struct fake_medium *m = medium;
	int index = fake_call(m, "mknod %s %u %u", path, major, minor);

	if (index < 0)
		return index;
	if (index_of(m, path) >= 0)
		return -EEXIST;
	index = add_node(m, path, type, 0600);
	if (index < 0)
		return index;
	m->node[index]->stat.major = major;
	m->node[index]->stat.minor = minor;
	return 0;
}

static void drop_xattr(struct fake_node *node, const char *name)
{
	for (size_t i = 0; i < XATTRS; i++)
		if (strcmp(node->xattr[i].name, name) == 0)
			memset(&node->xattr[i], 0, sizeof(node->xattr[i]));
}

int fake_set_owner(void *medium, const char *path, uint32_t uid, uint32_t gid)
{
	struct fake_node *node = fake_find(medium, path);
	int err = fake_call(medium, "owner %s %u %u", path, uid, gid);

	if (err < 0 || !node)
		return err < 0 ? err : -ENOENT;
	node->stat.uid = uid;
	node->stat.gid = gid;
	node->stat.mode &= 01777; /* as the kernel does */
	drop_xattr(node, "security.capability");
	return 0;
}

int fake_set_mode(void *medium, const char *path, uint32_t mode)
{
	struct fake_node *node = fake_find(medium, path);
	int err = fake_call(medium, "mode %s %o", path, mode);

	if (err < 0 || !node)
		return err < 0 ? err : -ENOENT;
	node->stat.mode = mode;
	return 0;
}

int fake_set_xattr(void *medium, const char *path, const char *name, const void *value, size_t size)
{
	struct fake_node *node = fake_find(medium, path);
	int err = fake_call(medium, "xattr %s %s %zu", path, name, size);

	if (err < 0 || !node)
		return err < 0 ? err : -ENOENT;
	if (size > sizeof(node->xattr[0].value) || strlen(name) >= sizeof(node->xattr[0].name))
		return -E2BIG;
	drop_xattr(node, name);
	for (size_t i = 0; size > 0 && i < XATTRS; i++)
		if (node->xattr[i].size == 0) {
			memcpy(node->xattr[i].name, name, strlen(name) + 1);
			memcpy(node->xattr[i].value, value, size);
			node->xattr[i].size = size;
			return 0;
		}
	return size == 0 ? 0 : -ENOSPC;
}

ssize_t fake_get_xattr(void *medium, const char *path, const char *name, void *value, size_t size)
{
	struct fake_node *node = fake_find(medium, path);

	if (!node)
		return -ENOENT;
	for (size_t i = 0; i < XATTRS; i++)
		if (node->xattr[i].size > 0 && strcmp(node->xattr[i].name, name) == 0) {
			if (node->xattr[i].size > size)
				return -ERANGE;
			memcpy(value, node->xattr[i].value, node->xattr[i].size);
			return (ssize_t)node->xattr[i].size;
		}
	return -ENODATA;
}
