/* SPDX-License-Identifier: Apache-2.0 */
#include "package/keys.h"

#include "package/pem.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_END "-----END "

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
	uint8_t *bytes;
	size_t size;
	const char *reason = pem_decode(text, length, &bytes, &size);
	struct der der = {.at = bytes, .left = size};

	if (!reason && is_certificate && !public_key_of_certificate(der, &der))
		reason = "broken certificate";
	if (!reason)
		reason = add_key(keys, der);
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
	char *text;
	const char *reason = pem_read_file(directory, name, &text);

	if (!reason)
		reason = add_text(keys, text);
	free(text);
	return reason;
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

		if (!pem_has_suffix(entry->d_name, ".pem"))
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
