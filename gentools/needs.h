/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_NEEDS_H
#define GENTOOLS_NEEDS_H

/*
 * What a package asks of a module. Not reckoned but counted, while the updater's own code installed it on a model
 * (gentools/verify.h); only memory and time are estimates. File systems that compress need less room than that.
 */
#include "base/error.h"
#include "base/log.h"
#include "gentools/gentools.h"
#include "gentools/model.h"
#include "package/package.h"

/* Bytes, unless another unit stands there. */
struct needs {
	uint64_t package;
	uint64_t scratch;  /* in /cache, beside the package */
	uint64_t memory;   /* of the updater, resident */
	uint64_t system;   /* free room of the root file system, at the worst moment */
	uint64_t firmware; /* the same of SYSTEM/firmware's */
	uint64_t written;  /* to flash, the package itself left out */
	uint64_t erases;   /* of erase blocks of NEEDS_ERASE_BLOCK for that */
	uint64_t seconds;  /* in recovery, on a Cortex-A7 of 1.2 GHz */
};

#define NEEDS_ERASE_BLOCK ((uint64_t)128 << 10) /* the smallest of this class of modules */

/* What of a limit is left to each of so many patches: for delta_make(). 0: no limit. */
uint64_t needs_patch_memory(const struct gen_limits *limits, size_t patches);

/* The package's, of which the model holds the result. What cannot be read is the error. */
int needs_count(struct package *package, uint64_t package_bytes, const struct model *model, struct needs *needs,
                struct error *error);

void needs_log(const struct needs *needs, const struct log *log);

/* -EFBIG, and the first need that exceeds its limit with both figures. */
int needs_check(const struct needs *needs, const struct gen_limits *limits, struct error *error);

#endif
