/* SPDX-License-Identifier: Apache-2.0 */
#include "package/crypt.h"

#include "base/bytes.h"
#include "package/crypt_keys.h"
#include <errno.h>
#include <nettle/nist-keywrap.h>
#include <stdlib.h>
#include <string.h>

#define NO_CHUNK UINT64_MAX

struct package_crypt {
	const struct reader *file;
	struct crypt_cipher cipher;
	size_t header_size; /* bytes */
	uint64_t size;      /* bytes, plain */
	uint64_t chunk;     /* the one in buffer, or NO_CHUNK */
	bool damaged;       /* a chunk was */
	uint8_t buffer[CRYPT_CHUNK_SIZE + CRYPT_TAG_SIZE];
};

bool package_is_encrypted(const void *bytes, size_t size)
{
	return size >= CRYPT_MAGIC_SIZE && memcmp(bytes, crypt_magic, CRYPT_MAGIC_SIZE) == 0;
}

/* ---- Chunks ---- */

static int load_chunk(struct package_crypt *crypt, uint64_t chunk)
{
	uint64_t start = chunk * CRYPT_CHUNK_SIZE;
	size_t length = crypt->size - start < CRYPT_CHUNK_SIZE ? (size_t)(crypt->size - start) : CRYPT_CHUNK_SIZE;
	uint64_t at = crypt->header_size + start + chunk * CRYPT_TAG_SIZE;
	int err;

	if (crypt->chunk == chunk)
		return 0;
	crypt->chunk = NO_CHUNK;
	err = crypt->file->read_at(crypt->file->ctx, at, crypt->buffer, length + CRYPT_TAG_SIZE);
	if (err < 0)
		return err;
	if (!crypt_cipher_open(&crypt->cipher, chunk, crypt->buffer, length)) {
		crypt->damaged = true;
		return -EBADMSG;
	}
	crypt->chunk = chunk;
	return 0;
}

static int read_plain(void *ctx, uint64_t offset, void *buffer, size_t length)
{
	struct package_crypt *crypt = ctx;
	uint8_t *out = buffer;

	if (offset > crypt->size || length > crypt->size - offset)
		return -EINVAL;
	while (length > 0) {
		size_t within = (size_t)(offset % CRYPT_CHUNK_SIZE);
		size_t part = CRYPT_CHUNK_SIZE - within < length ? CRYPT_CHUNK_SIZE - within : length;
		int err = load_chunk(crypt, offset / CRYPT_CHUNK_SIZE);

		if (err < 0)
			return err;
		memcpy(out, crypt->buffer + within, part);
		out += part;
		offset += part;
		length -= part;
	}
	return 0;
}

/* ---- The header ---- */

static int forged(struct error *error, const char *what)
{
	return error_set(error, RESULT_FORGED, EBADMSG, "the encrypted package is damaged: %s", what);
}

static int read_header(struct package_crypt *crypt, uint8_t header[CRYPT_HEADER_MAX], struct error *error)
{
	const struct reader *file = crypt->file;
	uint32_t recipients;
	uint64_t chunks;
	int err;

	if (file->size < CRYPT_AT_WRAPPED)
		return forged(error, "it is cut short");
	err = file->read_at(file->ctx, 0, header, CRYPT_AT_WRAPPED);
	if (err < 0)
		return error_set(error, RESULT_UNPACK, -err, "cannot read the package: %s", strerror(-err));
	if (get_le32(header + CRYPT_AT_VERSION) != CRYPT_VERSION)
		return forged(error, "its version is unknown");
	recipients = get_le32(header + CRYPT_AT_RECIPIENTS);
	if (recipients == 0 || recipients > CRYPT_RECIPIENTS_MAX)
		return forged(error, "its number of recipients is wrong");
	crypt->header_size = CRYPT_AT_WRAPPED + (size_t)recipients * CRYPT_WRAPPED_SIZE;
	crypt->size = get_le64(header + CRYPT_AT_SIZE);
	chunks = crypt_chunks(crypt->size);
	/* No sum below overflows: the package is smaller than the file. */
	if (crypt->size > file->size || crypt->header_size + crypt->size + chunks * CRYPT_TAG_SIZE != file->size)
		return forged(error, "it is cut short, or too long");
	err = file->read_at(file->ctx, CRYPT_AT_WRAPPED, header + CRYPT_AT_WRAPPED,
	                    crypt->header_size - CRYPT_AT_WRAPPED);
	return err < 0 ? error_set(error, RESULT_UNPACK, -err, "cannot read the package: %s", strerror(-err)) : 0;
}

