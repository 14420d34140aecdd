/* SPDX-License-Identifier: Apache-2.0 */
/* Who signed a package, and whether it is still what was signed. */
#include "base/bytes.h"
#include "package/der.h"
#include "sealed.h"
#include "suites.h"

#include <errno.h>
#include <openssl/cms.h>
#include <stdlib.h>
#include <string.h>

#define COMMENT_LENGTH 2
#define TEXT           "signed by SignApk" /* and its NUL */

static struct sealed sealed;

static void setup(void)
{
	sealed_open(&sealed);
}

static void teardown(void)
{
	sealed_close(&sealed);
}

/* ---- What we sign ---- */

START_TEST(test_every_kind)
{
	sealed_make(&sealed, (enum signing_kind)_i);
	ck_assert_int_eq(sealed_judge(&sealed), 0);
	check_accepted(craft_reader(&sealed.craft));
}
END_TEST

START_TEST(test_reproducible)
{
	uint8_t *first;
	size_t size;

	sealed_make(&sealed, _i ? SIGNING_RSA : SIGNING_ED25519);
	size = sealed.craft.size;
	first = sealed.craft.bytes;
	sealed.craft.bytes = NULL;
	craft_free(&sealed.craft);
	craft_sample(&sealed.craft);
	sealed_sign(&sealed);
	ck_assert_uint_eq(sealed.craft.size, size);
	ck_assert_mem_eq(sealed.craft.bytes, first, size);
	sealed_sign(&sealed); /* instead of the signature that is there */
	ck_assert_uint_eq(sealed.craft.size, size);
	ck_assert_mem_eq(sealed.craft.bytes, first, size);
	free(first);
}
END_TEST

START_TEST(test_every_truncation)
{
	size_t whole;

	sealed_make(&sealed, SIGNING_ED25519);
	whole = sealed.craft.size;
	for (sealed.craft.size = 0; sealed.craft.size < whole; sealed.craft.size++)
		ck_assert_msg(sealed_is_refusal(sealed_judge(&sealed)), "%zu bytes of %zu: %d", sealed.craft.size,
		              whole, sealed.error.code);
}
END_TEST

static void check_flip(size_t at, unsigned bit)
{
	sealed.craft.bytes[at] ^= (uint8_t)(1u << bit);
	ck_assert_msg(sealed_is_refusal(sealed_judge(&sealed)), "bit %u of byte %zu: %d %s", bit, at, sealed.error.code,
	              sealed.error.message);
	sealed.craft.bytes[at] ^= (uint8_t)(1u << bit);
}

/* All bits of what is not signed; elsewhere one bit of each byte. */
START_TEST(test_bit_flips)
{
	uint64_t size;

	sealed_make(&sealed, (enum signing_kind)_i);
	ck_assert_int_eq(package_signed_size(craft_reader(&sealed.craft), &size, &sealed.error), 0);
	for (size_t at = 0; at < sealed.craft.size; at++)
		for (unsigned bit = 0; bit < 8; bit++)
			if (at >= size || bit == at % 8)
				check_flip(at, bit);
	ck_assert_int_eq(sealed_judge(&sealed), 0);
}
END_TEST

START_TEST(test_content_is_tampered)
{
	sealed_make(&sealed, (enum signing_kind)_i);
	sealed.craft.bytes[sealed.craft.data[0]] ^= 1;
	ck_assert_int_eq(sealed_judge(&sealed), RESULT_TAMPERED);
}
END_TEST

/* ... nor is a key of another kind that is trusted any help. */
START_TEST(test_foreign_key)
{
	char path[256];

	sealed_make(&sealed, (enum signing_kind)_i);
	signing_write_pair((enum signing_kind)_i, sealed.private_path, NULL);
	signing_write_pair((enum signing_kind)((_i + 1) % SIGNING_KINDS), sealed_path(path, sealed.folder, "other.key"),
	                   sealed_path(path, sealed.keys_folder, "b.pem"));
	sealed_load(&sealed);
	sealed_sign(&sealed);
	ck_assert_int_eq(sealed_judge(&sealed), RESULT_UNTRUSTED);
}
END_TEST

