/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PACKAGE_SIGNING_H
#define TESTS_PACKAGE_SIGNING_H

/* Keys and signatures, made when they are needed. Everything fails the test when it does not work. */
#include <openssl/evp.h>
#include <openssl/x509.h>

enum signing_kind { SIGNING_RSA, SIGNING_P256, SIGNING_P384, SIGNING_ED25519, SIGNING_KINDS };

EVP_PKEY *signing_make_key(enum signing_kind kind);
X509 *signing_make_certificate(EVP_PKEY *key);

/* PEM files. */
void signing_write_private(const char *path, EVP_PKEY *key, const char *passphrase);
void signing_write_public(const char *path, EVP_PKEY *key);
void signing_write_certificate(const char *path, X509 *certificate);

/* Both files of a new key; public_path may be NULL. */
void signing_write_pair(enum signing_kind kind, const char *private_path, const char *public_path);

/* Sign a package in its place, as update_gen does. */
void signing_sign_file(const char *private_path, const char *package);

/* The same for encryption: both files of a new X25519 key, and a package encrypted in its place. */
void signing_write_crypt_pair(const char *private_path, const char *public_path);
void signing_encrypt_file(const char *public_path, const char *package);

#endif
