/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/delta.h"

#include "gentools/squeeze.h"
#include "patch/patch.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define LITTLE (64u << 10) /* bytes; of more bzip2 makes less than deflate does */

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

/* A file and its patches. */
struct delta {
	struct mapping from;
	struct mapping to;
	const struct delta_options *options;
	struct spool *spool;
	struct extent *patch; /* the best one so far */
};

/* What decides between two patches: by how much the limit is not kept, and then the size in a package. */
struct merit {
	uint64_t excess;
	uint64_t size;
};

static int measure(const struct delta *delta, const struct extent *patch, struct merit *merit)
{
	struct memory_block block;
	struct mapping mapping;
	struct content content;
	struct reader reader;
	uint64_t limit = delta->options->memory;
	uint64_t memory = 0;
	int err = squeeze_size(patch, &merit->size);

	if (err == 0)
		err = extent_map(patch, &mapping);
	if (err < 0)
		return err;
	block = (struct memory_block){.data = mapping.data, .size = mapping.size};
	reader = reader_from_memory(&block);
	content = content_from_reader(&reader);
	err = patch_memory(&content, &memory, NULL);
	merit->excess = limit == 0 || memory <= limit ? 0 : memory - limit;
	extent_unmap(&mapping);
	return err;
}

/* Whether the patch makes what it must, applied as a module does it. */
static bool try_patch(const struct delta *delta, const struct extent *patch)
{
	struct memory_block old_block = {.data = delta->from.data, .size = delta->from.size};
	struct reader old = reader_from_memory(&old_block);
	struct wanted wanted = {.data = delta->to.data, .left = delta->to.size};
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
	err = patch_apply(&old, &content, NULL, delta->to.size, &sink, NULL);
	extent_unmap(&mapping);
	return err == 0;
}

/* Take the other patch if it is better, and right. */
static int offer(struct delta *delta, const struct extent *other, struct error *error)
{
	struct merit best = {0}, merit = {0};
	bool better;
	int err = measure(delta, delta->patch, &best);

	if (err == 0)
		err = measure(delta, other, &merit);
	if (err < 0)
		return error_set(error, 0, -err, "cannot compare patches: %s", strerror(-err));
	better = merit.excess != best.excess ? merit.excess < best.excess : merit.size < best.size;
	if (better && try_patch(delta, other))
		*delta->patch = *other;
	return 0;
}

/*
 * zlib has to make of it, once more and by the applier's calls, what was there. FOTADLT1 keeps what is better not
 * compressed as it is, too; it looks into what is deflated itself, and is offered another way only where there is some.
 */
static int offer_imgdiff2(struct delta *delta, struct error *error)
{
	struct extent other;
	struct piece piece = {.spool = delta->spool, .extent = &other};
	struct sink sink = {.write = write_piece, .ctx = &piece};
	bool worth = true;
	int err = 0;

	if (delta->options->native)
		err = patch_has_deflated(delta->to.data, delta->to.size, &worth, error);
	if (err < 0 || !worth)
		return err;
	spool_start(delta->spool, &other);
	err = patch_make_imgdiff2(delta->from.data, delta->from.size, delta->to.data, delta->to.size,
	                          delta->options->memory, &sink, error);
	if (err == -ENOTSUP)
		return 0;
	return err == 0 ? offer(delta, &other, error) : err;
}

/* The new file as it is, which the package deflates: of little data bzip2 makes more, and it takes more memory. */
static int offer_raw(struct delta *delta, struct error *error)
{
	struct extent other;
	struct piece piece = {.spool = delta->spool, .extent = &other};
	struct sink sink = {.write = write_piece, .ctx = &piece};
	int err;

	if (delta->options->memory == 0 && delta->to.size > LITTLE)
		return 0;
	spool_start(delta->spool, &other);
	err = patch_make_raw(delta->to.data, delta->to.size, &sink, error);
	return err == 0 ? offer(delta, &other, error) : err;
}

/* The patch that others have to be better than. */
static int make_first(struct delta *delta, struct error *error)
{
	struct patch_native_options native = {.unit = delta->options->unit,
	                                      .memory = delta->options->memory}; /* the script has digests */
	struct piece piece = {.spool = delta->spool, .extent = delta->patch};
	struct sink sink = {.write = write_piece, .ctx = &piece};
	int err;

	if (delta->options->native) {
		err = patch_make_native(delta->from.data, delta->from.size, delta->to.data, delta->to.size, &native,
		                        &sink, error);
		if (err != -ENOMEM || native.memory == 0)
			return err;
		native.memory = 0; /* there is none in so little */
		return patch_make_native(delta->from.data, delta->from.size, delta->to.data, delta->to.size, &native,
		                         &sink, error);
	}
	return patch_make_bsdiff40(delta->from.data, delta->from.size, delta->to.data, delta->to.size,
	                           delta->options->memory, &sink, error);
}

int delta_make(const struct extent *old, const struct extent *new, const struct delta_options *options,
               struct spool *spool, struct extent *patch, struct error *error)
{
	struct delta delta = {.options = options, .spool = spool, .patch = patch};
	int err;

	spool_start(spool, patch);
	err = extent_map(old, &delta.from);
	if (err == 0)
		err = extent_map(new, &delta.to);
	if (err < 0) {
		(void)error_set(error, 0, -err, "cannot map files to compare: %s", strerror(-err));
		goto out;
	}
	err = make_first(&delta, error);
	if (err == 0 && options->unit == 0)
		err = offer_imgdiff2(&delta, error);
	if (err == 0 && options->unit == 0)
		err = offer_raw(&delta, error);
out:
	extent_unmap(&delta.from);
	extent_unmap(&delta.to);
	return err;
}
