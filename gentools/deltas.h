/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_DELTAS_H
#define GENTOOLS_DELTAS_H

/* The patches of a plan, several at a time. How many makes no difference to any of them. */
#include "gentools/gentools.h"
#include "gentools/plan.h"

/*
 * Make the patches of all steps that are one; of the options the jobs, the progress and the limit of memory matter.
 * Then, and as soon as a step's turn comes, one line for it to the log, in the plan's order.
 */
int deltas_make(struct plan *plan, const struct gen_options *options, const struct log *log, struct error *error);

#endif
