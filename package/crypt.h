/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACKAGE_CRYPT_H
#define PACKAGE_CRYPT_H

/* Reading encrypted packages (package/ENCRYPTION.md): the plain package, through a reader, and nowhere else. */
#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include <stdbool.h>

/* The module's private keys. */
struct package_crypt_keys;

/*
 * All *.key files of the directory at path, an X25519 key in PEM each. What cannot be used is said in the log. A
 * directory that is not there has no keys. Fails for want of memory only. package_crypt_keys_free() wipes them, also
 * after a failure.
 */
int package_crypt_keys_load(const char *path, const struct log *log, struct package_crypt_keys **keys,
                            struct error *error);

/* The key of one such file; -EINVAL says why there is none. */
int package_crypt_keys_read(const char *path, struct package_crypt_keys **keys, struct error *error);

void package_crypt_keys_free(struct package_crypt_keys *keys);

/* An open container. */
struct package_crypt;

/*
 * The plain package behind a file. *crypt is NULL, and *plain the file itself, when it is not encrypted; otherwise the
 * reader works until package_crypt_free(), as long as the file's does, which must stay where it is. keys may be NULL
 * and are not needed any more afterwards. Memory: 66 KiB. Codes: RESULT_SEALED, RESULT_FORGED; RESULT_UNPACK when the
 * file cannot be read. What of the plain reader is not as it was encrypted is -EBADMSG.
 */
int package_decrypt(const struct reader *file, const struct package_crypt_keys *keys, struct package_crypt **crypt,
                    struct reader *plain, struct error *error);
void package_crypt_free(struct package_crypt *crypt);

/*
 * After a failure of whoever read the plain reader: RESULT_FORGED when that was why. crypt may be NULL.
 */
void package_crypt_explain(const struct package_crypt *crypt, struct error *error);

/* Is a file that begins with these bytes encrypted? */
bool package_is_encrypted(const void *bytes, size_t size);

#endif
