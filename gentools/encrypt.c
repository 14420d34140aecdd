/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/encrypt.h"

#include "base/bytes.h"
#include "gentools/place.h"
#include "package/crypt.h"

#include <errno.h>
#include <inttypes.h>
#include <nettle/curve25519.h>
#include <nettle/nist-keywrap.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

int recipients_add(struct recipients *recipients, const char *path, struct error *error)
{
	size_t size = CRYPT_KEY_SIZE;
	EVP_PKEY *key = NULL;
	FILE *file;
	int err = 0;

	if (recipients->count == ENCRYPT_RECIPIENTS_MAX)
		return error_set(error, 0, E2BIG, "%s: more than %d recipients", path, ENCRYPT_RECIPIENTS_MAX);
	file = fopen(path, "re");
	if (!file)
		return error_set(error, 0, errno, "%s: %s", path, strerror(errno));
	key = PEM_read_PUBKEY(file, NULL, NULL, NULL);
	if (!key || EVP_PKEY_get_base_id(key) != EVP_PKEY_X25519 ||
	    !EVP_PKEY_get_raw_public_key(key, recipients->keys[recipients->count], &size) || size != CRYPT_KEY_SIZE)
		err = error_set(error, 0, EINVAL, "%s: no X25519 public key in PEM form", path);
	else
		recipients->count++;
	ERR_clear_error();
	EVP_PKEY_free(key);
	(void)fclose(file); /* it was only read */
	return err;
}

uint64_t recipients_size(const struct recipients *recipients, uint64_t size)
{
	if (!recipients)
		return size;
	return CRYPT_AT_WRAPPED + (uint64_t)recipients->count * CRYPT_WRAPPED_SIZE + size +
	       crypt_chunks(size) * CRYPT_TAG_SIZE;
}

static int fill_random(void *bytes, size_t size, struct error *error)
{
	/* As few bytes as these come whole, or not at all. */
	if (getrandom(bytes, size, 0) != (ssize_t)size)
		return error_set(error, 0, errno, "getrandom: %s", strerror(errno));
	return 0;
}

/* A container that is being written. */
struct container {
	FILE *in;
	FILE *out;
	uint64_t size; /* bytes, plain */
	uint8_t header[CRYPT_HEADER_MAX];
	size_t header_size;
	struct crypt_cipher cipher;
	uint8_t buffer[CRYPT_CHUNK_SIZE + CRYPT_TAG_SIZE];
};

static int wrap_for(const uint8_t recipient[CRYPT_KEY_SIZE], const uint8_t ephemeral[CRYPT_KEY_SIZE],
                    const uint8_t ephemeral_public[CRYPT_KEY_SIZE], const uint8_t content_key[CRYPT_KEY_SIZE],
                    uint8_t wrapped[CRYPT_WRAPPED_SIZE], struct error *error)
{
	static const uint8_t iv[] = {0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6}; /* RFC 3394 2.2.3.1 */
	uint8_t key[CRYPT_KEY_SIZE];
	struct aes256_ctx aes;

	if (!crypt_derive_key(ephemeral, recipient, ephemeral_public, recipient, key))
		return error_set(error, 0, EINVAL, "a recipient's key is none");
	aes256_set_encrypt_key(&aes, key);
	aes256_keywrap(&aes, iv, CRYPT_WRAPPED_SIZE, wrapped, content_key);
	explicit_bzero(key, sizeof(key));
	explicit_bzero(&aes, sizeof(aes));
	return 0;
}

/* Fresh keys; the header is bound to all chunks, so that it is whole before the first. */
static int start(struct container *container, const struct recipients *recipients, struct error *error)
{
	struct {
		uint8_t ephemeral[CRYPT_KEY_SIZE];
		uint8_t content[CRYPT_KEY_SIZE];
	} keys;
	uint8_t *header = container->header;
	uint8_t *wrapped = header + CRYPT_AT_WRAPPED;
	int err = fill_random(&keys, sizeof(keys), error);

	memcpy(header, crypt_magic, CRYPT_MAGIC_SIZE);
	put_le32(header + CRYPT_AT_VERSION, CRYPT_VERSION);
	put_le32(header + CRYPT_AT_RECIPIENTS, recipients->count);
	put_le64(header + CRYPT_AT_SIZE, container->size);
	if (err == 0)
		curve25519_mul_g(header + CRYPT_AT_EPHEMERAL, keys.ephemeral);
	for (unsigned i = 0; err == 0 && i < recipients->count; i++, wrapped += CRYPT_WRAPPED_SIZE)
		err = wrap_for(recipients->keys[i], keys.ephemeral, header + CRYPT_AT_EPHEMERAL, keys.content, wrapped,
		               error);
	container->header_size = (size_t)(wrapped - header);
	if (err == 0)
		crypt_cipher_start(&container->cipher, keys.content, header, container->header_size,
		                   crypt_chunks(container->size));
	explicit_bzero(&keys, sizeof(keys));
	return err;
}

static int cannot(struct error *error, const char *what)
{
	return error_set(error, 0, errno ? errno : EIO, "cannot %s: %s", what, strerror(errno ? errno : EIO));
}

static int write_chunks(struct container *container, struct error *error)
{
	uint8_t *buffer = container->buffer;
	uint64_t left = container->size;

	errno = 0;
	if (fwrite(container->header, 1, container->header_size, container->out) != container->header_size)
		return cannot(error, "write");
	for (uint64_t chunk = 0; chunk < container->cipher.chunks; chunk++) {
		size_t length = left < CRYPT_CHUNK_SIZE ? (size_t)left : CRYPT_CHUNK_SIZE;

		if (fread(buffer, 1, length, container->in) != length)
			return cannot(error, "read");
		if (chunk == 0 && package_is_encrypted(buffer, length))
			return error_set(error, 0, EINVAL, "it is encrypted already");
		crypt_cipher_seal(&container->cipher, chunk, buffer, length);
		if (fwrite(buffer, 1, length + CRYPT_TAG_SIZE, container->out) != length + CRYPT_TAG_SIZE)
			return cannot(error, "write");
		left -= length;
	}
	return fflush(container->out) == 0 ? 0 : cannot(error, "write");
}

static int encrypt_to(struct container *container, const struct recipients *recipients, const char *part,
                      struct error *error)
{
	struct stat stat;
	int err = 0;

	if (fstat(fileno(container->in), &stat) < 0)
		return error_set(error, 0, errno, "%s", strerror(errno));
	container->size = (uint64_t)stat.st_size;
	container->out = fopen(part, "we");
	if (!container->out)
		return error_set(error, 0, errno, "%s: %s", part, strerror(errno));
	err = start(container, recipients, error);
	if (err == 0)
		err = write_chunks(container, error);
	if (fclose(container->out) != 0 && err == 0)
		err = error_set(error, 0, errno, "%s: %s", part, strerror(errno));
	return err;
}

int recipients_encrypt(const struct recipients *recipients, const char *input, const char *output, struct error *error)
{
	struct container *container = calloc(1, sizeof(*container));
	char *part;
	int err;

	if (!container)
		return error_set(error, 0, ENOMEM, "out of memory");
	err = place_begin(output, &part, error);
	if (err < 0) {
		free(container);
		return err;
	}
	container->in = fopen(input, "re");
	if (!container->in) {
		err = error_set(error, 0, errno, "%s: %s", input, strerror(errno));
	} else {
		err = encrypt_to(container, recipients, part, error);
		if (err < 0)
			error_prefix(error, "%s", input);
		(void)fclose(container->in); /* it was only read */
	}
	explicit_bzero(container, sizeof(*container));
	free(container);
	return place_end(part, output, err, error);
}
