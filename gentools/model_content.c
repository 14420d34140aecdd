/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/model_internal.h"

#include <errno.h>

static int give_handle(struct model *model, struct model_inode *inode)
{
	for (int handle = 0; handle < MODEL_OPEN_MAX; handle++) {
		if (model->handles[handle])
			continue;
		model->handles[handle] = inode;
		inode->opened++;
		return handle;
	}
	return -EMFILE;
}

int model_op_open(void *medium, const char *path, enum storage_open_mode mode)
{
	struct model *model = medium;
	bool make = mode == STORAGE_CREATE || mode == STORAGE_APPEND;
	struct model_node *node = model_look_up_volume(model, path);
	int err;

	if (node)
		return give_handle(model, node->inode);
	err = model_look_up(medium, path, !make, &node);
	if (err == -ENOENT && make) {
		err = model_create(model, path, OBJECT_FILE, &node);
		if (err == 0)
			node->inode->mode = mode == STORAGE_CREATE ? 0600 : 0644;
	}
	if (err < 0)
		return err;
	if (node->inode->type != OBJECT_FILE)
		return node->inode->type == OBJECT_LINK ? -ELOOP : node->inode->type == OBJECT_NODE ? -ENXIO : -EISDIR;
	if (mode == STORAGE_CREATE) {
		model_grow(model, node->inode, -(int64_t)node->inode->body.size);
		body_clear(&model->store, &node->inode->body);
		node->inode->mode = 0600;
		node->inode->modified = ++model->clock;
	}
	return give_handle(model, node->inode);
}

int model_op_close(void *medium, int handle)
{
	struct model *model = medium;
	struct model_inode *inode = model->handles[handle];

	model->handles[handle] = NULL;
	model_release(model, inode);
	return 0;
}

ssize_t model_op_read(void *medium, int handle, uint64_t offset, void *buffer, size_t length)
{
	struct model *model = medium;
	const struct model_inode *inode = model->handles[handle];
	const struct body *body = &inode->body;
	uint64_t left = offset < body->size ? body->size - offset : 0;
	int err;

	if (length > left)
		length = (size_t)left;
	model->accounts[inode->area].read += length;
	err = body_read(&model->store, body, offset, buffer, length);
	return err < 0 ? err : (ssize_t)length;
}

int model_op_write(void *medium, int handle, uint64_t offset, const void *data, size_t length)
{
	struct model *model = medium;
	struct model_inode *inode = model->handles[handle];
	uint64_t size = inode->body.size;
	int err = body_write(&model->store, &inode->body, offset, data, length);

	model->accounts[inode->area].written += length;
	if (inode->names > 0)
		model_grow(model, inode, (int64_t)(inode->body.size - size));
	inode->modified = ++model->clock;
	(void)model_set_xattr(inode, CAPABILITY_XATTR, NULL, 0); /* there need not be one */
	model->full = model->full || err == -ENOSPC || err == -EDQUOT || err == -EFBIG;
	return err;
}

int model_op_size(void *medium, int handle, uint64_t *bytes)
{
	*bytes = ((const struct model *)medium)->handles[handle]->body.size;
	return 0;
}

int model_op_sync(void *medium, int handle)
{
	(void)medium;
	(void)handle;
	return 0; /* the power does not fail here */
}
