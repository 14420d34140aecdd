/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/matrix.h"

#include "gentools/matrix_result.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Versions ---- */

static int compare_names(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

static int add_version(struct matrix *matrix, const char *name, struct error *error)
{
	if (matrix->sizes.count == CHAIN_VERSIONS_MAX)
		return error_set(error, 0, E2BIG, "more than %d versions", CHAIN_VERSIONS_MAX);
	matrix->names[matrix->sizes.count] = strdup(name);
	if (!matrix->names[matrix->sizes.count])
		return error_set(error, 0, ENOMEM, "out of memory");
	matrix->sizes.count++;
	return 0;
}

static int find_versions(struct matrix *matrix, const struct matrix_options *options, struct error *error)
{
	DIR *folder = opendir(options->versions);
	struct dirent *entry;
	int err = 0;

	if (!folder)
		return error_set(error, 0, errno, "%s: %s", options->versions, strerror(errno));
	while (err == 0 && (entry = readdir(folder))) {
		char *place = entry->d_name[0] == '.' ? NULL : matrix_locate(options, entry->d_name);

		if (place)
			err = add_version(matrix, entry->d_name, error);
		free(place);
	}
	(void)closedir(folder); /* only read: nothing to lose */
	if (err == 0 && matrix->sizes.count < 2)
		err = error_set(error, 0, ENOENT, "%s: has %u versions (NAME/targetfiles.zip); two are needed",
		                options->versions, matrix->sizes.count);
	qsort(matrix->names, matrix->sizes.count, sizeof(matrix->names[0]), compare_names);
	return err;
}

static int find_name(const struct matrix *matrix, const char *name, unsigned otherwise, unsigned *index,
                     struct error *error)
{
	*index = otherwise;
	for (unsigned i = 0; name && i < matrix->sizes.count; i++) {
		if (strcmp(matrix->names[i], name) == 0) {
			*index = i;
			return 0;
		}
	}
	return name ? error_set(error, 0, EINVAL, "%s: there is no such version", name) : 0;
}

/* ---- Jobs ---- */

/* Without the name that the package had meanwhile. */
static const char *cause_of(const struct error *error, const char *package)
{
	size_t length = strlen(package);
	bool named = strncmp(error->message, package, length) == 0 && strncmp(error->message + length, ": ", 2) == 0;

	return named ? error->message + length + 2 : error->message;
}

/* What says nothing about the versions, but about this machine at this time: it is to be tried again. */
static bool is_passing(int err)
{
	static const int errors[] = {ENOMEM, ENOSPC, EDQUOT, EIO, EMFILE, ENFILE, ENOENT, ENOTDIR, EACCES, EROFS};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (err == -errors[i])
			return true;
	return false;
}

/* In a process of its own. */
static int measure(const struct matrix_pair *pair, const struct matrix_options *options, struct error *error)
{
	char package[PATH_MAX + 32];
	struct gen_options making = options->package;
	char line[MATRIX_RESULT_SIZE];
	struct stat stat_of;
	int err;

	making.source = pair->source;
	making.target = pair->target;
	making.output = package;
	making.installable = true;
	/* Only what it needs beside its size has to be tried out. */
	making.no_verify = making.limits.scratch == 0 && making.limits.memory == 0;
	(void)snprintf(package, sizeof(package), "%s.%ld.zip", pair->result, (long)getpid());
	err = gen_make_package(&making, NULL, error);
	if (err == 0 && stat(package, &stat_of) < 0)
		err = error_set(error, 0, errno, "%s: %s", package, strerror(errno));
	if (is_passing(err))
		return err;
	if (err == 0)
		(void)snprintf(line, sizeof(line), "size %lld", (long long)stat_of.st_size);
	else
		(void)snprintf(line, sizeof(line), "impossible %s", cause_of(error, package));
	(void)unlink(package); /* only its size was wanted */
	return matrix_result_save(pair, line, error);
}

static pid_t start_job(const struct matrix_pair *pair, const struct matrix_options *options)
{
	struct error error;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (measure(pair, options, &error) == 0)
		_exit(EXIT_SUCCESS);
	(void)fprintf(stderr, "update_gen: %s\n", error.message);
	_exit(EXIT_FAILURE);
}

struct queue {
	struct matrix_pair *pairs;
	size_t count;
	size_t next;
	unsigned running;
	bool failed;
};

static void wait_for_job(struct queue *queue)
{
	int status = 0;
	pid_t pid;

	do
		pid = wait(&status);
	while (pid < 0 && errno == EINTR);
	queue->running--;
	if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS)
		queue->failed = true; /* it said why */
}

