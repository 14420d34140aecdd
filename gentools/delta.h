/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_DELTA_H
#define GENTOOLS_DELTA_H

#include "base/error.h"
#include "gentools/spool.h"
#include <stdbool.h>

struct delta_options {
	uint64_t memory; /* that applying may take (patch_memory()), as far as there is such a patch; 0: no matter */
	uint32_t unit;   /* not 0: changes the old one in place, so many bytes at a time; native only */
	bool native;     /* for this project's updaters alone: FOTADLT1 instead of BSDIFF40 */
};

/*
 * A patch from old to new as a new piece of the spool: FOTADLT1 or BSDIFF40, or IMGDIFF2 where that is smaller as an
 * entry of a package; in place FOTADLT1 alone. All but BSDIFF40 were applied once to see that they make the new one.
 */
int delta_make(const struct extent *old, const struct extent *new, const struct delta_options *options,
               struct spool *spool, struct extent *patch, struct error *error);

#endif
