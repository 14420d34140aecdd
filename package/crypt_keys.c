/* SPDX-License-Identifier: Apache-2.0 */
#include "package/crypt_keys.h"

#include "package/pem.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <nettle/curve25519.h>
#include <stdlib.h>
#include <string.h>

static const char begin_key[] = "-----BEGIN PRIVATE KEY-----";

/* PKCS #8 (RFC 8410) of an X25519 key up to the key itself. */
static const uint8_t prefix[] = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                 0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20};

static const char *add_bytes(struct package_crypt_keys *keys, const uint8_t *bytes, size_t size)
{
	struct crypt_pair *pair = &keys->pairs[keys->count];

	if (size != sizeof(prefix) + CRYPT_KEY_SIZE || memcmp(bytes, prefix, sizeof(prefix)) != 0)
		return "no X25519 private key";
	if (keys->count == CRYPT_KEYS_MAX)
		return "one key too many";
	memcpy(pair->private_key, bytes + sizeof(prefix), CRYPT_KEY_SIZE);
	curve25519_mul_g(pair->public_key, pair->private_key);
	keys->count++;
	return NULL;
}

static const char *add_text(struct package_crypt_keys *keys, const char *text)
{
	const char *begin = strstr(text, begin_key);
	const char *end = begin ? strstr(begin + sizeof(begin_key) - 1, "-----END ") : NULL;
	uint8_t *bytes = NULL;
	const char *reason;
	size_t size;

	if (!end)
		return "no whole PRIVATE KEY block in PEM form";
	begin += sizeof(begin_key) - 1;
	reason = pem_decode(begin, (size_t)(end - begin), &bytes, &size);
	if (!reason) {
		reason = add_bytes(keys, bytes, size);
		explicit_bzero(bytes, size);
	}
	free(bytes);
	return reason;
}

static const char *add_file(struct package_crypt_keys *keys, int directory, const char *name)
{
	char *text = NULL;
	const char *reason = pem_read_file(directory, name, &text);

	if (!reason) {
		reason = add_text(keys, text);
		explicit_bzero(text, strlen(text));
	}
	free(text);
	return reason;
}

int package_crypt_keys_load(const char *path, const struct log *log, struct package_crypt_keys **keys,
                            struct error *error)
{
	DIR *directory = opendir(path);
	struct dirent *entry;

	*keys = calloc(1, sizeof(**keys));
	if (!*keys) {
		if (directory)
			(void)closedir(directory); /* nothing was read */
		return error_set(error, 0, ENOMEM, "out of memory");
	}
	if (!directory) {
		if (errno != ENOENT)
			log_printf(log, "%s: %s", path, strerror(errno));
		return 0;
	}
	while ((entry = readdir(directory))) {
		const char *reason;

		if (!pem_has_suffix(entry->d_name, ".key"))
			continue;
		reason = add_file(*keys, dirfd(directory), entry->d_name);
		if (reason)
			log_printf(log, "%s/%s: %s: it opens no package", path, entry->d_name, reason);
	}
	(void)closedir(directory); /* it was only read */
	return 0;
}

int package_crypt_keys_read(const char *path, struct package_crypt_keys **keys, struct error *error)
{
	const char *reason;

	*keys = calloc(1, sizeof(**keys));
	if (!*keys)
		return error_set(error, 0, ENOMEM, "out of memory");
	reason = add_file(*keys, AT_FDCWD, path);
	return reason ? error_set(error, 0, EINVAL, "%s: %s", path, reason) : 0;
}

void package_crypt_keys_free(struct package_crypt_keys *keys)
{
	if (keys)
		explicit_bzero(keys, sizeof(*keys));
	free(keys);
}
