/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_ORDER_H
#define GENTOOLS_ORDER_H

/* Orders, as qsort() and bsearch() ask for them: below 0 when a comes first, above 0 when b does, 0 for equals. */
#include "base/digest.h"
#include <string.h>

static inline int order_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Digests of one kind. */
static inline int order_digests(const struct digest_value *a, const struct digest_value *b)
{
	return memcmp(a->bytes, b->bytes, digest_size(a->kind));
}

#endif
