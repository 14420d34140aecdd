/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_UNITS_H
#define GENTOOLS_UNITS_H

/*
 * Images that are changed in place, a LEB or an erase block at a time, without a copy of the old one in /cache. The
 * modules' updater does so with a patch that was made for its flash, and refuses any other before it changes anything.
 */
#include "base/log.h"
#include "gentools/gentools.h"
#include "gentools/plan.h"
#include "gentools/tree.h"

/* What the options say, or else the images with UBI among the trees' files (the target may be NULL). */
struct gen_units units_of(const struct tree *source, const struct tree *target, const struct gen_options *options);

/*
 * Tell each image of the trees (the target may be NULL) what its place changes at a time. The lists have been applied,
 * and volumes_settle() has chosen. -EINVAL for a UBI volume that only this
 * project's updaters know how to write, when the package is not for them.
 */
int units_settle(struct tree *source, struct tree *target, const struct gen_options *options, const struct log *log,
                 struct error *error);

/* Have the plan's images patched in place wherever that is known. */
void units_plan(struct plan *plan);

#endif
