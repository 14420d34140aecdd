/* SPDX-License-Identifier: Apache-2.0 */
#include "signing.h"

#include "gentools/encrypt.h"
#include "gentools/sign.h"

#include <check.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

EVP_PKEY *signing_make_key(enum signing_kind kind)
{
	EVP_PKEY *key = NULL;

	switch (kind) {
	case SIGNING_RSA:
		key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
		break;
	case SIGNING_P256:
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
		break;
	case SIGNING_P384:
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
		break;
	default:
		key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		break;
	}
	ck_assert_ptr_nonnull(key);
	return key;
}

X509 *signing_make_certificate(EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	X509_EXTENSION *extension;
	X509V3_CTX context;
	X509_NAME *name;

	ck_assert_ptr_nonnull(certificate);
	name = X509_get_subject_name(certificate);
	ck_assert(X509_set_version(certificate, X509_VERSION_3));
	ck_assert(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7));
	ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notBefore(certificate), -1000));
	ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notAfter(certificate), -10)); /* over already */
	ck_assert(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0));
	ck_assert(X509_set_issuer_name(certificate, name));
	ck_assert(X509_set_pubkey(certificate, key));
	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, NID_subject_key_identifier, "hash");
	ck_assert_ptr_nonnull(extension);
	ck_assert(X509_add_ext(certificate, extension, -1));
	X509_EXTENSION_free(extension);
	ck_assert_int_gt(
		X509_sign(certificate, key, EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256()), 0);
	return certificate;
}

static FILE *create(const char *path)
{
	FILE *file = fopen(path, "w");

	ck_assert_msg(file != NULL, "%s", path);
	return file;
}

void signing_write_private(const char *path, EVP_PKEY *key, const char *passphrase)
{
	FILE *file = create(path);

	ck_assert(PEM_write_PrivateKey(file, key, passphrase ? EVP_aes_256_cbc() : NULL,
	                               (const unsigned char *)passphrase, passphrase ? (int)strlen(passphrase) : 0,
	                               NULL, NULL));
	ck_assert_int_eq(fclose(file), 0);
}

void signing_write_public(const char *path, EVP_PKEY *key)
{
	FILE *file = create(path);

	ck_assert(PEM_write_PUBKEY(file, key));
	ck_assert_int_eq(fclose(file), 0);
}

void signing_write_certificate(const char *path, X509 *certificate)
{
	FILE *file = create(path);

	ck_assert(PEM_write_X509(file, certificate));
	ck_assert_int_eq(fclose(file), 0);
}

void signing_write_pair(enum signing_kind kind, const char *private_path, const char *public_path)
{
	EVP_PKEY *key = signing_make_key(kind);

	signing_write_private(private_path, key, NULL);
	if (public_path)
		signing_write_public(public_path, key);
	EVP_PKEY_free(key);
}

void signing_sign_file(const char *private_path, const char *package)
{
	struct signer *signer;
	struct error error = {0};

	ck_assert_msg(signer_open(private_path, &signer, &error) == 0, "%s", error.message);
	ck_assert_msg(signer_sign(signer, package, package, &error) == 0, "%s", error.message);
	signer_close(signer);
}

void signing_write_crypt_pair(const char *private_path, const char *public_path)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");

	ck_assert_ptr_nonnull(key);
	signing_write_private(private_path, key, NULL);
	signing_write_public(public_path, key);
	EVP_PKEY_free(key);
}

void signing_encrypt_file(const char *public_path, const char *package)
{
	struct recipients recipients = {0};
	struct error error = {0};

	ck_assert_msg(recipients_add(&recipients, public_path, &error) == 0, "%s", error.message);
	ck_assert_msg(recipients_encrypt(&recipients, package, package, &error) == 0, "%s", error.message);
}
