/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/matrix.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_SIZE 4096
#define REASON    ERROR_MESSAGE_SIZE

/* ---- Versions ---- */

static int compare_names(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

static void version_path(const struct matrix_options *options, const char *name, char path[PATH_SIZE])
{
	(void)snprintf(path, PATH_SIZE, "%s/%s/targetfiles.zip", options->versions, name);
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
	char path[PATH_SIZE];
	struct dirent *entry;
	int err = 0;

	if (!folder)
		return error_set(error, 0, errno, "%s: %s", options->versions, strerror(errno));
	while (err == 0 && (entry = readdir(folder))) {
		version_path(options, entry->d_name, path);
		if (entry->d_name[0] != '.' && access(path, F_OK) == 0)
			err = add_version(matrix, entry->d_name, error);
	}
	(void)closedir(folder); /* only read: nothing to lose */
	if (err == 0 && matrix->sizes.count < 2)
		err = error_set(error, 0, ENOENT, "%s: has %u versions (NAME/targetfiles.zip); two are needed",
		                options->versions, matrix->sizes.count);
	qsort(matrix->names, matrix->sizes.count, sizeof(matrix->names[0]), compare_names);
	return err;
}

/* ---- Results: a file per pair, which counts as long as neither version has changed ---- */

struct pair {
	unsigned from;
	unsigned to;
	char source[PATH_SIZE];
	char target[PATH_SIZE];
	char result[PATH_SIZE];
	char stamp[256];
};

static int make_stamp(struct pair *pair, unsigned parts, struct error *error)
{
	struct stat source;
	struct stat target;

	if (stat(pair->source, &source) < 0)
		return error_set(error, 0, errno, "%s: %s", pair->source, strerror(errno));
	if (stat(pair->target, &target) < 0)
		return error_set(error, 0, errno, "%s: %s", pair->target, strerror(errno));
	(void)snprintf(pair->stamp, sizeof(pair->stamp), "parts %u source %lld %lld target %lld %lld", parts,
	               (long long)source.st_size, (long long)source.st_mtime, (long long)target.st_size,
	               (long long)target.st_mtime);
	return 0;
}

static void results_path(const struct matrix_options *options, const char *name, char path[PATH_SIZE])
{
	(void)snprintf(path, PATH_SIZE, "%s%s%s", options->results ? options->results : options->versions,
	               options->results ? "" : "/results", name);
}

static int set_pair(struct pair *pair, const struct matrix *matrix, const struct matrix_options *options, unsigned from,
                    unsigned to, struct error *error)
{
	char name[600];

	pair->from = from;
	pair->to = to;
	version_path(options, matrix->names[from], pair->source);
	version_path(options, matrix->names[to], pair->target);
	(void)snprintf(name, sizeof(name), "/%.255s--%.255s.txt", matrix->names[from], matrix->names[to]);
	results_path(options, name, pair->result);
	return make_stamp(pair, options->parts, error);
}

/* Line 1 the stamp, line 2 "size BYTES" or "impossible REASON". False when there is none that counts. */
static bool load_result(struct matrix *matrix, const struct pair *pair)
{
	size_t at = (size_t)pair->from * matrix->sizes.count + pair->to;
	FILE *file = fopen(pair->result, "re");
	char stamp[sizeof(pair->stamp) + 1];
	char line[REASON + 32];
	char *end;
	bool good;

	if (!file)
		return false;
	good = fgets(stamp, sizeof(stamp), file) && fgets(line, sizeof(line), file) && strchr(line, '\n');
	(void)fclose(file); /* only read: nothing to lose */
	if (!good)
		return false;
	stamp[strcspn(stamp, "\n")] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (strcmp(stamp, pair->stamp) != 0)
		return false;
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

/* Written whole or not at all: several machines may share the folder. */
static int save_result(const struct pair *pair, const char *line, struct error *error)
{
	char path[PATH_SIZE + 32];
	FILE *file;
	bool written;

	(void)snprintf(path, sizeof(path), "%s.%ld", pair->result, (long)getpid());
	file = fopen(path, "we");
	if (!file)
		return error_set(error, 0, errno, "%s: %s", path, strerror(errno));
	written = fprintf(file, "%s\n%s\n", pair->stamp, line) > 0;
	written = fclose(file) == 0 && written;
	if (written && rename(path, pair->result) == 0)
		return 0;
	(void)unlink(path); /* the failure is told */
	return error_set(error, 0, EIO, "%s: cannot be written", pair->result);
}

/* ---- Jobs ---- */

/* In a process of its own. */
static int measure(const struct pair *pair, unsigned parts, struct error *error)
{
	char package[PATH_SIZE + 32];
	struct gen_options options = {
		.source = pair->source, .target = pair->target, .output = package, .parts = parts, .no_verify = true};
	char line[REASON + 32];
	struct stat stat_of;
	int err;

	(void)snprintf(package, sizeof(package), "%s.%ld.zip", pair->result, (long)getpid());
	err = gen_make_package(&options, NULL, error);
	if (err == 0 && stat(package, &stat_of) < 0)
		err = error_set(error, 0, errno, "%s: %s", package, strerror(errno));
	/* What says nothing about the versions is to be tried again. */
	if (err == -ENOMEM || err == -ENOSPC || err == -EIO)
		return err;
	if (err == 0)
		(void)snprintf(line, sizeof(line), "size %lld", (long long)stat_of.st_size);
	else
		(void)snprintf(line, sizeof(line), "impossible %s", error->message);
	(void)unlink(package); /* only its size was wanted */
	return save_result(pair, line, error);
}

static pid_t start_job(const struct pair *pair, const struct matrix_options *options)
{
	struct error error;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (measure(pair, options->parts, &error) == 0)
		_exit(EXIT_SUCCESS);
	(void)fprintf(stderr, "update_gen: %s\n", error.message);
	_exit(EXIT_FAILURE);
}

struct queue {
	struct pair *pairs;
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

static int run_jobs(struct queue *queue, const struct matrix *matrix, const struct matrix_options *options,
                    const struct log *log, struct error *error)
{
	while (queue->running > 0 || (queue->next < queue->count && !queue->failed)) {
		if (queue->next == queue->count || queue->failed || queue->running == options->jobs) {
			wait_for_job(queue);
			continue;
		}
		log_printf(log, "%s to %s: package %zu of %zu", matrix->names[queue->pairs[queue->next].from],
		           matrix->names[queue->pairs[queue->next].to], queue->next + 1, queue->count);
		if (start_job(&queue->pairs[queue->next++], options) < 0)
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
			struct pair *pair = &queue->pairs[queue->count];

			if (from == to || (to < from && !options->back))
				continue;
			err = set_pair(pair, matrix, options, from, to, error);
			if (err == 0 && !load_result(matrix, pair))
				queue->count++;
		}
	}
	return err;
}

static int load_all(struct matrix *matrix, const struct queue *queue, struct error *error)
{
	for (size_t i = 0; i < queue->count; i++)
		if (!load_result(matrix, &queue->pairs[i]))
			return error_set(error, 0, EIO, "%s: no result", queue->pairs[i].result);
	return 0;
}

int matrix_make(struct matrix *matrix, const struct matrix_options *options, const struct log *log, struct error *error)
{
	struct queue queue = {0};
	char folder[PATH_SIZE];
	size_t cells;
	int err;

	memset(matrix, 0, sizeof(*matrix));
	err = find_versions(matrix, options, error);
	if (err < 0)
		return err;
	cells = (size_t)matrix->sizes.count * matrix->sizes.count;
	matrix->sizes.bytes = calloc(cells, sizeof(matrix->sizes.bytes[0]));
	matrix->reasons = calloc(cells, sizeof(matrix->reasons[0]));
	queue.pairs = calloc(cells, sizeof(queue.pairs[0]));
	if (!matrix->sizes.bytes || !matrix->reasons || !queue.pairs) {
		err = error_set(error, 0, ENOMEM, "out of memory");
		goto out;
	}
	for (size_t i = 0; i < cells; i++)
		matrix->sizes.bytes[i] = CHAIN_IMPOSSIBLE;
	results_path(options, "", folder);
	if (mkdir(folder, 0777) < 0 && errno != EEXIST) {
		err = error_set(error, 0, errno, "%s: %s", folder, strerror(errno));
		goto out;
	}
	err = list_pairs(matrix, options, &queue, error);
	if (err == 0)
		err = run_jobs(&queue, matrix, options, log, error);
	if (err == 0)
		err = load_all(matrix, &queue, error);
out:
	free(queue.pairs);
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
