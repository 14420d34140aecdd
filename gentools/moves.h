/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_MOVES_H
#define GENTOOLS_MOVES_H

/*
 * New files that are old ones at another path, edited or not: they need not be in the package. What is likely is tried,
 * and the smallest is taken by its size in the package.
 */
#include "gentools/gentools.h"
#include "gentools/plan.h"

/*
 * Turn steps for whole new files into renames and, in native packages, copies. Updaters of the lineage must get none:
 * where a file system is nearly full they remove what they copy from (spec/lineage.md 3.1-4). trials: an empty plan,
 * that gets the patches and must live as long as this one; ends with plan_free(), also after a failure.
 */
int moves_choose(struct plan *plan, struct plan *trials, const struct tree *source, const struct gen_options *options,
                 struct error *error);

#endif
