/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/matrix.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LINE_SIZE 8192

static unsigned width_of(const struct matrix *matrix)
{
	unsigned width = 10; /* bytes of a large package */

	for (unsigned i = 0; i < matrix->sizes.count; i++)
		if (strlen(matrix->names[i]) > width)
			width = (unsigned)strlen(matrix->names[i]);
	return width;
}

static void append(char line[LINE_SIZE], unsigned width, const char *text)
{
	size_t used = strlen(line);

	(void)snprintf(line + used, LINE_SIZE - used, "%*s  ", (int)width, text);
}

/* A row for each version to come from, blank where there is no package or a too large one. */
static void print_table(const struct matrix *matrix, uint64_t limit, const struct log *log)
{
	unsigned width = width_of(matrix);
	char line[LINE_SIZE] = "";
	char number[24];

	append(line, width, "from \\ to");
	for (unsigned to = 0; to < matrix->sizes.count; to++)
		append(line, width, matrix->names[to]);
	log_printf(log, "%s", line);
	for (unsigned from = 0; from < matrix->sizes.count; from++) {
		line[0] = '\0';
		append(line, width, matrix->names[from]);
		for (unsigned to = 0; to < matrix->sizes.count; to++) {
			number[0] = '\0';
			if (chain_fits(&matrix->sizes, from, to, limit))
				(void)snprintf(number, sizeof(number), "%" PRIu64,
				               matrix->sizes.bytes[from * matrix->sizes.count + to]);
			append(line, width, number);
		}
		log_printf(log, "%s", line);
	}
}

void matrix_print_pair(const struct matrix *matrix, unsigned from, unsigned to, uint64_t limit, const struct log *log)
{
	size_t at = (size_t)from * matrix->sizes.count + to;
	uint64_t bytes = matrix->sizes.bytes[at];

	if (matrix->reasons[at])
		log_printf(log, "%s to %s: impossible: %s", matrix->names[from], matrix->names[to],
		           matrix->reasons[at]);
	else if (bytes != CHAIN_IMPOSSIBLE && bytes > limit)
		log_printf(log, "%s to %s: too large: %" PRIu64 " bytes, at most %" PRIu64 " are allowed",
		           matrix->names[from], matrix->names[to], bytes, limit);
	else if (bytes != CHAIN_IMPOSSIBLE)
		log_printf(log, "%s to %s: %" PRIu64 " bytes", matrix->names[from], matrix->names[to], bytes);
}

/* Below the table, for what is blank in it. */
static void print_reasons(const struct matrix *matrix, uint64_t limit, const struct log *log)
{
	for (unsigned from = 0; from < matrix->sizes.count; from++)
		for (unsigned to = 0; to < matrix->sizes.count; to++)
			if (!chain_fits(&matrix->sizes, from, to, limit))
				matrix_print_pair(matrix, from, to, limit, log);
}

static void print_way(const struct matrix *matrix, const struct chain_way *way, const struct log *log)
{
	char line[LINE_SIZE] = "";

	for (unsigned i = 0; i <= way->hops; i++) {
		size_t used = strlen(line);

		(void)snprintf(line + used, sizeof(line) - used, "%s%s", i ? " -> " : "",
		               matrix->names[way->version[i]]);
	}
	log_printf(log, "chain: %s (%u package%s, %" PRIu64 " bytes)", line, way->hops, way->hops == 1 ? "" : "s",
	           way->bytes);
}

int matrix_print(const struct matrix *matrix, const struct matrix_options *options, const struct log *log,
                 struct error *error)
{
	struct chain_way way;

	print_table(matrix, options->limit, log);
	print_reasons(matrix, options->limit, log);
	if (!chain_find(&matrix->sizes, matrix->from, matrix->to, options->limit, &way))
		return error_set(error, 0, ENOENT, "no chain of packages leads from %s to %s",
		                 matrix->names[matrix->from], matrix->names[matrix->to]);
	print_way(matrix, &way, log);
	return 0;
}
