/* SPDX-License-Identifier: Apache-2.0 */
#include "misc/internal.h"

#include <errno.h>
#include <string.h>

#define EPOCH_AT (sizeof(((struct misc_message *)0)->reserved) - RECORD_BRIEF_LENGTH)

static const char first_line[] = "recovery";

static void clean_field(char *field, size_t size)
{
	size_t length;

	if ((unsigned char)field[0] == 0xFF)
		field[0] = '\0';
	length = strnlen(field, size - 1);
	memset(field + length, 0, size - length);
}

void misc_clean_message(struct misc_message *message)
{
	clean_field(message->command, sizeof(message->command));
	clean_field(message->status, sizeof(message->status));
	clean_field(message->recovery, sizeof(message->recovery));
	clean_field(message->stage, sizeof(message->stage));
	if (message->reserved[0] == 0xFF)
		memset(message->reserved, 0, sizeof(message->reserved));
}

void misc_arm_message(struct misc_message *message, const struct record *record)
{
	memset(message->command, 0, sizeof(message->command));
	memcpy(message->command, MISC_BOOT_RECOVERY, sizeof(MISC_BOOT_RECOVERY));
	memcpy(message->recovery, record->arguments, sizeof(message->recovery));
}

bool misc_get_epoch(const struct misc_message *message, struct record *epoch)
{
	return record_decode_brief(message->reserved + EPOCH_AT, epoch);
}

void misc_set_epoch(struct misc_message *message, const struct record *epoch)
{
	record_encode_brief(epoch, message->reserved + EPOCH_AT);
}

bool misc_is_armed(const struct misc_message *message)
{
	return strncmp(message->command, MISC_BOOT_RECOVERY, sizeof(message->command)) == 0;
}

bool misc_is_taken(const struct misc_message *message)
{
	return message->command[0] == '\0' && strcmp(message->status, "OKAY") == 0;
}

/* Add one line to a text of `size` bytes; false when it does not fit with its NUL. */
static bool add_line(char *text, size_t size, const char *line)
{
	size_t have = strlen(text);
	size_t length = strlen(line);

	if (length + 2 > size - have)
		return false;
	memcpy(text + have, line, length);
	text[have + length] = '\n';
	text[have + length + 1] = '\0';
	return true;
}

int misc_make_message(const char *const *arguments, unsigned count, struct misc_message *message, struct error *error)
{
	memset(message, 0, sizeof(*message));
	memcpy(message->command, MISC_BOOT_RECOVERY, sizeof(MISC_BOOT_RECOVERY));
	if (count > MISC_ARGUMENTS_MAX)
		return error_set(error, 0, E2BIG, "%u arguments for recovery, at most %d fit", count,
		                 MISC_ARGUMENTS_MAX);
	if (!add_line(message->recovery, sizeof(message->recovery), first_line))
		return error_set(error, 0, E2BIG, "no room for the bootloader message");
	for (unsigned i = 0; i < count; i++) {
		if (arguments[i][0] == '\0' || strpbrk(arguments[i], "\r\n"))
			return error_set(error, 0, EINVAL, "argument %u of recovery is empty or has a line break",
			                 i + 1);
		if (!add_line(message->recovery, sizeof(message->recovery), arguments[i]))
			return error_set(error, 0, E2BIG, "the arguments of recovery need more than %zu bytes",
			                 sizeof(message->recovery) - 1);
	}
	return 0;
}

/* Cut the next line off *rest, without its line end; NULL behind the last one. */
static char *next_line(char **rest)
{
	char *line = *rest;
	size_t length = strcspn(line, "\n");

	if (line[0] == '\0')
		return NULL;
	*rest = line + length + (line[length] == '\n');
	line[length] = '\0';
	if (length && line[length - 1] == '\r')
		line[length - 1] = '\0';
	return line;
}

unsigned misc_split_arguments(const struct misc_message *message, char text[768], char *arguments[MISC_ARGUMENTS_MAX])
{
	unsigned count = 0;
	char *rest = text;
	char *line;

	memcpy(text, message->recovery, sizeof(message->recovery));
	text[sizeof(message->recovery) - 1] = '\0';
	line = next_line(&rest);
	if (!line || strcmp(line, first_line) != 0)
		return 0;
	while (count < MISC_ARGUMENTS_MAX && (line = next_line(&rest))) {
		if (line[0] != '\0')
			arguments[count++] = line;
	}
	return count;
}