START_TEST(test_unsigned)
{
	char path[256];

	signing_write_pair(SIGNING_P256, sealed.private_path, sealed_path(path, sealed.keys_folder, "a.pem"));
	sealed_load(&sealed);
	ck_assert_int_eq(sealed_judge(&sealed), RESULT_UNSIGNED);
	craft_free(&sealed.craft);
	craft_start(&sealed.craft);
	craft_add_text(&sealed.craft, "a", "a");
	craft_finish(&sealed.craft, "a comment", 9);
	ck_assert_int_eq(sealed_judge(&sealed), RESULT_UNSIGNED);
}
END_TEST

static int cannot_read(void *ctx, uint64_t offset, void *buffer, size_t length)
{
	const uint64_t *bad = ctx;

	if (offset <= *bad && *bad < offset + length)
		return -EIO;
	memcpy(buffer, sealed.craft.bytes + offset, length);
	return 0;
}

/* A medium that cannot be read says nothing about the package. */
START_TEST(test_unreadable)
{
	uint64_t bad;
	struct reader reader = {.read_at = cannot_read, .ctx = &bad};

	sealed_make(&sealed, SIGNING_ED25519);
	reader.size = sealed.craft.size;
	for (bad = 0; bad < sealed.craft.size; bad++) {
		ck_assert_int_eq(package_verify_signature(&reader, sealed.keys, NULL, NULL, &sealed.error), -EIO);
		ck_assert_int_eq(sealed.error.code, RESULT_UNPACK);
	}
	ck_assert_int_eq(package_verify_signature(&reader, sealed.keys, NULL, NULL, &sealed.error), 0);
}
END_TEST

static void count_progress(void *ctx, uint64_t done, uint64_t total)
{
	uint64_t *last = ctx;

	ck_assert_uint_gt(done, *last);
	ck_assert_uint_le(done, total);
	*last = done;
}

/* More than one buffer. */
START_TEST(test_large)
{
	static uint8_t noise[NOISE_SIZE];
	uint64_t last = 0;
	uint64_t size;

	craft_free(&sealed.craft);
	noise_package(&sealed.craft, noise);
	sealed_make(&sealed, SIGNING_P384);
	ck_assert_int_eq(package_verify_signature(craft_reader(&sealed.craft), sealed.keys, count_progress, &last,
	                                          &sealed.error),
	                 0);
	ck_assert_int_eq(package_signed_size(craft_reader(&sealed.craft), &size, &sealed.error), 0);
	ck_assert_uint_eq(last, size);
}
END_TEST

/* ---- The footer ---- */

START_TEST(test_footer)
{
	static const struct {
		int start;
		int comment;
	} wrong[] = {{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, 1}, {-1, -1}, {-300, 0}, {2000, 0}, {0, 2000}};
	uint8_t *footer;

	sealed_make(&sealed, SIGNING_P256);
	footer = sealed.craft.bytes + sealed.craft.size - PACKAGE_SIGNATURE_FOOTER;
	put_le16(footer, (uint16_t)(get_le16(footer) + wrong[_i].start));
	put_le16(footer + 4, (uint16_t)(get_le16(footer + 4) + wrong[_i].comment));
	ck_assert_int_eq(sealed_judge(&sealed), RESULT_TAMPERED);
}
END_TEST

/* One form for each length, and none beyond the end. */
START_TEST(test_der_lengths)
{
	static const struct {
		size_t size; /* of the element that is there */
		bool sound;
		uint8_t head[4];
	} cases[] = {
		{2, true, {4, 0}},
		{129, true, {4, 0x7f}},
		{128, false, {4, 0x7f}},
		{300, false, {4, 0x80}},
		{131, true, {4, 0x81, 0x80}},
		{130, false, {4, 0x81, 0x80}},
		{300, false, {4, 0x81, 0x7f}},
		{260, true, {4, 0x82, 1, 0}},
		{259, false, {4, 0x82, 1, 0}},
		{300, false, {4, 0x82, 0, 0xff}},
		{300, false, {4, 0x83, 0, 1}},
		{2, false, {5, 0}},
		{1, false, {4}},
		{2, false, {4, 0x81}},
		{3, false, {4, 0x82, 1}},
	};
	uint8_t bytes[300] = {0};
	uint8_t *at = bytes + sizeof(bytes) - cases[_i].size; /* so that reading behind its end is noticed */
	struct der in = {.at = at, .left = cases[_i].size};
	struct der whole;

	memcpy(at, cases[_i].head, cases[_i].size < 4 ? cases[_i].size : 4);
	ck_assert_int_eq(der_take(&in, DER_OCTET_STRING, NULL, &whole), cases[_i].sound);
	ck_assert_uint_eq(in.left, cases[_i].sound ? 0 : cases[_i].size);
	ck_assert(!cases[_i].sound || whole.left == cases[_i].size);
}
END_TEST

