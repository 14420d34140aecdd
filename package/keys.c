/* SPDX-License-Identifier: Apache-2.0 */
#include "package/keys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <nettle/base64.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_SIZE_MAX 65536
#define BLOCK_END     "-----END "

static const char begin_key[] = "-----BEGIN PUBLIC KEY-----";
static const char begin_certificate[] = "-----BEGIN CERTIFICATE-----";

static const char *add_key(struct package_keys *keys, struct der info)
{
	const char *reason;

	if (keys->count == KEYS_MAX)
		return "one key too many";
	reason = public_key_read(info, &keys->keys[keys->count]);
	keys->count += reason == NULL;
	return reason;
}

/* One PEM block's text, without its frame. */
static const char *add_block(struct package_keys *keys, const char *text, size_t length, bool is_certificate)
{
	struct base64_decode_ctx base64;
	uint8_t *bytes = malloc(BASE64_DECODE_LENGTH(length) + 1);
	size_t size = 0;
	struct der der;
	const char *reason = "no base64 text";

	if (!bytes)
		return "out of memory";
	base64_decode_init(&base64);
	if (base64_decode_update(&base64, &size, bytes, length, text) && base64_decode_final(&base64)) {
		der = (struct der){.at = bytes, .left = size};
		if (is_certificate && !public_key_of_certificate(der, &der))
			reason = "broken certificate";
		else
			reason = add_key(keys, der);
	}
	free(bytes);
	return reason;
}

/* Returns what is wrong with the first block that is no key, NULL when all are. */
static const char *add_text(struct package_keys *keys, const char *text)
{
	const char *begin = strstr(text, "-----BEGIN ");
	const char *reason = begin ? NULL : "no PEM block";

	while (begin && !reason) {
		bool is_certificate = strncmp(begin, begin_certificate, sizeof(begin_certificate) - 1) == 0;
		bool is_key = strncmp(begin, begin_key, sizeof(begin_key) - 1) == 0;
		const char *inside = begin + (is_key ? sizeof(begin_key) : sizeof(begin_certificate)) - 1;
		const char *end;

		if (!is_key && !is_certificate)
			return "a block that is neither PUBLIC KEY nor CERTIFICATE";
		end = strstr(inside, BLOCK_END);
		if (!end)
			return "a block without its end";
		reason = add_block(keys, inside, (size_t)(end - inside), is_certificate);
		begin = strstr(end, "-----BEGIN ");
	}
	return reason;
}

static const char *add_file(struct package_keys *keys, int directory, const char *name)
{
	char *text = malloc(FILE_SIZE_MAX + 1);
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	const char *reason;
	size_t size;

	if (!text) {
		reason = "out of memory";
	} else if (!file) {
		reason = strerror(errno);
	} else {
		size = fread(text, 1, FILE_SIZE_MAX, file);
		text[size] = '\0';
		reason =
			ferror(file) || !feof(file) ? "cannot be read, or is larger than 64 KiB" : add_text(keys, text);
	}
	if (file)
		(void)fclose(file); /* it was only read */
	else if (fd >= 0)
		(void)close(fd); /* the same */
	free(text);
	return reason;
}

static bool is_key_file(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > 4 && strcmp(name + length - 4, ".pem") == 0;
}

static void add_directory(struct package_keys *keys, const struct log *log)
{
	DIR *directory = opendir(keys->directory);
	struct dirent *entry;

	if (!directory) {
		/* What cannot be looked into may hold keys: better nothing is trusted than everything. */
		keys->wanted = errno != ENOENT;
		if (keys->wanted)
			log_printf(log, "%s: %s", keys->directory, strerror(errno));
		return;
	}
	while ((errno = 0, entry = readdir(directory))) {
		const char *reason;

		if (!is_key_file(entry->d_name))
			continue;
		keys->wanted = true;
		reason = add_file(keys, dirfd(directory), entry->d_name);
		if (reason)
			log_printf(log, "%s/%s: %s: nothing from there on is trusted", keys->directory, entry->d_name,
			           reason);
	}
	if (errno)
		keys->wanted = true;
	(void)closedir(directory); /* it was only read */
}

int package_keys_load(const char *directory, const struct log *log, struct package_keys **keys, struct error *error)
{
	*keys = calloc(1, sizeof(**keys));
	if (*keys)
		(*keys)->directory = strdup(directory);
	if (!*keys || !(*keys)->directory) {
		free(*keys);
		*keys = NULL;
		return error_set(error, 0, ENOMEM, "out of memory");
	}
	add_directory(*keys, log);
	return 0;
}

void package_keys_free(struct package_keys *keys)
{
	if (!keys)
		return;
	for (unsigned i = 0; i < keys->count; i++)
		public_key_clear(&keys->keys[i]);
	free(keys->directory);
	free(keys);
}

bool package_keys_wanted(const struct package_keys *keys, const struct log *log)
{
	if (keys && keys->wanted) {
		log_printf(log, "packages must be signed by one of %u keys in %s", keys->count, keys->directory);
		return true;
	}
	log_printf(log, "packages are NOT verified: no keys%s%s", keys ? " in " : "", keys ? keys->directory : "");
	return false;
}
