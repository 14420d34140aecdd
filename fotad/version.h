/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_VERSION_H
#define FOTAD_VERSION_H

/*
 * quectel-project-version: which build a system is, as "Label: value" lines (spec/requirements.md A.13). Real files
 * space their labels unevenly ("Project Rev :", "Branch Name:  x"), end lines with CR, and some put two labels on one
 * line: labels are found wherever they stand, and blanks count as one, at the ends as none.
 */
#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>

#define VERSION_PATH "/etc/quectel-project-version"

enum version_field {
	VERSION_PROJECT,  /* Project Name */
	VERSION_REVISION, /* Project Rev */
	VERSION_BRANCH,   /* Branch Name */
	VERSION_CUSTOM,   /* Custom Name */
	VERSION_TIME,     /* Package Time: identifies the build */
	VERSION_FIELDS,
};

/* The value behind a label, in clean blanks and cut to size. False, and "", when the text has no such label. */
bool version_get(const char *text, enum version_field field, char *value, size_t size);

/*
 * Is this package, whose quectel-project-version is `wanted`, for the system whose own is `running`? Every label that
 * the package's file has must have the same value there; other lines do not count, they are not known to say anything
 * about the build. Only when it has none of the labels must the texts be the same as a whole. -EILSEQ with
 * RESULT_PRECHECK: label, expected and found values.
 */
int version_check(const char *wanted, const char *running, struct error *error);

#endif
