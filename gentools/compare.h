/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_COMPARE_H
#define GENTOOLS_COMPARE_H

/* What a model of a module holds behind an upgrade, against what it should. */
#include "gentools/model.h"
#include "gentools/verify.h"

struct comparison {
	size_t objects;     /* that were compared */
	size_t differences; /* each was a line of the log */
	char first[ERROR_MESSAGE_SIZE / 2];
};

/* What of these is at this path of the trees behind the upgrade, NULL when nothing. */
const struct object *compare_expected(const struct verify_inputs *inputs, const char *path);

/* Compare all, the model's partitions by their image. A target is needed. -ENOMEM, or what a temporary file gave. */
int compare_model(const struct model *model, const struct verify_inputs *inputs, const struct log *log,
                  struct comparison *comparison);

#endif