static bool unwrap(const struct crypt_pair *pair, const uint8_t *header, size_t header_size,
                   uint8_t content_key[CRYPT_KEY_SIZE])
{
	static const uint8_t iv[] = {0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6}; /* RFC 3394 2.2.3.1 */
	const uint8_t *ephemeral = header + CRYPT_AT_EPHEMERAL;
	uint8_t key[CRYPT_KEY_SIZE];
	struct aes256_ctx aes;
	bool found = false;

	if (!crypt_derive_key(pair->private_key, ephemeral, ephemeral, pair->public_key, key))
		return false;
	aes256_set_decrypt_key(&aes, key);
	for (size_t at = CRYPT_AT_WRAPPED; !found && at < header_size; at += CRYPT_WRAPPED_SIZE)
		found = aes256_keyunwrap(&aes, iv, CRYPT_KEY_SIZE, content_key, header + at);
	explicit_bzero(key, sizeof(key));
	explicit_bzero(&aes, sizeof(aes));
	return found;
}

static int open_container(struct package_crypt *crypt, const struct package_crypt_keys *keys, struct error *error)
{
	uint8_t header[CRYPT_HEADER_MAX];
	uint8_t content_key[CRYPT_KEY_SIZE];
	unsigned count = keys ? keys->count : 0;
	int err = read_header(crypt, header, error);

	if (err < 0)
		return err;
	for (unsigned i = 0; i < count; i++) {
		if (!unwrap(&keys->pairs[i], header, crypt->header_size, content_key))
			continue;
		crypt_cipher_start(&crypt->cipher, content_key, header, crypt->header_size, crypt_chunks(crypt->size));
		explicit_bzero(content_key, sizeof(content_key));
		return 0;
	}
	return error_set(error, RESULT_SEALED, ENOKEY, "the package is encrypted, and none of %u keys here opens it",
	                 count);
}

int package_decrypt(const struct reader *file, const struct package_crypt_keys *keys, struct package_crypt **crypt,
                    struct reader *plain, struct error *error)
{
	uint8_t magic[CRYPT_MAGIC_SIZE] = {0};
	int err = 0;

	*crypt = NULL;
	*plain = *file;
	if (file->size >= sizeof(magic))
		err = file->read_at(file->ctx, 0, magic, sizeof(magic));
	if (err < 0)
		return error_set(error, RESULT_UNPACK, -err, "cannot read the package: %s", strerror(-err));
	if (!package_is_encrypted(magic, sizeof(magic)))
		return 0;
	*crypt = calloc(1, sizeof(**crypt));
	if (!*crypt)
		return error_set(error, 0, ENOMEM, "out of memory");
	(*crypt)->file = file;
	(*crypt)->chunk = NO_CHUNK;
	err = open_container(*crypt, keys, error);
	/* Of an empty package nobody would read the chunk. */
	if (err == 0 && load_chunk(*crypt, 0) == -EBADMSG)
		err = forged(error, "its first chunk is not as it was encrypted");
	*plain = (struct reader){.read_at = read_plain, .ctx = *crypt, .size = (*crypt)->size};
	if (err < 0) {
		package_crypt_free(*crypt);
		*crypt = NULL;
	}
	return err;
}

void package_crypt_free(struct package_crypt *crypt)
{
	if (crypt)
		explicit_bzero(crypt, sizeof(*crypt));
	free(crypt);
}

void package_crypt_explain(const struct package_crypt *crypt, struct error *error)
{
	if (crypt && crypt->damaged)
		(void)forged(error, "a chunk is not as it was encrypted");
}
