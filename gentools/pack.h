/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_PACK_H
#define GENTOOLS_PACK_H

/* A plan as a package. */
#include "gentools/gentools.h"
#include "gentools/plan.h"
#include "gentools/verify.h"

/* PLAN_VERSION_FILE; NULL when the tree has none. */
const struct object *pack_find_version(const struct tree *tree);

/* A version's targetfiles.zip is the only source of its next update: the output must be no input. */
int pack_check_output(const char *output, const struct gen_options *options, struct error *error);

/* Bytes that a package at path, signed if it is to be, will have in the end: encrypted if it is to be. */
int pack_measure(const char *path, const struct gen_options *options, uint64_t *size, struct error *error);

/* Data that an earlier package has stored are left out. */
int pack_plan(struct plan *plan, const struct verify_inputs *trees, const struct gen_options *options, const char *path,
              struct error *error);

#endif
