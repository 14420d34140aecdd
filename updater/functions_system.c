/* SPDX-License-Identifier: Apache-2.0 */
/* Functions around the running system: properties, programs, stages of an install. */
#include "updater/functions.h"

#include "updater/backup.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- getprop, file_getprop ---- */

#define PROPERTIES_MAX 65536 /* bytes of a file, as in the lineage */

static char *trim(char *text)
{
	size_t length;

	while (isspace((unsigned char)*text))
		text++;
	length = strlen(text);
	while (length > 0 && isspace((unsigned char)text[length - 1]))
		text[--length] = '\0';
	return text;
}

/* The first line "key = value"; NULL: none. Changes the text. */
static const char *find_property(char *text, const char *key)
{
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *equals;

		line = trim(line);
		equals = strchr(line, '=');
		if (*line == '#' || !equals)
			continue;
		*equals = '\0';
		if (strcmp(trim(line), key) == 0)
			return trim(equals + 1);
	}
	return NULL;
}

/* The recovery image's own properties come first; later ones are those of the system being updated. */
int function_getprop(struct script_call *call, struct script_value *result)
{
	static const char *const files[] = {"/default.prop", "/build.prop", "/system/build.prop"};
	struct updater_run *run = run_of(call);
	char *key;
	int err = script_argument_text(call, 0, &key);

	if (err < 0)
		return err;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const char *value;
		char *text;
		size_t size;

		if (storage_load(run->storage, files[i], PROPERTIES_MAX, &text, &size, NULL) < 0)
			continue;
		value = find_property(text, key);
		err = value ? script_result_text(result, value) : 1;
		free(text);
		if (err <= 0)
			goto out;
	}
	err = script_result_text(result, "");
out:
	free(key);
	return err;
}

/* Low space may have moved the file into the backup before power went; the script's first check must still find it. */
static int load_from_backup(struct storage *storage, const char *path, char **text)
{
	struct backup backup;
	char *data;
	int err = backup_open(storage, &backup, NULL);

	if (err < 0)
		return err;
	err = -ENOENT;
	if (!backup_is_of(&backup, path) || backup.io.size > PROPERTIES_MAX)
		goto out;
	data = malloc((size_t)backup.io.size + 1);
	err = data ? backup.io.read_at(backup.io.ctx, 0, data, (size_t)backup.io.size) : -ENOMEM;
	if (err < 0) {
		free(data);
		goto out;
	}
	data[backup.io.size] = '\0';
	*text = data;
out:
	backup_close(&backup);
	return err;
}

static int load_properties(struct storage *storage, const char *path, char **text, struct error *error)
{
	size_t size;
	int err = storage_load(storage, path, PROPERTIES_MAX, text, &size, error);

	return err == -ENOENT && load_from_backup(storage, path, text) == 0 ? 0 : err;
}

int function_file_getprop(struct script_call *call, struct script_value *result)
{
	struct updater_run *run = run_of(call);
	char path[STORAGE_PATH_MAX];
	struct error error;
	const char *value;
	char *text;
	char *key;
	int err = argument_path(call, 0, path);

	if (err < 0)
		return err;
	err = script_argument_text(call, 1, &key);
	if (err < 0)
		return err;
	if (load_properties(run->storage, rehearsal_path(&run->rehearsal, path), &text, &error) < 0) {
		err = call_abort(call, &error);
	} else {
		value = find_property(text, key);
		err = script_result_text(result, value ? value : "");
		free(text);
	}
	free(key);
	return err;
}

/* ---- run_program(path, argument...) ---- */

static int run_and_wait(char **argv, int *status)
{
	pid_t child = fork();

	if (child < 0)
		return -errno;
	if (child == 0) {
		execv(argv[0], argv);
		_exit(1);
	}
	while (waitpid(child, status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int function_run_program(struct script_call *call, struct script_value *result)
{
	struct updater_run *run = run_of(call);
	struct arguments arguments;
	struct error error;
	char text[16];
	int status = 0;
	int err = arguments_read(call, 0, &arguments);

	if (err < 0)
		return err;
	/* A program knows nothing of the root directory. */
	if (run->config->confined)
		log_printf(run->log, "run_program(): not run below a root directory: %s", arguments.text[0]);
	else if (!run_skips(run, "run %s", arguments.text[0])) {
		journal_forget_partitions(run->journal); /* who knows what it writes to */
		err = run_and_wait(arguments.text, &status);
	}
	if (err < 0)
		(void)error_set(&error, RESULT_ABNORMAL, -err, "%.400s: %s", arguments.text[0], strerror(-err));
	else if (status != 0)
		log_printf(run->log, "run_program(): %s ended with status %d", arguments.text[0], status);
	arguments_free(&arguments);
	if (err < 0)
		return call_fail(call, result, "", &error);
	(void)snprintf(text, sizeof(text), "%d", status);
	return script_result_text(result, text);
}
