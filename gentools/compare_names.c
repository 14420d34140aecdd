/* SPDX-License-Identifier: Apache-2.0 */
/* Which names are of one file. */
#include "gentools/compare_internal.h"

#include "gentools/hardlinks.h"
#include "gentools/order.h"

#include <errno.h>
#include <stdlib.h>

struct name {
	const struct model_node *node;
	const struct object *object;
};

static int compare_inodes(const void *a, const void *b)
{
	const struct name *first = a;
	const struct name *second = b;
	int order = order_numbers(first->node->inode->number, second->node->inode->number);

	return order != 0 ? order : tree_compare_paths(first->node->path, second->node->path);
}

static int compare_files(const void *a, const void *b)
{
	const struct name *first = a;
	const struct name *second = b;
	int order = order_numbers(first->object->file, second->object->file);

	return order != 0 ? order : tree_compare_paths(first->node->path, second->node->path);
}

/* Only files that should be there as such: of all else a difference is told already. */
static int collect(const struct compare *c, struct name *names, size_t *count)
{
	for (size_t i = 0; i < c->model->count; i++) {
		const struct model_node *node = c->model->nodes[i];
		const struct object *object;
		int err;

		if (!path_in(node->path, "system") || node->inode->type != OBJECT_FILE)
			continue;
		err = compare_find(c, node, &object);
		if (err < 0)
			return err;
		if (object && object->type == OBJECT_FILE)
			names[(*count)++] = (struct name){node, object};
	}
	return 0;
}

int compare_names(struct compare *c)
{
	struct name *names = calloc(c->model->count, sizeof(*names));
	size_t count = 0;
	int err = names ? collect(c, names, &count) : -ENOMEM;

	if (err < 0)
		goto out;
	qsort(names, count, sizeof(*names), compare_inodes);
	for (size_t i = 1; i < count; i++)
		if (names[i].node->inode == names[i - 1].node->inode &&
		    !hardlinks_may_share(names[i - 1].object, names[i].object))
			compare_differ(c, "/%s: a name of the same file as /%s", names[i].node->path,
			               names[i - 1].node->path);
	qsort(names, count, sizeof(*names), compare_files);
	for (size_t i = 1; c->inputs->hard_links && i < count; i++)
		if (names[i].object->file != 0 && names[i].object->file == names[i - 1].object->file &&
		    names[i].node->inode != names[i - 1].node->inode)
			compare_differ(c, "/%s: no name of the same file as /%s", names[i].node->path,
			               names[i - 1].node->path);
out:
	free(names);
	return err;
}
