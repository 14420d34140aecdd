/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACKAGE_CRYPT_KEYS_H
#define PACKAGE_CRYPT_KEYS_H

/* What package_crypt_keys_load() found. Private to package/. */
#include "package/crypt.h"
#include "package/crypt_format.h"

#define CRYPT_KEYS_MAX 32

struct crypt_pair {
	uint8_t private_key[CRYPT_KEY_SIZE];
	uint8_t public_key[CRYPT_KEY_SIZE];
};

struct package_crypt_keys {
	unsigned count;
	struct crypt_pair pairs[CRYPT_KEYS_MAX];
};

#endif