/* A second end record in the comment: what is installed would not be what was signed. */
START_TEST(test_end_record_in_comment)
{
	static const char text[] = "PK\5\6 and so on";
	uint8_t cms[1024] = {0};
	size_t cms_size;

	sealed_make(&sealed, SIGNING_P256);
	cms_size = get_le16(sealed.craft.bytes + sealed.craft.size - 2) - PACKAGE_SIGNATURE_FOOTER;
	memcpy(cms, sealed.craft.bytes + sealed.craft.size - PACKAGE_SIGNATURE_FOOTER - cms_size, cms_size);
	sealed_set_comment(&sealed, "harmless text", 13, cms, cms_size);
	ck_assert_int_eq(sealed_judge(&sealed), 0);
	sealed_set_comment(&sealed, "", 0, cms, cms_size + 1); /* behind the CMS */
	ck_assert_int_eq(sealed_judge(&sealed), RESULT_TAMPERED);
	sealed_set_comment(&sealed, text, sizeof(text), cms, cms_size);
	ck_assert_int_eq(sealed_judge(&sealed), RESULT_TAMPERED);
}
END_TEST

/* ---- What others sign ---- */

static uint8_t *cms_bytes(CMS_ContentInfo *cms, size_t *size)
{
	unsigned char *bytes = NULL;
	int length = i2d_CMS_ContentInfo(cms, &bytes);

	ck_assert_int_gt(length, 0);
	CMS_ContentInfo_free(cms);
	*size = (size_t)length;
	return bytes;
}

/* As AOSP's signapk and `openssl cms -sign -binary` do. */
static void sign_by_openssl(EVP_PKEY *key, X509 *certificate, const EVP_MD *hash, unsigned flags)
{
	uint64_t size;
	size_t cms_size;
	CMS_ContentInfo *cms;
	uint8_t *bytes;
	BIO *data;

	ck_assert_int_eq(package_signed_size(craft_reader(&sealed.craft), &size, &sealed.error), 0);
	data = BIO_new_mem_buf(sealed.craft.bytes, (int)size);
	flags |= CMS_BINARY | CMS_DETACHED;
	cms = CMS_sign(NULL, NULL, NULL, NULL, flags | CMS_PARTIAL);
	ck_assert_ptr_nonnull(cms);
	ck_assert_ptr_nonnull(CMS_add1_signer(cms, certificate, key, hash, flags));
	ck_assert(CMS_final(cms, data, NULL, flags));
	ck_assert_int_eq(BIO_free(data), 1);
	bytes = cms_bytes(cms, &cms_size);
	sealed_set_comment(&sealed, TEXT, sizeof(TEXT), bytes, cms_size);
	OPENSSL_free(bytes);
}

static const unsigned flag_sets[] = {
	CMS_NOATTR, CMS_NOATTR | CMS_NOCERTS, CMS_NOATTR | CMS_NOCERTS | CMS_USE_KEYID, 0, CMS_NOSMIMECAP, CMS_NOCERTS,
};
#define FLAG_SETS ((int)(sizeof(flag_sets) / sizeof(flag_sets[0])))

