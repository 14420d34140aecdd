/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_MINIMAL_H
#define GENTOOLS_MINIMAL_H

/*
 * An upgrade of two packages, for modules whose user data volume is too small for one. The first one only brings data:
 * it stores them on the root file system, beside the version that runs and goes on running. The second one is an
 * ordinary upgrade that takes some of its data from there (gentools/store.h), and removes what was stored.
 */
#include "gentools/gentools.h"
#include "gentools/plan.h"

/* "update-2.zip" for "update.zip": "-2" goes before the last dot of its name, or behind a name that has none. */
int minimal_second_name(const char *output, char **second, struct error *error);

/*
 * Choose what the first package brings, so that it has at most so many bytes, as near to them as can be: step->stored
 * is set for those, and NULL for all others.
 */
int minimal_split(struct plan *plan, uint64_t bytes, struct error *error);

/*
 * Write the first package for that choice. It leads from the source to the source. next: path of the second package,
 * which is named in the first.
 */
int minimal_write_first(struct plan *plan, const struct tree *source, const char *path, const char *next,
                        const int64_t *time, struct error *error);

#endif
