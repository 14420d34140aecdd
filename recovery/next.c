/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first package of two: not the end of an upgrade. What is to come is written down before the journal knows of the
 * success, so that every later boot, of either system, finds it; whether an ending that is repeated is that of an
 * upgrade or of a part, this file alone tells then, for the package may be gone. So no other ending leaves one there.
 */
#include "recovery/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int next_save(struct boot *boot, struct error *error)
{
	char text[PACKAGE_NEXT_SIZE + 1];
	int length;

	if (!boot->next[0])
		return next_forget(boot, error);
	length = snprintf(text, sizeof(text), "%s\n", boot->next);
	return storage_save(boot->config->storage, boot->config->next_path, text, (size_t)length, 0644, error);
}

int next_forget(struct boot *boot, struct error *error)
{
	int err;

	boot->next[0] = '\0';
	err = storage_remove(boot->config->storage, boot->config->next_path, error);
	return err < 0 ? err : 0;
}

void next_recall(struct boot *boot)
{
	char *text;
	size_t size;

	boot->next[0] = '\0';
	if (storage_load(boot->config->storage, boot->config->next_path, PACKAGE_NEXT_SIZE, &text, &size, NULL))
		return;
	if (package_parse_next(text, size, boot->next) < 0)
		boot->next[0] = '\0';
	free(text);
}
