/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACKAGE_CRYPT_FORMAT_H
#define PACKAGE_CRYPT_FORMAT_H

/* What both ends of package/ENCRYPTION.md have in common; for package/ and for who makes containers. */
#include <nettle/gcm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CRYPT_MAGIC_SIZE     8
#define CRYPT_VERSION        1
#define CRYPT_RECIPIENTS_MAX 64
#define CRYPT_KEY_SIZE       32
#define CRYPT_WRAPPED_SIZE   40
#define CRYPT_CHUNK_SIZE     65536
#define CRYPT_TAG_SIZE       16

/* Offsets in the header. */
#define CRYPT_AT_VERSION    8
#define CRYPT_AT_RECIPIENTS 12
#define CRYPT_AT_SIZE       16
#define CRYPT_AT_EPHEMERAL  24
#define CRYPT_AT_WRAPPED    56
#define CRYPT_HEADER_MAX    (CRYPT_AT_WRAPPED + CRYPT_RECIPIENTS_MAX * CRYPT_WRAPPED_SIZE)

extern const uint8_t crypt_magic[CRYPT_MAGIC_SIZE];

/* How many chunks a package of this size takes. */
uint64_t crypt_chunks(uint64_t size);

/*
 * The key that wraps the content key: of one's own private key, the other's public one, and both public keys in their
 * roles. False when the other's is none.
 */
bool crypt_derive_key(const uint8_t own[CRYPT_KEY_SIZE], const uint8_t other[CRYPT_KEY_SIZE],
                      const uint8_t ephemeral[CRYPT_KEY_SIZE], const uint8_t recipient[CRYPT_KEY_SIZE],
                      uint8_t key[CRYPT_KEY_SIZE]);

/* The chunks of one container. */
struct crypt_cipher {
	struct gcm_aes256_ctx gcm;
	uint8_t header[32]; /* SHA-256 of it */
	uint64_t chunks;
};

void crypt_cipher_start(struct crypt_cipher *cipher, const uint8_t content_key[CRYPT_KEY_SIZE], const uint8_t *header,
                        size_t header_size, uint64_t chunks);

/* In place: bytes has room for length and the tag. */
void crypt_cipher_seal(struct crypt_cipher *cipher, uint64_t chunk, uint8_t *bytes, size_t length);

/* In place: length bytes and the tag become length bytes; false when they are not what was sealed. */
bool crypt_cipher_open(struct crypt_cipher *cipher, uint64_t chunk, uint8_t *bytes, size_t length);

#endif
