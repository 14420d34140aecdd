/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Installs in several steps (spec/lineage.md 1.3): the stage text and the command of a bootloader message, in the
 * partition that the script names. misc owns the message's layout and how it is written, so this is the updater's one
 * use of that room.
 */
#include "updater/functions.h"

#include "misc/misc.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>

/* Open the message of the partition that argument 0 names. */
static int open_message(struct script_call *call, struct misc **misc, struct misc_message *message)
{
	struct error error;
	char *device;
	int err = script_argument_text(call, 0, &device);

	if (err < 0)
		return err;
	err = misc_open(run_of(call)->storage, device, misc, &error);
	free(device);
	if (err < 0)
		return call_abort(call, &error);
	err = misc_read_message(*misc, message, &error);
	if (err < 0) {
		misc_close(*misc);
		return call_abort(call, &error);
	}
	return 0;
}

static int close_message(struct script_call *call, struct misc *misc, const struct misc_message *message)
{
	struct error error;
	int err = misc_write_message(misc, message, &error);

	misc_close(misc);
	return err < 0 ? call_abort(call, &error) : 0;
}

/* get_stage(device) */
int function_get_stage(struct script_call *call, struct script_value *result)
{
	struct misc_message message;
	struct misc *misc;
	int err = open_message(call, &misc, &message);

	if (err < 0)
		return err;
	misc_close(misc);
	return script_result_text(result, message.stage);
}

/* set_stage(device, stage) */
int function_set_stage(struct script_call *call, struct script_value *result)
{
	struct updater_run *run = run_of(call);
	struct misc_message message;
	struct misc *misc;
	char *stage;
	int err = script_argument_text(call, 1, &stage);

	if (err < 0)
		return err;
	if (strlen(stage) >= sizeof(message.stage))
		err = script_abort(call, RESULT_FORMAT, "set_stage(): \"%.64s\" has more than %zu bytes", stage,
		                   sizeof(message.stage) - 1);
	else if (!run_skips(run, "set stage %s", stage)) {
		err = open_message(call, &misc, &message);
		if (err == 0) {
			memset(message.stage, 0, sizeof(message.stage));
			memcpy(message.stage, stage, strlen(stage));
			err = close_message(call, misc, &message);
		}
	}
	if (err == 0)
		err = script_result_text(result, stage);
	free(stage);
	return err;
}

/*
 * reboot_now(device, partition): the bootloaders of this class know no reboot reason, so the message says what comes
 * next: recovery again for "recovery", the normal system for anything else. It returns only where nothing is rebooted.
 */
int function_reboot_now(struct script_call *call, struct script_value *result)
{
	struct updater_run *run = run_of(call);
	struct misc_message message;
	struct error error;
	struct misc *misc;
	char *partition;
	int err = script_argument_text(call, 1, &partition);

	if (err < 0)
		return err;
	if (run_skips(run, "reboot into %s", partition)) {
		free(partition);
		return script_result_text(result, "");
	}
	err = open_message(call, &misc, &message);
	if (err == 0) {
		memset(message.command, 0, sizeof(message.command));
		if (strcmp(partition, "recovery") == 0)
			(void)snprintf(message.command, sizeof(message.command), "%s", MISC_BOOT_RECOVERY);
		err = close_message(call, misc, &message);
	}
	free(partition);
	if (err < 0)
		return err;
	if (storage_sync(run->storage, &error) < 0)
		return call_abort(call, &error);
	if (run->config->confined)
		log_printf(run->log, "reboot_now(): no reboot below a root directory");
	else if (reboot(RB_AUTOBOOT) < 0)
		return script_abort(call, RESULT_ABNORMAL, "reboot_now(): %s", strerror(errno));
	return script_result_text(result, "");
}
