/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/sign_cms.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>

#define CMS_VERSION 3 /* of a signer that is named by its key */

int sign_crypto_error(struct error *error, const char *what)
{
	char text[160];
	unsigned long code = ERR_peek_last_error();

	ERR_error_string_n(code, text, sizeof(text));
	ERR_clear_error();
	return error_set(error, 0, EIO, "%s: %s", what, code ? text : "OpenSSL failed");
}

static void put(struct writer *writer, const void *bytes, size_t size)
{
	writer->start -= size; /* what a CMS takes is known: CMS_MAX */
	memcpy(writer->bytes + writer->start, bytes, size);
}

/* Tag and length in front of all that lies before `end`. */
static void wrap(struct writer *writer, uint8_t tag, size_t end)
{
	size_t length = end - writer->start;
	uint8_t head[4] = {tag, (uint8_t)length};
	size_t size = 2;

	if (length >= 0x100) {
		head[1] = 0x82;
		head[2] = (uint8_t)(length >> 8);
		head[3] = (uint8_t)length;
		size = 4;
	} else if (length >= 0x80) {
		head[1] = 0x81;
		head[2] = (uint8_t)length;
		size = 3;
	}
	put(writer, head, size);
}

/* The SET of signed attributes: content type and message digest. */
static void put_attributes(struct writer *writer, const uint8_t *hash, size_t size)
{
	static const uint8_t digest_oid[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04};
	static const uint8_t type_is_data[] = {0x30, 0x18, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
	                                       0x0d, 0x01, 0x09, 0x03, 0x31, 0x0b, 0x06, 0x09, 0x2a,
	                                       0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
	size_t end = writer->start;

	put(writer, hash, size);
	wrap(writer, 0x04, end);
	wrap(writer, 0x31, end);
	put(writer, digest_oid, sizeof(digest_oid));
	wrap(writer, 0x30, end);
	put(writer, type_is_data, sizeof(type_is_data));
	wrap(writer, 0x31, end);
}

static void put_cms(struct writer *writer, const struct signer *signer, const struct writer *attributes,
                    const uint8_t *signature, size_t signature_size)
{
	static const uint8_t context_0 = 0xa0;
	static const uint8_t version[] = {0x02, 0x01, CMS_VERSION};
	static const uint8_t no_content[] = {0x30, 0x0b, 0x06, 0x09, 0x2a, 0x86, 0x48,
	                                     0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
	static const uint8_t signed_data[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02};
	const struct scheme *scheme = signer->scheme;
	size_t end = writer->start;
	size_t part;

	put(writer, signature, signature_size);
	wrap(writer, 0x04, end);
	put(writer, scheme->algorithm, scheme->algorithm_size);
	if (scheme->attributes) {
		put(writer, attributes->bytes + attributes->start + 1, CMS_MAX - attributes->start - 1);
		put(writer, &context_0, 1);
	}
	put(writer, scheme->hash_algorithm, sizeof(scheme->hash_algorithm));
	part = writer->start;
	put(writer, signer->key_id, sizeof(signer->key_id));
	wrap(writer, 0x80, part);
	put(writer, version, sizeof(version));
	wrap(writer, 0x30, end);
	wrap(writer, 0x31, end);
	put(writer, no_content, sizeof(no_content));
	part = writer->start;
	put(writer, scheme->hash_algorithm, sizeof(scheme->hash_algorithm));
	wrap(writer, 0x31, part);
	put(writer, version, sizeof(version));
	wrap(writer, 0x30, end);
	wrap(writer, 0xa0, end);
	put(writer, signed_data, sizeof(signed_data));
	wrap(writer, 0x30, end);
}

/* Ed25519 signs what it is given, the others the hash of it, which is made already. */
static bool make_signature(const struct signer *signer, const uint8_t *data, size_t size, uint8_t *signature,
                           size_t *signature_size)
{
	EVP_PKEY_CTX *key = NULL;
	EVP_MD_CTX *context = NULL;
	bool made;

	if (signer->scheme->attributes) {
		context = EVP_MD_CTX_new();
		made = context && EVP_DigestSignInit(context, NULL, NULL, NULL, signer->key) > 0 &&
		       EVP_DigestSign(context, signature, signature_size, data, size) > 0;
	} else {
		key = EVP_PKEY_CTX_new(signer->key, NULL);
		made = key && EVP_PKEY_sign_init(key) > 0 &&
		       EVP_PKEY_CTX_set_signature_md(key, EVP_get_digestbyname(signer->scheme->hash)) > 0 &&
		       EVP_PKEY_sign(key, signature, signature_size, data, size) > 0;
	}
	EVP_MD_CTX_free(context);
	EVP_PKEY_CTX_free(key);
	return made;
}

int sign_make_cms(const struct signer *signer, const uint8_t *hash, size_t hash_size, struct writer *cms,
                  struct error *error)
{
	struct writer attributes = {.start = CMS_MAX};
	uint8_t signature[CMS_MAX / 2];
	size_t signature_size = sizeof(signature);
	bool made;

	put_attributes(&attributes, hash, hash_size);
	if (signer->scheme->attributes)
		made = make_signature(signer, attributes.bytes + attributes.start, CMS_MAX - attributes.start,
		                      signature, &signature_size);
	else
		made = make_signature(signer, hash, hash_size, signature, &signature_size);
	if (!made)
		return sign_crypto_error(error, "cannot sign");
	cms->start = CMS_MAX;
	put_cms(cms, signer, &attributes, signature, signature_size);
	return 0;
}
