/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/bsdiff.h"
#include "patch/patch.h"

#include <string.h>

#define BZIP_MAGIC "BZh" /* and the block size in units of 100,000 bytes, as a digit */

/* A decoder of bzip2, by its manual; and what bsdiff_apply() has beside its three. */
#define BZIP_MEMORY(level) (100000u + 400000u * (unsigned)(level))
#define BESIDE_MEMORY      (256u << 10)

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

int patch_memory(const struct content *patch, uint64_t *bytes, struct error *error)
{
	struct bsdiff_header header;
	enum patch_format format;
	int err = patch_identify(patch, &format, error);

	*bytes = PATCH_IMGDIFF2_MEMORY;
	if (err < 0 || format == PATCH_IMGDIFF2)
		return err;
	*bytes = BESIDE_MEMORY;
	err = bsdiff_read_header(patch, 0, &header, error);
	if (err == 0)
		err = add_stream(patch, header.control_at, bytes, error);
	if (err == 0)
		err = add_stream(patch, header.diff_at, bytes, error);
	return err == 0 ? add_stream(patch, header.extra_at, bytes, error) : err;
}
