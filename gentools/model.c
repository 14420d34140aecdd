/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/model_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINK_LIMIT 40 /* as in Linux */

static void free_xattr(struct model_xattr *xattr)
{
	free(xattr->name);
	free(xattr->value);
}

/* When nothing leads to it any more. */
static void drop_inode(struct model *model, struct model_inode *inode)
{
	if (inode->names > 0 || inode->opened > 0)
		return;
	body_clear(&model->store, &inode->body);
	for (size_t i = 0; i < inode->xattr_count; i++)
		free_xattr(&inode->xattrs[i]);
	free(inode->xattrs);
	free(inode->link);
	free(inode);
}

static void free_node(struct model *model, struct model_node *node)
{
	node->inode->names--;
	drop_inode(model, node->inode);
	free(node->path);
	free(node);
}

int model_open(struct model *model)
{
	struct model_node *root;
	int err;

	*model = (struct model){0};
	err = body_store_open(&model->store);
	if (err < 0)
		return err;
	err = model_add(model, "", OBJECT_DIRECTORY, &root);
	if (err == 0)
		root->inode->mode = 0755;
	return err;
}

void model_free(struct model *model)
{
	for (size_t i = 0; i < model->count; i++)
		free_node(model, model->nodes[i]);
	free(model->nodes);
	body_store_close(&model->store);
	*model = (struct model){.store = {.spool = {.fd = -1}}};
}

