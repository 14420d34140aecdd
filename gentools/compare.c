/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/compare_internal.h"

#include "gentools/capability.h"
#include "gentools/plan.h"
#include "gentools/tree_xattr.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void compare_differ(struct compare *c, const char *format, ...)
{
	char text[sizeof(c->result->first)];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (c->result->differences++ == 0)
		memcpy(c->result->first, text, sizeof(text));
	log_printf(c->log, "differs: %s", text);
}

const struct object *compare_expected(const struct verify_inputs *inputs, const char *path)
{
	unsigned part = plan_part_of(path) & inputs->parts;
	const struct object *object = tree_find(part ? inputs->target : inputs->source, path);

	/* A partition stays as it is when the target has no image for it. */
	return object || !plan_is_image(path) ? object : tree_find(inputs->source, path);
}

static bool is_untouched(const struct body *body, const struct extent *data)
{
	return body->count == 0 && body->base.spool == data->spool && body->base.offset == data->offset &&
	       body->base.size == data->size;
}

/* The first byte that differs, or the size when none does. */
static int find_difference(const struct compare *c, const struct body *body, const struct extent *data, uint64_t *at)
{
	char bytes[BODY_BLOCK_SIZE];
	struct mapping mapping;
	int err;

	*at = data->size;
	if (is_untouched(body, data))
		return 0;
	err = extent_map(data, &mapping);
	for (size_t done = 0; err == 0 && done < mapping.size && *at == data->size; done += sizeof(bytes)) {
		size_t length = mapping.size - done < sizeof(bytes) ? mapping.size - done : sizeof(bytes);
		const char *wanted = (const char *)mapping.data + done;

		err = body_read(&c->model->store, body, done, bytes, length);
		for (size_t i = 0; err == 0 && i < length && *at == data->size; i++)
			if (bytes[i] != wanted[i])
				*at = done + i;
	}
	extent_unmap(&mapping);
	return err;
}

static int compare_content(struct compare *c, const char *label, const struct model_node *node,
                           const struct object *object)
{
	uint64_t at;
	int err;

	/* A partition is as large as it is. */
	if (!node->inode->image && node->inode->body.size != object->data.size) {
		compare_differ(c, "%s: has %llu bytes, not %llu", label, (unsigned long long)node->inode->body.size,
		               (unsigned long long)object->data.size);
		return 0;
	}
	err = find_difference(c, &node->inode->body, &object->data, &at);
	if (err == 0 && at < object->data.size)
		compare_differ(c, "%s: another content from byte %llu on", label, (unsigned long long)at);
	return err;
}

/* The source's mode and owner of a directory that no archive lists are not known, and so not what stays of them. */
static bool has_attributes(const struct compare *c, const struct object *object)
{
	const struct object *old = tree_find(c->inputs->source, object->path);

	return !object->implied && !(old && old->implied && old->type == object->type);
}

/* What the target does not tell stays as it was, or is none in a file that was written anew. */
static void compare_capabilities(struct compare *c, const struct model_node *node, const struct object *object)
{
	const struct model_xattr *xattr = model_get_xattr(node->inode, CAPABILITY_XATTR);
	uint8_t wanted[CAPABILITY_SIZE];

	if (!object->has_capabilities)
		return;
	capability_pack(wanted, object->capabilities);
	if (object->capabilities == 0
	            ? xattr != NULL
	            : !xattr || xattr->size != sizeof(wanted) || memcmp(xattr->value, wanted, sizeof(wanted)) != 0)
		compare_differ(c, "/%s: has other capabilities than 0x%llx", node->path,
		               (unsigned long long)object->capabilities);
}

static void compare_xattrs(struct compare *c, const struct model_node *node, const struct object *object)
{
	if (!object->has_xattrs)
		return;
	for (size_t i = 0; i < node->inode->xattr_count; i++)
		if (strcmp(node->inode->xattrs[i].name, CAPABILITY_XATTR) != 0 &&
		    !object_find_xattr(object, node->inode->xattrs[i].name))
			compare_differ(c, "/%s: has extended attribute %s", node->path, node->inode->xattrs[i].name);
	for (size_t i = 0; i < object->xattr_count; i++) {
		const struct object_xattr *wanted = &object->xattrs[i];
		const struct model_xattr *xattr = model_get_xattr(node->inode, wanted->name);

		if (!xattr || xattr->size != wanted->size || memcmp(xattr->value, wanted->value, wanted->size) != 0)
			compare_differ(c, "/%s: has %s extended attribute %s", node->path, xattr ? "another" : "no",
			               wanted->name);
	}
}

