/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_COMPOSE_H
#define GENTOOLS_COMPOSE_H

/* The updater-script of a plan: edify that updaters of the whole lineage run (spec/lineage.md 1.3, 1.4). */
#include "gentools/plan.h"

#include <stdio.h>

/* Whether all of it was written, only the stream knows: ferror(). */
void compose_script(const struct plan *plan, FILE *out);

/* Text as a quoted string of the language. */
void compose_quoted(FILE *out, const char *text);

#endif
