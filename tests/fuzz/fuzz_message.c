/* SPDX-License-Identifier: Apache-2.0 */
/* A bootloader message as misc may hold it: cleaned, taken apart, made again of its own arguments. */
#include "misc/internal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct misc_message message;
	struct misc_message again;
	char text[768];
	char text_again[768];
	char *arguments[MISC_ARGUMENTS_MAX];
	char *arguments_again[MISC_ARGUMENTS_MAX];
	unsigned count;

	memset(&message, 0xFF, sizeof(message));
	memcpy(&message, data, size < sizeof(message) ? size : sizeof(message));
	misc_clean_message(&message);
	count = misc_split_arguments(&message, text, arguments);
	/* Carriage returns inside a line are not made anew; everything else must come back as it was. */
	if (misc_make_message((const char *const *)arguments, count, &again, NULL))
		return 0;
	if (misc_split_arguments(&again, text_again, arguments_again) != count)
		abort();
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(arguments[i], arguments_again[i]) != 0)
			abort();
	}
	return 0;
}
