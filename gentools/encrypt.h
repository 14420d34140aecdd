/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_ENCRYPT_H
#define GENTOOLS_ENCRYPT_H

/* Making encrypted packages (package/ENCRYPTION.md). */
#include "base/error.h"
#include "package/crypt_format.h"

#define ENCRYPT_RECIPIENTS_MAX CRYPT_RECIPIENTS_MAX

/* Who shall be able to read it. */
struct recipients {
	unsigned count;
	uint8_t keys[ENCRYPT_RECIPIENTS_MAX][CRYPT_KEY_SIZE];
};

/* One more, by a file with an X25519 public key in PEM. */
int recipients_add(struct recipients *recipients, const char *path, struct error *error);

/* Bytes of what becomes of a package of this size: the same without recipients (NULL). */
uint64_t recipients_size(const struct recipients *recipients, uint64_t size);

/*
 * Encrypt the package at input, of which nothing is read twice, to output, which may be the same file and appears when
 * it is whole. Every call makes other bytes. One that is encrypted already is refused.
 */
int recipients_encrypt(const struct recipients *recipients, const char *input, const char *output, struct error *error);

#endif
