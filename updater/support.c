/* SPDX-License-Identifier: Apache-2.0 */
#include "updater/functions.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool run_skips(struct updater_run *run, const char *format, ...)
{
	char text[512];
	va_list args;

	if (!run->rehearsal.on) {
		journal_begin(run->journal);
		return false;
	}
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	rehearsal_skip(&run->rehearsal, run->log, text);
	return true;
}

void run_remember(struct updater_run *run, const struct error *error)
{
	run->last_failure = *error;
	if (run->last_failure.code == RESULT_OK)
		run->last_failure.code = RESULT_ABNORMAL;
}

void run_tell(const struct updater_run *run, const char *format, ...)
{
	char line[UPDATER_LINE_MAX + 1];
	va_list args;

	if (!run->config->tell)
		return;
	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	run->config->tell(run->config->tell_ctx, line);
}

void run_mismatch(struct updater_run *run, const char *object, const struct error *error)
{
	if (!rehearsal_mismatch(&run->rehearsal, run->log, object, error))
		return;
	run_tell(run, "log object: %s", object);
	run_tell(run, "log mismatch: %s", error->message);
}

/* A bare "ui_print" ends each line: that is how the lineage's recovery hears of a newline. */
void run_tell_text(const struct updater_run *run, const char *text)
{
	const int most = UPDATER_LINE_MAX - (int)strlen("ui_print ");

	while (*text) {
		size_t length = strcspn(text, "\n");

		for (size_t at = 0; at < length; at += (size_t)most)
			run_tell(run, "ui_print %.*s", length - at < (size_t)most ? (int)(length - at) : most,
			         text + at);
		run_tell(run, "ui_print");
		text += length + (text[length] == '\n');
	}
}

int call_fail(struct script_call *call, struct script_value *result, const char *text, const struct error *error)
{
	struct updater_run *run = run_of(call);

	run_remember(run, error);
	log_printf(run->log, "%s(): %s", script_call_name(call), error->message);
	return script_soft_failure(call, result, text, run->last_failure.code, "%s(): %s", script_call_name(call),
	                           error->message);
}

int call_abort(struct script_call *call, const struct error *error)
{
	return script_abort(call, error->code ? error->code : RESULT_ABNORMAL, "%s(): %s", script_call_name(call),
	                    error->message);
}

static int read_each(struct script_call *call, int first, int (*read)(struct script_call *call, int i, char **text),
                     struct arguments *arguments)
{
	int count = script_argument_count(call) - first;

	*arguments = (struct arguments){0};
	if (count <= 0)
		return 0;
	arguments->text = calloc((size_t)count + 1, sizeof(*arguments->text));
	if (!arguments->text)
		return -ENOMEM;
	for (; arguments->count < count; arguments->count++) {
		int err = read(call, first + arguments->count, &arguments->text[arguments->count]);

		if (err < 0) {
			arguments_free(arguments);
			return err;
		}
	}
	return 0;
}

int arguments_read(struct script_call *call, int first, struct arguments *arguments)
{
	return read_each(call, first, script_argument_text, arguments);
}

void arguments_free(struct arguments *arguments)
{
	for (int i = 0; i < arguments->count; i++)
		free(arguments->text[i]);
	free(arguments->text);
	*arguments = (struct arguments){0};
}

int path_from_text(struct script_call *call, const char *text, char path[STORAGE_PATH_MAX])
{
	int length;

	if (!*text)
		return script_abort(call, 0, "%s(): a path argument is empty", script_call_name(call));
	length = snprintf(path, STORAGE_PATH_MAX, "%s%s", *text == '/' ? "" : "/", text);
	if (length >= STORAGE_PATH_MAX)
		return script_abort(call, 0, "%s(): path too long: %.80s...", script_call_name(call), text);
	/* "/system/" means the directory. */
	while (length > 1 && path[length - 1] == '/')
		path[--length] = '\0';
	return 0;
}

int argument_path(struct script_call *call, int i, char path[STORAGE_PATH_MAX])
{
	char *text;
	int err = script_argument_text(call, i, &text);

	if (err < 0)
		return err;
	err = path_from_text(call, text, path);
	free(text);
	return err;
}

static int argument_path_text(struct script_call *call, int i, char **text)
{
	char path[STORAGE_PATH_MAX];
	int err = argument_path(call, i, path);

	if (err < 0)
		return err;
	*text = strdup(path);
	return *text ? 0 : -ENOMEM;
}

int arguments_read_paths(struct script_call *call, int first, struct arguments *paths)
{
	return read_each(call, first, argument_path_text, paths);
}

static int parse_in_base(const char *text, int base, uint64_t max, uint64_t *value)
{
	unsigned long long parsed;
	char *end;

	/* strtoull() takes blanks and signs, and wraps a negative number around. */
	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	parsed = strtoull(text, &end, base);
	if (errno || *end || parsed > max)
		return -EINVAL;
	*value = parsed;
	return 0;
}

int number_parse(const char *text, uint64_t max, uint64_t *value)
{
	return parse_in_base(text, 0, max, value);
}

int size_parse(const char *text, uint64_t *value)
{
	return parse_in_base(text, 10, UINT64_MAX, value);
}

int argument_number(struct script_call *call, int i, uint64_t max, uint64_t *value)
{
	char *text;
	int err = script_argument_text(call, i, &text);

	if (err < 0)
		return err;
	if (number_parse(text, max, value) < 0)
		err = script_abort(call, 0, "%s(): argument %d, \"%.40s\", is not a number it can use",
		                   script_call_name(call), i + 1, text);
	free(text);
	return err;
}
