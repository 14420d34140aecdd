/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_BUFFER_H
#define PATCH_BUFFER_H

/* Bytes that grow in memory as a patch is made; a zeroed one is empty. */
#include "base/error.h"
#include "base/io.h"

struct buffer {
	uint8_t *data; /* owned */
	size_t size;
	size_t capacity;
};

int buffer_reserve(struct buffer *buffer, size_t length, struct error *error); /* room behind what is there */
int buffer_append(struct buffer *buffer, const void *data, size_t length, struct error *error);
void buffer_free(struct buffer *buffer);

#endif
