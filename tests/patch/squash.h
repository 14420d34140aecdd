/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PATCH_SQUASH_H
#define TESTS_PATCH_SQUASH_H

/* A squashfs 4.0 with LZO, of these files and of inodes of all other kinds among them. */
#include "tests/patch/support.h"

#define SQUASH_BLOCK ((size_t)4096)

struct squash_settings {
	int level; /* of LZO1X-999 */
	bool optimized;
	bool has_fragments; /* the ends of files share a block; else each is a block of its own */
	bool has_exports;
};
struct bytes squash(const struct bytes *files, size_t count, const struct squash_settings *settings);

#endif
