/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_MAIN_SETTINGS_H
#define GENTOOLS_MAIN_SETTINGS_H

/* What update_gen takes from the machine it runs on, none of which changes a byte of a package's patches. */
#include "gentools/gentools.h"

/* A number of jobs; 0, and told on standard error, when it is none. */
unsigned main_parse_jobs(const char *text);

/* A number of bytes above 0, K or M may follow it; false, and told, when it is none. */
bool main_parse_bytes(const char *option, const char *text, uint64_t *bytes);

/* "lineage" or "native"; false, and told, when it is neither. */
bool main_parse_compat(const char *text, bool *native);

/* How many processors there are. */
unsigned main_processors(void);

/*
 * SOURCE_DATE_EPOCH, as reproducible-builds.org specifies it: the time of all entries. Times are UTC from here on.
 * False, and told, when it is no number of seconds that fits into a zip archive.
 */
bool main_take_time(struct gen_options *options);

/* A bar on standard error, if that is a terminal which the log does not go to as well. */
struct main_bar {
	const char *what; /* it shows */
	int percent;
};
struct gen_progress main_progress(struct main_bar *bar);
void main_end_progress(const struct main_bar *bar);

#endif
