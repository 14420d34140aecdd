/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_SIGN_CMS_H
#define GENTOOLS_SIGN_CMS_H

/* The CMS of a signature (package/signature.h). Private to gentools/sign*.c. */
#include "base/error.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CMS_MAX 2048 /* bytes; half of it is the largest RSA signature */

/* What a kind of key signs with, AlgorithmIdentifiers whole. */
struct scheme {
	int key;      /* EVP_PKEY_... */
	int bits_min; /* of the key */
	int bits_max;
	const char *hash;
	bool attributes;
	uint8_t hash_algorithm[13];
	uint8_t algorithm[15];
	uint8_t algorithm_size;
};

struct signer {
	EVP_PKEY *key;
	const struct scheme *scheme;
	uint8_t key_id[SHA_DIGEST_LENGTH];
};

/* DER, written from its end, so that every length is known when it is due. */
struct writer {
	uint8_t bytes[CMS_MAX];
	size_t start;
};

/* -EIO with what OpenSSL says, which it then forgets. */
int sign_crypto_error(struct error *error, const char *what);

/* The signature of a content with this hash. */
int sign_make_cms(const struct signer *signer, const uint8_t *hash, size_t hash_size, struct writer *cms,
                  struct error *error);

#endif
