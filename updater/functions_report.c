/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that only talk to recovery. */
#include "updater/functions.h"

#include <stdlib.h>
#include <string.h>

static int join(const struct arguments *arguments, char **text)
{
	size_t size = 1;
	char *at;

	for (int i = 0; i < arguments->count; i++)
		size += strlen(arguments->text[i]);
	*text = malloc(size);
	if (!*text)
		return -1;
	at = *text;
	for (int i = 0; i < arguments->count; i++)
		at = stpcpy(at, arguments->text[i]);
	*at = '\0';
	return 0;
}

int function_ui_print(struct script_call *call, struct script_value *result)
{
	struct updater_run *run = run_of(call);
	struct arguments arguments;
	char *text = NULL;
	int err = arguments_read(call, 0, &arguments);

	if (err < 0)
		return err;
	err = join(&arguments, &text);
	arguments_free(&arguments);
	if (err == 0)
		run_tell_text(run, text);
	return script_result_take(result, text);
}

int function_show_progress(struct script_call *call, struct script_value *result)
{
	struct updater_run *run = run_of(call);
	struct arguments arguments;
	int err = arguments_read(call, 0, &arguments);

	if (err < 0)
		return err;
	run_tell(run, "progress %f %ld", strtod(arguments.text[0], NULL), strtol(arguments.text[1], NULL, 10));
	err = script_result_text(result, arguments.text[0]);
	arguments_free(&arguments);
	return err;
}

int function_set_progress(struct script_call *call, struct script_value *result)
{
	struct updater_run *run = run_of(call);
	char *fraction;
	int err = script_argument_text(call, 0, &fraction);

	if (err < 0)
		return err;
	run_tell(run, "set_progress %f", strtod(fraction, NULL));
	return script_result_take(result, fraction);
}

int function_wipe_cache(struct script_call *call, struct script_value *result)
{
	struct updater_run *run = run_of(call);

	/* Recovery does it, after the script has succeeded. */
	if (!run->rehearsal.on)
		run_tell(run, "wipe_cache");
	return script_result_text(result, "t");
}

int function_enable_reboot(struct script_call *call, struct script_value *result)
{
	run_tell(run_of(call), "enable_reboot");
	return script_result_text(result, "t");
}

/* Undid Android 4.0's address randomisation of libraries; some generators still emit it. */
int function_retouch_binaries(struct script_call *call, struct script_value *result)
{
	(void)call;
	return script_result_text(result, "t");
}
