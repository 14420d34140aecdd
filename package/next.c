/* SPDX-License-Identifier: Apache-2.0 */
/* Upgrades of several packages: the name of the one that follows. */
#include "package/package.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int package_parse_next(const char *text, size_t size, char name[PACKAGE_NEXT_SIZE])
{
	size_t length = size > 0 && text[size - 1] == '\n' ? size - 1 : size;

	if (length == 0 || length >= PACKAGE_NEXT_SIZE)
		return -EINVAL;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f || strchr("/\\", text[i]))
			return -EINVAL;
	if (text[0] == '.')
		return -EINVAL;
	memcpy(name, text, length);
	name[length] = '\0';
	return 0;
}

int package_next(struct package *package, char name[PACKAGE_NEXT_SIZE], struct error *error)
{
	char *text;
	size_t size;
	int err = package_load(package, PACKAGE_NEXT, PACKAGE_NEXT_SIZE, &text, &size, error);

	name[0] = '\0';
	if (err < 0)
		return err == -ENOENT ? 0 : err;
	err = package_parse_next(text, size, name);
	free(text);
	return err < 0 ? error_set(error, RESULT_FORMAT, EINVAL, "%s: not the name of a file", PACKAGE_NEXT) : 1;
}
