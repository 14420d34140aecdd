/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_MATRIX_H
#define GENTOOLS_MATRIX_H

/*
 * The packages between all versions of a folder: how large each is, kept in a folder of results so that nothing is made
 * twice, and so that any number of machines may make parts of it.
 */
#include "gentools/chain.h"
#include "gentools/gentools.h"

struct matrix_options {
	const char *versions;       /* folder: NAME/targetfiles.zip for each version */
	const char *results;        /* folder; NULL: "results" in that folder */
	struct gen_options package; /* how they are made: parts, format, limits beside the size, lists, key */
	unsigned jobs;              /* packages that are made at a time */
	bool back;                  /* downgrades, too */
	uint64_t limit;             /* bytes of a package; UINT64_MAX - 1: any */
	const char *from;           /* names of versions; NULL: the oldest and the newest */
	const char *to;
};

struct matrix {
	char *names[CHAIN_VERSIONS_MAX]; /* oldest first, as version numbers are compared */
	struct chain_sizes sizes;
	unsigned from; /* the ends that are asked for, by number */
	unsigned to;
	char **reasons; /* why there is no package, as sizes.bytes; NULL where there is one */
};

/* Names of versions and what the results know; what they do not know is made. One line per package to the log. */
int matrix_make(struct matrix *matrix, const struct matrix_options *options, const struct log *log,
                struct error *error);

/* The same for options->from and options->to alone, a job of its own; one line to the log. */
int matrix_make_pair(const struct matrix_options *options, const struct log *log, struct error *error);

/* The pairs that matrix_make() would make now. */
typedef void matrix_tell(void *ctx, const char *from, const char *to);
int matrix_each_pending(const struct matrix_options *options, matrix_tell *tell, void *ctx, struct error *error);

void matrix_free(struct matrix *matrix);

/* Its size, or why there is none that fits. Of pairs that are not known: nothing. */
void matrix_print_pair(const struct matrix *matrix, unsigned from, unsigned to, uint64_t limit, const struct log *log);

/*
 * The table of sizes, why pairs are impossible or too large, and the way from the one version to the other. -ENOENT
 * when there is no way.
 */
int matrix_print(const struct matrix *matrix, const struct matrix_options *options, const struct log *log,
                 struct error *error);

#endif
