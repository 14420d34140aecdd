/* SPDX-License-Identifier: Apache-2.0 */
#include "updater/functions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void tell_finding(void *ctx, const struct script_finding *finding)
{
	struct updater_run *run = ctx;
	char text[512];

	(void)snprintf(text, sizeof(text), "script:%u:%u: %s", finding->line, finding->column, finding->message);
	log_printf(run->log, "%s", text);
	run_tell_text(run, text);
}

static void log_output(void *ctx, const char *text)
{
	const struct updater_run *run = ctx;

	while (*text) {
		size_t length = strcspn(text, "\n");

		log_printf(run->log, "%.*s", (int)length, text);
		text += length + (text[length] == '\n');
	}
}

static void wait_seconds(void *ctx, unsigned seconds)
{
	const struct updater_run *run = ctx;

	if (run->rehearsal.on || run->config->confined)
		return;
	while (seconds > 0)
		seconds = sleep(seconds);
}

/* ---- The script ---- */

static enum updater_exit load_script(struct updater_run *run, struct script **script, struct error *error)
{
	struct script_functions functions = updater_functions();
	uint32_t index;
	size_t size;
	char *text;
	int err;

	if (package_find(run->config->package, PACKAGE_SCRIPT, &index) < 0) {
		(void)error_set(error, RESULT_FORMAT, ENOENT, "%s: no %s in it", run->config->package_path,
		                PACKAGE_SCRIPT);
		return UPDATER_NO_SCRIPT;
	}
	err = package_load(run->config->package, PACKAGE_SCRIPT, SCRIPT_MAX_LENGTH, &text, &size, error);
	if (err < 0)
		return UPDATER_READ_SCRIPT;
	err = script_parse(text, size, &functions, tell_finding, run, script, error);
	free(text);
	return err < 0 ? UPDATER_PARSE : UPDATER_OK;
}

/* An abort by the script itself says that it ended, the failure before it says why. */
static void explain_abort(const struct updater_run *run, const struct script_place *where, struct error *error)
{
	char message[ERROR_MESSAGE_SIZE];

	log_printf(run->log, "script aborted at %u:%u: %s", where->line, where->column, error->message);
	if (error->code != RESULT_OK)
		return;
	error->code = run->last_failure.code ? run->last_failure.code : RESULT_VERIFY;
	if (!run->last_failure.code)
		return;
	(void)snprintf(message, sizeof(message), "%s", error->message);
	(void)error_set(error, error->code, ECANCELED, "%.380s (%.120s)", run->last_failure.message, message);
}

static void log_value(const struct updater_run *run, const struct script_value *value)
{
	log_printf(run->log, "script succeeded: result was [%s]", value->type == SCRIPT_TEXT ? value->text : "a blob");
}

static enum updater_exit run_script(struct updater_run *run, const struct script *script, struct error *error)
{
	struct script_environment environment = {.ctx = run, .output = log_output, .sleep = wait_seconds};
	struct script_value value = {0};
	struct script_place where = {0};
	enum updater_exit result = UPDATER_ABORT;
	int err;

	if (!run->rehearsal.on)
		run->journal = journal_open(run->storage, run->config->package, run->config->resume, run->log);
	err = script_run(script, &environment, &value, &where, error);
	journal_close(run->journal);
	if (err < 0) {
		explain_abort(run, &where, error);
	} else if (run->rehearsal.mismatches > 0) {
		*error = run->rehearsal.first;
		error_prefix(error, "%u mismatches, the first", run->rehearsal.mismatches);
	} else if (run->rehearsal.on || storage_sync(run->storage, error) == 0) {
		log_value(run, &value);
		result = UPDATER_OK;
	}
	script_value_clear(&value);
	return result;
}

static void tell_failure(const struct updater_run *run, const struct error *error)
{
	run_tell_text(run, error->message);
	run_tell(run, "log error: %d", error->code ? error->code : RESULT_ABNORMAL);
	run_tell(run, "log cause: %s", error->message);
}

enum updater_exit updater_run(const struct updater_config *config, struct error *error)
{
	struct updater_run *run = calloc(1, sizeof(*run));
	struct script *script = NULL;
	struct error cause = {0};
	enum updater_exit result;

	if (!run) {
		(void)error_set(error, RESULT_ABNORMAL, ENOMEM, "out of memory");
		return UPDATER_ABORT;
	}
	run->config = config;
	run->storage = config->storage;
	run->log = config->log;
	run->rehearsal.on = config->dry_run;
	result = load_script(run, &script, &cause);
	/* The first check of a resumed script may need the backup, and an object in which no unit is half written. */
	if (result == UPDATER_OK && !config->dry_run &&
	    (storage_mount_for(run->storage, UPDATER_BACKUP, &cause) < 0 ||
	     storage_units_recover(run->storage, UPDATER_UNIT, &cause) < 0))
		result = UPDATER_ABORT;
	if (result == UPDATER_OK)
		result = run_script(run, script, &cause);
	rehearsal_end(&run->rehearsal, run->storage, run->log);
	if (result != UPDATER_OK) {
		tell_failure(run, &cause);
		if (error)
			*error = cause;
	}
	script_free(script);
	free(run);
	return result;
}
