/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool keys_text(const char *text, const char *key, char *value, size_t size)
{
	size_t key_length = strlen(key);
	const char *end;

	for (const char *line = text; (end = strchr(line, '\n')); line = end + 1) {
		size_t length = (size_t)(end - line);

		if (length <= key_length || strncmp(line, key, key_length) != 0 || line[key_length] != ' ')
			continue;
		line += key_length + 1;
		length -= key_length + 1;
		if (length >= size)
			return false;
		memcpy(value, line, length);
		value[length] = '\0';
		return true;
	}
	return false;
}

bool keys_number(const char *text, const char *key, uint64_t max, uint64_t *number)
{
	char value[32];
	char *end;

	if (!keys_text(text, key, value, sizeof(value)) || value[0] < '0' || value[0] > '9')
		return false;
	errno = 0;
	*number = strtoull(value, &end, 10);
	return errno == 0 && *end == '\0' && *number <= max;
}

void keys_clean(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == '\x7F')
			*text = ' ';
}
