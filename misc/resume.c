/* SPDX-License-Identifier: Apache-2.0 */
/* The normal system's part: arming an upgrade, and coming back to one whose message was lost. */
#include "misc/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND_FILE_MAX 65536

int misc_save_command_file(struct storage *storage, const char *path, const char *const *arguments, unsigned count,
                           struct error *error)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	int err = -ENOMEM;

	if (file) {
		for (unsigned i = 0; i < count; i++)
			(void)fprintf(file, "%s\n", arguments[i]); /* ferror() knows */
		err = ferror(file) ? -ENOMEM : 0;
		err = fclose(file) ? -ENOMEM : err;
	}
	if (err)
		(void)error_set(error, 0, ENOMEM, "%s: no memory", path);
	else
		err = storage_save(storage, path, text, size, 0600, error);
	free(text);
	return err;
}

int misc_request(struct misc *misc, struct storage *storage, const char *command_path, const char *const *arguments,
                 unsigned count, struct error *error)
{
	static const char *const standard[] = {MISC_DEFAULT_ARGUMENT};
	struct misc_message message;
	int err = misc_make_message(arguments, count, &message, error);

	if (!err && !misc_keeps_result(misc))
		err = misc_save_command_file(storage, command_path, count ? arguments : standard, count ? count : 1,
		                             error);
	return err ? err : misc_arm(misc, arguments, count, error);
}

int misc_withdraw(struct misc *misc, struct storage *storage, const char *command_path, struct error *error)
{
	int err = storage_remove(storage, command_path, error);

	return err < 0 ? err : misc_clear(misc, error);
}

/* The lines of a command file, cut apart in place; blank ones are left out. */
static unsigned split_lines(char *text, const char *lines[MISC_ARGUMENTS_MAX])
{
	unsigned count = 0;
	char *state = NULL;

	for (char *line = strtok_r(text, "\r\n", &state); line && count < MISC_ARGUMENTS_MAX;
	     line = strtok_r(NULL, "\r\n", &state))
		lines[count++] = line;
	return count;
}

/*
 * Arm what the command file asks for. It is written anew before that: where it cannot be, recovery could not remove it
 * in the end, and the module would come back here for ever.
 */
static int arm_from_file(struct misc *misc, struct storage *storage, const char *path, bool *armed, struct error *error)
{
	const char *lines[MISC_ARGUMENTS_MAX];
	char *text;
	size_t size;
	unsigned count;
	int err = storage_load(storage, path, COMMAND_FILE_MAX, &text, &size, error);

	if (err)
		return err == -ENOENT ? 0 : err;
	err = storage_save(storage, path, text, size, 0600, error);
	if (!err) {
		count = split_lines(text, lines);
		if (count) {
			err = misc_arm(misc, lines, count, error);
			if (err == -E2BIG) /* recovery reads them from the file */
				err = misc_arm(misc, NULL, 0, error);
			*armed = err == 0;
		}
	}
	free(text);
	return err;
}

/* By a tool that knows no journal, or power went before the journal knew of it. */
static int arm_taken(struct misc *misc, const struct misc_message *taken, bool *armed, struct error *error)
{
	struct misc_message message = *taken;
	int err;

	memcpy(message.command, MISC_BOOT_RECOVERY, sizeof(MISC_BOOT_RECOVERY));
	err = misc_rearm(misc, &message, error);
	*armed = err == 0;
	return err;
}

static int resume(struct misc *misc, struct storage *storage, const char *command_path, bool *armed,
                  struct error *error)
{
	struct journal journal = {.empty = true};
	struct misc_message wanted;
	int err = misc_read_message(misc, &wanted, error);

	*armed = false;
	if (!err && misc->record_count)
		err = journal_read(misc, &journal, error);
	if (err)
		return err;
	if (!misc_is_armed(&wanted)) {
		if (journal.newest.kind == RECORD_CLOSED) {
			(void)storage_remove(storage, command_path, NULL); /* nobody asks it any more */
			return misc_clear(misc, error);
		}
		if (journal.newest.kind == RECORD_RESET && misc_is_taken(&wanted))
			return arm_taken(misc, &wanted, armed, error);
		/* A journal that says that nothing is armed is right; one that says nothing cannot know. */
		if (journal.newest.kind == RECORD_RESET)
			return journal.empty ? arm_from_file(misc, storage, command_path, armed, error) : 0;
		misc_arm_message(&wanted, &journal.newest);
		journal_stamp(misc, &journal.newest, &wanted);
	}
	/* One that is armed but unsound, so that the bootloader could not read it, is written anew too. */
	*armed = !misc_message_is(misc, &wanted);
	return *armed ? misc_write_message(misc, &wanted, error) : 0;
}

int misc_resume(struct misc *misc, struct storage *storage, const char *command_path, bool *armed, struct error *error)
{
	int err = resume(misc, storage, command_path, armed, error);

	/* Nothing is armed, and yet the bootloader might read an order some day. */
	if (!err && !*armed && !misc_message_is_sound(misc))
		err = misc_clear(misc, error);
	return err;
}