static int run_jobs(struct queue *queue, struct matrix *matrix, const struct matrix_options *options,
                    const struct log *log, struct error *error)
{
	const struct matrix_pair *pair;

	while (queue->running > 0 || (queue->next < queue->count && !queue->failed)) {
		if (queue->next == queue->count || queue->failed || queue->running == options->jobs) {
			wait_for_job(queue);
			continue;
		}
		pair = &queue->pairs[queue->next++];
		if (matrix_result_load(matrix, pair))
			continue; /* another machine was faster */
		log_printf(log, "%s to %s: package %zu of %zu", matrix->names[pair->from], matrix->names[pair->to],
		           queue->next, queue->count);
		if (start_job(pair, options) < 0)
			queue->failed = true;
		else
			queue->running++;
	}
	return queue->failed ? error_set(error, 0, ECHILD, "packages could not be made; those that were are kept") : 0;
}

/* ---- The matrix ---- */

/* What is asked for, without what the results know. */
static int list_pairs(struct matrix *matrix, const struct matrix_options *options, struct queue *queue,
                      struct error *error)
{
	unsigned count = matrix->sizes.count;
	int err = 0;

	for (unsigned from = 0; from < count && err == 0; from++) {
		for (unsigned to = 0; to < count && err == 0; to++) {
			struct matrix_pair *pair = &queue->pairs[queue->count];

			if (from == to || (to < from && !options->back))
				continue;
			err = matrix_pair_set(pair, matrix, options, from, to, error);
			if (err == 0 && !matrix_result_load(matrix, pair))
				queue->count++;
		}
	}
	return err;
}

static int load_all(struct matrix *matrix, const struct queue *queue, struct error *error)
{
	for (size_t i = 0; i < queue->count; i++)
		if (!matrix_result_load(matrix, &queue->pairs[i]))
			return error_set(error, 0, EIO, "%s: no result", queue->pairs[i].result);
	return 0;
}

/* Versions and what is asked for of them; the queue's pairs are the caller's, also after a failure. */
static int open_matrix(struct matrix *matrix, const struct matrix_options *options, struct queue *queue,
                       struct error *error)
{
	size_t cells;
	int err;

	memset(matrix, 0, sizeof(*matrix));
	err = find_versions(matrix, options, error);
	if (err == 0)
		err = find_name(matrix, options->from, 0, &matrix->from, error);
	if (err == 0)
		err = find_name(matrix, options->to, matrix->sizes.count - 1, &matrix->to, error);
	if (err < 0)
		return err;
	cells = (size_t)matrix->sizes.count * matrix->sizes.count;
	matrix->sizes.bytes = calloc(cells + 1, sizeof(matrix->sizes.bytes[0]));
	matrix->reasons = calloc(cells + 1, sizeof(matrix->reasons[0]));
	queue->pairs = calloc(cells + 1, sizeof(queue->pairs[0]));
	if (!matrix->sizes.bytes || !matrix->reasons || !queue->pairs)
		return error_set(error, 0, ENOMEM, "out of memory");
	for (size_t i = 0; i < cells; i++)
		matrix->sizes.bytes[i] = CHAIN_IMPOSSIBLE;
	return matrix_results_open(options, error);
}

int matrix_make(struct matrix *matrix, const struct matrix_options *options, const struct log *log, struct error *error)
{
	struct queue queue = {0};
	int err = open_matrix(matrix, options, &queue, error);

	if (err == 0)
		err = list_pairs(matrix, options, &queue, error);
	if (err == 0)
		err = run_jobs(&queue, matrix, options, log, error);
	if (err == 0)
		err = load_all(matrix, &queue, error);
	free(queue.pairs);
	return err;
}

int matrix_each_pending(const struct matrix_options *options, matrix_tell *tell, void *ctx, struct error *error)
{
	struct queue queue = {0};
	struct matrix matrix;
	int err = open_matrix(&matrix, options, &queue, error);

	if (err == 0)
		err = list_pairs(&matrix, options, &queue, error);
	for (size_t i = 0; err == 0 && i < queue.count; i++)
		tell(ctx, matrix.names[queue.pairs[i].from], matrix.names[queue.pairs[i].to]);
	free(queue.pairs);
	matrix_free(&matrix);
	return err;
}

int matrix_make_pair(const struct matrix_options *options, const struct log *log, struct error *error)
{
	struct queue queue = {.count = 1};
	struct matrix matrix;
	int err = open_matrix(&matrix, options, &queue, error);

	if (err == 0)
		err = matrix_pair_set(queue.pairs, &matrix, options, matrix.from, matrix.to, error);
	if (err == 0 && !matrix_result_load(&matrix, queue.pairs)) {
		err = measure(queue.pairs, options, error);
		if (err == 0)
			err = load_all(&matrix, &queue, error);
	}
	if (err == 0)
		matrix_print_pair(&matrix, matrix.from, matrix.to, options->limit, log);
	free(queue.pairs);
	matrix_free(&matrix);
	return err;
}

void matrix_free(struct matrix *matrix)
{
	unsigned count = matrix->sizes.count;

	for (size_t i = 0; matrix->reasons && i < (size_t)count * count; i++)
		free(matrix->reasons[i]);
	for (unsigned i = 0; i < count; i++)
		free(matrix->names[i]);
	free(matrix->reasons);
	free(matrix->sizes.bytes);
	memset(matrix, 0, sizeof(*matrix));
}
