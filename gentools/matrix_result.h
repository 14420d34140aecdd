/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_MATRIX_RESULT_H
#define GENTOOLS_MATRIX_RESULT_H

/*
 * What is known of the package between two versions: a file of its own, NAME--NAME.txt, so that nobody has to wait for
 * anybody. Line 1 is a stamp of all that the result comes from, line 2 "size BYTES" or "impossible REASON".
 */
#include "gentools/matrix.h"

#include <limits.h>

#define MATRIX_RESULT_SIZE (ERROR_MESSAGE_SIZE + 32)

struct matrix_pair {
	unsigned from; /* versions, by number */
	unsigned to;
	char source[PATH_MAX];
	char target[PATH_MAX];
	char result[PATH_MAX];
	char stamp[1024];
};

/* The archive of the version in this folder; NULL when there is none. The caller frees it. */
char *matrix_locate(const struct matrix_options *options, const char *name);

/* Make the folder of the results. */
int matrix_results_open(const struct matrix_options *options, struct error *error);

int matrix_pair_set(struct matrix_pair *pair, const struct matrix *matrix, const struct matrix_options *options,
                    unsigned from, unsigned to, struct error *error);

/* Into the matrix. False when there is no result, or one of other versions, options or another update_gen. */
bool matrix_result_load(struct matrix *matrix, const struct matrix_pair *pair);

/* Written whole or not at all: several machines may share the folder. */
int matrix_result_save(const struct matrix_pair *pair, const char *line, struct error *error);

#endif
