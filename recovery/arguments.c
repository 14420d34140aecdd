/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/arguments.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned arguments_split(char *text, const char *items[MISC_ARGUMENTS_MAX], const struct log *log)
{
	unsigned count = 0;

	while (*text) {
		char *line = text;
		size_t length = strcspn(line, "\n");

		text += length + (line[length] == '\n');
		line[length] = '\0';
		if (length && line[length - 1] == '\r')
			line[--length] = '\0';
		if (length == 0)
			continue;
		if (length > COMMAND_LINE_MAX) {
			log_printf(log, "command file: a line of %zu bytes is ignored", length);
		} else if (count == MISC_ARGUMENTS_MAX) {
			log_printf(log, "command file: only the first %d arguments count", MISC_ARGUMENTS_MAX);
			break;
		} else {
			items[count++] = line;
		}
	}
	return count;
}

static void take(struct arguments *arguments, enum arguments_source source, char *const items[], unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		arguments->items[i] = items[i];
	arguments->count = count;
	arguments->source = source;
}

static void read_command_file(struct arguments *arguments, struct storage *storage, const char *path,
                              const struct log *log)
{
	struct error error;
	size_t size;
	int err = storage_load(storage, path, COMMAND_FILE_MAX, &arguments->command_text, &size, &error);

	if (err) {
		if (err != -ENOENT)
			log_printf(log, "%s", error.message);
		arguments->command_text = NULL;
		return;
	}
	arguments->count = arguments_split(arguments->command_text, arguments->items, log);
	if (arguments->count)
		arguments->source = ARGUMENTS_COMMAND;
}

void arguments_collect(struct arguments *arguments, int argc, char *const argv[], const struct misc_message *message,
                       struct storage *storage, const char *command_path, const struct log *log)
{
	char *items[MISC_ARGUMENTS_MAX];
	unsigned count;

	*arguments = (struct arguments){.source = ARGUMENTS_NONE};
	if (argc > 1) {
		count = argc - 1 > MISC_ARGUMENTS_MAX ? MISC_ARGUMENTS_MAX : (unsigned)(argc - 1);
		take(arguments, ARGUMENTS_ARGV, argv + 1, count);
		return;
	}
	count = misc_split_arguments(message, arguments->message_text, items);
	if (count)
		take(arguments, ARGUMENTS_MESSAGE, items, count);
	else
		read_command_file(arguments, storage, command_path, log);
}

void arguments_clear(struct arguments *arguments)
{
	free(arguments->command_text);
	arguments->command_text = NULL;
}

/* The text behind `name` when the argument starts with it, else NULL. */
static const char *value_of(const char *argument, const char *name)
{
	size_t length = strlen(name);

	return strncmp(argument, name, length) == 0 ? argument + length : NULL;
}

static void set_package(struct request *request, const char *path, const char *cache, const struct log *log)
{
	const char *below_cache = value_of(path, "CACHE:");
	int length;

	if (below_cache)
		length = snprintf(request->package, sizeof(request->package), "%s/%s", cache, below_cache);
	else
		length = snprintf(request->package, sizeof(request->package), "%s", path);
	if (length < 0 || (size_t)length >= sizeof(request->package)) {
		log_printf(log, "--update_package: the path is too long");
		request->package[0] = '\0';
	}
}

static unsigned parse_limit(const char *text, const struct log *log)
{
	char *end;
	unsigned long limit = strtoul(text, &end, 10);

	if (*text >= '0' && *text <= '9' && *end == '\0' && limit <= REPORT_UPDATING_ALL)
		return (unsigned)limit;
	log_printf(log, "--update_urc_max=%s is not a number up to %d, and ignored", text, REPORT_UPDATING_ALL);
	return REPORT_UPDATING_ALL;
}

static bool is_any_of(const char *argument, const char *const *names)
{
	for (; *names; names++) {
		if (strcmp(argument, *names) == 0 ||
		    ((*names)[strlen(*names) - 1] == '=' && value_of(argument, *names)))
			return true;
	}
	return false;
}

void request_parse(struct request *request, const struct arguments *arguments, const char *cache, const struct log *log)
{
	static const char *const without_effect[] = {"--locale=", "--reason=", "--stages=", "--show_text", NULL};
	static const char *const unsupported[] = {"--wipe_data", "--wipe_cache", "--shutdown_after", NULL};

	*request = (struct request){.updating_max = REPORT_UPDATING_ALL};
	for (unsigned i = 0; i < arguments->count; i++) {
		const char *argument = arguments->items[i];
		const char *value;

		if ((value = value_of(argument, "--update_package="))) {
			set_package(request, value, cache, log);
		} else if ((value = value_of(argument, "--send_intent="))) {
			request->intent = value;
		} else if ((value = value_of(argument, "--update_urc_max="))) {
			request->updating_max = parse_limit(value, log);
		} else if (strcmp(argument, "--just_exit") == 0) {
			request->other = true;
		} else if (is_any_of(argument, unsupported)) {
			log_printf(log, "%s is not supported", argument);
			request->other = true;
		} else if (!is_any_of(argument, without_effect)) {
			log_printf(log, "unknown argument %s is ignored", argument);
		}
	}
	request->upgrade = request->package[0] != '\0';
}
