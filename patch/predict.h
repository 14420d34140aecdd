/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_PREDICT_H
#define PATCH_PREDICT_H

/*
 * What old bytes say of addresses, rewritten as it would stand in the new image: patch/FORMAT.md, "How a stretch is
 * made". Found in old bytes alone, so that whoever applies a patch and whoever makes it find the same.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kinds of items, as bits of a block's byte. */
enum {
	PREDICT_A32 = 1,
	PREDICT_T32 = 2,
	PREDICT_LITERAL = 4,
	PREDICT_ADDRESS = 8,
	PREDICT_DISTANCE = 16,
	PREDICT_OFFSET = 32,
	PREDICT_REL = 64,
	PREDICT_REL_ODD = 128,
};

/*
 * An image holds one program or many, each with addresses of its own. In a space all of them lie one after the other,
 * so that an address of the space says which program it is one of: that of the program plus its bias (modulo 2^32).
 */
struct predict_program {
	uint32_t low; /* its addresses: from low on, below end */
	uint32_t end;
	uint32_t bias;
};

/* Bytes of the image that a program finds at an address. */
struct predict_segment {
	uint32_t offset;
	uint32_t length;
	uint32_t address;
	uint32_t program; /* below the space's program_count */
};

struct predict_space {
	struct predict_program *programs; /* owned by who made it, as are the segments */
	size_t program_count;
	struct predict_segment *segments; /* by offset; none overlap */
	size_t segment_count;
};

/* From `from` on what was at an address, or had a number, has it plus `by` (modulo 2^32) in the new image. */
struct predict_shift {
	uint32_t from;
	uint32_t by;
};

/* Where the search among shifts begins: of each of so many equal parts of the addresses, the first shift behind it. */
#define PREDICT_PARTS 1024

struct predict_shifts {
	struct predict_shift *list; /* by `from`, ascending; owned by who made it */
	size_t count;
	bool is_indexed;
	unsigned part_log; /* of a part's addresses */
	uint32_t ends[PREDICT_PARTS];
};

struct prediction {
	struct predict_space old;
	struct predict_space new;
	struct predict_shifts addresses;
	struct predict_shifts symbols;
	const uint8_t *kinds; /* of blocks of the new image, from first_block on; kept by who made it */
	uint64_t first_block;
	unsigned block_log; /* of a block's bytes, 8 to 16 */
};

/*
 * Lay programs out whose low and end are their own addresses, and segments whose address counts from their program's
 * low.
 */
void predict_lay_out(const struct predict_space *space);

/* Where an offset of the image is in the space. What no program has is at its own offset, and its program is NULL. */
struct predict_place {
	uint32_t address;
	const struct predict_program *program;
};
struct predict_place predict_locate(const struct predict_space *space, uint64_t offset);

/* The first segment that ends behind the offset; the space's segment_count when there is none. */
size_t predict_find_segment(const struct predict_space *space, uint64_t offset);

static inline bool predict_is_inside(const struct predict_program *program, uint32_t address)
{
	return address >= program->low && address < program->end;
}

/* Let predict_shifted() find shifts faster, as long as the list stays what it is. */
void predict_index(struct predict_shifts *shifts);
uint32_t predict_shifted(const struct predict_shifts *shifts, uint32_t value);

/* How an item's 4 bytes hold what they mean. */
enum predict_form {
	PREDICT_A32_BRANCH,
	PREDICT_T32_BRANCH,
	PREDICT_T32_BRANCH_X,
	PREDICT_T32_BRANCH_IF,
	PREDICT_A32_LOWER,
	PREDICT_A32_UPPER,
	PREDICT_T32_LOWER,
	PREDICT_T32_UPPER,
	PREDICT_WORD,        /* the address itself */
	PREDICT_WORD_OFFSET, /* from the image's lowest address */
	PREDICT_WORD_FROM,   /* from the place `base` */
	PREDICT_WORD_FROM31, /* the same in 31 bits */
	PREDICT_SYMBOL,      /* number << 8, and what kind of entry it is */
};

struct predict_item {
	uint64_t at;    /* of the stretch */
	uint64_t other; /* of LOWER and UPPER: where the other half is */
	enum predict_form form;
	uint32_t code;   /* its bytes */
	uint32_t place;  /* old address of these */
	uint32_t base;   /* of WORD_FROM: old address that it counts from */
	uint32_t target; /* old address, or symbol number, that it means */
};

/*
 * Bytes of the old image along a stretch, as they are there: what is rewritten goes elsewhere. `start` and so on are
 * offsets in the stretch. To find all items up to a limit, a window must reach from PREDICT_BEHIND before where the
 * limit was the time before to PREDICT_AHEAD behind the limit, as far as the stretch does. Items are found in order,
 * the same ones whatever the limits were. One may begin before the limit and end behind it.
 */
#define PREDICT_BEHIND 32
#define PREDICT_AHEAD  40

struct predict_window {
	const uint8_t *data;
	uint64_t start;
	uint64_t end;
};

#define PREDICT_LITERALS  256
#define PREDICT_REGISTERS 16

/* A word that an LDR loads, and the address that an ADD makes it count from. */
struct predict_literal {
	uint32_t address;
	uint32_t base;
};

/* Bytes of a stretch, one behind the other, that one program has, or none. */
struct predict_part {
	const struct predict_program *program; /* NULL: nobody's */
	uint64_t begin;                        /* of the stretch */
	uint64_t end;
	uint32_t address_of_0; /* address where the stretch would begin if all of it were this part */
};

struct predict_walk {
	const struct prediction *prediction;
	uint64_t old_at;
	uint64_t new_at;
	uint64_t length;
	uint64_t at;              /* where the next item is looked for */
	struct predict_part from; /* of the old image, where that is */
	struct predict_part to;   /* of the new one, where the last item went */
	bool has_literals;
	struct predict_literal literals[PREDICT_LITERALS]; /* by address; cleared when there is a first one */
	struct {
		bool is_loaded;
		uint32_t address;
		uint64_t at;
	} registers[PREDICT_REGISTERS];
};

/* A stretch of `length` bytes that lie along old_at. All of them are in the images. */
void predict_begin(struct predict_walk *walk, const struct prediction *prediction, uint64_t old_at, uint64_t new_at,
                   uint64_t length);

/*
 * The next item that begins before `limit`, at most the stretch's length. False: there is none. The kinds are those of
 * the blocks of what lies between the limit the time before and this one.
 */
bool predict_next(struct predict_walk *walk, const struct predict_window *window, uint64_t limit,
                  struct predict_item *item);

/* Where an item of the stretch lies in the new image: predict_locate(), faster. */
struct predict_place predict_land(struct predict_walk *walk, const struct predict_item *item);

/* The item's bytes as they are predicted. */
uint32_t predict_rewrite(struct predict_walk *walk, const struct predict_item *item);

/* The item's bytes where they lie at that place and mean the new target, an address or a symbol number. */
uint32_t predict_encode(const struct predict_item *item, const struct predict_place *place, uint32_t target);

#endif
