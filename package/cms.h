/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACKAGE_CMS_H
#define PACKAGE_CMS_H

/* CMS SignedData without content (RFC 5652), of one signer. Private to package/. */
#include "base/error.h"
#include "package/der.h"
#include "package/public_key.h"

struct cms {
	enum hash_kind hash; /* of the content, and of the attributes */
	enum key_kind kind;  /* of the signature */
	bool has_attributes;
	struct der attributes;     /* the signed ones, with tag and length */
	struct der message_digest; /* one of them */
	struct der signature;
	bool names_key;
	uint8_t key_id[PUBLIC_KEY_ID_SIZE]; /* of the signer, when it names the key or one certificate is there */
};

/*
 * Everything in `in` must be the structure; what the cms points to lies there. Codes: RESULT_UNTRUSTED for algorithms
 * that are not accepted, RESULT_TAMPERED for anything else.
 */
int cms_parse(struct der in, struct cms *cms, struct error *error);

#endif
