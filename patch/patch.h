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
 *   FOTADLT1  our own, patch/FORMAT.md. It is smaller, knows how much memory it takes, and can change its source in
 *             place, one unit after the other.
 */
#include "base/digest.h"
#include "base/error.h"
#include "base/io.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * The most heap that patch_apply uses, whatever the sizes, beside what the caller's streams cost: up to three of the
 * patch are open at once for BSDIFF40, four for IMGDIFF2. BSDIFF40 needs three `bzip2 -9` decoders of 3.7 MiB each.
 * IMGDIFF2 adds saved inflate states and a cache of blocks, which stand in for the inflated source, and a deflate
 * state.
 */
#define PATCH_BSDIFF40_MEMORY (12u << 20)
#define PATCH_IMGDIFF2_MEMORY (16u << 20)

/*
 * FOTADLT1 patches say themselves what they take. Those that see compressed parts plain keep to the first, with which
 * the whole program has 4 MiB resident, or where an encoder takes too much for that to the second, unless their maker
 * said otherwise.
 */
#define PATCH_NATIVE_MEMORY      (11u << 18)
#define PATCH_NATIVE_VIEW_MEMORY (4u << 20)

enum patch_format { PATCH_BSDIFF40, PATCH_IMGDIFF2, PATCH_NATIVE };

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
 * ---- In place ----
 * A FOTADLT1 patch can be made to change its source where it lies: unit after unit (a LEB, an erase block), in an order
 * of its own in which nothing is overwritten that is needed later. Each unit is what it was or what it will be, by the
 * patch's digests, so that whoever was interrupted finds how far it had come and goes on.
 */
struct patch_units;

struct patch_units_info {
	uint64_t source_size; /* bytes */
	uint64_t target_size;
	uint32_t unit;    /* bytes; the target's last unit may be shorter */
	uint64_t count;   /* of the target's units */
	uint64_t changed; /* those that are written */
	uint64_t memory;  /* bytes of heap, at most, beside the caller's */
	uint64_t kept;    /* bytes that are kept between units, at most at a time: see below; 0: nothing is */
};

/*
 * What a unit shares with its neighbour is made once, when the first of the two is made, and the other's share must be
 * kept over any cut until that one is written. Shares are named by the number of the right one of both units. Each
 * function returns 0 or a negative errno value.
 */
struct patch_keep {
	int (*save)(void *ctx, uint64_t border, const void *data, size_t length); /* durable when it returns */
	int (*load)(void *ctx, uint64_t border, void *data, size_t length);       /* -ENOENT: there is none */
	int (*drop)(void *ctx, uint64_t border); /* nobody needs it any more; it may be gone already */
	void *ctx;
};

/* Reads the patch's beginning; it is read further as units are made. -ENOTSUP: no patch of this kind. */
int patch_units_open(const struct content *patch, struct patch_units **units, struct patch_units_info *info,
                     struct error *error);

enum patch_unit_state {
	PATCH_UNIT_FOREIGN, /* neither */
	PATCH_UNIT_OLD,
	PATCH_UNIT_NEW,
	PATCH_UNIT_SAME, /* old and new are equal, and it is that */
};

/* What the unit is that has this content: `size` bytes, all that the object has there up to the unit's end. */
enum patch_unit_state patch_units_state(const struct patch_units *units, uint64_t number, const void *data,
                                        size_t size);

/*
 * The next unit that is to be written: 1, or 0 when there are no more. The one before must have been written, now or in
 * an earlier run, and then need not have been made: what it needed of what was kept is dropped.
 */
int patch_units_next(struct patch_units *units, const struct patch_keep *keep, uint64_t *number, struct error *error);

/*
 * Its new content: *size bytes, no more than the unit's. old: the object as it is now. keep: NULL where nothing is
 * kept. What comes out has been compared with the patch's digest: RESULT_VERIFY when it is wrong, as it is where the
 * object is not as it should be.
 */
int patch_units_make(struct patch_units *units, const struct reader *old, const struct patch_keep *keep, uint8_t *data,
                     size_t *size, struct error *error);

void patch_units_close(struct patch_units *units); /* NULL is nothing */

/*
 * All of it for an image in memory, which is the old one and has room for the new one. Nothing is compared with
 * digests. The library room_patch_make holds it. -ENOTSUP: as above.
 */
int patch_change_image(const struct content *patch, void *image, struct error *error);

/* ---- What a native patch is made of ---- */

struct patch_native_stream {
	const char *coder; /* of the last frame: "stored", "LZMA" */
	uint64_t plain;    /* bytes */
	uint64_t packed;
};

#define PATCH_NATIVE_KINDS 8

struct patch_native_info {
	uint64_t source_size;
	uint64_t target_size;
	bool has_digests;
	struct digest_value source; /* SHA-256 */
	struct digest_value target;
	bool in_place;
	uint32_t unit;
	uint64_t memory;  /* bytes of heap that applying takes at most */
	uint64_t changed; /* in place: units that are written */
	uint64_t kept;    /* in place: bytes that are kept between units, at most at a time */
	uint64_t frames;
	uint64_t stretches;
	uint64_t models;                    /* bytes of their records */
	uint64_t shifts;                    /* addresses and symbols from which on others are shifted in another way */
	uint64_t predicted;                 /* bytes of the target in blocks that are predicted */
	uint64_t kinds[PATCH_NATIVE_KINDS]; /* the same of each kind: FORMAT.md's 1, 2, 4 ... */
	struct patch_native_stream control, residue, literals;
};

/* What its head says: all up to `kept`; the rest is 0. Errors as below. */
int patch_native_look(const struct content *patch, struct patch_native_info *info, struct error *error);

/* Read the whole patch, and make nothing of it. -ENOTSUP: another format. Else errors as patch_apply() has them. */
int patch_native_describe(const struct content *patch, struct patch_native_info *info, struct error *error);

/* ---- Making patches ---- */

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

/* Whether there is anything in the image of which patch_make_imgdiff2() makes a patch of what it inflates to. */
int patch_has_deflated(const void *data, size_t size, bool *has, struct error *error);

struct patch_native_options {
	uint32_t
		unit; /* bytes of a LEB or erase block that is changed at a time, in place; 0: the patch makes a copy */
	uint64_t memory; /* heap that applying may take at most; 0: no matter. -ENOMEM where there is no such patch */
	bool digests;    /* the patch shall hold SHA-256 of source and target, since nobody else says what they are */
};

/*
 * Make a FOTADLT1 patch, and apply it in memory to see that it makes the target. Sizes up to INT32_MAX, -EFBIG above.
 * Deterministic. Memory: 4 times old_size, and twice new_size for what is packed.
 */
int patch_make_native(const void *old_data, size_t old_size, const void *new_data, size_t new_size,
                      const struct patch_native_options *options, const struct sink *sink, struct error *error);

/* Make an IMGDIFF2 patch that holds the new image as it is, for whoever compresses patches. Sizes as above. */
int patch_make_raw(const void *new_data, size_t new_size, const struct sink *sink, struct error *error);

#endif
