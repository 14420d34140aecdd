/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_SIGN_H
#define GENTOOLS_SIGN_H

/*
 * Signing packages as package/signature.h describes it: one signer, named by its key, no certificate, no text; for RSA
 * and ECDSA no attributes, so that the lineage's verifiers, which look at the last octet string, accept it. The same
 * package and key make the same bytes, except with ECDSA, whose signatures are never the same.
 */
#include "base/error.h"

#define SIGNER_PASSPHRASE "UPDATE_GEN_PASSPHRASE" /* environment variable, for keys that are encrypted */

struct signer;

/* A private key in a PEM file: RSA of 2048 to 8192 bits, EC P-256 or P-384, Ed25519. */
int signer_open(const char *path, struct signer **signer, struct error *error);
void signer_close(struct signer *signer);

/*
 * Sign an archive; a signature, or any other comment, that it has is replaced. The output appears, or is replaced, when
 * it is whole; it may be the input.
 */
int signer_sign(const struct signer *signer, const char *input, const char *output, struct error *error);

#endif
