/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys are trusted, and which can sign. */
#include "gentools/sign.h"
#include "sealed.h"
#include "suites.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct sealed sealed;

static void setup(void)
{
	sealed_open(&sealed);
}

static void teardown(void)
{
	sealed_close(&sealed);
}

START_TEST(test_no_keys)
{
	char path[256];

	sealed_load(&sealed);
	ck_assert(!package_keys_wanted(sealed.keys, &sealed.log));
	ck_assert_ptr_nonnull(strstr(sealed.logged, "NOT verified: no keys in /tmp/signature-test-"));
	sealed_put(sealed_path(path, sealed.keys_folder, "readme"), "x", 1);
	sealed_put(sealed_path(path, sealed.keys_folder, ".pem"), "x", 1);
	sealed_load(&sealed);
	ck_assert(!package_keys_wanted(sealed.keys, NULL));
	package_keys_free(sealed.keys);
	ck_assert_int_eq(package_keys_load("/no/such/folder", &sealed.log, &sealed.keys, &sealed.error), 0);
	ck_assert(!package_keys_wanted(sealed.keys, NULL));
	ck_assert(!package_keys_wanted(NULL, NULL));
}
END_TEST

/* What is no folder, or cannot be looked into, is not the same as none: nobody is trusted then. */
START_TEST(test_no_folder)
{
	signing_write_pair(SIGNING_ED25519, sealed.private_path, NULL);
	sealed_sign(&sealed);
	(void)snprintf(sealed.keys_folder, sizeof(sealed.keys_folder), "%s", sealed.private_path);
	sealed_load(&sealed);
	ck_assert_ptr_nonnull(strstr(sealed.logged, "private.key: "));
	ck_assert(package_keys_wanted(sealed.keys, NULL));
	ck_assert_int_eq(sealed_judge(&sealed), RESULT_UNTRUSTED);
}
END_TEST

/* A key that is broken is no reason to trust everybody. */
START_TEST(test_unusable_keys)
{
	static const char *const texts[] = {
		"",
		"nothing",
		"-----BEGIN PUBLIC KEY-----\n",
		"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
		"-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----\n",
		"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
		"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
	};
	char path[256];

	signing_write_pair(SIGNING_ED25519, sealed.private_path, NULL);
	sealed_sign(&sealed);
	sealed_put(sealed_path(path, sealed.keys_folder, "a.pem"), texts[_i], strlen(texts[_i]));
	sealed_load(&sealed);
	ck_assert_ptr_nonnull(strstr(sealed.logged, "a.pem: "));
	ck_assert(package_keys_wanted(sealed.keys, NULL));
	ck_assert_int_eq(sealed_judge(&sealed), RESULT_UNTRUSTED);
}
END_TEST

static void write_generated(const char *path, const char *type, const char *group, size_t bits)
{
	EVP_PKEY *key = group ? EVP_PKEY_Q_keygen(NULL, NULL, type, group) : EVP_PKEY_Q_keygen(NULL, NULL, type, bits);

	ck_assert_ptr_nonnull(key);
	signing_write_public(path, key);
	EVP_PKEY_free(key);
}

START_TEST(test_refused_keys)
{
	char path[256];

	write_generated(sealed_path(path, sealed.keys_folder, "rsa.pem"), "RSA", NULL, 1024);
	write_generated(sealed_path(path, sealed.keys_folder, "curve.pem"), "EC", "secp256k1", 0);
	write_generated(sealed_path(path, sealed.keys_folder, "p521.pem"), "EC", "P-521", 0);
	signing_write_pair(SIGNING_P256, sealed_path(path, sealed.keys_folder, "private.pem"), NULL);
	sealed_make(&sealed, SIGNING_RSA);
	ck_assert_ptr_nonnull(strstr(sealed.logged, "rsa.pem: "));
	ck_assert_ptr_nonnull(strstr(sealed.logged, "curve.pem: "));
	ck_assert_ptr_nonnull(strstr(sealed.logged, "p521.pem: "));
	ck_assert_ptr_nonnull(strstr(sealed.logged, "private.pem: "));
	sealed.logged[0] = '\0';
	ck_assert(package_keys_wanted(sealed.keys, &sealed.log));
	ck_assert_ptr_nonnull(strstr(sealed.logged, "one of 1 keys"));
	ck_assert_int_eq(sealed_judge(&sealed), 0); /* the sound one counts */
}
END_TEST

