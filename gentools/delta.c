/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/delta.h"

#include "patch/patch.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct piece {
	struct spool *spool;
	struct extent *extent;
};

static int write_piece(void *ctx, const void *data, size_t length)
{
	struct piece *piece = ctx;

	return spool_append(piece->spool, piece->extent, data, length);
}

/* What a patch must yield. */
struct wanted {
	const uint8_t *data;
	size_t left;
};

static int compare_piece(void *ctx, const void *data, size_t length)
{
	struct wanted *wanted = ctx;

	if (length > wanted->left || memcmp(wanted->data, data, length) != 0)
		return -EILSEQ;
	wanted->data += length;
	wanted->left -= length;
	return 0;
}

/* Whether the patch makes what it must, applied as a module does it. */
static bool try_patch(const struct mapping *from, const struct mapping *to, const struct extent *patch)
{
	struct memory_block old_block = {.data = from->data, .size = from->size};
	struct reader old = reader_from_memory(&old_block);
	struct wanted wanted = {.data = to->data, .left = to->size};
	struct sink sink = {.write = compare_piece, .ctx = &wanted};
	struct memory_block block;
	struct mapping mapping;
	struct content content;
	struct reader reader;
	int err = extent_map(patch, &mapping);

	if (err < 0)
		return false;
	block = (struct memory_block){.data = mapping.data, .size = mapping.size};
	reader = reader_from_memory(&block);
	content = content_from_reader(&reader);
	err = patch_apply(&old, &content, NULL, to->size, &sink, NULL);
	extent_unmap(&mapping);
	return err == 0;
}

/* IMGDIFF2 where it is smaller: zlib has to make of it, once more and by the applier's calls, what was there. */
static int improve(const struct mapping *from, const struct mapping *to, struct spool *spool, struct extent *patch,
                   struct error *error)
{
	struct extent other;
	struct piece piece = {.spool = spool, .extent = &other};
	struct sink sink = {.write = write_piece, .ctx = &piece};
	int err;

	spool_start(spool, &other);
	err = patch_make_imgdiff2(from->data, from->size, to->data, to->size, &sink, error);
	if (err == -ENOTSUP)
		return 0;
	if (err == 0 && other.size < patch->size && try_patch(from, to, &other))
		*patch = other;
	return err;
}

int delta_make(const struct extent *old, const struct extent *new, struct spool *spool, struct extent *patch,
               struct error *error)
{
	struct piece piece = {.spool = spool, .extent = patch};
	struct sink sink = {.write = write_piece, .ctx = &piece};
	struct mapping from = {0};
	struct mapping to = {0};
	int err;

	spool_start(spool, patch);
	err = extent_map(old, &from);
	if (err == 0)
		err = extent_map(new, &to);
	if (err < 0) {
		(void)error_set(error, 0, -err, "cannot map files to compare: %s", strerror(-err));
		goto out;
	}
	err = patch_make_bsdiff40(from.data, from.size, to.data, to.size, &sink, error);
	if (err == 0)
		err = improve(&from, &to, spool, patch, error);
out:
	extent_unmap(&from);
	extent_unmap(&to);
	return err;
}