/* With the key trusted or the certificate, which is the same. */
START_TEST(test_signed_by_openssl)
{
	unsigned flags = flag_sets[_i % FLAG_SETS];
	EVP_PKEY *key = signing_make_key((enum signing_kind)(_i / FLAG_SETS)); /* its CMS knows no Ed25519 */
	X509 *certificate = signing_make_certificate(key);
	char path[256];

	if (_i % 2)
		signing_write_certificate(sealed_path(path, sealed.keys_folder, "a.pem"), certificate);
	else
		signing_write_public(sealed_path(path, sealed.keys_folder, "a.pem"), key);
	sealed_load(&sealed);
	sign_by_openssl(key, certificate, EVP_sha256(), flags);
	ck_assert_msg(sealed_judge(&sealed) == 0, "%d %s", sealed.error.code, sealed.error.message);
	check_accepted(craft_reader(&sealed.craft));
	sealed.craft.bytes[sealed.craft.data[0]] ^= 1;
	ck_assert_int_eq(sealed_judge(&sealed),
	                 flags & CMS_NOCERTS && !(flags & CMS_USE_KEYID) ? RESULT_UNTRUSTED : RESULT_TAMPERED);
	X509_free(certificate);
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(test_weak_hash)
{
	EVP_PKEY *key = signing_make_key(SIGNING_RSA);
	X509 *certificate = signing_make_certificate(key);
	char path[256];

	signing_write_public(sealed_path(path, sealed.keys_folder, "a.pem"), key);
	sealed_load(&sealed);
	sign_by_openssl(key, certificate, EVP_sha1(), CMS_NOATTR);
	ck_assert_int_eq(sealed_judge(&sealed), RESULT_UNTRUSTED);
	ck_assert_ptr_nonnull(strstr(sealed.error.message, "hash"));
	X509_free(certificate);
	EVP_PKEY_free(key);
}
END_TEST

/* What we sign, others verify: OpenSSL as CMS, the lineage's recoveries by the last bytes in front of the footer. */
START_TEST(test_verified_by_others)
{
	EVP_PKEY *key = signing_make_key((enum signing_kind)_i);
	X509 *certificate = signing_make_certificate(key);
	STACK_OF(X509) *certificates = sk_X509_new_null();
	const unsigned char *der;
	size_t der_size;
	CMS_ContentInfo *cms;
	uint64_t size;
	BIO *data;

	signing_write_private(sealed.private_path, key, NULL);
	sealed_sign(&sealed);
	ck_assert_int_eq(package_signed_size(craft_reader(&sealed.craft), &size, &sealed.error), 0);
	der = sealed.craft.bytes + size + COMMENT_LENGTH;
	der_size = sealed.craft.size - (size_t)size - COMMENT_LENGTH - PACKAGE_SIGNATURE_FOOTER;
	cms = d2i_CMS_ContentInfo(NULL, &der, (long)der_size);
	ck_assert_ptr_nonnull(cms);
	ck_assert_ptr_eq(der, sealed.craft.bytes + sealed.craft.size - PACKAGE_SIGNATURE_FOOTER);
	ck_assert_int_gt(sk_X509_push(certificates, certificate), 0);
	data = BIO_new_mem_buf(sealed.craft.bytes, (int)size);
	ck_assert_int_eq(
		CMS_verify(cms, certificates, NULL, data, NULL, CMS_BINARY | CMS_DETACHED | CMS_NO_SIGNER_CERT_VERIFY),
		1);
	if (_i == SIGNING_RSA) {
		EVP_MD_CTX *context = EVP_MD_CTX_new();

		ck_assert_int_gt(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key), 0);
		ck_assert_int_eq(EVP_DigestVerify(context, der - 256, 256, sealed.craft.bytes, (size_t)size), 1);
		EVP_MD_CTX_free(context);
	}
	ck_assert_int_eq(BIO_free(data), 1);
	CMS_ContentInfo_free(cms);
	sk_X509_free(certificates);
	X509_free(certificate);
	EVP_PKEY_free(key);
}
END_TEST

TCase *signature_tests(void)
{
	TCase *tests = tcase_create("signature");

	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, test_every_kind, 0, SIGNING_KINDS);
	tcase_add_loop_test(tests, test_reproducible, 0, 2);
	tcase_add_test(tests, test_every_truncation);
	tcase_add_loop_test(tests, test_bit_flips, 0, SIGNING_KINDS);
	tcase_add_loop_test(tests, test_content_is_tampered, 0, SIGNING_KINDS);
	tcase_add_loop_test(tests, test_foreign_key, 0, SIGNING_KINDS);
	tcase_add_test(tests, test_unsigned);
	tcase_add_test(tests, test_unreadable);
	tcase_add_test(tests, test_large);
	tcase_add_loop_test(tests, test_footer, 0, 9);
	tcase_add_loop_test(tests, test_der_lengths, 0, 15);
	tcase_add_test(tests, test_end_record_in_comment);
	tcase_add_loop_test(tests, test_signed_by_openssl, 0, FLAG_SETS * SIGNING_ED25519);
	tcase_add_test(tests, test_weak_hash);
	tcase_add_loop_test(tests, test_verified_by_others, 0, SIGNING_ED25519);
	return tests;
}
