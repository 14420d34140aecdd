/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACKAGE_SIGNATURE_H
#define PACKAGE_SIGNATURE_H

/*
 * Who made this package? The lineage's whole-file signature (spec/lineage.md 2.5): a CMS SignedData without content
 * (RFC 5652) in the archive's comment, which ends with a footer of six bytes:
 *
 *   signature_start (2, bytes from there to the end of the file), FF FF, comment_size (2)     little endian
 *
 * Signed is everything before the end record's comment length. Comment length and footer must agree, what is between
 * signature_start and footer must be the CMS and nothing else, and all that counts in it is compared with what it must
 * be. Text before it, issuer names and certificates, which packages of AOSP's tools have, decide nothing. One signer:
 *
 *   RSA, 2048 to 8192 bits, PKCS #1 v1.5, with SHA-256 or SHA-512
 *   ECDSA, P-256 or P-384, with SHA-256, SHA-384 or SHA-512
 *   Ed25519 with SHA-512, and signed attributes (RFC 8419), since the package does not fit into memory
 *
 * SHA-1, with which the lineage's oldest tools sign, is refused: others can make two packages that share one.
 */
#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include <stdbool.h>

#define PACKAGE_SIGNATURE_FOOTER 6 /* bytes */

/* The keys that are trusted. */
struct package_keys;

/*
 * All of a directory's *.pem files: "PUBLIC KEY" and "CERTIFICATE" blocks, several in one file too. Of a certificate
 * only the key counts, neither its dates (a recovery system knows no time) nor who signed it. What cannot be used is
 * said in the log and trusted for nothing. A directory that is not there has no keys. Fails for want of memory only.
 */
int package_keys_load(const char *directory, const struct log *log, struct package_keys **keys, struct error *error);
void package_keys_free(struct package_keys *keys);

/*
 * Must packages be signed? False when the directory is not there or holds no *.pem file (and for NULL); true even when
 * none of them can be used. As this is what decides over the module's safety, it is said in the log either way.
 */
bool package_keys_wanted(const struct package_keys *keys, const struct log *log);

/*
 * Is the package as one of the keys signed it? Nothing but its end and its digest is looked at. The package is read
 * once, front to back, in constant memory. Codes: RESULT_UNSIGNED, RESULT_UNTRUSTED, RESULT_TAMPERED; RESULT_UNPACK
 * when it cannot be read. progress may be NULL; done and total are bytes.
 */
int package_verify_signature(const struct reader *zip, const struct package_keys *keys,
                             void (*progress)(void *ctx, uint64_t done, uint64_t total), void *ctx,
                             struct error *error);

/*
 * Does it claim to be signed? What a package is asked of which only the end is there; one that cannot be read at its
 * end may be.
 */
bool package_claims_signature(const struct reader *zip);

/* For who signs: how many bytes of this archive are signed, whatever comment it has. Codes as package_open(). */
int package_signed_size(const struct reader *zip, uint64_t *size, struct error *error);

#endif
