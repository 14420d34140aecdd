/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypted packages: who reads them, and that nothing else than what was encrypted is ever read. */
#include "base/bytes.h"
#include "craft.h"
#include "gentools/encrypt.h"
#include "package/crypt.h"
#include "sealed.h"
#include "signing.h"
#include "suites.h"

#include <errno.h>
#include <nettle/curve25519.h>
#include <nettle/hkdf.h>
#include <nettle/hmac.h>
#include <nettle/nist-keywrap.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ONE_RECIPIENT (CRYPT_AT_WRAPPED + CRYPT_WRAPPED_SIZE)

static char folder[64];
static struct recipients recipients;
static struct package_crypt_keys *keys;
static uint8_t *bytes; /* of the container */
static size_t size;
static struct memory_block block;
static struct reader file;
static struct reader plain;
static struct package_crypt *opened;
static struct error error;

static const char *path_of(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

/* "NAME.key" in keys, when the module has it, and a recipient. */
static EVP_PKEY *add_pair(const char *private_name, bool is_recipient)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");

	ck_assert_ptr_nonnull(key);
	if (private_name)
		signing_write_private(path_of(private_name), key, NULL);
	signing_write_public(path_of("public"), key);
	if (is_recipient)
		ck_assert_int_eq(recipients_add(&recipients, path_of("public"), &error), 0);
	return key;
}

static void load_keys(void)
{
	package_crypt_keys_free(keys);
	ck_assert_int_eq(package_crypt_keys_load(path_of("keys"), NULL, &keys, &error), 0);
}

static void setup(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/crypt-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(mkdir(path_of("keys"), 0755), 0);
	recipients.count = 0;
	EVP_PKEY_free(add_pair("keys/a.key", true));
	load_keys();
}

