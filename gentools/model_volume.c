/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UBI volumes of a model. Those that hold its file systems can be formatted, which is to empty them, and nothing else;
 * those that hold images are dynamic ones.
 */
#include "gentools/model_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What no path of a program begins with. */
#define SCHEME "ubi:"

#define FOLDER  "/ubi/" /* of images */
#define FILLING 4096    /* bytes */

static const struct volume {
	const char *name;
	const char *directory; /* where it counts as mounted */
} volumes[] = {{"rootfs", "system"}, {"modem", "system/firmware"}};

int model_find_volume(const struct model *model, const char *name, struct storage_location *location)
{
	int n = snprintf(location->path, sizeof(location->path), FOLDER "%s", name);

	location->kind = STORAGE_UBI;
	if (n > 0 && (size_t)n < sizeof(location->path) && model_find(model, location->path + 1))
		return 0;
	for (size_t i = 0; i < sizeof(volumes) / sizeof(volumes[0]); i++) {
		if (strcmp(volumes[i].name, name) != 0 || !model_find(model, volumes[i].directory))
			continue;
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

static void format(struct model *model, const struct model_node *node)
{
	struct model_inode *inode = node->inode;

	empty(model, node);
	inode->formatted = true;
	inode->mode = 0755;
	inode->uid = inode->gid = 0;
	while (inode->xattr_count > 0)
		(void)model_set_xattr(inode, inode->xattrs[0].name, NULL, 0); /* it is there */
}

/* ---- Operations ---- */

/* Bytes as UBI gives them where nothing was written. */
static int fill(void *medium, int handle, uint64_t offset, uint64_t length)
{
	uint8_t erased[FILLING];
	int err = 0;

	memset(erased, 0xff, sizeof(erased));
	while (err == 0 && length > 0) {
		size_t piece = length < sizeof(erased) ? (size_t)length : sizeof(erased);

		err = model_op_write(medium, handle, offset, erased, piece);
		offset += piece;
		length -= piece;
	}
	return err;
}

int model_op_ubi_info(void *medium, int handle, struct storage_ubi_info *info)
{
	const struct model_inode *inode = ((struct model *)medium)->handles[handle];

	if (!inode->volume)
		return -EOPNOTSUPP;
	*info = (struct storage_ubi_info){.size = inode->body.size, .used = inode->body.size, .leb_size = inode->leb};
	return 0;
}

int model_op_ubi_update(void *medium, int handle, uint64_t bytes)
{
	struct model *model = medium;
	struct model_inode *inode = model->handles[handle];
	const struct model_node *node = find_open(model, inode);

	if (inode->volume) {
		inode->updated = 0;
		return bytes > inode->body.size ? -EINVAL : 0;
	}
	if (bytes > 0 || !node)
		return -EOPNOTSUPP;
	format(model, node);
	return 0;
}

int model_op_ubi_write(void *medium, int handle, const void *data, size_t length)
{
	struct model_inode *inode = ((struct model *)medium)->handles[handle];
	uint64_t at = inode->updated;

	if (!inode->volume)
		return -EOPNOTSUPP;
	if (length > inode->body.size - at)
		return -ENOSPC;
	inode->updated += length;
	return model_op_write(medium, handle, at, data, length);
}

int model_op_ubi_change(void *medium, int handle, uint32_t leb, const void *data, size_t length)
{
	const struct model_inode *inode = ((struct model *)medium)->handles[handle];
	uint64_t at = (uint64_t)leb * inode->leb;
	int err;

	if (inode->leb == 0 || length > inode->leb || at >= inode->body.size)
		return -EINVAL;
	err = model_op_write(medium, handle, at, data, length);
	return err < 0 ? err : fill(medium, handle, at + length, inode->leb - length);
}
