/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that remove, move and link files, and make nodes. */
#include "updater/functions.h"

#include "updater/backup.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- delete, delete_recursive ---- */

typedef int (*remove_function)(struct storage *storage, const char *path, struct error *error);

/* 1: it is gone now, 0: it was not there, negative: it still is. */
static int remove_one(struct updater_run *run, const char *path, remove_function remove_path, struct error *error)
{
	struct storage_stat stat;
	int err;

	if (run->rehearsal.on) {
		if (storage_stat_path(run->storage, path, &stat) < 0 ||
		    (stat.type == STORAGE_DIRECTORY && remove_path == storage_remove))
			return 0;
		rehearsal_remove(&run->rehearsal, run->storage, path);
		return run_skips(run, "remove %s", path);
	}
	journal_begin(run->journal);
	err = remove_path(run->storage, path, error);
	/*
	 * A parent that has become a file or a link says the same as a missing file, and so does a directory: what an
	 * earlier run extracted where the new version has one, delete() shall leave alone and go on.
	 */
	if (err == -ENOENT || err == -ENOTDIR || err == -EISDIR || err == 1)
		return 0;
	return err < 0 ? err : 1;
}

static int remove_all(struct script_call *call, struct script_value *result, remove_function remove_path)
{
	struct updater_run *run = run_of(call);
	struct error failure = {0};
	struct arguments paths;
	struct error error;
	char text[16];
	int count = 0;
	int err = arguments_read_paths(call, 0, &paths);

	if (err < 0)
		return err;
	for (int i = 0; i < paths.count; i++) {
		int removed = remove_one(run, paths.text[i], remove_path, &error);

		if (removed >= 0) {
			count += removed;
			continue;
		}
		log_printf(run->log, "%s(): %s", script_call_name(call), error.message);
		err = removed;
		failure = error;
	}
	arguments_free(&paths);
	(void)snprintf(text, sizeof(text), "%d", count);
	return err < 0 ? call_fail(call, result, text, &failure) : script_result_text(result, text);
}

int function_delete(struct script_call *call, struct script_value *result)
{
	return remove_all(call, result, storage_remove);
}

int function_delete_recursive(struct script_call *call, struct script_value *result)
{
	return remove_all(call, result, storage_remove_tree);
}

/* ---- rename, symlink ---- */

/* A file that low space has driven into the backup after an earlier run moved it there. */
static bool only_in_backup(struct storage *storage, const char *path)
{
	struct backup backup;
	bool found;

	if (backup_open(storage, &backup, NULL) < 0)
		return false;
	found = backup_is_of(&backup, path);
	backup_close(&backup);
	return found;
}

static int rehearse_rename(struct updater_run *run, const char *from, const char *to, struct error *error)
{
	int err = rehearsal_rename(&run->rehearsal, from, to);

	return err < 0 ? error_set(error, RESULT_ABNORMAL, -err, "%s", strerror(-err)) : 0;
}

static int rename_path(struct updater_run *run, const char *from, const char *to, struct error *error)
{
	struct storage_stat stat;
	int err = storage_stat_path(run->storage, from, &stat);

	if (err == -ENOENT || err == -ENOTDIR) {
		if (storage_stat_path(run->storage, to, &stat) == 0 || only_in_backup(run->storage, to)) {
			log_printf(run->log, "rename(): %s is already moved to %s", from, to);
			return 0;
		}
		/* What its check has told already is no reason to end a dry run. */
		if (rehearsal_has_mismatch(&run->rehearsal, from))
			return rehearse_rename(run, from, to, error);
		return error_set(error, RESULT_VERIFY, ENOENT, "neither %.200s nor %.200s exists", from, to);
	}
	if (err < 0)
		return error_set(error, RESULT_ABNORMAL, -err, "%.400s: %s", from, strerror(-err));
	if (run_skips(run, "rename %s to %s", from, to))
		return rehearse_rename(run, from, to, error);
	err = object_make_parents(run->storage, to, error);
	return err < 0 ? err : storage_rename(run->storage, from, to, error);
}

