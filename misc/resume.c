/* SPDX-License-Identifier: Apache-2.0 */
/* Back to an upgrade whose message was lost. */
#include "misc/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND_FILE_MAX 65536

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

int misc_resume(struct misc *misc, struct storage *storage, const char *command_path, bool *armed, struct error *error)
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
		/* A journal that says that nothing is armed is right; one that says nothing cannot know. */
		if (journal.empty)
			return arm_from_file(misc, storage, command_path, armed, error);
		if (journal.newest.kind == RECORD_RESET)
			return 0;
		if (journal.newest.kind == RECORD_CLOSED)
			return misc_clear(misc, error);
		err = misc_recall(misc, &wanted, error);
		if (err)
			return err;
	}
	/* One that is armed but unsound, so that the bootloader could not read it, is written anew too. */
	*armed = !misc_message_is(misc, &wanted);
	return *armed ? misc_write_message(misc, &wanted, error) : 0;
}
