/* SPDX-License-Identifier: Apache-2.0 */
/* LZO1X with its end mark, by liblzo2, as UBIFS and squashfs keep blocks of files. */
#include "patch/recipe_coder.h"

#include <lzo/lzo1x.h>
#include <stdlib.h>

#define LEVEL_MAX 9 /* of LZO1X-999 */

static const char *version(void)
{
	return lzo_version_string();
}

static bool is_known(const struct recipe *recipe)
{
	const uint8_t *s = recipe->settings;

	return s[LZO_LEVEL] <= LEVEL_MAX && s[LZO_OPTIMIZED] <= 1 && s[2] == 0 && s[3] == 0;
}

static uint64_t decode_memory(const struct recipe *recipe, uint64_t raw_size, uint64_t plain_size)
{
	(void)recipe;
	(void)raw_size;
	(void)plain_size;
	return 0;
}

static size_t work_memory(const struct recipe *recipe)
{
	return recipe->settings[LZO_LEVEL] == 0 ? LZO1X_1_MEM_COMPRESS : LZO1X_999_MEM_COMPRESS;
}

/* What does not compress grows by that at most, says LZO's FAQ. */
static size_t bound(size_t plain_size)
{
	return plain_size + plain_size / 16 + 64 + 3;
}

static uint64_t encode_memory(const struct recipe *recipe, uint64_t plain_size)
{
	return (uint64_t)work_memory(recipe) + bound((size_t)plain_size) +
	       (recipe->settings[LZO_OPTIMIZED] ? plain_size : 0);
}

static int decode(const struct recipe *recipe, const uint8_t *raw, size_t raw_size, uint8_t *plain, size_t plain_size,
                  struct error *error)
{
	lzo_uint size = plain_size;

	(void)recipe;
	if (lzo1x_decompress_safe(raw, raw_size, plain, &size, NULL) != LZO_E_OK || size != plain_size)
		return patch_broken(error, "old content: no LZO data of the size that the patch claims");
	return 0;
}

static bool guess(struct recipe *recipe, size_t index)
{
	/* mkfs.ubifs calls lzo1x_999_compress(), which is level 8; that is also what mksquashfs begins with. */
	static const uint8_t levels[] = {8, 0, 9, 7, 6, 5, 4, 3, 2, 1};

	if (index >= 2 * sizeof(levels))
		return false;
	recipe->settings[LZO_LEVEL] = levels[index / 2];
	recipe->settings[LZO_OPTIMIZED] = index % 2;
	return true;
}

static int compress(unsigned level, const uint8_t *plain, size_t plain_size, uint8_t *raw, lzo_uint *size,
                    uint8_t *work)
{
	return level == 0 ? lzo1x_1_compress(plain, plain_size, raw, size, work)
	                  : lzo1x_999_compress_level(plain, plain_size, raw, size, work, NULL, 0, NULL, (int)level);
}

static int encode(const struct recipe *recipe, const uint8_t *plain, size_t plain_size, const struct sink *sink,
                  struct error *error)
{
	lzo_uint size = bound(plain_size), again = plain_size;
	bool optimized = recipe->settings[LZO_OPTIMIZED] != 0;
	uint8_t *work = malloc(work_memory(recipe)), *raw = malloc(size);
	uint8_t *decoded = optimized ? malloc(plain_size) : NULL;
	int err;

	if (!work || !raw || (optimized && !decoded))
		err = patch_no_memory(error);
	else if (compress(recipe->settings[LZO_LEVEL], plain, plain_size, raw, &size, work) != LZO_E_OK ||
	         (optimized && lzo1x_optimize(raw, size, decoded, &again, NULL) != LZO_E_OK))
		err = error_set(error, 0, EINVAL, "patch: liblzo2 cannot encode");
	else
		err = sink->write(sink->ctx, raw, size);
	free(decoded);
	free(raw);
	free(work);
	return err;
}

const struct recipe_ops recipe_lzo = {
	.library = "liblzo2",
	.version = version,
	.is_known = is_known,
	.decode_memory = decode_memory,
	.encode_memory = encode_memory,
	.guess = guess,
	.decode_block = decode,
	.encode_block = encode,
};
