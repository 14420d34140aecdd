/* SPDX-License-Identifier: Apache-2.0 */
/* Attempts, where the journal in misc goes with the flag's block: LK erases that at each boot. */
#include "recovery/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_SIZE_MAX 512

/* "UPGRADE FAILED LAST_CODE STALLED PROGRESS RUNNING CAUSE\n" */
enum { UPGRADE, FAILED, LAST_CODE, STALLED, PROGRESS, RUNNING, NUMBERS };

static bool keeps_tries(const struct boot *boot)
{
	return boot->misc && boot->upgrade && !misc_keeps_result(boot->misc);
}

/* *cause: the rest of the text. */
static bool parse(char *text, unsigned long numbers[NUMBERS], const char **cause)
{
	char *end;

	for (int i = 0; i < NUMBERS; i++) {
		if (*text < '0' || *text > '9')
			return false;
		numbers[i] = strtoul(text, &end, 10);
		if (*end != ' ')
			return false;
		text = end + 1;
	}
	text[strcspn(text, "\n")] = '\0';
	*cause = text;
	return numbers[UPGRADE] <= UINT32_MAX && numbers[FAILED] <= UINT16_MAX && numbers[LAST_CODE] <= UINT16_MAX &&
	       numbers[STALLED] <= UINT16_MAX && numbers[PROGRESS] <= 100;
}

void tries_recall(struct boot *boot)
{
	struct misc_attempts *attempts = &boot->attempts;
	unsigned long numbers[NUMBERS];
	const char *cause;
	char *text;
	size_t size;

	if (!keeps_tries(boot) ||
	    storage_load(boot->config->storage, boot->tries_path, FILE_SIZE_MAX, &text, &size, NULL))
		return;
	if (parse(text, numbers, &cause) && numbers[UPGRADE] == boot->upgrade && numbers[FAILED] >= attempts->failed) {
		attempts->begun = attempts->begun ? attempts->begun : 1;
		attempts->failed = (unsigned)numbers[FAILED];
		attempts->last_code = (int)numbers[LAST_CODE];
		attempts->stalled = (unsigned)numbers[STALLED];
		attempts->progress = (unsigned)numbers[PROGRESS];
		attempts->running = numbers[RUNNING] != 0;
		(void)snprintf(attempts->cause, sizeof(attempts->cause), "%s", cause);
	}
	free(text);
}

bool tries_save(struct boot *boot)
{
	const struct misc_attempts *attempts = &boot->attempts;
	char text[FILE_SIZE_MAX];
	struct error error;
	int length;
	int err;

	if (!keeps_tries(boot))
		return false;
	length = snprintf(text, sizeof(text), "%lu %u %d %u %u %d %s\n", (unsigned long)boot->upgrade, attempts->failed,
	                  attempts->last_code, attempts->stalled, attempts->progress, attempts->running,
	                  attempts->cause);
	err = storage_save(boot->config->storage, boot->tries_path, text, (size_t)length, 0644, &error);
	boot_note(boot, err, &error);
	return err == 0;
}

void tries_forget(struct boot *boot)
{
	struct error error;

	boot_note(boot, storage_remove(boot->config->storage, boot->tries_path, &error), &error);
}