int function_rename(struct script_call *call, struct script_value *result)
{
	struct updater_run *run = run_of(call);
	char from[STORAGE_PATH_MAX];
	char to[STORAGE_PATH_MAX];
	struct error error;
	int err = argument_path(call, 0, from);

	if (err == 0)
		err = argument_path(call, 1, to);
	if (err < 0)
		return err;
	if (rename_path(run, from, to, &error) < 0)
		return call_abort(call, &error);
	/* That it was not moved yet is no cause of a later abort. */
	run->last_failure.code = RESULT_OK;
	if (strcmp(run->backup_needed_by, from) == 0)
		(void)snprintf(run->backup_needed_by, sizeof(run->backup_needed_by), "%s", to);
	return script_result_text(result, to);
}

static int make_link(struct updater_run *run, const char *target, const char *path, struct error *error)
{
	int err;

	if (run_skips(run, "link %s to %s", path, target))
		return 0;
	err = object_make_parents(run->storage, path, error);
	return err < 0 ? err : storage_make_symlink(run->storage, target, path, error);
}

int function_symlink(struct script_call *call, struct script_value *result)
{
	struct error failure = {0};
	struct arguments links;
	struct error error;
	char *target;
	bool failed = false;
	int err = script_argument_text(call, 0, &target);

	if (err < 0)
		return err;
	err = arguments_read_paths(call, 1, &links);
	if (err < 0)
		goto out;
	/* All are tried: the log shall name each that failed. */
	for (int i = 0; i < links.count; i++) {
		if (make_link(run_of(call), target, links.text[i], &error) == 0)
			continue;
		log_printf(run_of(call)->log, "symlink(): %s", error.message);
		failed = true;
		failure = error;
	}
	arguments_free(&links);
	if (failed)
		err = script_abort(call, failure.code ? failure.code : RESULT_ABNORMAL,
		                   "symlink(): some symlinks failed: %s", failure.message);
	else
		err = script_result_text(result, "");
out:
	free(target);
	return err;
}

/*
 * ---- make_node(path, type, major, minor) ----
 * Ours alone, for packages made with --compat native: a device node of type "c" or "b", or a FIFO, "p" with 0 and 0.
 */

static int read_type(struct script_call *call, struct storage_stat *node)
{
	char *type;
	int err = script_argument_text(call, 1, &type);

	if (err < 0)
		return err;
	if (strcmp(type, "c") == 0)
		node->type = STORAGE_CHARACTER;
	else if (strcmp(type, "b") == 0)
		node->type = STORAGE_BLOCKDEV;
	else if (strcmp(type, "p") == 0)
		node->type = STORAGE_FIFO;
	else
		err = script_abort(call, 0, "make_node(): \"%.40s\" is no type of node", type);
	free(type);
	return err;
}

static int read_node(struct script_call *call, struct storage_stat *node)
{
	uint64_t major = 0;
	uint64_t minor = 0;
	int err = read_type(call, node);

	if (err < 0)
		return err;
	/* What the encoding of UBIFS and squashfs has room for. */
	err = argument_number(call, 2, node->type == STORAGE_FIFO ? 0 : 0xfff, &major);
	if (err == 0)
		err = argument_number(call, 3, node->type == STORAGE_FIFO ? 0 : 0xfffff, &minor);
	node->major = (uint32_t)major;
	node->minor = (uint32_t)minor;
	return err;
}

int function_make_node(struct script_call *call, struct script_value *result)
{
	struct updater_run *run = run_of(call);
	struct storage_stat node = {0};
	char path[STORAGE_PATH_MAX];
	struct error error;
	int err = argument_path(call, 0, path);

	if (err == 0)
		err = read_node(call, &node);
	if (err < 0)
		return err;
	if (run_skips(run, "make node %s", path))
		return script_result_text(result, "");
	err = object_make_parents(run->storage, path, &error);
	if (err == 0)
		err = storage_make_node(run->storage, path, &node, &error);
	return err < 0 ? call_abort(call, &error) : script_result_text(result, "");
}
