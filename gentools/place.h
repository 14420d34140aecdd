/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_PLACE_H
#define GENTOOLS_PLACE_H

#include "base/error.h"

/* Whether a package may get this name: a device or a folder would be replaced by it, or the package be lost. */
int place_check(const char *path, struct error *error);

#endif
