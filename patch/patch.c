/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/patch.h"

#include "patch/bsdiff.h"
#include "patch/imgdiff.h"
#include "patch/native.h"
#include <inttypes.h>
#include <string.h>

struct magic {
	const char *text;
	const char *dialect; /* NULL: a format we read */
	enum patch_format format;
};

static const struct magic magics[] = {
	{BSDIFF_MAGIC, NULL, PATCH_BSDIFF40},
	{IMGDIFF_MAGIC, NULL, PATCH_IMGDIFF2},
	{NATIVE_MAGIC, NULL, PATCH_NATIVE},
	{"IMGDIFF1", "IMGDIFF1", 0},
	{"BSDF2", "BSDF2, of newer AOSP bsdiff (brotli)", 0},
	{"ENDSLEY/", "ENDSLEY/BSDIFF43, of mendsley's bsdiff", 0},
};

int patch_identify(const struct content *patch, enum patch_format *format, struct error *error)
{
	uint8_t magic[PATCH_MAGIC_SIZE];
	int err;

	if (patch->size < PATCH_MAGIC_SIZE)
		return patch_broken(error, "patch: %" PRIu64 " bytes are too few for a patch", patch->size);
	err = patch_read_at(patch, 0, magic, sizeof(magic), error);
	if (err < 0)
		return err;
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if (memcmp(magic, magics[i].text, strlen(magics[i].text)) != 0)
			continue;
		if (magics[i].dialect)
			return patch_broken(
				error, "patch: the dialect %s is not supported; BSDIFF40, IMGDIFF2 and FOTADLT1 are",
				magics[i].dialect);
		*format = magics[i].format;
		return 0;
	}
	return patch_broken(
		error,
		"patch: neither BSDIFF40, IMGDIFF2 nor FOTADLT1: it starts with %02x%02x%02x%02x%02x%02x%02x%02x",
		magic[0], magic[1], magic[2], magic[3], magic[4], magic[5], magic[6], magic[7]);
}

static int apply_bsdiff40(const struct reader *old, const struct content *patch, uint64_t new_size,
                          const struct sink *sink, struct error *error)
{
	struct old_range range = {.old = old, .size = old->size, .error = error};
	struct reader source = reader_from_range(&range);
	struct bsdiff_header header;
	int err;

	err = bsdiff_read_header(patch, 0, &header, error);
	if (err < 0)
		return err;
	if (header.new_size != new_size)
		return patch_broken(error, "patch: makes %" PRIu64 " bytes, expected %" PRIu64, header.new_size,
		                    new_size);
	return bsdiff_apply(&source, patch, &header, sink, error);
}

static int apply_native(const struct reader *old, const struct content *patch, uint64_t new_size,
                        const struct sink *sink, struct error *error)
{
	struct old_range range = {.old = old, .size = old->size, .error = error};
	struct reader source = reader_from_range(&range);

	return native_apply(&source, patch, new_size, sink, error);
}

int patch_apply(const struct reader *old, const struct content *patch, const struct reader *bonus, uint64_t new_size,
                const struct sink *sink, struct error *error)
{
	struct bounded_sink bounded = {.sink = sink, .left = new_size, .error = error};
	struct sink out = sink_from_bounded(&bounded);
	enum patch_format format;
	int err;

	err = patch_identify(patch, &format, error);
	if (err < 0)
		return err;
	if (format == PATCH_NATIVE)
		err = apply_native(old, patch, new_size, &out, error);
	else if (format == PATCH_IMGDIFF2)
		err = imgdiff_apply(old, patch, bonus, &out, error);
	else
		err = apply_bsdiff40(old, patch, new_size, &out, error);
	if (err < 0)
		return err;
	if (bounded.left > 0)
		return patch_broken(error, "patch: makes %" PRIu64 " bytes less than the expected %" PRIu64,
		                    bounded.left, new_size);
	return 0;
}
