/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_EXTENT_H
#define PATCH_EXTENT_H

/* Where an image, or a view of it, has the files of its file system: known for some, and for some of their bytes. */
#include <stddef.h>
#include <stdint.h>

struct extent {
	uint64_t at;      /* in the image */
	uint64_t size;    /* at least 1 */
	uint64_t file_at; /* what lies there is the file's from here on */
	uint32_t file;    /* its number */
};

struct extents {
	struct extent *list; /* by `at`, none within another; owned by who made it */
	size_t count;
	size_t capacity;
};

#endif
