/* SPDX-License-Identifier: Apache-2.0 */
/* Whole frames (RFC 8878) by libzstd, made in one go of data whose size is known, as makers of file systems do. */
#include "patch/recipe_coder.h"

#include <stdlib.h>
#define ZSTD_STATIC_LINKING_ONLY /* for the estimates, and for ZSTD_c_useRowMatchFinder */
#include <zstd.h>
#include <zstd_errors.h>

/* What zstd's estimates leave out. */
#define BESIDE_STATE 16384

static bool is_known(const struct recipe *recipe)
{
	const uint8_t *s = recipe->settings;

	return s[ZSTD_LEVEL] >= 1 && s[ZSTD_LEVEL] <= ZSTD_maxCLevel() && s[ZSTD_CHECKSUM] <= 1 && s[ZSTD_ROWS] <= 1 &&
	       s[3] == 0;
}

static uint64_t decode_memory(const struct recipe *recipe, uint64_t raw_size, uint64_t plain_size)
{
	(void)recipe;
	(void)raw_size;
	(void)plain_size;
	return ZSTD_estimateDCtxSize() + BESIDE_STATE;
}

static uint64_t encode_memory(const struct recipe *recipe, uint64_t plain_size)
{
	ZSTD_compressionParameters parameters = ZSTD_getCParams(recipe->settings[ZSTD_LEVEL], plain_size, 0);

	return ZSTD_estimateCCtxSize_usingCParams(parameters) + ZSTD_compressBound((size_t)plain_size) + BESIDE_STATE;
}

static int decode(const struct recipe *recipe, const uint8_t *raw, size_t raw_size, uint8_t *plain, size_t plain_size,
                  struct error *error)
{
	ZSTD_DCtx *context = ZSTD_createDCtx();
	size_t size;

	(void)recipe;
	if (!context)
		return patch_no_memory(error);
	size = ZSTD_decompressDCtx(context, plain, plain_size, raw, raw_size);
	(void)ZSTD_freeDCtx(context);
	if (ZSTD_isError(size) && ZSTD_getErrorCode(size) == ZSTD_error_memory_allocation)
		return patch_no_memory(error);
	return size == plain_size ? 0
	                          : patch_broken(error, "old content: no zstd frame of the size that the patch claims");
}

static bool guess(struct recipe *recipe, size_t index)
{
	/* Those of mksquashfs and mkfs.ubifs come first. */
	static const uint8_t levels[] = {15, 3, 19, 22, 9, 1, 2, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 16, 17, 18, 20, 21};

	if (index / sizeof(levels) > 1)
		return false;
	recipe->settings[ZSTD_LEVEL] = levels[index % sizeof(levels)];
	recipe->settings[ZSTD_ROWS] = index / sizeof(levels) == 0;
	return true;
}

static int set_parameters(ZSTD_CCtx *context, const struct recipe *recipe, struct error *error)
{
	const uint8_t *s = recipe->settings;

	/* Left to itself, zstd asks the processor whether to use rows, and that decides what comes out. */
	if (ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, s[ZSTD_LEVEL])) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, s[ZSTD_CHECKSUM])) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_useRowMatchFinder,
	                                        s[ZSTD_ROWS] ? ZSTD_ps_enable : ZSTD_ps_disable)))
		return error_set(error, 0, EINVAL, "patch: libzstd cannot encode so");
	return 0;
}

static int encode(const struct recipe *recipe, const uint8_t *plain, size_t plain_size, const struct sink *sink,
                  struct error *error)
{
	size_t room = ZSTD_compressBound(plain_size), size;
	ZSTD_CCtx *context = ZSTD_createCCtx();
	uint8_t *raw = malloc(room);
	int err = context && raw ? set_parameters(context, recipe, error) : patch_no_memory(error);

	if (err == 0) {
		size = ZSTD_compress2(context, raw, room, plain, plain_size);
		if (!ZSTD_isError(size))
			err = sink->write(sink->ctx, raw, size);
		else if (ZSTD_getErrorCode(size) == ZSTD_error_memory_allocation)
			err = patch_no_memory(error);
		else
			err = error_set(error, 0, EINVAL, "patch: libzstd: %s", ZSTD_getErrorName(size));
	}
	free(raw);
	(void)ZSTD_freeCCtx(context);
	return err;
}

const struct recipe_ops recipe_zstd = {
	.library = "libzstd",
	.version = ZSTD_versionString,
	.is_known = is_known,
	.decode_memory = decode_memory,
	.encode_memory = encode_memory,
	.guess = guess,
	.decode_block = decode,
	.encode_block = encode,
};
