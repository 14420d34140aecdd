/* SPDX-License-Identifier: Apache-2.0 */
/* UBI volumes of a model that hold its file systems: they can be formatted, which is to empty them, and nothing else.
 */
#include "gentools/model_internal.h"

#include <errno.h>
#include <string.h>

/* What no path of a program begins with. */
#define SCHEME "ubi:"

static const struct volume {
	const char *name;
	const char *directory; /* where it counts as mounted */
} volumes[] = {{"rootfs", "system"}, {"modem", "system/firmware"}};

int model_find_volume(const struct model *model, const char *name, struct storage_location *location)
{
	for (size_t i = 0; i < sizeof(volumes) / sizeof(volumes[0]); i++) {
		if (strcmp(volumes[i].name, name) != 0 || !model_find(model, volumes[i].directory))
			continue;
		location->kind = STORAGE_UBI;
		(void)stpcpy(stpcpy(location->path, SCHEME), volumes[i].directory);
		return 0;
	}
	return -ENOENT;
}

struct model_node *model_look_up_volume(const struct model *model, const char *path)
{
	return strncmp(path, SCHEME, strlen(SCHEME)) == 0 ? model_find(model, path + strlen(SCHEME)) : NULL;
}

/* What another volume has below it stays: that is only mounted there. */
static void empty(struct model *model, const struct model_node *node)
{
	size_t first = model_position(model, node->path) + 1;
	size_t end = first;

	while (end < model->count && path_in(model->nodes[end]->path, node->path))
		end++;
	while (end-- > first)
		if (model->nodes[end]->inode->area == node->inode->area)
			model_remove(model, model->nodes[end]);
}

/* The directory of the volume that is open; NULL when something else is. */
static const struct model_node *find_open(const struct model *model, const struct model_inode *inode)
{
	for (size_t i = 0; i < sizeof(volumes) / sizeof(volumes[0]); i++) {
		const struct model_node *node = model_find(model, volumes[i].directory);

		if (node && node->inode == inode)
			return node;
	}
	return NULL;
}

int model_op_ubi_update(void *medium, int handle, uint64_t bytes)
{
	struct model *model = medium;
	struct model_inode *inode = model->handles[handle];
	const struct model_node *node = find_open(model, inode);

	if (bytes > 0 || !node)
		return -EOPNOTSUPP;
	empty(model, node);
	inode->formatted = true;
	inode->mode = 0755;
	inode->uid = inode->gid = 0;
	while (inode->xattr_count > 0)
		(void)model_set_xattr(inode, inode->xattrs[0].name, NULL, 0); /* it is there */
	return 0;
}

int model_op_ubi_info(void *medium, int handle, struct storage_ubi_info *info)
{
	(void)medium;
	(void)handle;
	(void)info;
	return -EOPNOTSUPP;
}

int model_op_ubi_write(void *medium, int handle, const void *data, size_t length)
{
	(void)medium;
	(void)handle;
	(void)data;
	(void)length;
	return -EOPNOTSUPP;
}
