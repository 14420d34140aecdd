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
#include <openssl/evp.h>
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
	put_le64(bytes + CRYPT_AT_SIZE, UINT64_C(2) * 65536);
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
	return tests;
}