static void teardown(void)
{
	char command[128];

	package_crypt_free(opened);
	opened = NULL;
	package_crypt_keys_free(keys);
	keys = NULL;
	free(bytes);
	bytes = NULL;
	(void)snprintf(command, sizeof(command), "rm -r %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static void take_container(void)
{
	FILE *in = fopen(path_of("container"), "r");
	struct stat st;

	ck_assert_ptr_nonnull(in);
	ck_assert_int_eq(fstat(fileno(in), &st), 0);
	free(bytes);
	size = (size_t)st.st_size;
	bytes = malloc(size);
	ck_assert_ptr_nonnull(bytes);
	ck_assert_uint_eq(fread(bytes, 1, size, in), size);
	ck_assert_int_eq(fclose(in), 0);
}

static void encrypt(const uint8_t *content, size_t length)
{
	sealed_put(path_of("plain"), content, length);
	ck_assert_msg(recipients_encrypt(&recipients, path_of("plain"), path_of("container"), &error) == 0, "%s",
	              error.message);
	take_container();
}

/* The code; 0 when it opens. */
static int decrypt(const struct package_crypt_keys *with)
{
	int err;

	package_crypt_free(opened);
	error = (struct error){0};
	block = (struct memory_block){.data = bytes, .size = size};
	file = reader_from_memory(&block);
	err = package_decrypt(&file, with, &opened, &plain, &error);
	ck_assert(err <= 0);
	ck_assert_int_eq(err < 0, error.code != 0);
	return error.code;
}

static int read_plain(uint64_t offset, void *buffer, size_t length)
{
	return plain.read_at(plain.ctx, offset, buffer, length);
}

static const size_t sizes[] = {0, 1, 100, 65535, 65536, 65537, 131072, 200001};

START_TEST(test_sizes)
{
	size_t length = sizes[_i];
	uint8_t *content = malloc(length + 1);
	uint8_t *read = malloc(length + 1);
	uint64_t chunks = length ? (length + 65535) / 65536 : 1;

	craft_noise(content, length);
	encrypt(content, length);
	ck_assert_uint_eq(size, ONE_RECIPIENT + length + chunks * 16);
	ck_assert_int_eq(decrypt(keys), 0);
	ck_assert_ptr_nonnull(opened);
	ck_assert_uint_eq(plain.size, length);
	ck_assert_int_eq(read_plain(0, read, length), 0);
	ck_assert_mem_eq(read, content, length);
	/* Back and forth, and over the ends of chunks. */
	for (size_t at = length; at > 0; at -= at < 4999 ? at : 4999) {
		size_t part = length - at < 70000 ? length - at : 70000;

		ck_assert_int_eq(read_plain(at, read, part), 0);
		ck_assert_mem_eq(read, content + at, part);
	}
	ck_assert_int_eq(read_plain(0, read, length + 1), -EINVAL);
	ck_assert_int_eq(read_plain(length + 1, read, 0), -EINVAL);
	free(content);
	free(read);
}
END_TEST

START_TEST(test_not_encrypted)
{
	struct craft craft;

	craft_sample(&craft);
	ck_assert_int_eq(package_decrypt(&craft.reader, keys, &opened, &plain, &error), 0);
	ck_assert_ptr_null(opened);
	ck_assert_ptr_eq(plain.ctx, craft.reader.ctx);
	ck_assert_uint_eq(plain.size, craft.size);
	package_crypt_explain(opened, &error);
	check_accepted(&plain);
	craft_free(&craft);
}
END_TEST

START_TEST(test_encrypted_package)
{
	struct craft craft;

	craft_sample(&craft);
	encrypt(craft.bytes, craft.size);
	ck_assert_int_eq(decrypt(keys), 0);
	check_accepted(&plain);
	/* Nothing of it can be seen. */
	ck_assert_ptr_null(memmem(bytes, size, "stored", 6));
	ck_assert_ptr_null(memmem(bytes, size, "PK\x05\x06", 4));
	craft_free(&craft);
}
END_TEST

START_TEST(test_whose)
{
	struct package_crypt_keys *foreign;

	EVP_PKEY_free(add_pair(NULL, true));
	EVP_PKEY_free(add_pair("keys/b.key", true));
	EVP_PKEY_free(add_pair("foreign.key", false));
	encrypt((const uint8_t *)"x", 1);
	ck_assert_uint_eq(size, ONE_RECIPIENT + 2 * CRYPT_WRAPPED_SIZE + 1 + 16);
	ck_assert_int_eq(decrypt(keys), 0); /* a */
	ck_assert_int_eq(unlink(path_of("keys/a.key")), 0);
	load_keys();
	ck_assert_int_eq(decrypt(keys), 0); /* b */
	ck_assert_int_eq(unlink(path_of("keys/b.key")), 0);
	load_keys();
	ck_assert_int_eq(decrypt(keys), RESULT_SEALED);
	ck_assert_int_eq(decrypt(NULL), RESULT_SEALED);
	ck_assert_int_eq(rename(path_of("foreign.key"), path_of("keys/foreign.key")), 0);
	ck_assert_int_eq(package_crypt_keys_load(path_of("keys"), NULL, &foreign, &error), 0);
	ck_assert_int_eq(decrypt(foreign), RESULT_SEALED);
	package_crypt_keys_free(foreign);
}
END_TEST

START_TEST(test_many_recipients)
{
	for (unsigned i = 1; i < CRYPT_RECIPIENTS_MAX; i++)
		EVP_PKEY_free(add_pair(i == CRYPT_RECIPIENTS_MAX - 1 ? "keys/a.key" : NULL, true));
	ck_assert_int_eq(recipients_add(&recipients, path_of("public"), &error), -E2BIG);
	load_keys(); /* the last one's now */
	encrypt((const uint8_t *)"x", 1);
	ck_assert_uint_eq(size, CRYPT_HEADER_MAX + 1 + 16);
	ck_assert_int_eq(decrypt(keys), 0);
}
END_TEST

START_TEST(test_key_files)
{
	EVP_PKEY *ed25519 = signing_make_key(SIGNING_ED25519);

	signing_write_private(path_of("keys/0.key"), ed25519, NULL);
	sealed_put(path_of("keys/1.key"), "nonsense", 8);
	sealed_put(path_of("keys/2.key"), "-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----\n", 56);
	sealed_put(path_of("keys/.3.key"), "nonsense", 8);
	ck_assert_int_eq(mkdir(path_of("keys/4.key"), 0755), 0);
	signing_write_public(path_of("ed25519.pub"), ed25519);
	ck_assert_int_eq(recipients_add(&recipients, path_of("ed25519.pub"), &error), -EINVAL);
	ck_assert_int_eq(recipients_add(&recipients, path_of("keys/a.key"), &error), -EINVAL);
	ck_assert_int_eq(recipients_add(&recipients, path_of("none"), &error), -ENOENT);
	package_crypt_keys_free(keys);
	ck_assert_int_eq(package_crypt_keys_load(path_of("keys"), NULL, &keys, &error), 0);
	encrypt((const uint8_t *)"x", 1);
	ck_assert_int_eq(decrypt(keys), 0);
	EVP_PKEY_free(ed25519);
}
END_TEST

/* Nothing of two containers of one package is the same but their form. */
START_TEST(test_fresh_keys)
{
	uint8_t first[1024];
	size_t same = 0;

	encrypt((const uint8_t *)"the same package, twice over", 28);
	memcpy(first, bytes, size);
	encrypt((const uint8_t *)"the same package, twice over", 28);
	for (size_t i = CRYPT_AT_EPHEMERAL; i < size; i++)
		same += bytes[i] == first[i];
	ck_assert_uint_lt(same, 16);
}
END_TEST

START_TEST(test_not_twice)
{
	encrypt((const uint8_t *)"x", 1);
	ck_assert_int_lt(recipients_encrypt(&recipients, path_of("container"), path_of("again"), &error), 0);
	ck_assert_ptr_nonnull(strstr(error.message, "encrypted already"));
	ck_assert_int_ne(access(path_of("again"), F_OK), 0);
	ck_assert_int_ne(access(path_of("again.part"), F_OK), 0);
}
END_TEST

/* ---- Damage ---- */

START_TEST(test_every_truncation)
{
	size_t whole;

	encrypt((const uint8_t *)"a package", 9);
	whole = size;
	for (size = 0; size < whole; size++) {
		int code = decrypt(keys);

		ck_assert_msg(code == (size < CRYPT_MAGIC_SIZE ? 0 : RESULT_FORGED), "%zu bytes: %d", size, code);
		ck_assert_ptr_null(opened);
	}
	ck_assert_int_eq(decrypt(keys), 0);
}
END_TEST

/* The magic: no container any more. Who opens it: 524. All else: 525. */
START_TEST(test_every_bit)
{
	encrypt((const uint8_t *)"a package", 9);
	for (size_t at = 0; at < size; at++) {
		int expected = at < CRYPT_MAGIC_SIZE                            ? 0
		               : at >= CRYPT_AT_EPHEMERAL && at < ONE_RECIPIENT ? RESULT_SEALED
		                                                                : RESULT_FORGED;

		for (unsigned bit = 0; bit < 8; bit++) {
			int code;

			bytes[at] ^= (uint8_t)(1u << bit);
			code = decrypt(keys);
			bytes[at] ^= (uint8_t)(1u << bit);
			ck_assert_msg(code == expected, "bit %u of byte %zu: %d", bit, at, code);
			ck_assert_ptr_null(opened);
		}
	}
	ck_assert_int_eq(decrypt(keys), 0);
}
END_TEST

static void expect_chunks(bool first, bool second, bool third)
{
	const bool sound[] = {first, second, third};
	char byte;

	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(read_plain(i * UINT64_C(65536), &byte, 1), sound[i] ? 0 : -EBADMSG);
		error = (struct error){0};
		package_crypt_explain(opened, &error);
		if (!sound[i])
			ck_assert_int_eq(error.code, RESULT_FORGED);
	}
}

/* Whole chunks, each with its tag, at places that are not theirs. */
START_TEST(test_chunks)
{
	static uint8_t content[3 * 65536];
	static uint8_t chunk[65536 + 16];
	uint8_t *at;

	craft_noise(content, sizeof(content));
	encrypt(content, sizeof(content));
	ck_assert_int_eq(decrypt(keys), 0);
	expect_chunks(true, true, true);
	at = bytes + ONE_RECIPIENT;
	memcpy(chunk, at + sizeof(chunk), sizeof(chunk));
	memcpy(at + sizeof(chunk), at + 2 * sizeof(chunk), sizeof(chunk));
	memcpy(at + 2 * sizeof(chunk), chunk, sizeof(chunk));
	ck_assert_int_eq(decrypt(keys), 0);
	expect_chunks(true, false, false);
	/* The last one left out, and the header made to fit. */
	size -= sizeof(chunk);
	put_le64(bytes + CRYPT_AT_SIZE, 2 * 65536);
	ck_assert_int_eq(decrypt(keys), RESULT_FORGED);
	size++;
	ck_assert_int_eq(decrypt(keys), RESULT_FORGED);
	put_le64(bytes + CRYPT_AT_SIZE, UINT64_MAX - 100);
	ck_assert_int_eq(decrypt(keys), RESULT_FORGED);
}
END_TEST

START_TEST(test_late_damage)
{
	static uint8_t content[3 * 65536];

	craft_noise(content, sizeof(content));
	encrypt(content, sizeof(content));
	bytes[ONE_RECIPIENT + 65536 + 16 + 5] ^= 1;
	ck_assert_int_eq(decrypt(keys), 0);
	error = (struct error){.code = RESULT_UNPACK};
	package_crypt_explain(opened, &error);
	ck_assert_int_eq(error.code, RESULT_UNPACK);
	expect_chunks(true, false, true);
}
END_TEST

static int no_read(void *ctx, uint64_t offset, void *buffer, size_t length)
{
	const struct reader *whole = ctx;

	return offset >= CRYPT_AT_WRAPPED ? -EIO : whole->read_at(whole->ctx, offset, buffer, length);
}

START_TEST(test_unreadable)
{
	struct reader broken;

	encrypt((const uint8_t *)"x", 1);
	ck_assert_int_eq(decrypt(keys), 0);
	package_crypt_free(opened);
	broken = (struct reader){.read_at = no_read, .ctx = &file, .size = file.size};
	ck_assert_int_eq(package_decrypt(&broken, keys, &opened, &plain, &error), -EIO);
	ck_assert_int_eq(error.code, RESULT_UNPACK);
	ck_assert_ptr_null(opened);
}
END_TEST

/* ---- By others ---- */

static void by_openssl(EVP_PKEY *own, uint8_t *content, size_t length)
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

/* The format is what its description says, to somebody else's primitives too. */
START_TEST(test_by_openssl)
{
	static const char content[] = "what is in the container";
	uint8_t read[64];
	EVP_PKEY *key;

	recipients.count = 0;
	key = add_pair(NULL, true);
	encrypt((const uint8_t *)content, sizeof(content));
	by_openssl(key, read, sizeof(content));
	ck_assert_mem_eq(read, content, sizeof(content));
	EVP_PKEY_free(key);
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

TCase *crypt_tests(void)
{
	TCase *tests = tcase_create("crypt");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 120);
	tcase_add_loop_test(tests, test_sizes, 0, sizeof(sizes) / sizeof(sizes[0]));
	tcase_add_test(tests, test_not_encrypted);
	tcase_add_test(tests, test_encrypted_package);
	tcase_add_test(tests, test_whose);
	tcase_add_test(tests, test_many_recipients);
	tcase_add_test(tests, test_key_files);
	tcase_add_test(tests, test_fresh_keys);
	tcase_add_test(tests, test_not_twice);
	tcase_add_test(tests, test_every_truncation);
	tcase_add_test(tests, test_every_bit);
	tcase_add_test(tests, test_chunks);
	tcase_add_test(tests, test_late_damage);
	tcase_add_test(tests, test_unreadable);
	tcase_add_test(tests, test_by_openssl);
	tcase_add_test(tests, test_vectors);
	return tests;
}
