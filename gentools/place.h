/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_PLACE_H
#define GENTOOLS_PLACE_H

/* Where a package goes: who finds OUTPUT finds one that is whole and right; until then it is called OUTPUT.part. */
#include "base/error.h"

/* Whether a package may get this name: a device or a folder would be replaced by it, or the package be lost. */
int place_check(const char *path, struct error *error);

/* That, and what to call the file for now, for place_end(); *part is NULL after a failure. */
int place_begin(const char *output, char **part, struct error *error);

/*
 * The file gets its name, in place of what has it, when err is 0, which says how the work on it went; otherwise it is
 * removed. Frees part, which is NULL when it failed to begin. Returns err, or what renaming failed with.
 */
int place_end(char *part, const char *output, int err, struct error *error);

#endif
