/* SPDX-License-Identifier: Apache-2.0 */
#include "package/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/base64.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_SIZE_MAX 65536

bool pem_has_suffix(const char *name, const char *suffix)
{
	size_t length = strlen(name);
	size_t tail = strlen(suffix);

	return name[0] != '.' && length > tail && strcmp(name + length - tail, suffix) == 0;
}

const char *pem_read_file(int directory, const char *name, char **text)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	const char *reason = NULL;
	size_t size;

	*text = malloc(FILE_SIZE_MAX + 1);
	if (!*text) {
		reason = "out of memory";
	} else if (!file) {
		reason = strerror(errno);
	} else {
		size = fread(*text, 1, FILE_SIZE_MAX, file);
		(*text)[size] = '\0';
		if (ferror(file) || !feof(file))
			reason = "cannot be read, or is larger than 64 KiB";
	}
	if (file)
		(void)fclose(file); /* it was only read */
	else if (fd >= 0)
		(void)close(fd); /* the same */
	if (reason) {
		free(*text);
		*text = NULL;
	}
	return reason;
}

const char *pem_decode(const char *text, size_t length, uint8_t **bytes, size_t *size)
{
	struct base64_decode_ctx base64;

	*size = 0;
	*bytes = malloc(BASE64_DECODE_LENGTH(length) + 1);
	if (!*bytes)
		return "out of memory";
	base64_decode_init(&base64);
	if (base64_decode_update(&base64, size, *bytes, length, text) && base64_decode_final(&base64))
		return NULL;
	free(*bytes);
	*bytes = NULL;
	return "no base64 text";
}
