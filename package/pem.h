/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACKAGE_PEM_H
#define PACKAGE_PEM_H

/* Files of keys in PEM. Private to package/. What can fail returns NULL, or the reason why it did. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is it the name of a file with this suffix, and not hidden? */
bool pem_has_suffix(const char *name, const char *suffix);

/* The whole file, of 64 KiB at most; the caller frees *text, which is NULL after a failure. */
const char *pem_read_file(int directory, const char *name, char **text);

/* The bytes between the frame's lines; the caller frees *bytes, which is NULL after a failure. */
const char *pem_decode(const char *text, size_t length, uint8_t **bytes, size_t *size);

#endif
