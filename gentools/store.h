/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_STORE_H
#define GENTOOLS_STORE_H

/*
 * Statements of a script some of whose data an earlier package has stored on the root file system (gentools/minimal.h).
 * Only functions of the lineage: read_file() makes a blob there, too, and rename() is content with what was moved.
 */
#include "gentools/plan.h"

#include <stdio.h>

#define STORE_PLACE "/system/.fota-store" /* as scripts see it */

/*
 * Before anything else is looked at: what was stored is there, or has become what it was stored for, which is what
 * a run finds that power cut short.
 */
void store_put_checks(const struct plan *plan, FILE *out);

/*
 * Around a call that wants stored data: they may be gone when all calls have had their effects. As long as they are
 * there it is made, also to tidy up what an earlier run has left.
 */
void store_put_guard(const struct step *step, FILE *out);
void store_put_alternative(const struct step *step, FILE *out);

/* The blob of a step's data, wherever they are. */
void store_put_data(const struct step *step, FILE *out);

/* A new file that is stored comes to its place. */
void store_put_rename(const struct step *step, FILE *out);

/* Nobody needs it any more. */
void store_put_end(const struct plan *plan, FILE *out);

#endif
