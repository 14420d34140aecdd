/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/buffer.h"

#include "patch/codec.h"
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 4096

int buffer_reserve(struct buffer *buffer, size_t length, struct error *error)
{
	size_t capacity = buffer->capacity ? buffer->capacity : FIRST_CAPACITY;
	uint8_t *data;

	if (length <= buffer->capacity - buffer->size)
		return 0;
	if (length > SIZE_MAX / 4 - buffer->size)
		return patch_no_memory(error);
	while (capacity - buffer->size < length)
		capacity *= 2;
	data = realloc(buffer->data, capacity);
	if (!data)
		return patch_no_memory(error);
	buffer->data = data;
	buffer->capacity = capacity;
	return 0;
}

int buffer_append(struct buffer *buffer, const void *data, size_t length, struct error *error)
{
	int err = buffer_reserve(buffer, length, error);

	if (err == 0 && length > 0) {
		memcpy(buffer->data + buffer->size, data, length);
		buffer->size += length;
	}
	return err;
}

void buffer_free(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){0};
}
