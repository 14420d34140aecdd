/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"
#include "gentools/image_ubifs_nodes.h"

#include <errno.h>
#include <lzo/lzo1x.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { COMPRESSION_NONE, COMPRESSION_LZO, COMPRESSION_ZLIB, COMPRESSION_ZSTD };

static bool inflate_block(const uint8_t *packed, size_t length, uint8_t *content, size_t size)
{
	z_stream stream = {
		.next_in = (Bytef *)packed, .avail_in = (uInt)length, .next_out = content, .avail_out = (uInt)size};
	bool whole;

	/* Without zlib's header. */
	if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
		return false;
	whole = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_out == 0;
	return inflateEnd(&stream) == Z_OK && whole;
}

static bool unpack_lzo(const uint8_t *packed, size_t length, uint8_t *content, size_t size)
{
	lzo_uint found = size;

	return lzo1x_decompress_safe(packed, length, content, &found, NULL) == LZO_E_OK && found == size;
}

int ubifs_unpack_data(const struct ubifs *fs, const struct ubifs_branch *leaf, uint8_t content[UBIFS_BLOCK_SIZE],
                      size_t *size)
{
	const uint8_t *packed = fs->node + UBIFS_DATA_SIZE;
	size_t length = leaf->length - UBIFS_DATA_SIZE;
	bool whole = false;

	*size = get_le32(fs->node + 40);
	if (*size == 0 || *size > UBIFS_BLOCK_SIZE)
		return -EINVAL;
	switch (get_le16(fs->node + 44)) {
	case COMPRESSION_NONE:
		whole = length == *size;
		if (whole)
			memcpy(content, packed, length);
		break;
	case COMPRESSION_LZO:
		whole = unpack_lzo(packed, length, content, *size);
		break;
	case COMPRESSION_ZLIB:
		whole = inflate_block(packed, length, content, *size);
		break;
	case COMPRESSION_ZSTD:
		whole = ZSTD_decompress(content, *size, packed, length) == *size;
		break;
	default:
		break;
	}
	return whole ? 0 : -EINVAL;
}
