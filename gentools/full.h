/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_FULL_H
#define GENTOOLS_FULL_H

/*
 * Packages that install on whatever a module runs: each object of the target whole, and everything else removed. They
 * have no quectel-project-version, which is what ties a package to one version.
 */
#include "gentools/lists.h"
#include "gentools/plan.h"

/*
 * plan_make() for a source of which nothing is known. What is to stay of the module's own is listed for this project's
 * updaters (native); for all others the file systems are formatted.
 */
int full_plan(struct plan *plan, const struct tree *target, unsigned parts, bool native, const struct log *log,
              struct error *error);

/*
 * A module to try the package out on when no version is given: it has other files, and other types of object where the
 * target has its first ones. Ends with tree_free(), also after a failure.
 */
int full_make_module(struct tree *module, const struct tree *target, struct error *error);

/* -EINVAL when noota is to keep something: nobody knows that it is there. */
int full_check_lists(const struct lists *lists, struct error *error);

#endif