/* Several blocks with text around them, and any character of them another one: never more than refused. */
START_TEST(test_key_files)
{
	char path[256];
	char text[16384];
	size_t used = 0;
	FILE *file;

	for (int kind = 0; kind < SIGNING_KINDS; kind++) {
		signing_write_pair((enum signing_kind)kind, sealed.private_path,
		                   sealed_path(path, sealed.folder, "public"));
		file = fopen(path, "r");
		ck_assert_ptr_nonnull(file);
		used += (size_t)snprintf(text + used, 64, "key %d:\n", kind);
		used += fread(text + used, 1, 4096, file);
		ck_assert_int_eq(fclose(file), 0);
	}
	sealed_put(sealed_path(path, sealed.keys_folder, "all.pem"), text, used);
	sealed_sign(&sealed); /* by the last one */
	sealed_load(&sealed);
	ck_assert_int_eq(sealed_judge(&sealed), 0);
	for (size_t at = 0; at < used; at++) {
		char was = text[at];

		text[at] = was == 'A' ? 'B' : 'A';
		sealed_put(path, text, used);
		sealed.logged[0] = '\0';
		sealed_load(&sealed);
		ck_assert(sealed_judge(&sealed) == 0 || sealed_is_refusal(sealed.error.code));
		text[at] = was;
	}
}
END_TEST

START_TEST(test_private_keys)
{
	EVP_PKEY *key = signing_make_key(SIGNING_P256);
	struct signer *signer;

	signing_write_private(sealed.private_path, key, "secret");
	ck_assert_int_eq(unsetenv(SIGNER_PASSPHRASE), 0);
	ck_assert_int_lt(signer_open(sealed.private_path, &signer, &sealed.error), 0);
	ck_assert_ptr_nonnull(strstr(sealed.error.message, SIGNER_PASSPHRASE));
	ck_assert_int_eq(setenv(SIGNER_PASSPHRASE, "wrong", 1), 0);
	ck_assert_int_lt(signer_open(sealed.private_path, &signer, &sealed.error), 0);
	ck_assert_int_eq(setenv(SIGNER_PASSPHRASE, "secret", 1), 0);
	ck_assert_int_eq(signer_open(sealed.private_path, &signer, &sealed.error), 0);
	signer_close(signer);
	signing_write_public(sealed.private_path, key);
	ck_assert_int_lt(signer_open(sealed.private_path, &signer, &sealed.error), 0);
	ck_assert_int_eq(signer_open("/no/such/key", &signer, &sealed.error), -ENOENT);
	EVP_PKEY_free(key);
	key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	signing_write_private(sealed.private_path, key, NULL);
	ck_assert_int_eq(signer_open(sealed.private_path, &signer, &sealed.error), -EINVAL);
	EVP_PKEY_free(key);
}
END_TEST

/* Nothing is left behind where there was nothing to sign. */
START_TEST(test_sign_no_archive)
{
	char part[256];
	struct signer *signer;

	signing_write_pair(SIGNING_P256, sealed.private_path, NULL);
	ck_assert_int_eq(signer_open(sealed.private_path, &signer, &sealed.error), 0);
	sealed_put(sealed.package_path, "text", 4);
	ck_assert_int_lt(signer_sign(signer, sealed.package_path, sealed.package_path, &sealed.error), 0);
	ck_assert_int_eq(sealed.error.code, RESULT_FORMAT);
	sealed_take(&sealed, sealed.package_path);
	ck_assert_uint_eq(sealed.craft.size, 4);
	ck_assert_int_ne(access(sealed_path(part, sealed.folder, "update.zip.part"), F_OK), 0);
	signer_close(signer);
}
END_TEST

TCase *key_tests(void)
{
	TCase *tests = tcase_create("keys");

	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_no_keys);
	tcase_add_test(tests, test_no_folder);
	tcase_add_loop_test(tests, test_unusable_keys, 0, 7);
	tcase_add_test(tests, test_refused_keys);
	tcase_add_test(tests, test_key_files);
	tcase_add_test(tests, test_private_keys);
	tcase_add_test(tests, test_sign_no_archive);
	return tests;
}
