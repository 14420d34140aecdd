/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_COMPARE_INTERNAL_H
#define GENTOOLS_COMPARE_INTERNAL_H

#include "gentools/compare.h"

struct compare {
	const struct model *model;
	const struct verify_inputs *inputs;
	const struct log *log;
	struct comparison *result;
};

/* A difference, a line. */
void compare_differ(struct compare *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What should be where a node of the system is; NULL: nothing. -ENOMEM. */
int compare_find(const struct compare *c, const struct model_node *node, const struct object **object);

/* Which names are of one file. -ENOMEM. */
int compare_names(struct compare *c);

#endif
