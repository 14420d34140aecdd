/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_DELTA_H
#define GENTOOLS_DELTA_H

#include "base/error.h"
#include "gentools/spool.h"

/*
 * A patch from old to new as a new piece of the spool: BSDIFF40, or IMGDIFF2 where that is smaller as an entry of a
 * package, which was applied once to see that it makes the new one. memory: the most that applying it may take
 * (patch_memory()), as far as there is such a patch; 0: no matter.
 */
int delta_make(const struct extent *old, const struct extent *new, uint64_t memory, struct spool *spool,
               struct extent *patch, struct error *error);

#endif
