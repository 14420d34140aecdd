/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_BZIP_H
#define PATCH_BZIP_H

/* A `bzip2 -9` stream that grows in memory as it is written. */
#include "base/error.h"
#include <bzlib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bzip {
	bz_stream bz;
	bool started;
	uint8_t *data; /* the compressed bytes so far, owned */
	size_t size;
	size_t capacity;
	struct error *error;
};

int bzip_open(struct bzip *bzip, struct error *error);
int bzip_write(struct bzip *bzip, const void *data, size_t length);
int bzip_finish(struct bzip *bzip);
void bzip_close(struct bzip *bzip); /* a zeroed one may be closed too */

#endif
