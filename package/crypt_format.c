/* SPDX-License-Identifier: Apache-2.0 */
#include "package/crypt_format.h"

#include "base/bytes.h"
#include <nettle/curve25519.h>
#include <nettle/hkdf.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <string.h>

#define NONCE_LAST 11 /* of its bytes: whether the chunk is the last one */

const uint8_t crypt_magic[CRYPT_MAGIC_SIZE] = {'Q', 'F', 'O', 'T', 'A', 'E', 'N', 'C'};

uint64_t crypt_chunks(uint64_t size)
{
	return size ? (size - 1) / CRYPT_CHUNK_SIZE + 1 : 1;
}

bool crypt_derive_key(const uint8_t own[CRYPT_KEY_SIZE], const uint8_t other[CRYPT_KEY_SIZE],
                      const uint8_t ephemeral[CRYPT_KEY_SIZE], const uint8_t recipient[CRYPT_KEY_SIZE],
                      uint8_t key[CRYPT_KEY_SIZE])
{
	static const uint8_t info[] = "qfota package 1";
	static const uint8_t zero[CRYPT_KEY_SIZE];
	uint8_t secret[CRYPT_KEY_SIZE];
	uint8_t salt[2 * CRYPT_KEY_SIZE];
	uint8_t extracted[SHA256_DIGEST_SIZE];
	struct hmac_sha256_ctx hmac;
	bool is_sound;

	curve25519_mul(secret, own, other);
	is_sound = !memeql_sec(secret, zero, sizeof(zero));
	memcpy(salt, ephemeral, CRYPT_KEY_SIZE);
	memcpy(salt + CRYPT_KEY_SIZE, recipient, CRYPT_KEY_SIZE);
	hmac_sha256_set_key(&hmac, sizeof(salt), salt);
	hkdf_extract(&hmac, (nettle_hash_update_func *)hmac_sha256_update,
	             (nettle_hash_digest_func *)hmac_sha256_digest, SHA256_DIGEST_SIZE, sizeof(secret), secret,
	             extracted);
	hmac_sha256_set_key(&hmac, sizeof(extracted), extracted);
	hkdf_expand(&hmac, (nettle_hash_update_func *)hmac_sha256_update, (nettle_hash_digest_func *)hmac_sha256_digest,
	            SHA256_DIGEST_SIZE, sizeof(info) - 1, info, CRYPT_KEY_SIZE, key);
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(extracted, sizeof(extracted));
	explicit_bzero(&hmac, sizeof(hmac));
	return is_sound;
}

void crypt_cipher_start(struct crypt_cipher *cipher, const uint8_t content_key[CRYPT_KEY_SIZE], const uint8_t *header,
                        size_t header_size, uint64_t chunks)
{
	struct sha256_ctx sha256;

	sha256_init(&sha256);
	sha256_update(&sha256, header_size, header);
	sha256_digest(&sha256, sizeof(cipher->header), cipher->header);
	gcm_aes256_set_key(&cipher->gcm, content_key);
	cipher->chunks = chunks;
}

static void start_chunk(struct crypt_cipher *cipher, uint64_t chunk)
{
	uint8_t nonce[GCM_IV_SIZE] = {0};

	put_le64(nonce, chunk);
	nonce[NONCE_LAST] = chunk + 1 == cipher->chunks;
	gcm_aes256_set_iv(&cipher->gcm, sizeof(nonce), nonce);
	gcm_aes256_update(&cipher->gcm, sizeof(cipher->header), cipher->header);
}

void crypt_cipher_seal(struct crypt_cipher *cipher, uint64_t chunk, uint8_t *bytes, size_t length)
{
	start_chunk(cipher, chunk);
	gcm_aes256_encrypt(&cipher->gcm, length, bytes, bytes);
	gcm_aes256_digest(&cipher->gcm, CRYPT_TAG_SIZE, bytes + length);
}

bool crypt_cipher_open(struct crypt_cipher *cipher, uint64_t chunk, uint8_t *bytes, size_t length)
{
	uint8_t tag[CRYPT_TAG_SIZE];

	start_chunk(cipher, chunk);
	gcm_aes256_decrypt(&cipher->gcm, length, bytes, bytes);
	gcm_aes256_digest(&cipher->gcm, sizeof(tag), tag);
	return memeql_sec(tag, bytes + length, sizeof(tag));
}
