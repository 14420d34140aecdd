/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_HARDLINKS_INTERNAL_H
#define GENTOOLS_HARDLINKS_INTERNAL_H

#include "gentools/hardlinks.h"

/* Some of a tree's objects, sorted: what belongs together stands together, by path. */
struct hardlinks_names {
	struct object **objects; /* whoever gathers them frees the array */
	size_t count;
};

/* -ENOMEM. */
int hardlinks_gather(struct tree *tree, bool (*wanted)(const struct object *object),
                     int (*compare)(const void *a, const void *b), struct hardlinks_names *names);

/* The names of files that have several. */
int hardlinks_gather_files(struct tree *tree, struct hardlinks_names *names);

/* Of these the next ones of one file, from *end on; false: there are no more. */
bool hardlinks_next(const struct hardlinks_names *names, size_t *start, size_t *end);

/* What stays on the module, whatever that is (noota list). */
bool hardlinks_is_kept(const struct object *old, const struct object *new);

#endif
