/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_PAIR_H
#define GENTOOLS_PAIR_H

/* From a plan to the two packages of a minimal-system upgrade, signed and tried out. */
#include "gentools/gentools.h"
#include "gentools/plan.h"
#include "gentools/sign.h"
#include "gentools/verify.h"

/*
 * The packages get their names, options->output and the second one beside it, when both are whole, neither is larger
 * than options->limits.package, and they are known to be right. -EFBIG when two of them do not do.
 */
int pair_make(struct plan *plan, const struct verify_inputs *trees, const struct gen_options *options,
              const struct signer *signer, const struct log *log, struct needs *needs, struct error *error);

#endif
