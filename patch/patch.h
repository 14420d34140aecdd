/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_PATCH_H
#define PATCH_PATCH_H

/*
 * Delta codecs. Pure: old content by random access, a patch that can be streamed from any offset, new bytes to a sink
 * in order. Memory is bounded by the codecs' windows, never by the size of what is patched. A patch is hostile until
 * the digest of what came out is known to be right, and checking that is the caller's part.
 *
 * Formats (spec/lineage.md 2.1, 2.2):
 *   BSDIFF40  Colin Percival's bsdiff 4.x: header, then control, diff and extra as three bzip2 streams.
 *   IMGDIFF2  AOSP's: chunks NORMAL (bsdiff), DEFLATE (inflate, bsdiff, deflate with the stored parameters), RAW;
 *             optional bonus data behind the inflated source of chunk 1.
 */
#include "base/error.h"
#include "base/io.h"
#include <stdint.h>

/*
 * The most heap that patch_apply uses, whatever the sizes, beside what the caller's streams cost: up to three of the
 * patch are open at once for BSDIFF40, four for IMGDIFF2. BSDIFF40 needs three `bzip2 -9` decoders of 3.7 MiB each.
 * IMGDIFF2 adds saved inflate states and a cache of blocks, which stand in for the inflated source, and a deflate
 * state.
 */
#define PATCH_BSDIFF40_MEMORY (12u << 20)
#define PATCH_IMGDIFF2_MEMORY (16u << 20)

enum patch_format { PATCH_BSDIFF40, PATCH_IMGDIFF2 };

/*
 * Which format the patch claims to be, by its first 8 bytes. -EINVAL and RESULT_VERIFY for any other, by name for the
 * dialects people mistake for these (IMGDIFF1, BSDF2, ENDSLEY/BSDIFF43).
 */
int patch_identify(const struct content *patch, enum patch_format *format, struct error *error);

/*
 * The most heap that patch_apply uses for this patch, by what its streams say of themselves. Errors as patch_apply()
 * has them.
 */
int patch_memory(const struct content *patch, uint64_t *bytes, struct error *error);

/*
 * Apply the patch, of either format, to old and write new content to the sink. bonus may be NULL. new_size is what the
 * caller expects and the most that is ever written: a patch that yields more or less is an error before more is
 * written. Returns 0 or a negative errno value (-EINVAL: a broken patch; -ENOMEM; the reader's, stream's or sink's own
 * error otherwise), RESULT_VERIFY in the error for a broken patch. What was written before a failure is worthless.
 */
int patch_apply(const struct reader *old, const struct content *patch, const struct reader *bonus, uint64_t new_size,
                const struct sink *sink, struct error *error);

/*
 * Make a BSDIFF40 patch. Host side: both images in memory, beside them 4 times old_size for the suffix array, then
 * twice new_size and a bzip2 compressor. Sizes up to INT32_MAX, -EFBIG above. Deterministic. Its blocks are as small as
 * its streams let them be, so that most patches are applied in much less than PATCH_BSDIFF40_MEMORY; and smaller where
 * patch_memory() would otherwise be above `memory`, unless that is 0. There is a least that it cannot be below, which
 * is no error. The library room_patch_make holds it, since it needs libdivsufsort.
 */
int patch_make_bsdiff40(const void *old_data, size_t old_size, const void *new_data, size_t new_size, uint64_t memory,
                        const struct sink *sink, struct error *error);

/*
 * Make an IMGDIFF2 patch where it has something over the above: it is of what gzip members and zip entries in both
 * images inflate to, and long stretches of new data that bzip2 would only make larger are in it as they are. -ENOTSUP,
 * without a word in the error, when there is neither (no such pair that zlib reproduces and that saves bytes): nothing
 * is written then. Memory and `memory` as above, for whole images or for what one pair inflates to, whichever is
 * larger. Never asks for bonus data.
 */
int patch_make_imgdiff2(const void *old_data, size_t old_size, const void *new_data, size_t new_size, uint64_t memory,
                        const struct sink *sink, struct error *error);

/* Make an IMGDIFF2 patch that holds the new image as it is, for whoever compresses patches. Sizes as above. */
int patch_make_raw(const void *new_data, size_t new_size, const struct sink *sink, struct error *error);

#endif
