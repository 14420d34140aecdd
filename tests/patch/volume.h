/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PATCH_VOLUME_H
#define TESTS_PATCH_VOLUME_H

/* An image of UBIFS, as far as patches look at it: nodes in LEBs, with checksums, numbers and keys. */
#include "tests/patch/support.h"

#define VOLUME_LEB ((size_t)16384)

struct volume_settings {
	bool packed;       /* data nodes are compressed with LZO, where that makes them shorter */
	uint64_t sequence; /* number of the first node */
};
/* Of each file an inode, its blocks, and an index of them. */
struct bytes volume_of(const struct bytes *files, size_t count, const struct volume_settings *settings);

#endif
