/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/memory.h"

#include "base/bytes.h"
#include "patch/bsdiff.h"
#include "patch/imgdiff.h"
#include "patch/native.h"

#include <inttypes.h>
#include <string.h>

#define BZIP_MAGIC "BZh" /* and the block size in units of 100,000 bytes, as a digit */

#define TYPE_SIZE ((size_t)4)

static int add_stream(const struct content *patch, uint64_t offset, uint64_t *bytes, struct error *error)
{
	char head[sizeof(BZIP_MAGIC)];
	int err = patch_read_at(patch, offset, head, sizeof(head), error);
	char level = head[sizeof(head) - 1];

	if (err < 0)
		return err;
	if (memcmp(head, BZIP_MAGIC, strlen(BZIP_MAGIC)) != 0 || level < '1' || level > '9')
		return patch_broken(error, "patch: no bzip2 data where a stream should begin");
	*bytes += BZIP_MEMORY(level - '0');
	return 0;
}

static int add_bsdiff(const struct content *patch, uint64_t offset, uint64_t *bytes, struct error *error)
{
	struct bsdiff_header header;
	int err = bsdiff_read_header(patch, offset, &header, error);

	if (err == 0)
		err = add_stream(patch, header.control_at, bytes, error);
	if (err == 0)
		err = add_stream(patch, header.diff_at, bytes, error);
	return err == 0 ? add_stream(patch, header.extra_at, bytes, error) : err;
}

/* The chunk whose type stands at *at, which goes on to the next one. */
static int measure_chunk(const struct content *patch, uint64_t *at, uint64_t *bytes, struct error *error)
{
	uint8_t raw[TYPE_SIZE + IMGDIFF_NORMAL_SIZE];
	uint32_t type;
	int err;

	/* The shortest chunk, with a length or with a part of what others have there. */
	if (*at > patch->size || patch->size - *at < 2 * TYPE_SIZE)
		return patch_broken(error, "patch: the chunk headers are cut short");
	err = patch_read_at(patch, *at, raw, 2 * TYPE_SIZE, error);
	if (err < 0)
		return err;
	type = get_le32(raw);
	if (type == IMGDIFF_RAW) {
		*at += 2 * TYPE_SIZE + (uint64_t)get_le32(raw + TYPE_SIZE);
		return 0;
	}
	if (type != IMGDIFF_NORMAL && type != IMGDIFF_DEFLATE)
		return patch_broken(error, "patch: type %" PRIu32 " is unknown", type);
	if (patch->size - *at < sizeof(raw))
		return patch_broken(error, "patch: the chunk headers are cut short");
	err = patch_read_at(patch, *at, raw, sizeof(raw), error);
	if (err < 0)
		return err;
	if (type == IMGDIFF_DEFLATE)
		*bytes += INFLATING_MEMORY;
	*at += type == IMGDIFF_DEFLATE ? TYPE_SIZE + IMGDIFF_DEFLATE_SIZE : sizeof(raw);
	return add_bsdiff(patch, get_le64(raw + TYPE_SIZE + 16), bytes, error);
}

/* One chunk after the other: what the hungriest needs. */
static int measure_chunks(const struct content *patch, uint64_t *most, struct error *error)
{
	uint64_t at = IMGDIFF_HEADER_SIZE;
	uint8_t raw[4];
	int err = 0;

	if (patch->size < IMGDIFF_HEADER_SIZE)
		return patch_broken(error, "patch: the chunk headers are cut short");
	err = patch_read_at(patch, PATCH_MAGIC_SIZE, raw, sizeof(raw), error);
	for (uint32_t left = err == 0 ? get_le32(raw) : 0; err == 0 && left > 0; left--) {
		uint64_t bytes = 0;

		err = measure_chunk(patch, &at, &bytes, error);
		if (bytes > *most)
			*most = bytes;
	}
	return err;
}

int patch_memory(const struct content *patch, uint64_t *bytes, struct error *error)
{
	enum patch_format format;
	uint64_t most = 0;
	int err = patch_identify(patch, &format, error);

	*bytes = 0;
	if (err < 0)
		return err;
	if (format == PATCH_NATIVE) {
		struct native_head head;

		err = native_read_head(patch, &head, error);
		*bytes = head.memory;
		return err;
	}
	if (format == PATCH_IMGDIFF2)
		err = measure_chunks(patch, &most, error);
	else
		err = add_bsdiff(patch, 0, &most, error);
	*bytes = BESIDE_MEMORY + most;
	return err;
}