static void compare_attributes(struct compare *c, const struct model_node *node, const struct object *object)
{
	if (!has_attributes(c, object))
		return;
	if (object->type != OBJECT_LINK && node->inode->mode != object->mode)
		compare_differ(c, "/%s: has mode 0%o, not 0%o", node->path, node->inode->mode, object->mode);
	if (node->inode->uid != object->uid || node->inode->gid != object->gid)
		compare_differ(c, "/%s: has owner %u:%u, not %lld:%lld", node->path, node->inode->uid, node->inode->gid,
		               (long long)object->uid, (long long)object->gid);
}

int compare_find(const struct compare *c, const struct model_node *node, const struct object **object)
{
	char *path;

	if (asprintf(&path, "SYSTEM%s", node->path + strlen("system")) < 0)
		return -ENOMEM;
	/* The root of a file system is of no part, but one that was made anew is not the source's. */
	*object = node->inode->formatted ? tree_find(c->inputs->target, path) : compare_expected(c->inputs, path);
	free(path);
	return 0;
}

static int compare_path(struct compare *c, const struct model_node *node)
{
	static const char *const types[] = {[OBJECT_FILE] = "file",
	                                    [OBJECT_DIRECTORY] = "directory",
	                                    [OBJECT_LINK] = "symbolic link",
	                                    [OBJECT_NODE] = "node"};
	const struct object *object;
	int err = compare_find(c, node, &object);

	if (err < 0)
		return err;
	/* Mount points are made where there are none. */
	if (!object && (strcmp(node->path, "system/firmware") == 0 || strcmp(node->path, "system/dev") == 0))
		return 0;
	if (!object) {
		compare_differ(c, "/%s: a %s that should not be there", node->path, types[node->inode->type]);
		return 0;
	}
	c->result->objects++;
	if (node->inode->type != object->type) {
		compare_differ(c, "/%s: is a %s, not a %s", node->path, types[node->inode->type], types[object->type]);
		return 0;
	}
	if (node->inode->type == OBJECT_LINK && strcmp(node->inode->link, object->link) != 0)
		compare_differ(c, "/%s: leads to \"%s\", not \"%s\"", node->path, node->inode->link, object->link);
	if (node->inode->type == OBJECT_NODE &&
	    (node->inode->node.kind != object->node.kind || node->inode->node.major != object->node.major ||
	     node->inode->node.minor != object->node.minor))
		compare_differ(c, "/%s: is node %c %u:%u, not %c %u:%u", node->path, node->inode->node.kind,
		               node->inode->node.major, node->inode->node.minor, object->node.kind, object->node.major,
		               object->node.minor);
	if (node->inode->type == OBJECT_FILE) {
		char label[ERROR_MESSAGE_SIZE / 4];

		(void)snprintf(label, sizeof(label), "/%s", node->path);
		err = compare_content(c, label, node, object);
	}
	compare_attributes(c, node, object);
	compare_capabilities(c, node, object);
	compare_xattrs(c, node, object);
	return err;
}

static int compare_partition(struct compare *c, const struct model_node *node)
{
	const struct object *object = compare_expected(c->inputs, node->inode->image->path);

	/* One that only the target has stays as it was when its part is not upgraded. */
	if (!object)
		return 0;
	c->result->objects++;
	return compare_content(c, object->path, node, object);
}

/* What recovery removes at the end is no remnant. */
static bool is_remnant(const struct model_node *node)
{
	return path_in(node->path, "cache") && node->inode->type == OBJECT_FILE &&
	       strcmp(node->path, "cache/recovery/finished") != 0;
}

static int find_missing(struct compare *c, const struct tree *tree)
{
	for (size_t i = 0; i < tree->count; i++) {
		const struct object *object = &tree->objects[i];
		char *path;

		if (!path_in(object->path, "SYSTEM") || compare_expected(c->inputs, object->path) != object)
			continue;
		if (asprintf(&path, "system%s", object->path + strlen("SYSTEM")) < 0)
			return -ENOMEM;
		if (!model_find(c->model, path))
			compare_differ(c, "/%s: is missing", path);
		free(path);
	}
	return 0;
}

int compare_model(const struct model *model, const struct verify_inputs *inputs, const struct log *log,
                  struct comparison *comparison)
{
	struct compare c = {.model = model, .inputs = inputs, .log = log, .result = comparison};
	int err = 0;

	for (size_t i = 0; err == 0 && i < model->count; i++) {
		const struct model_node *node = model->nodes[i];

		if (path_in(node->path, "system"))
			err = compare_path(&c, node);
		else if (node->inode->image)
			err = compare_partition(&c, node);
		else if (is_remnant(node))
			compare_differ(&c, "/%s: left behind", node->path);
	}
	if (err == 0)
		err = compare_names(&c);
	if (err == 0)
		err = find_missing(&c, inputs->source);
	return err < 0 ? err : find_missing(&c, inputs->target);
}
