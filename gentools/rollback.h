/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_ROLLBACK_H
#define GENTOOLS_ROLLBACK_H

/* The rollback index of a firmware version (package/rollback.h). */
#include "base/log.h"
#include "gentools/gentools.h"
#include "gentools/tree.h"
#include "package/rollback.h"

#define ROLLBACK_FILE "SYSTEM" PACKAGE_ROLLBACK_PATH

/* What has it, NULL without one. */
const struct object *rollback_find(const struct tree *tree);

/*
 * Each version has none, or a sound one. When an upgrade of options->parts would lead to a lower one, this is an error
 * with options->installable, and a warning to the log otherwise.
 */
int rollback_compare(const struct tree *source, const struct tree *target, const struct gen_options *options,
                     const struct log *log, struct error *error);

#endif
