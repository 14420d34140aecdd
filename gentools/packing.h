/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_PACKING_H
#define GENTOOLS_PACKING_H

/* Whether a version was packed so that it is still what modules run: with its links and modes. */
#include "gentools/tree.h"

/* other: the other version, NULL for none. The error says how to pack it. */
int packing_check(const struct tree *tree, const struct tree *other, struct error *error);

#endif
