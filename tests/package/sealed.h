/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PACKAGE_SEALED_H
#define TESTS_PACKAGE_SEALED_H

/* A small package with its signature, and a folder with the keys to it. */
#include "craft.h"
#include "package/signature.h"
#include "signing.h"

#include <check.h>
#include <stdbool.h>

struct sealed {
	char folder[64];
	char keys_folder[128];  /* of those that are trusted */
	char private_path[128]; /* what signs */
	char package_path[128];
	char logged[4096];
	struct log log;
	struct craft craft;
	struct package_keys *keys;
	struct error error; /* of the last sealed_judge() */
};

void sealed_open(struct sealed *sealed); /* an unsigned craft_sample(), no keys */
void sealed_close(struct sealed *sealed);

const char *sealed_path(char path[256], const char *directory, const char *name);
void sealed_put(const char *path, const void *bytes, size_t size);
void sealed_take(struct sealed *sealed, const char *path); /* the file's bytes become the craft's */

/* Trust what lies in keys_folder now. */
void sealed_load(struct sealed *sealed);
/* Sign the craft with the key at private_path. */
void sealed_sign(struct sealed *sealed);
/* A new key that is trusted, and what it signs. */
void sealed_make(struct sealed *sealed, enum signing_kind kind);
/* A signature by others: text, CMS, footer. */
void sealed_set_comment(struct sealed *sealed, const void *text, size_t text_size, const void *cms, size_t cms_size);

/* The code; 0 when the signature is good. */
int sealed_judge(struct sealed *sealed);
bool sealed_is_refusal(int code);

#endif
