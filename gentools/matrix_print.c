/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/matrix.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line of any length, which log_printf() would cut: it is written to `out`. */
struct line {
	FILE *out;
	char *text;
	size_t size;
};

static int line_begin(struct line *line)
{
	*line = (struct line){0};
	line->out = open_memstream(&line->text, &line->size);
	return line->out ? 0 : -ENOMEM;
}

static int line_end(struct line *line, const struct log *log)
{
	int err = ferror(line->out) ? -ENOMEM : 0;

	if (fclose(line->out) != 0)
		err = -ENOMEM;
	if (err == 0 && log->line)
		log->line(log->ctx, line->text);
	free(line->text);
	return err;
}

/* ---- The table ---- */

static int width_of(const struct matrix *matrix)
{
	size_t width = 10; /* digits of a large package */

	for (unsigned i = 0; i < matrix->sizes.count; i++)
		if (strlen(matrix->names[i]) > width)
			width = strlen(matrix->names[i]);
	return (int)width;
}

static int print_head(const struct matrix *matrix, int width, const struct log *log)
{
	struct line line;
	int err = line_begin(&line);

	if (err < 0)
		return err;
	(void)fprintf(line.out, "%*s  ", width, "from \\ to");
	for (unsigned to = 0; to < matrix->sizes.count; to++)
		(void)fprintf(line.out, "%*s  ", width, matrix->names[to]);
	return line_end(&line, log);
}

static int print_row(const struct matrix *matrix, unsigned from, uint64_t limit, int width, const struct log *log)
{
	const uint64_t *bytes = matrix->sizes.bytes + (size_t)from * matrix->sizes.count;
	struct line line;
	int err = line_begin(&line);

	if (err < 0)
		return err;
	(void)fprintf(line.out, "%*s  ", width, matrix->names[from]);
	for (unsigned to = 0; to < matrix->sizes.count; to++) {
		if (chain_fits(&matrix->sizes, from, to, limit))
			(void)fprintf(line.out, "%*" PRIu64 "  ", width, bytes[to]);
		else
			(void)fprintf(line.out, "%*s  ", width, "");
	}
	return line_end(&line, log);
}

/* A row for each version to come from, blank where there is no package or a too large one. */
static int print_table(const struct matrix *matrix, uint64_t limit, const struct log *log)
{
	int width = width_of(matrix);
	int err = print_head(matrix, width, log);

	for (unsigned from = 0; err == 0 && from < matrix->sizes.count; from++)
		err = print_row(matrix, from, limit, width, log);
	return err;
}

/* ---- What else there is to say ---- */

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

static int print_way(const struct matrix *matrix, const struct chain_way *way, const struct log *log)
{
	struct line line;
	int err = line_begin(&line);

	if (err < 0)
		return err;
	(void)fputs("chain: ", line.out);
	for (unsigned i = 0; i <= way->hops; i++)
		(void)fprintf(line.out, "%s%s", i ? " -> " : "", matrix->names[way->version[i]]);
	(void)fprintf(line.out, " (%u package%s, %" PRIu64 " bytes)", way->hops, way->hops == 1 ? "" : "s", way->bytes);
	return line_end(&line, log);
}

int matrix_print(const struct matrix *matrix, const struct matrix_options *options, const struct log *log,
                 struct error *error)
{
	struct chain_way way;
	int err = print_table(matrix, options->limit, log);

	if (err < 0)
		return error_set(error, 0, -err, "out of memory");
	print_reasons(matrix, options->limit, log);
	if (!chain_find(&matrix->sizes, matrix->from, matrix->to, options->limit, &way))
		return error_set(error, 0, ENOENT, "no chain of packages leads from %s to %s",
		                 matrix->names[matrix->from], matrix->names[matrix->to]);
	err = print_way(matrix, &way, log);
	return err < 0 ? error_set(error, 0, -err, "out of memory") : 0;
}
