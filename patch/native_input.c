/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/native.h"

#include "base/bytes.h"
#include <inttypes.h>
#include <string.h>
#include <zlib.h>

#define CRC_SIZE 4u

static int cut_short(struct error *error)
{
	return patch_broken(error, "patch: it ends in the middle of a record");
}

static int read_bytes(struct native_input *input, void *buffer, size_t length)
{
	int err;

	if (length > input->left)
		return cut_short(input->error);
	err = stream_read_all(&input->stream, buffer, length);
	if (err < 0)
		return patch_read_failed(input->error, err);
	input->left -= length;
	return 0;
}

int native_input_open(struct native_input *input, const struct content *patch, struct pool *pool, struct error *error)
{
	uint8_t magic[PATCH_MAGIC_SIZE];
	int err;

	*input = (struct native_input){.pool = pool, .left = patch->size, .error = error};
	err = patch->open(patch->ctx, 0, &input->stream);
	if (err < 0)
		return patch_read_failed(error, err);
	err = read_bytes(input, magic, sizeof(magic));
	if (err == 0 && memcmp(magic, NATIVE_MAGIC, sizeof(magic)) != 0)
		err = patch_broken(error, "patch: it does not begin with " NATIVE_MAGIC);
	return err;
}

/* Type and size, as they stand in the patch: their CRC counts. */
static int read_header(struct native_input *input, uLong *crc)
{
	uint8_t header[1 + NUMBER_SIZE_MAX];
	size_t length = 0;
	struct number_source source;
	uint64_t size;
	int err;

	do {
		err = read_bytes(input, header + length, 1);
		if (err < 0)
			return err;
		length++;
	} while (length == 1 || (header[length - 1] & 0x80 && length < sizeof(header)));
	source = (struct number_source){.data = header + 1, .left = length - 1};
	size = number_read(&source);
	if (source.failed || input->left < CRC_SIZE || size > input->left - CRC_SIZE)
		return cut_short(input->error);
	if (size > SIZE_MAX)
		return patch_no_memory(input->error);
	input->type = header[0];
	input->size = (size_t)size;
	*crc = crc32(0, header, (uInt)length);
	return 0;
}

int native_input_next(struct native_input *input)
{
	uint8_t expected[CRC_SIZE] = {0};
	uLong crc = 0;
	uint8_t *body;
	int err;

	if (input->left == 0)
		return 0;
	err = read_header(input, &crc);
	if (err < 0)
		return err;
	body = pool_resize(input->pool, input->body, input->size + 1);
	if (!body)
		return patch_broken(input->error, "patch: a record of %zu bytes takes more memory than it may",
		                    input->size);
	input->body = body;
	err = read_bytes(input, body, input->size);
	if (err == 0)
		err = read_bytes(input, expected, sizeof(expected));
	if (err < 0)
		return err;
	crc = crc32_z(crc, body, input->size);
	if (get_le32(expected) != crc)
		return patch_broken(input->error, "patch: a record is damaged: its CRC is %08lx, expected %08" PRIx32,
		                    crc, get_le32(expected));
	return 1;
}

void native_input_close(struct native_input *input)
{
	stream_close(&input->stream);
	if (input->pool)
		pool_free(input->pool, input->body);
	input->body = NULL;
}
