/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_KEYS_H
#define FOTAD_KEYS_H

/* The small files in which qfotad remembers things: lines "key value\n". A line without its end is not there. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value behind the key, copied; false: no such line, or one too long for size. */
bool keys_text(const char *text, const char *key, char *value, size_t size);

/* A decimal number up to max. */
bool keys_number(const char *text, const char *key, uint64_t max, uint64_t *number);

/* In place: control characters, which would end or hide a line, become blanks. */
void keys_clean(char *text);

#endif
