/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACKAGE_PUBLIC_KEY_H
#define PACKAGE_PUBLIC_KEY_H

/* Public keys and what they verify. Private to package/. */
#include "package/der.h"
#include <nettle/ecc.h>
#include <nettle/eddsa.h>
#include <nettle/nettle-meta.h>
#include <nettle/rsa.h>
#include <nettle/sha2.h>

#define PUBLIC_KEY_ID_SIZE 20 /* bytes */

enum key_kind { KEY_RSA, KEY_EC, KEY_ED25519 };
enum hash_kind { HASH_SHA256, HASH_SHA384, HASH_SHA512 };

struct hash_value {
	enum hash_kind kind;
	uint8_t bytes[SHA512_DIGEST_SIZE]; /* as many as the kind has */
};

struct public_key {
	enum key_kind kind;
	uint8_t id[PUBLIC_KEY_ID_SIZE];
	union {
		struct rsa_public_key rsa;
		struct ecc_point point;
		uint8_t ed25519[ED25519_KEY_SIZE];
	} value;
};

const struct nettle_hash *hash_of(enum hash_kind kind);

/* What a certificate (X.509) is about: its SubjectPublicKeyInfo, with tag and length. */
bool public_key_of_certificate(struct der certificate, struct der *info);

/* The name of a SubjectPublicKeyInfo's key: SHA-1 of its bits (RFC 5280 4.2.1.2, method 1). */
bool public_key_find_id(struct der info, uint8_t id[PUBLIC_KEY_ID_SIZE]);

/*
 * A SubjectPublicKeyInfo's key. NULL, or the reason why it is not accepted. public_key_clear() when there was none.
 */
const char *public_key_read(struct der info, struct public_key *key);
void public_key_clear(struct public_key *key);

/* Ed25519 signs the message itself, RSA and EC its hash. */
bool public_key_verify(const struct public_key *key, const struct hash_value *hash, struct der message,
                       struct der signature);

#endif
