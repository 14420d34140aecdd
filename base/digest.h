/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

/*
 * Digests by nettle: no provider machinery and no heap, which is what a 4 MiB updater wants. Signatures are not done
 * here.
 */
#include <nettle/md5.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum digest_kind { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256 };

#define DIGEST_MAX_SIZE  32
#define DIGEST_TEXT_SIZE (2 * DIGEST_MAX_SIZE + 1)

struct digest_value {
	enum digest_kind kind;
	uint8_t bytes[DIGEST_MAX_SIZE]; /* digest_size(kind) of them count */
};

/* A running digest; plain data, may be copied to branch. */
struct digest {
	enum digest_kind kind;
	union {
		struct md5_ctx md5;
		struct sha1_ctx sha1;
		struct sha256_ctx sha256;
	} state;
};

size_t digest_size(enum digest_kind kind); /* bytes */

void digest_start(struct digest *digest, enum digest_kind kind);
void digest_add(struct digest *digest, const void *data, size_t length);
void digest_finish(struct digest *digest, struct digest_value *value);

/* Hex text, any case, to a value; the length tells the kind (32 MD5, 40 SHA-1, 64 SHA-256). -EINVAL otherwise. */
int digest_parse(struct digest_value *value, const char *text);

/* Lower-case hex with its final NUL. Returns text, so that it fits into a printf argument. */
const char *digest_format(const struct digest_value *value, char text[DIGEST_TEXT_SIZE]);

bool digest_equal(const struct digest_value *a, const struct digest_value *b);

#endif
