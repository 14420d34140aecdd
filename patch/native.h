/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_NATIVE_H
#define PATCH_NATIVE_H

/* The native format, patch/FORMAT.md: what its reader and its writer share. */
#include "base/digest.h"
#include "patch/codec.h"
#include "patch/number.h"
#include "patch/patch.h"
#include "patch/pool.h"
#include "patch/predict.h"
#include "patch/view.h"
#include <stdbool.h>

#define NATIVE_MAGIC "FOTADLT1"

/* Bits of the head's flags. */
enum { NATIVE_DIGESTS = 1, NATIVE_IN_PLACE = 2, NATIVE_VIEWS = 4, NATIVE_FLAGS = 7 };

enum native_record { NATIVE_HEAD = 1, NATIVE_UNITS, NATIVE_MODEL, NATIVE_FRAME, NATIVE_VIEWS_RECORD };

struct native_head {
	unsigned flags;
	uint64_t old_size; /* bytes */
	uint64_t new_size;
	struct digest_value old_digest; /* SHA-256, with NATIVE_DIGESTS */
	struct digest_value new_digest;
	uint32_t unit;    /* bytes that a frame makes; the last one may make less */
	uint64_t memory;  /* bytes of heap that applying takes at most */
	uint64_t changed; /* in place: units that are written */
	uint64_t kept;    /* in place: bytes that are kept between units, at most at a time */
};

#define NATIVE_UNIT_MAX   (64u << 20)
#define NATIVE_MEMORY_MAX (UINT64_C(1) << 31)
#define NATIVE_SIZE_MAX   INT64_MAX

/* What is needed to read the first record, before its head tells how much memory there is. */
#define NATIVE_HEAD_MAX 256u

/* What is remembered of a unit's content: the first bytes of its SHA-256. */
#define NATIVE_CHECK_SIZE 16u

/* ---- Records ---- */

struct native_input {
	struct stream stream;
	struct pool *pool;
	uint64_t left; /* bytes of the patch that were not read yet */
	unsigned type; /* enum native_record, of the present record */
	uint8_t *body; /* owned */
	size_t size;   /* of the body */
	struct error *error;
};

/* Open the patch at its beginning and pass its magic. To be closed in any case. */
int native_input_open(struct native_input *input, const struct content *patch, struct pool *pool, struct error *error);

/* The next record, whole and with the right CRC. 1, or 0 where the patch ends. */
int native_input_next(struct native_input *input);
void native_input_close(struct native_input *input);

/* ---- Packed streams ---- */

enum native_coder { NATIVE_STORED, NATIVE_LZMA, NATIVE_CODERS };

struct native_coding {
	enum native_coder coder;
	uint8_t lc, lp, pb; /* of LZMA */
	uint8_t dictionary; /* its size's log2 */
};

#define NATIVE_DICTIONARY_MIN 12u
#define NATIVE_DICTIONARY_MAX 26u

bool native_coding_read(struct number_source *source, struct native_coding *coding);
size_t native_coding_write(uint8_t *at, const struct native_coding *coding); /* at most 3 bytes */

#define NATIVE_CARRY 32u /* bytes */

/* A zeroed one is closed. Must stay where it is. */
struct native_packed {
	enum native_coder coder;
	const uint8_t *next; /* packed bytes of the present record that were not used yet */
	size_t left;
	/* Those of the record before: decoders differ in how far they look ahead. */
	uint8_t carry[NATIVE_CARRY];
	size_t carried;
	lzma_stream lzma;
	lzma_allocator allocator;
};

int native_packed_open(struct native_packed *packed, const struct native_coding *coding, struct pool *pool,
                       struct error *error);
/* Go on with these packed bytes, which must stay where they are. */
int native_packed_feed(struct native_packed *packed, const uint8_t *data, size_t size, struct error *error);
/* The next `length` plain bytes, all of them. */
int native_packed_read(struct native_packed *packed, void *buffer, size_t length, struct error *error);
void native_packed_close(struct native_packed *packed);

/* The body of a record that is packed as a whole: *plain is in the pool. -EINVAL or -ENOMEM without a word. */
int native_unpack(const uint8_t *body, size_t size, uint8_t **plain, size_t *plain_size, struct pool *pool,
                  struct error *error);

/* ---- The model: what predicts old bytes ---- */

/* The prediction's lists are in the pool. What was there before is freed. */
int native_model_read(struct prediction *model, const uint8_t *body, size_t size, struct pool *pool,
                      struct error *error);
void native_model_free(struct prediction *model, struct pool *pool);

#define NATIVE_ITEM_SIZE 4u

/*
 * The items of a stretch that begin in [at, end), at..: written over old bytes of the stretch, which `out` has from
 * `at` on. Returns how far they reach, up to 3 bytes behind the end; for those `out` must have room.
 */
