/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/delta.h"

#include "patch/patch.h"

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
	if (err < 0)
		(void)error_set(error, 0, -err, "cannot map files to compare: %s", strerror(-err));
	else
		err = patch_make_bsdiff40(from.data, from.size, to.data, to.size, &sink, error);
	extent_unmap(&from);
	extent_unmap(&to);
	return err;
}
