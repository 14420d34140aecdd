/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_SUMMARY_H
#define GENTOOLS_SUMMARY_H

/* A package in figures, for programs: one JSON object (RFC 8259). */
#include "gentools/gentools.h"
#include "gentools/plan.h"
#include "gentools/verify.h"

/*
 * Write it to options->summary, "-" for standard output. Paths that are not UTF-8 have U+FFFD for each such byte. Of
 * the objects, "from" is where what is renamed or copied was, and "package_bytes" what the package has for them, before
 * zip compresses what is no patch. needs: NULL when nobody knows.
 */
int summary_write(const struct plan *plan, const struct verify_inputs *trees, const struct gen_options *options,
                  const struct needs *needs, struct error *error);

#endif
