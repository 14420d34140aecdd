/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_MAIN_OPTIONS_H
#define GENTOOLS_MAIN_OPTIONS_H

/* What the command lines of update_gen, its commands, and delta have in common. */
#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>

/* Exit statuses beside those of stdlib.h. */
enum { EXIT_USAGE = 2, EXIT_NOT_PROVED = 3 };

/* To go on: no exit status. */
#define MAIN_GO_ON (-1)

/* An option, with exactly one of text, flag and take. */
struct main_option {
	const char *name;  /* behind "--" */
	char letter;       /* behind "-"; 0: none */
	const char **text; /* becomes its value */
	bool *flag;        /* becomes true; such an option has no value */

	/* Gets its value. Returns MAIN_GO_ON, or the exit status, when it has told on standard error what is wrong. */
	int (*take)(void *ctx, const char *name, const char *value);
	void *ctx;
};

/*
 * Options and the words among them: argv[optind] is the first word then. --help prints the usage. MAIN_GO_ON, or the
 * exit status to end with.
 */
int main_parse_options(int argc, char **argv, const char *usage, const struct main_option *options, size_t count);

/* For struct main_option.take; the ctx is where the value goes. */
int main_take_jobs(void *jobs, const char *name, const char *value);     /* unsigned, above 0 */
int main_take_bytes(void *bytes, const char *name, const char *value);   /* uint64_t, above 0; K, M or G may follow */
int main_take_unit(void *bytes, const char *name, const char *value);    /* uint32_t, of struct gen_units */
int main_take_compat(void *native, const char *name, const char *value); /* bool: "native", not "lineage" */

/* The exit status of a command that ended with err; what the error says goes to standard error. */
int main_end(const char *command, int err, const struct error *error);

#endif
