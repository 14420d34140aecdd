/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACKAGE_KEYS_H
#define PACKAGE_KEYS_H

/* What package_keys_load() found. Private to package/. */
#include "package/public_key.h"
#include "package/signature.h"

#define KEYS_MAX 32

struct package_keys {
	char *directory; /* its path */
	bool wanted;     /* see package_keys_wanted() */
	unsigned count;
	struct public_key keys[KEYS_MAX];
};

#endif
