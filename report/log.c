/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_MAX   ((size_t)256 * 1024)
#define LINE_SIZE 2048

static const char new_start[] = "(earlier lines of this log were dropped: it is bounded)\n";

struct report_log {
	struct storage *storage;
	const struct log *also;
	char directory[STORAGE_PATH_MAX - 32];
	char path[STORAGE_PATH_MAX];
	uint64_t size; /* bytes of the file, as far as we know */
};

int report_log_open(struct storage *storage, const char *directory, bool fresh, const struct log *also,
                    struct report_log **log_out, struct error *error)
{
	struct report_log *log = calloc(1, sizeof(*log));
	struct storage_stat stat;
	int err;

	*log_out = NULL;
	if (!log)
		return error_set(error, 0, ENOMEM, "no memory for the log");
	if (strlen(directory) >= sizeof(log->directory)) {
		err = error_set(error, 0, ENAMETOOLONG, "the log's directory name is too long");
		goto fail;
	}
	log->storage = storage;
	log->also = also;
	(void)snprintf(log->directory, sizeof(log->directory), "%s", directory);
	(void)snprintf(log->path, sizeof(log->path), "%s/log", log->directory);
	err = storage_make_directories(storage, directory, 0755, error);
	if (!err && storage_stat_path(storage, log->path, &stat) == 0)
		log->size = stat.size;
	if (!err && (fresh || log->size > LOG_MAX)) {
		log->size = 0;
		err = storage_remove(storage, log->path, error);
	}
	if (err < 0)
		goto fail;
	*log_out = log;
	return 0;
fail:
	free(log);
	return err;
}

void report_log_close(struct report_log *log)
{
	free(log);
}

static void write_line(void *ctx, const char *text)
{
	struct report_log *log = ctx;
	char line[LINE_SIZE];
	size_t length;

	if (log->also && log->also->line)
		log->also->line(log->also->ctx, text);
	(void)snprintf(line, sizeof(line) - 1, "%s", text); /* a longer line is cut */
	length = strlen(line);
	line[length++] = '\n';
	if (log->size + length > LOG_MAX &&
	    storage_save(log->storage, log->path, new_start, sizeof(new_start) - 1, 0644, NULL) == 0)
		log->size = sizeof(new_start) - 1;
	if (log->size + length > LOG_MAX)
		return;
	/* A log that cannot be written is no reason to stop an upgrade. */
	if (storage_append(log->storage, log->path, line, length, NULL) == 0)
		log->size += length;
}

struct log report_log_io(struct report_log *log)
{
	return (struct log){.line = write_line, .ctx = log};
}

static void numbered_path(const struct report_log *log, unsigned number, char path[STORAGE_PATH_MAX])
{
	if (number == 0)
		(void)snprintf(path, STORAGE_PATH_MAX, "%s/last_log", log->directory);
	else
		(void)snprintf(path, STORAGE_PATH_MAX, "%s/last_log.%u", log->directory, number);
}

static int rotate(struct report_log *log, struct error *error)
{
	char from[STORAGE_PATH_MAX];
	char to[STORAGE_PATH_MAX];
	struct storage_stat stat;
	int err = 0;

	for (unsigned number = REPORT_LOGS_KEPT; !err && number > 0; number--) {
		numbered_path(log, number - 1, from);
		numbered_path(log, number, to);
		if (storage_stat_path(log->storage, from, &stat) == 0)
			err = storage_rename(log->storage, from, to, error);
	}
	return err;
}

static int copy_to_last(struct report_log *log, struct error *error)
{
	char path[STORAGE_PATH_MAX];
	char *text = NULL;
	size_t size = 0;
	int err = storage_load(log->storage, log->path, LOG_MAX, &text, &size, error);

	numbered_path(log, 0, path);
	if (err == 0 || err == -ENOENT)
		err = storage_save(log->storage, path, text ? text : "", size, 0640, error);
	free(text);
	return err;
}

static int write_last_install(struct report_log *log, const char *package, int code, const char *cause,
                              struct error *error)
{
	char path[STORAGE_PATH_MAX];
	char *text = NULL;
	int length;
	int err;

	(void)snprintf(path, sizeof(path), "%s/last_install", log->directory);
	if (code == RESULT_OK)
		length = asprintf(&text, "%s\n1\n", package);
	else
		length = asprintf(&text, "%s\n0\nerror: %d\ncause: %s\n", package, code, cause ? cause : "");
	if (length < 0)
		return error_set(error, 0, ENOMEM, "%s: no memory", path);
	err = storage_save(log->storage, path, text, (size_t)length, 0644, error);
	free(text);
	return err;
}

int report_log_finish(struct report_log *log, const char *package, int code, const char *cause, struct error *error)
{
	int err = rotate(log, error);

	if (!err)
		err = copy_to_last(log, error);
	if (!err)
		err = write_last_install(log, package, code, cause, error);
	return err;
}
