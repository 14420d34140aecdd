/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/lists.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OCTAL    "01234567"
#define DECIMAL  "0123456789"
#define MAX_MODE 07777
#define MAX_ID   4294967294u /* the next one means "unchanged" to chown() */

/* Digits alone; more of them than any value has are refused before they can overflow. */
static bool parse_number(const char *text, const char *digits, unsigned long long max, unsigned long long *value)
{
	size_t length = strlen(text);

	if (length == 0 || length > 10 || strspn(text, digits) != length)
		return false;
	*value = strtoull(text, NULL, (int)strlen(digits));
	return *value <= max;
}

static bool parse_mode(const char *text, unsigned *mode)
{
	unsigned long long value;

	if (!parse_number(text, OCTAL, MAX_MODE, &value))
		return false;
	*mode = (unsigned)value;
	return true;
}

static bool parse_id(const char *text, int64_t *id)
{
	unsigned long long value;

	if (!parse_number(text, DECIMAL, MAX_ID, &value))
		return false;
	*id = (int64_t)value;
	return true;
}

int list_parse_attributes(struct list_line *line, char **words, size_t count, struct list_attributes *defaults,
                          const char **cause)
{
	static const struct list_attributes documented = {.file_mode = 0755, .folder_mode = 0755};
	bool is_default = strcmp(words[0], "default") == 0;

	line->attributes = is_default ? documented : *defaults;
	*cause = NULL;
	if (count != 1 && count != 4 && count != 5)
		*cause = "not of the form PATH [FILE_MODE UID GID [FOLDER_MODE]]";
	else if (count > 1 && !parse_mode(words[1], &line->attributes.file_mode))
		*cause = "the file mode is no octal number up to 7777";
	else if (count > 1 && !(parse_id(words[2], &line->attributes.uid) && parse_id(words[3], &line->attributes.gid)))
		*cause = "user and group are not numbers up to 4294967294";
	else if (count > 4 && !parse_mode(words[4], &line->attributes.folder_mode))
		*cause = "the folder mode is no octal number up to 7777";
	if (*cause)
		return -EINVAL;
	if (is_default)
		*defaults = line->attributes;
	return 0;
}

static void set_attributes(const struct list_attributes *attributes, struct object *object)
{
	if (object->type == OBJECT_DIRECTORY)
		object->mode = attributes->folder_mode;
	if (object->type == OBJECT_FILE)
		object->mode = attributes->file_mode;
	object->uid = attributes->uid;
	object->gid = attributes->gid;
	object->implied = false;
	object->forced = true;
}

static void apply_line(const struct lists *lists, const struct list_line *line, struct tree *target,
                       const struct log *log)
{
	const char *file = lists->list[GEN_CHMOD].file;
	const struct list *kept = &lists->list[GEN_NOOTA];
	const struct object *found = tree_find(target, line->path);
	size_t i = found ? (size_t)(found - target->objects) : target->count;

	if (found && line->folder != (found->type == OBJECT_DIRECTORY)) {
		log_printf(log, "warning: %s:%u: not done: %s is %s, and a line ends with a slash for a folder alone",
		           file, line->number, line->path, line->folder ? "no folder" : "a folder");
		return;
	}
	for (; i < target->count && path_in(target->objects[i].path, line->path); i++) {
		struct object *object = &target->objects[i];
		const struct list_line *keep = list_find(kept, object->path);

		if (keep)
			log_printf(log, "warning: %s:%u: not done for %s, which %s:%u keeps as it is", file,
			           line->number, object->path, kept->file, keep->number);
		else
			set_attributes(&line->attributes, object);
	}
}

void lists_set_attributes(const struct lists *lists, struct tree *target, const struct log *log)
{
	const struct list *list = &lists->list[GEN_CHMOD];

	for (size_t i = 0; i < list->count; i++)
		apply_line(lists, &list->lines[i], target, log);
}
