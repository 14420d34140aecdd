/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypted packages by others' primitives, and our primitives by others' vectors. */
#include "base/bytes.h"
#include "package/crypt_format.h"
#include "sealed.h"
#include "signing.h"
#include "suites.h"

#include <nettle/curve25519.h>
#include <nettle/hkdf.h>
#include <nettle/hmac.h>
#include <nettle/nist-keywrap.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#define ONE_RECIPIENT (CRYPT_AT_WRAPPED + CRYPT_WRAPPED_SIZE)

static void by_openssl(EVP_PKEY *own, uint8_t *bytes, uint8_t *content, size_t length)
{
	const uint8_t *ephemeral = bytes + CRYPT_AT_EPHEMERAL;
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, ephemeral, CRYPT_KEY_SIZE);
	EVP_PKEY_CTX *derive = EVP_PKEY_CTX_new(own, NULL);
	EVP_PKEY_CTX *hkdf = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	uint8_t secret[32], salt[64], key[32], content_key[40], digest[32];
	uint8_t nonce[12] = {[11] = 1};
	size_t secret_size = sizeof(secret), public_size = 32, key_size = sizeof(key);
	int got;

	ck_assert_int_eq(EVP_PKEY_derive_init(derive), 1);
	ck_assert_int_eq(EVP_PKEY_derive_set_peer(derive, peer), 1);
	ck_assert_int_eq(EVP_PKEY_derive(derive, secret, &secret_size), 1);
	memcpy(salt, ephemeral, 32);
	ck_assert_int_eq(EVP_PKEY_get_raw_public_key(own, salt + 32, &public_size), 1);
	ck_assert_int_eq(EVP_PKEY_derive_init(hkdf), 1);
	ck_assert_int_eq(EVP_PKEY_CTX_set_hkdf_md(hkdf, EVP_sha256()), 1);
	ck_assert_int_eq(EVP_PKEY_CTX_set1_hkdf_salt(hkdf, salt, sizeof(salt)), 1);
	ck_assert_int_eq(EVP_PKEY_CTX_set1_hkdf_key(hkdf, secret, sizeof(secret)), 1);
	ck_assert_int_eq(EVP_PKEY_CTX_add1_hkdf_info(hkdf, (const uint8_t *)"qfota package 1", 15), 1);
	ck_assert_int_eq(EVP_PKEY_derive(hkdf, key, &key_size), 1);
	EVP_CIPHER_CTX_set_flags(cipher, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	ck_assert_int_eq(EVP_DecryptInit_ex(cipher, EVP_aes_256_wrap(), NULL, key, NULL), 1);
	ck_assert_int_eq(EVP_DecryptUpdate(cipher, content_key, &got, bytes + CRYPT_AT_WRAPPED, 40), 1);
	ck_assert_int_eq(got, 32);
	ck_assert_int_eq(EVP_Digest(bytes, ONE_RECIPIENT, digest, NULL, EVP_sha256(), NULL), 1);
	ck_assert_int_eq(EVP_CIPHER_CTX_reset(cipher), 1);
	ck_assert_int_eq(EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, content_key, nonce), 1);
	ck_assert_int_eq(EVP_DecryptUpdate(cipher, NULL, &got, digest, sizeof(digest)), 1);
	ck_assert_int_eq(EVP_DecryptUpdate(cipher, content, &got, bytes + ONE_RECIPIENT, (int)length), 1);
	ck_assert_int_eq(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, 16, bytes + ONE_RECIPIENT + length), 1);
	ck_assert_int_eq(EVP_DecryptFinal_ex(cipher, content + length, &got), 1);
	EVP_CIPHER_CTX_free(cipher);
	EVP_PKEY_CTX_free(hkdf);
	EVP_PKEY_CTX_free(derive);
	EVP_PKEY_free(peer);
}

static EVP_PKEY *read_private(const char *path)
{
	FILE *file = fopen(path, "r");
	EVP_PKEY *key;

	ck_assert_ptr_nonnull(file);
	key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	ck_assert_ptr_nonnull(key);
	ck_assert_int_eq(fclose(file), 0);
	return key;
}

/* The format is what its description says, to somebody else's primitives too. */
START_TEST(test_by_openssl)
{
	static const char content[] = "what is in the container";
	char private_path[256], public_path[256], read[64];
	struct sealed sealed;
	EVP_PKEY *key;

	sealed_open(&sealed);
	signing_write_crypt_pair(sealed_path(private_path, sealed.folder, "a.key"),
	                         sealed_path(public_path, sealed.folder, "a.pub"));
	sealed_put(sealed.package_path, content, sizeof(content));
	signing_encrypt_file(public_path, sealed.package_path);
	sealed_take(&sealed, sealed.package_path);
	ck_assert_uint_eq(sealed.craft.size, ONE_RECIPIENT + sizeof(content) + CRYPT_TAG_SIZE);
	key = read_private(private_path);
	by_openssl(key, sealed.craft.bytes, (uint8_t *)read, sizeof(content));
	ck_assert_str_eq(read, content);
	EVP_PKEY_free(key);
	sealed_close(&sealed);
}
END_TEST

static size_t unhex(const char *text, uint8_t *out)
{
	size_t count = strlen(text) / 2;

	for (size_t i = 0; i < count; i++)
		out[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
	return count;
}

static void check_hex(const uint8_t *found, const char *expected)
{
	uint8_t value[64];
	size_t length = unhex(expected, value);

	ck_assert_mem_eq(found, value, length);
}

/* RFC 7748 5.2, RFC 5869 A.1, RFC 3394 4.6, and test case 14 of the GCM specification. */
START_TEST(test_vectors)
{
	static const uint8_t iv[] = {0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6};
	uint8_t a[64], b[64], out[64] = {0}, zero[32] = {0};
	struct hmac_sha256_ctx hmac;
	struct aes256_ctx aes;
	struct gcm_aes256_ctx gcm;

	unhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4", a);
	unhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c", b);
	curve25519_mul(out, a, b);
	check_hex(out, "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");

	unhex("000102030405060708090a0b0c", a);
	memset(b, 0x0b, 22);
	hmac_sha256_set_key(&hmac, 13, a);
	hkdf_extract(&hmac, (nettle_hash_update_func *)hmac_sha256_update,
	             (nettle_hash_digest_func *)hmac_sha256_digest, 32, 22, b, out);
	check_hex(out, "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
	hmac_sha256_set_key(&hmac, 32, out);
	unhex("f0f1f2f3f4f5f6f7f8f9", a);
	hkdf_expand(&hmac, (nettle_hash_update_func *)hmac_sha256_update, (nettle_hash_digest_func *)hmac_sha256_digest,
	            32, 10, a, 42, out);
	check_hex(out, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");

	unhex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", a);
	unhex("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f", b);
	aes256_set_encrypt_key(&aes, a);
	aes256_keywrap(&aes, iv, 40, out, b);
	check_hex(out, "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21");

	gcm_aes256_set_key(&gcm, zero);
	gcm_aes256_set_iv(&gcm, 12, zero);
	gcm_aes256_encrypt(&gcm, 16, out, zero);
	check_hex(out, "cea7403d4d606b6e074ec5d3baf39d18");
	gcm_aes256_digest(&gcm, 16, out);
	check_hex(out, "d0d1c8a799996bf0265b98b5d48ab919");
}
END_TEST

TCase *crypt_format_tests(void)
{
	TCase *tests = tcase_create("crypt format");

	tcase_add_test(tests, test_by_openssl);
	tcase_add_test(tests, test_vectors);
	return tests;
}
