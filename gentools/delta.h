/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_DELTA_H
#define GENTOOLS_DELTA_H

#include "base/error.h"
#include "gentools/spool.h"

/* A BSDIFF40 patch from old to new as a new piece of the spool. */
int delta_make(const struct extent *old, const struct extent *new, struct spool *spool, struct extent *patch,
               struct error *error);

#endif
