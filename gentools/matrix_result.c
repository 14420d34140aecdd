/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/matrix_result.h"

#include "gentools/encrypt.h"
#include "gentools/lists.h"
#include "gentools/tree.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *matrix_locate(const struct matrix_options *options, const char *name)
{
	struct stat status;
	char *place;
	char *path;

	if (asprintf(&path, "%s/%s", options->versions, name) < 0)
		return NULL;
	place = tree_locate(path);
	free(path);
	if (place && stat(place, &status) == 0 && S_ISREG(status.st_mode))
		return place;
	free(place);
	return NULL;
}

static void results_path(const struct matrix_options *options, const char *name, char path[PATH_MAX])
{
	(void)snprintf(path, PATH_MAX, "%s%s%s", options->results ? options->results : options->versions,
	               options->results ? "" : "/results", name);
}

int matrix_results_open(const struct matrix_options *options, struct error *error)
{
	char folder[PATH_MAX];

	results_path(options, "", folder);
	if (mkdir(folder, 0777) < 0 && errno != EEXIST)
		return error_set(error, 0, errno, "%s: %s", folder, strerror(errno));
	return 0;
}

static void add(struct matrix_pair *pair, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct matrix_pair *pair, const char *format, ...)
{
	size_t used = strlen(pair->stamp);
	va_list values;

	va_start(values, format);
	(void)vsnprintf(pair->stamp + used, sizeof(pair->stamp) - used, format, values);
	va_end(values);
}

/* A file that is not there is worth a note, too: it may come. */
static void add_file(struct matrix_pair *pair, const char *what, const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		add(pair, " %s -", what);
	else
		add(pair, " %s %lld %lld.%09ld", what, (long long)status.st_size, (long long)status.st_mtim.tv_sec,
		    status.st_mtim.tv_nsec);
}

static void make_stamp(struct matrix_pair *pair, const struct gen_options *package)
{
	pair->stamp[0] = '\0';
	add(pair, FOTA_VERSION " parts %u", package->parts);
	if (package->native)
		add(pair, " native");
	if (package->limits.scratch || package->limits.memory)
		add(pair, " scratch %llu memory %llu", (unsigned long long)package->limits.scratch,
		    (unsigned long long)package->limits.memory);
	if (package->units.leb || package->units.erase_block)
		add(pair, " leb %u block %u", package->units.leb, package->units.erase_block);
	if (package->sign)
		add_file(pair, "sign", package->sign);
	if (package->recipients)
		add(pair, " recipients %u", package->recipients->count);
	for (unsigned kind = 0; package->lists_folder && kind < GEN_LISTS; kind++) {
		char path[PATH_MAX];

		(void)snprintf(path, sizeof(path), "%s/%s", package->lists_folder, list_name((enum gen_list)kind));
		add_file(pair, "list", path);
	}
	add_file(pair, "source", pair->source);
	add_file(pair, "target", pair->target);
}

static int set_place(char path[PATH_MAX], const struct matrix_options *options, const char *name, struct error *error)
{
	char *place = matrix_locate(options, name);
	int n = place ? snprintf(path, PATH_MAX, "%s", place) : -1;

	free(place);
	return n >= 0 && n < PATH_MAX ? 0 : error_set(error, 0, ENOENT, "%s/%s: no version", options->versions, name);
}

int matrix_pair_set(struct matrix_pair *pair, const struct matrix *matrix, const struct matrix_options *options,
                    unsigned from, unsigned to, struct error *error)
{
	char name[600];
	int err = set_place(pair->source, options, matrix->names[from], error);

	if (err == 0)
		err = set_place(pair->target, options, matrix->names[to], error);
	if (err < 0)
		return err;
	pair->from = from;
	pair->to = to;
	(void)snprintf(name, sizeof(name), "/%.255s--%.255s.txt", matrix->names[from], matrix->names[to]);
	results_path(options, name, pair->result);
	make_stamp(pair, &options->package);
	return 0;
}

static bool take_line(struct matrix *matrix, const struct matrix_pair *pair, const char *line)
{
	size_t at = (size_t)pair->from * matrix->sizes.count + pair->to;
	char *end;

	if (strncmp(line, "size ", 5) == 0) {
		matrix->sizes.bytes[at] = strtoull(line + 5, &end, 10);
		return end > line + 5 && *end == '\0';
	}
	matrix->sizes.bytes[at] = CHAIN_IMPOSSIBLE;
	if (strncmp(line, "impossible ", 11) != 0)
		return false;
	free(matrix->reasons[at]);
	matrix->reasons[at] = strdup(line + 11);
	return matrix->reasons[at] != NULL;
}

bool matrix_result_load(struct matrix *matrix, const struct matrix_pair *pair)
{
	FILE *file = fopen(pair->result, "re");
	char stamp[sizeof(pair->stamp) + 1];
	char line[MATRIX_RESULT_SIZE];
	bool good;

	if (!file)
		return false;
	good = fgets(stamp, sizeof(stamp), file) && fgets(line, sizeof(line), file) && strchr(line, '\n');
	(void)fclose(file); /* only read: nothing to lose */
	if (!good)
		return false;
	stamp[strcspn(stamp, "\n")] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return strcmp(stamp, pair->stamp) == 0 && take_line(matrix, pair, line);
}

int matrix_result_save(const struct matrix_pair *pair, const char *line, struct error *error)
{
	char path[PATH_MAX + 32];
	FILE *file;
	int err = 0;

	(void)snprintf(path, sizeof(path), "%s.%ld", pair->result, (long)getpid());
	file = fopen(path, "we");
	if (!file)
		return error_set(error, 0, errno, "%s: %s", path, strerror(errno));
	if (fprintf(file, "%s\n%s\n", pair->stamp, line) < 0)
		err = errno;
	if (fclose(file) != 0 && err == 0)
		err = errno;
	if (err == 0 && rename(path, pair->result) < 0)
		err = errno;
	if (err == 0)
		return 0;
	(void)unlink(path); /* the failure is told */
	return error_set(error, 0, err, "%s: %s", pair->result, strerror(err));
}