size_t model_position(const struct model *model, const char *path)
{
	size_t low = 0;
	size_t high = model->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (tree_compare_paths(model->nodes[middle]->path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct model_node *model_find(const struct model *model, const char *path)
{
	size_t at = model_position(model, path);

	return at < model->count && strcmp(model->nodes[at]->path, path) == 0 ? model->nodes[at] : NULL;
}

enum model_area model_area_of(const char *path)
{
	if (path_in(path, "system/firmware"))
		return MODEL_FIRMWARE;
	if (path_in(path, "system"))
		return MODEL_SYSTEM;
	return path_in(path, "cache") ? MODEL_CACHE : MODEL_PARTITIONS;
}

static int insert_node(struct model *model, const char *path, struct model_inode *inode, struct model_node **added)
{
	size_t at = model_position(model, path);
	struct model_node *node;

	if (model->count == model->capacity) {
		size_t capacity = model->capacity ? 2 * model->capacity : 1024;
		struct model_node **nodes = reallocarray(model->nodes, capacity, sizeof(struct model_node *));

		if (!nodes)
			return -ENOMEM;
		model->nodes = nodes;
		model->capacity = capacity;
	}
	node = calloc(1, sizeof(*node));
	if (!node)
		return -ENOMEM;
	node->path = strdup(path);
	if (!node->path) {
		free(node);
		return -ENOMEM;
	}
	node->inode = inode;
	inode->names++;
	inode->area = model_area_of(path);
	memmove(model->nodes + at + 1, model->nodes + at, (model->count - at) * sizeof(struct model_node *));
	model->nodes[at] = node;
	model->count++;
	*added = node;
	return 0;
}

static int insert_inode(struct model *model, const char *path, enum object_type type, struct model_node **node)
{
	struct model_inode *inode = calloc(1, sizeof(*inode));
	int err = inode ? insert_node(model, path, inode, node) : -ENOMEM;

	if (err < 0) {
		free(inode);
		return err;
	}
	inode->type = type;
	inode->modified = inode->number = ++model->clock;
	return 0;
}

/* For a name that is not there yet: its parents. */
static int prepare_name(struct model *model, const char *path)
{
	char *parent;
	struct model_node *made;
	int err = 0;

	if (model_find(model, path))
		return -EEXIST;
	parent = strdup(path);
	if (!parent)
		return -ENOMEM;
	for (char *slash = strchr(parent, '/'); err == 0 && slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (!model_find(model, parent)) {
			err = insert_inode(model, parent, OBJECT_DIRECTORY, &made);
			if (err == 0)
				made->inode->mode = 0755;
		}
		*slash = '/';
	}
	free(parent);
	return err;
}

int model_add(struct model *model, const char *path, enum object_type type, struct model_node **node)
{
	int err = prepare_name(model, path);

	return err < 0 ? err : insert_inode(model, path, type, node);
}

int model_link(struct model *model, const char *path, struct model_inode *inode)
{
	struct model_node *node;
	int err = prepare_name(model, path);

	return err < 0 ? err : insert_node(model, path, inode, &node);
}

void model_grow(struct model *model, const struct model_inode *inode, int64_t bytes)
{
	struct model_account *account = &model->accounts[inode->area];

	account->grown += bytes;
	if (account->peak < account->grown)
		account->peak = account->grown;
}

void model_remove(struct model *model, struct model_node *node)
{
	size_t at = model_position(model, node->path);

	if (node->inode->names == 1)
		model_grow(model, node->inode, -(int64_t)node->inode->body.size);
	model->count--;
	memmove(model->nodes + at, model->nodes + at + 1, (model->count - at) * sizeof(struct model_node *));
	free_node(model, node);
}

void model_release(struct model *model, struct model_inode *inode)
{
	inode->opened--;
	drop_inode(model, inode);
}

static int compare_nodes(const void *a, const void *b)
{
	return tree_compare_paths((*(struct model_node *const *)a)->path, (*(struct model_node *const *)b)->path);
}

int model_rename(struct model *model, struct model_node *node, const char *path)
{
	size_t first = model_position(model, node->path);
	size_t length = strlen(node->path);
	size_t end = first + 1; /* the node itself is there */
	char **paths;
	int err = 0;

	while (end < model->count && path_in(model->nodes[end]->path, node->path))
		end++;
	paths = calloc(end - first, sizeof(char *));
	if (!paths)
		return -ENOMEM;
	for (size_t i = first; err == 0 && i < end; i++)
		if (asprintf(&paths[i - first], "%s%s", path, model->nodes[i]->path + length) < 0) {
			paths[i - first] = NULL;
			err = -ENOMEM;
		}
	for (size_t i = first; err == 0 && i < end; i++) {
		char *old = model->nodes[i]->path;

		model->nodes[i]->path = paths[i - first];
		paths[i - first] = old;
	}
	for (size_t i = first; i < end; i++)
		free(paths[i - first]);
	free(paths);
	qsort(model->nodes, model->count, sizeof(struct model_node *), compare_nodes);
	return err;
}

/* Put the target of the link `node` in place of its path in text, which goes on with `rest`. */
static int splice_link(char text[STORAGE_PATH_MAX], const struct model_node *node, const char *rest)
{
	char out[STORAGE_PATH_MAX] = "";
	const char *name = strrchr(node->path, '/');
	int err;

	if (*node->inode->link != '/' && name)
		memcpy(out, node->path, (size_t)(name - node->path));
	err = storage_append_path(out, node->inode->link);
	if (err == 0)
		err = storage_append_path(out, rest);
	if (err == 0)
		memcpy(text, out, strlen(out) + 1);
	return err;
}

/* 0: no link on the way, 1: the first one was put into text. */
static int follow_first(const struct model *model, char text[STORAGE_PATH_MAX], bool follow)
{
	size_t end = 0;

	while (text[end]) {
		const struct model_node *node;
		char after;

		end += strcspn(text + end, "/");
		after = text[end];
		if (!after && !follow)
			return 0;
		text[end] = '\0';
		node = model_find(model, text);
		text[end] = after;
		if (!node)
			return after ? -ENOENT : 0;
		if (node->inode->type == OBJECT_LINK) {
			int err = splice_link(text, node, text + end);

			return err < 0 ? err : 1;
		}
		if (after && node->inode->type != OBJECT_DIRECTORY)
			return -ENOTDIR;
		end += after == '/';
	}
	return 0;
}

int model_resolve(const struct model *model, const char *path, bool follow, char resolved[STORAGE_PATH_MAX])
{
	int err;

	*resolved = '\0';
	err = storage_append_path(resolved, path);
	if (err < 0)
		return err;
	for (int links = 0; links < LINK_LIMIT; links++) {
		err = follow_first(model, resolved, follow);
		if (err <= 0)
			return err;
	}
	return -ELOOP;
}

const struct model_xattr *model_get_xattr(const struct model_inode *inode, const char *name)
{
	for (size_t i = 0; i < inode->xattr_count; i++)
		if (strcmp(inode->xattrs[i].name, name) == 0)
			return &inode->xattrs[i];
	return NULL;
}

static int add_xattr(struct model_inode *inode, const char *name, const void *value, size_t size)
{
	struct model_xattr *xattrs = reallocarray(inode->xattrs, inode->xattr_count + 1, sizeof(*xattrs));
	struct model_xattr added = {.name = strdup(name), .value = malloc(size), .size = size};

	if (xattrs)
		inode->xattrs = xattrs;
	if (!xattrs || !added.name || !added.value) {
		free_xattr(&added);
		return -ENOMEM;
	}
	memcpy(added.value, value, size);
	inode->xattrs[inode->xattr_count++] = added;
	return 0;
}

int model_set_xattr(struct model_inode *inode, const char *name, const void *value, size_t size)
{
	struct model_xattr *old = (struct model_xattr *)model_get_xattr(inode, name);

	if (!old && size == 0)
		return -ENODATA;
	if (old) {
		free_xattr(old);
		*old = inode->xattrs[--inode->xattr_count];
	}
	return size > 0 ? add_xattr(inode, name, value, size) : 0;
}
