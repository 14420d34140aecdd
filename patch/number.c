/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/number.h"

uint64_t number_read(struct number_source *source)
{
	uint64_t value;
	size_t size = source->failed ? 0 : number_get(source->data, source->left, &value);

	if (size == 0) {
		source->failed = true;
		return 0;
	}
	source->data += size;
	source->left -= size;
	return value;
}

int64_t number_read_signed(struct number_source *source)
{
	uint64_t value = number_read(source);

	return value & 1 ? -(int64_t)(value >> 1) - 1 : (int64_t)(value >> 1);
}

uint64_t number_read_up_to(struct number_source *source, uint64_t most)
{
	uint64_t value = number_read(source);

	if (value <= most)
		return value;
	source->failed = true;
	return 0;
}

const uint8_t *number_read_bytes(struct number_source *source, size_t length)
{
	const uint8_t *data = source->data;

	if (length > source->left || source->failed) {
		source->failed = true;
		return NULL;
	}
	source->data += length;
	source->left -= length;
	return data;
}