uint64_t native_predict(struct predict_walk *walk, const struct predict_window *window, uint64_t at, uint64_t end,
                        uint8_t *out);

/* ---- Views, between which a patch may be made instead of between the images themselves (native_views.c) ---- */

struct native_views {
	struct view old;
	struct view new;
	size_t cache;        /* bytes */
	struct reader image; /* the old one */
	struct view_reader *reader;
	struct view_writer *writer;
};

/*
 * In place, a part of the new view may lie over the border of two units. Whichever of them is written first makes the
 * part whole, and the other one's share of it is kept until that is written, too (native_span.c). Bits of a frame's
 * flags, beside the lowest, which says that coders begin anew:
 */
enum {
	NATIVE_ANEW = 1,
	NATIVE_LEFT = 2,
	NATIVE_RIGHT = 4,
	NATIVE_KEEP_LEFT = 8,
	NATIVE_KEEP_RIGHT = 16,
	NATIVE_FRAME_FLAGS = 31
};

struct native_span {
	bool left;  /* a part lies over the unit's begin: made with NATIVE_LEFT, else the unit's share of it was kept */
	bool right; /* the same for its end */
	uint64_t plain_at; /* the bytes of the view that are made */
	uint64_t plain_end;
	uint64_t raw_at; /* and the image's bytes that these become */
	uint64_t raw_end;
};

/* Of the unit [start, end) of the image. False: a part is too large for this, or the flags do not fit. */
bool native_span_find(const struct view *view, uint64_t start, uint64_t end, unsigned flags, struct native_span *span);

/* ---- Applying ---- */

enum { NATIVE_CONTROL, NATIVE_RESIDUE, NATIVE_LITERALS, NATIVE_STREAMS };

/* A stretch of which something is still to be made. */
struct native_stretch {
	uint64_t old_at;   /* where the next predicted byte comes from */
	uint64_t along;    /* bytes that are still to be predicted */
	uint64_t literals; /* and the literals behind them */
	uint8_t spill[4];  /* bytes of an item that began before this place: they are predicted already */
	unsigned spilled;
	struct predict_walk walk;
};

struct native {
	struct native_head head;
	struct pool pool;
	struct native_input input;
	struct native_views views;
	uint64_t old_size; /* bytes that stretches are taken from, and make: of the views, where there are some */
	uint64_t new_size;
	struct native_packed streams[NATIVE_STREAMS];
	bool has_begun; /* the coders hold a state */
	bool has_model;
	struct prediction model;
	uint8_t *kinds;  /* of the present unit's blocks */
	uint8_t *checks; /* in place: of every unit, the old one and the new one */
	uint8_t *control;
	struct number_source entries; /* the rest of the control stream's present part */
	uint8_t *window;
	uint8_t *out;
	struct native_stretch stretch;
	uint64_t unit;           /* number of the present frame's */
	uint64_t units;          /* of the target */
	uint64_t frames;         /* that were read */
	uint64_t position;       /* where the next byte goes: of the target, or of its view */
	uint64_t end;            /* of the present unit */
	unsigned flags;          /* of the present frame */
	struct native_span span; /* of the present unit, in place */
	/* For those who want to know. */
	uint64_t views_memory;                 /* bytes, beside the pool */
	uint64_t packed_sizes[NATIVE_STREAMS]; /* of the present frame */
	uint64_t control_size;                 /* plain bytes of the same */
	uint64_t model_bytes;                  /* of all models' records */
	uint64_t model_shifts;
};

/* Read up to the first frame. `limit`: bytes of heap, above which a patch is refused, too. To be closed in any case. */
int native_open(struct native *native, const struct content *patch, uint64_t limit, struct error *error);

/* Go on to the next frame: 1, and native->unit is its unit; 0 where there are none. */
int native_next(struct native *native);

/* In place: whether these are a unit's bytes as they were, or shall be. */
bool native_has_check(const struct native *native, uint64_t unit, bool is_new, const void *data, size_t size);

/* Make its bytes. */
int native_make(struct native *native, const struct reader *old, const struct sink *sink);
void native_close(struct native *native);

int native_views_read(struct native *native);
void native_views_close(struct native_views *views);

/*
 * The unit of the present frame, in place: its content to `data`, which has room for a unit; *size bytes, which are
 * those that it shall be. keep may be NULL where there are no views.
 */
int native_make_unit(struct native *native, const struct reader *old, const struct patch_keep *keep, uint8_t *data,
                     size_t *size);

/* All frames of a patch that makes a copy, which was opened. */
int native_copy(struct native *native, const struct reader *old, const struct sink *sink);

/* Whole files and images, not in place. */
int native_apply(const struct reader *old, const struct content *patch, uint64_t new_size, const struct sink *sink,
                 struct error *error);

int native_read_head(const struct content *patch, struct native_head *head, struct error *error);

#endif
