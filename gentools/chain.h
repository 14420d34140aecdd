/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_CHAIN_H
#define GENTOOLS_CHAIN_H

/*
 * From one version to another in hops, when the package of the direct way does not fit into a module
 * (spec/requirements.md M). Pure: sizes in, a way out.
 */
#include <stdbool.h>
#include <stdint.h>

#define CHAIN_VERSIONS_MAX 256
#define CHAIN_IMPOSSIBLE   UINT64_MAX /* there is no such package */

struct chain_sizes {
	unsigned count;  /* of versions */
	uint64_t *bytes; /* of the package from version f to version t: bytes[f * count + t] */
};

bool chain_fits(const struct chain_sizes *sizes, unsigned from, unsigned to, uint64_t limit);

struct chain_way {
	unsigned hops;
	unsigned version[CHAIN_VERSIONS_MAX]; /* hops + 1 of them, `from` first */
	uint64_t bytes;                       /* of all its packages */
};

/* The way with the fewest hops, each of at most `limit` bytes, and of these the one with the fewest bytes; false when
 * there is none. From a version to itself there are no hops. */
bool chain_find(const struct chain_sizes *sizes, unsigned from, unsigned to, uint64_t limit, struct chain_way *way);

#endif
