/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keep_only(directory, entry): everything goes that lies below the directory and that the package's entry does not
 * name. Ours alone, for packages that install on any version (--full --compat native).
 *
 * The entry is a row of paths relative to the directory, a letter before each and a NUL behind it: "f" a file, "d" a
 * directory, "l" a symbolic link, "n" a device node or FIFO, "*" whatever is there, with all that lies in it. What has
 * the path but another type goes as well, so that the new one finds its place free. Other file systems that are mounted
 * below the directory are left alone. Nothing of it depends on an earlier run: each run removes what is left to remove.
 */
#include "updater/functions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 8388608 /* bytes, as a script: the largest module of the class has some ten thousand paths */

struct keep {
	struct updater_run *run;
	char *list; /* as in the package, NUL behind it */
	size_t size;
	const char **names; /* of the list, by strcmp() */
	size_t count;
	char directory[STORAGE_PATH_MAX];
	uint64_t device;             /* of its file system */
	char last[STORAGE_PATH_MAX]; /* path that was kept last, "": none yet */
	struct error *error;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int read_list(struct keep *keep, const char *entry, struct error *error)
{
	int err = package_load(keep->run->config->package, entry, LIST_MAX, &keep->list, &keep->size, error);

	if (err < 0)
		return err;
	for (size_t i = 0; i < keep->size; i++)
		keep->count += keep->list[i] == '\0';
	/* An empty list would be an order to remove everything, which nobody means. */
	if (keep->count == 0 || keep->list[keep->size - 1] != '\0')
		goto bad;
	keep->names = calloc(keep->count, sizeof(*keep->names));
	if (!keep->names)
		return error_set(error, 0, ENOMEM, "out of memory");
	for (size_t at = 0, i = 0; i < keep->count; at += strlen(keep->list + at) + 1, i++) {
		const char *name = keep->list + at;

		if (!strchr("fdln*", *name) || name[0] == '\0' || name[1] == '\0' || name[1] == '/')
			goto bad;
		keep->names[i] = name;
	}
	qsort(keep->names, keep->count, sizeof(*keep->names), compare_names);
	return 0;
bad:
	return error_set(error, RESULT_FORMAT, EINVAL, "%.200s: not a list of what to keep", entry);
}

static bool is_listed(const struct keep *keep, char type, const char *path)
{
	char text[STORAGE_PATH_MAX + 1];
	const char *name = text;

	text[0] = type;
	memcpy(text + 1, path, strlen(path) + 1);
	return bsearch(&name, keep->names, keep->count, sizeof(*keep->names), compare_names) != NULL;
}

/* Itself, or a directory that it lies in. */
static bool is_in_listed_tree(const struct keep *keep, const char *path)
{
	char part[STORAGE_PATH_MAX];

	memcpy(part, path, strlen(path) + 1);
	for (char *slash = part + strlen(part); slash; slash = strrchr(part, '/')) {
		*slash = '\0';
		if (is_listed(keep, '*', part))
			return true;
	}
	return false;
}

static char letter_of(const struct storage_stat *stat)
{
	switch (stat->type) {
	case STORAGE_REGULAR:
		return 'f';
	case STORAGE_DIRECTORY:
		return 'd';
	case STORAGE_SYMLINK:
		return 'l';
	case STORAGE_CHARACTER:
	case STORAGE_BLOCKDEV:
	case STORAGE_FIFO:
		return 'n';
	default:
		return '\0';
	}
}

static bool is_in(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return strncmp(path, directory, length) == 0 && path[length] == '/';
}

static bool stays(const struct keep *keep, const char *path, const struct storage_stat *stat)
{
	char letter = letter_of(stat);
	const char *below = path + strlen(keep->directory) + 1;

	/* Of the directory itself there is nothing below. */
	if (stat->device != keep->device || !is_in(path, keep->directory))
		return true;
	/* A directory comes behind all that is in it: the last that was kept tells whether any of that was. */
	return (letter && is_listed(keep, letter, below)) || is_in_listed_tree(keep, below) ||
	       (letter == 'd' && is_in(keep->last, path));
}

static int keep_or_remove(void *ctx, const char *path, const struct storage_stat *stat)
{
	struct keep *keep = ctx;
	struct updater_run *run = keep->run;
	int err;

	if (stays(keep, path, stat)) {
		memcpy(keep->last, path, strlen(path) + 1);
		return 0;
	}
	if (run_skips(run, "remove %s", path)) {
		if (stat->type == STORAGE_REGULAR)
			rehearsal_remove(&run->rehearsal, run->storage, path);
		return 0;
	}
	log_printf(run->log, "keep_only(): %s goes", path);
	err = stat->type == STORAGE_DIRECTORY ? storage_remove_tree(run->storage, path, keep->error)
	                                      : storage_remove(run->storage, path, keep->error);
	return err < 0 ? err : 0;
}

static int keep_listed(struct keep *keep, struct error *error)
{
	struct storage *storage = keep->run->storage;
	struct storage_stat stat;
	int err = storage_stat_path(storage, keep->directory, &stat);

	if (err == 0 && stat.type != STORAGE_DIRECTORY)
		err = -ENOTDIR;
	if (err < 0)
		return error_set(error, RESULT_ABNORMAL, -err, "%.400s: %s", keep->directory, strerror(-err));
	keep->device = stat.device;
	keep->error = error;
	return storage_walk(storage, keep->directory, keep_or_remove, keep, error);
}

int function_keep_only(struct script_call *call, struct script_value *result)
{
	struct keep *keep = calloc(1, sizeof(*keep));
	struct error error;
	char *entry;
	int err = keep ? script_argument_text(call, 1, &entry) : -ENOMEM;

	if (err < 0) {
		free(keep);
		return err;
	}
	keep->run = run_of(call);
	err = argument_path(call, 0, keep->directory);
	if (err < 0)
		goto out;
	if (strcmp(keep->directory, "/") == 0)
		err = error_set(&error, RESULT_FORMAT, EINVAL, "not for the root directory");
	else
		err = read_list(keep, entry, &error);
	if (err == 0)
		err = keep_listed(keep, &error);
	err = err < 0 ? call_abort(call, &error) : script_result_text(result, "t");
out:
	free(entry);
	free(keep->names);
	free(keep->list);
	free(keep);
	return err;
}

/* ---- is_directory(path): "t" or "", of a link itself; ours alone, too ---- */

int function_is_directory(struct script_call *call, struct script_value *result)
{
	struct storage_stat stat;
	char path[STORAGE_PATH_MAX];
	int err = argument_path(call, 0, path);

	if (err < 0)
		return err;
	err = storage_stat_path(run_of(call)->storage, path, &stat);
	return script_result_text(result, err == 0 && stat.type == STORAGE_DIRECTORY ? "t" : "");
}
