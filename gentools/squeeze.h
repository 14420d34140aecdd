/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_SQUEEZE_H
#define GENTOOLS_SQUEEZE_H

/* Deflate, as small as it gets: all readers of zip archives know it, and a package is made but once. */
#include "gentools/spool.h"

/*
 * Raw deflated data (RFC 1951), which the caller frees; NULL when they would not be smaller. The same on every machine
 * with the same libdeflate. -ENOMEM.
 */
int squeeze(const void *data, size_t size, void **squeezed, size_t *squeezed_size);

/* Bytes that a piece of a spool takes as an entry of a package, deflated or not. -ENOMEM, or what mapping it gave. */
int squeeze_size(const struct extent *data, uint64_t *size);

#endif
