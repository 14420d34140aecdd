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
	const char *versions; /* folder: NAME/targetfiles.zip for each version */
	const char *results;  /* folder; NULL: "results" in that folder */
	unsigned parts;       /* of enum gen_part */
	unsigned jobs;        /* packages that are made at a time */
	bool back;            /* downgrades, too */
	uint64_t limit;       /* bytes of a package; UINT64_MAX: none */
	const char *from;     /* names of versions; NULL: the oldest and the newest */
	const char *to;
};

struct matrix {
	char *names[CHAIN_VERSIONS_MAX]; /* oldest first, as version numbers are compared */
	struct chain_sizes sizes;
	char **reasons; /* why there is no package, as sizes.bytes; NULL where there is one */
};

/* Names of versions and what the results know; what they do not know is made. One line per package to the log. */
int matrix_make(struct matrix *matrix, const struct matrix_options *options, const struct log *log,
                struct error *error);
void matrix_free(struct matrix *matrix);

/*
 * The table of sizes, why pairs are impossible or too large, and the way from the one version to the other. -ENOENT
 * when there is no way.
 */
int matrix_print(const struct matrix *matrix, const struct matrix_options *options, const struct log *log,
                 struct error *error);

#endif
