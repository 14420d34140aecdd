/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_NOISE_H
#define PATCH_NOISE_H

/* What bzip2 only makes larger: data that are compressed already, or encrypted. */
#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct noise {
	size_t at;
	size_t size; /* 0: there is none */
};

/* Whether there may be any: looks at how often each byte occurs, and compresses nothing. */
bool noise_is_likely(const uint8_t *data, size_t size);

/* Whether it is nothing else. At most INT32_MAX bytes. */
int noise_is_all(const uint8_t *data, size_t size, bool *noise, struct error *error);

/* The first stretch of it that is worth to be kept apart. At most INT32_MAX bytes. */
int noise_find(const uint8_t *data, size_t size, struct noise *noise, struct error *error);

#endif
