/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/packing.h"

#include "gentools/order.h"

#include <errno.h>
#include <stdlib.h>

/* So many that it is no chance. */
#define SUSPICIOUS 10

static size_t count_links(const struct tree *tree)
{
	size_t links = 0;

	for (size_t i = 0; i < tree->count; i++)
		links += tree->objects[i].type == OBJECT_LINK;
	return links;
}

static int compare_digests(const void *a, const void *b)
{
	return order_digests(a, b);
}

/* Files of SYSTEM with the content of another one. */
static int count_equal(const struct tree *tree, size_t *count)
{
	struct digest_value *digests = calloc(tree->count + 1, sizeof(*digests));
	size_t files = 0;

	if (!digests)
		return -ENOMEM;
	for (size_t i = 0; i < tree->count; i++) {
		const struct object *object = &tree->objects[i];

		if (object->type == OBJECT_FILE && object->data.size > 0 && path_in(object->path, "SYSTEM"))
			digests[files++] = object->digest;
	}
	qsort(digests, files, sizeof(*digests), compare_digests);
	*count = 0;
	for (size_t i = 1; i < files; i++)
		*count += compare_digests(&digests[i - 1], &digests[i]) == 0;
	free(digests);
	return 0;
}

static int check_links(const struct tree *tree, const struct tree *other, struct error *error)
{
	size_t links = other ? count_links(other) : 0;
	size_t equal;
	int err;

	if (count_links(tree) > 0)
		return 0;
	if (links >= SUSPICIOUS)
		return error_set(error, RESULT_FORMAT, EINVAL,
		                 "%s: has no symbolic links, the other one has %zu: they were followed; pack it with "
		                 "zip -qry0, y keeps them",
		                 tree->name, links);
	err = count_equal(tree, &equal);
	if (err < 0)
		return error_set(error, 0, -err, "out of memory");
	/* Names of one file are no links that were followed. */
	if (equal >= SUSPICIOUS && tree->hard_links == 0)
		return error_set(
			error, RESULT_FORMAT, EINVAL,
			"%s: has no symbolic links, but %zu files that are equal to others: links were followed; "
			"pack it with zip -qry0, y keeps them",
			tree->name, equal);
	return 0;
}

static int check_modes(const struct tree *tree, struct error *error)
{
	size_t files = 0;

	for (size_t i = 0; i < tree->count; i++) {
		const struct object *object = &tree->objects[i];

		if (object->type != OBJECT_FILE || !path_in(object->path, "SYSTEM"))
			continue;
		if (object->mode & 0111)
			return 0;
		files++;
	}
	if (files < SUSPICIOUS)
		return 0;
	return error_set(error, RESULT_FORMAT, EINVAL,
	                 "%s: none of the %zu files of SYSTEM may be executed: it was packed without modes; pack it on "
	                 "Linux, with zip -qry0",
	                 tree->name, files);
}

int packing_check(const struct tree *tree, const struct tree *other, struct error *error)
{
	int err = check_modes(tree, error); /* what has none has no links either */

	return err < 0 ? err : check_links(tree, other, error);
}
