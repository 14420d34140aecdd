/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_OUTPUT_H
#define GENTOOLS_OUTPUT_H

/*
 * Writing update.zip: the same entries make the same bytes, whatever the time and the locale. What deflate makes
 * smaller is deflated.
 */
#include "base/error.h"
#include "gentools/spool.h"
#include <stdbool.h>

struct output_entry {
	const char *name;
	bool directory;
	struct extent data;
};

/* time: of all entries, seconds; NULL for the zip format's first. A file that is there is replaced; after a failure
 * there is none. */
int output_write(const char *path, const struct output_entry *entries, size_t count, const int64_t *time,
                 struct error *error);

#endif
