/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_ROLLBACK_H
#define GENTOOLS_ROLLBACK_H

/* The rollback index of a firmware version (package/rollback.h). */
#include "base/log.h"
#include "gentools/tree.h"

/* What has it, NULL without one. */
const struct object *rollback_find(const struct tree *tree);

/*
 * Each version has none, or a sound one. The log gets a warning when an upgrade of these parts (enum gen_part) would
 * lead to a lower one.
 */
int rollback_compare(const struct tree *source, const struct tree *target, unsigned parts, const struct log *log,
                     struct error *error);

#endif
