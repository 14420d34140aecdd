/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_MAIN_SETTINGS_H
#define GENTOOLS_MAIN_SETTINGS_H

/* What update_gen takes from the machine it runs on, none of which changes a byte of a package's patches. */
#include "gentools/gentools.h"

/* Decimal digits and nothing else, at most max. */
bool main_parse_number(const char *text, unsigned long long max, unsigned long long *value);

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
