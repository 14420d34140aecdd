/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_NATIVE_WRITE_H
#define PATCH_NATIVE_WRITE_H

/* The native format's writer: patch/FORMAT.md. Host side. */
#include "patch/align.h"
#include "patch/buffer.h"
#include "patch/native.h"
#include "patch/region.h"
#include "patch/view_find.h"

/* ---- Parts of records, and packing (native_pack.c) ---- */

int native_put_number(struct buffer *buffer, uint64_t value, struct error *error);
int native_put_signed(struct buffer *buffer, int64_t value, struct error *error);
int native_put_record(struct buffer *patch, unsigned type, const struct buffer *body, struct error *error);

/* A record that is packed as a whole. */
int native_put_packed(struct buffer *records, unsigned type, const struct buffer *plain, struct error *error);

/* What a stream holds, so that its coder is tried with fitting settings. */
enum native_content { NATIVE_OF_NUMBERS, NATIVE_OF_RESIDUE, NATIVE_OF_BYTES };

/* Pack with whichever coder makes least of it. dictionary_max: log2 of the most bytes. */
int native_pack(const struct buffer *plain, enum native_content content, unsigned dictionary_max,
                struct native_coding *coding, struct buffer *packed, struct error *error);

/* About how many bytes that makes, a sixth more at most by trial, found in a fraction of the time. */
int native_sketch(const struct buffer *plain, enum native_content content, unsigned dictionary_max, size_t *size,
                  struct error *error);

/* How many packed bytes the coder has taken when it has made each of the pieces, which are `count` plain sizes. */
int native_split(const struct native_coding *coding, const struct buffer *packed, const size_t *plain, size_t count,
                 size_t *sizes, struct error *error);

/* ---- The writer ---- */

struct native_stream {
	struct buffer plain;
	size_t *plain_sizes; /* of each unit's part */
	struct buffer packed;
	size_t *packed_sizes;
	size_t used; /* of the packed bytes */
	struct native_coding coding;
};

struct native_writer {
	struct image old_image;
	struct image new_image;
	struct viewed old_view; /* with NATIVE_VIEWS */
	struct viewed new_view;
	struct image old; /* what stretches are taken from, and make: the images, or what the views show of them */
	struct image new;
	const struct prediction *model; /* NULL: old bytes stay as they are */
	struct native_head head;
	size_t units; /* that frames make */
	struct native_stream streams[NATIVE_STREAMS];
	unsigned dictionaries[NATIVE_STREAMS]; /* log2 of the most bytes */
	uint64_t memory;                       /* that applying may take; 0: no matter */
	size_t cache;                          /* of the old view's reader; 0: as small as can be */
	uint8_t *predicted;                    /* of a stretch */
	struct buffer body;                    /* of the record that is being made */
	struct buffer records;                 /* behind the head */
	struct buffer patch;
	struct error *error;
};

/* Bytes of which units are parts: the target's, or where a copy is made its view's. */
uint64_t native_whole_size(const struct native_writer *w);
/* Bytes [*start, return) of them are the unit's. */
uint64_t native_unit_range(const struct native_writer *w, size_t unit, uint64_t *start);

/* Streams before they are packed (native_plain.c). First what precedes the stretches that make bytes [start, end). */
int native_put_kinds(struct native_writer *w, uint64_t start, uint64_t end);
/* A stretch into the streams. `from`: where the one before has ended in the old image. */
int native_put_stretch(struct native_writer *w, const struct stretch *stretch, int64_t from);
/* What its old bytes, predicted, lack to be the new ones. */
int native_put_residue(struct native_writer *w, const struct stretch *stretch);

int native_pack_streams(struct native_writer *w);
/* The frame of a unit whose parts of the packed streams come next. */
int native_put_frame(struct native_writer *w, size_t unit, unsigned flags);

/* The model's record (native_put_model.c). */
int native_put_model(struct native_writer *w);

/*
 * Between the images as they are, or, with `inside`, between views of them: of compressed parts that differ, if there
 * are any and PATCH_NATIVE_VIEW_MEMORY, or the writer's own limit, allows it. The borders are those of large parts, to
 * be freed in any case (native_put_views.c).
 */
int native_look(struct native_writer *w, bool inside, struct region_borders *old_borders,
                struct region_borders *new_borders);

/* The views' record. */
int native_put_views(struct native_writer *w);

/* Bytes that the patch shall take at most (native_fit.c). */
uint64_t native_memory_limit(const struct native_writer *w);
/* What its views take, without a cache (native_put_views.c). */
uint64_t native_views_memory(const struct native_writer *w);
/* What it takes beside them at least. */
#define NATIVE_LEAST_MEMORY (448u << 10)
/* Let the patch that is made next take that much less memory, as far as possible. False: it cannot. */
bool native_take_less(struct native_writer *w, uint64_t too_much);

/* The records of a patch in place (native_place.c). */
int native_put_in_place(struct native_writer *w, const struct alignment *alignment);

/* Change an image in memory, which has room for the new one: all frames of an opened patch in place. */
int native_change_image(struct native *native, uint8_t *image);

/* Apply the patch in memory, and see that it makes the target and how much heap that takes (native_prove.c). */
int native_prove(const struct native_writer *w, uint64_t *memory);

#endif
