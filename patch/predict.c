/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/predict.h"

#include "base/bytes.h"
#include "patch/arm.h"
#include <string.h>

#define ITEM_SIZE 4u

/* How far the two halves of an address may be from each other, and a literal's use from where it is loaded. */
#define A32_HALVES 32u
#define T32_HALVES 24u
#define USE        128u

/* Small numbers are no addresses of an image that begins at 0, nor offsets into one. */
#define LEAST 256u

void predict_begin(struct predict_walk *walk, const struct prediction *prediction, uint64_t old_at, uint64_t new_at,
                   uint64_t length)
{
	walk->prediction = prediction;
	walk->old_at = old_at;
	walk->new_at = new_at;
	walk->length = length;
	walk->at = 0;
	walk->from = walk->to = (struct predict_part){.end = 0};
	walk->has_literals = false;
	memset(walk->registers, 0, sizeof(walk->registers));
}

static uint32_t code_at(const struct predict_window *window, uint64_t at)
{
	return get_le32(window->data + (at - window->start));
}

static uint32_t place(const struct predict_walk *walk, uint64_t at)
{
	return walk->from.address_of_0 + (uint32_t)at;
}

/* Whose bytes the next ones are, in a space in which the stretch begins at `start`. */
static void find_part(const struct predict_walk *walk, const struct predict_space *space, uint64_t start, uint64_t at,
                      struct predict_part *part)
{
	uint64_t offset = start + at;
	size_t found = predict_find_segment(space, offset);
	const struct predict_segment *segment = &space->segments[found];

	*part = (struct predict_part){.begin = at, .end = walk->length, .address_of_0 = (uint32_t)start};
	if (found == space->segment_count)
		return;
	if (segment->offset > offset) {
		part->end = segment->offset - start;
		return;
	}
	part->program = &space->programs[segment->program];
	part->end = (uint64_t)segment->offset + segment->length - start;
	part->address_of_0 = segment->address - (uint32_t)(segment->offset - start);
}

static bool is_inside(const struct predict_walk *walk, uint32_t address)
{
	return predict_is_inside(walk->from.program, address);
}

static bool read_half(uint32_t code, bool t32, struct arm_half *half)
{
	return t32 ? arm_t32_half(code, half) : arm_a32_half(code, half);
}

/* The MOVT that follows a MOVW of the same register, or the MOVW before a MOVT, with nothing of its kind between. */
static bool find_other_half(const struct predict_walk *walk, const struct predict_window *window, bool t32,
                            const struct arm_half *half, struct predict_item *item, struct arm_half *other)
{
	unsigned step = t32 ? 2 : ITEM_SIZE;
	unsigned reach = t32 ? T32_HALVES : A32_HALVES;

	for (unsigned away = ITEM_SIZE; away <= reach; away += step) {
		if (half->upper ? away > item->at : walk->length - item->at < away + ITEM_SIZE)
			return false;
		item->other = half->upper ? item->at - away : item->at + away;
		if (!read_half(code_at(window, item->other), t32, other) || other->target != half->target)
			continue;
		return other->upper != half->upper;
	}
	return false;
}

static bool find_half(const struct predict_walk *walk, const struct predict_window *window, bool t32,
                      struct predict_item *item)
{
	struct arm_half half, other;

	if (!read_half(item->code, t32, &half) || !find_other_half(walk, window, t32, &half, item, &other))
		return false;
	item->target = (half.upper ? half.value << 16 | other.value : other.value << 16 | half.value) +
	               walk->from.program->bias;
	if (t32)
		item->form = half.upper ? PREDICT_T32_UPPER : PREDICT_T32_LOWER;
	else
		item->form = half.upper ? PREDICT_A32_UPPER : PREDICT_A32_LOWER;
	return is_inside(walk, item->target);
}

static bool find_entry(const struct predict_walk *walk, unsigned kinds, struct predict_item *item)
{
	bool is_odd = (item->place & 4) != 0;

	if (is_odd == ((kinds & PREDICT_REL) != 0)) {
		item->form = PREDICT_SYMBOL;
		item->target = item->code >> 8;
		return true;
	}
	item->form = PREDICT_WORD;
	item->target = item->code + walk->from.program->bias;
	return is_inside(walk, item->target);
}

static bool find_literal(const struct predict_walk *walk, struct predict_item *item)
{
	const struct predict_literal *literal = &walk->literals[item->place / 4 % PREDICT_LITERALS];

	if (!walk->has_literals || literal->address != item->place)
		return false;
	item->form = PREDICT_WORD_FROM;
	item->base = literal->base;
	item->target = item->base + item->code;
	return is_inside(walk, item->target);
}

static bool find_distance(const struct predict_walk *walk, struct predict_item *item)
{
	bool is_whole = item->code >> 31 != 0;

	item->base = item->place;
	item->form = is_whole ? PREDICT_WORD_FROM : PREDICT_WORD_FROM31;
	item->target = item->base + (is_whole ? item->code : (item->code ^ 0x40000000) - 0x40000000);
	return item->code > 1 && is_inside(walk, item->target);
}

static bool find_word(const struct predict_walk *walk, unsigned kinds, struct predict_item *item)
{
	const struct predict_program *program = walk->from.program;

	if (kinds & PREDICT_LITERAL && find_literal(walk, item))
		return true;
	if (kinds & PREDICT_OFFSET && item->code >= LEAST && item->code < program->end - program->low) {
		item->form = PREDICT_WORD_OFFSET;
		item->target = program->low + item->code;
		return true;
	}
	if (kinds & PREDICT_ADDRESS && (program->low != program->bias || item->code >= LEAST) &&
	    is_inside(walk, item->code + program->bias)) {
		item->form = PREDICT_WORD;
		item->target = item->code + program->bias;
		return true;
	}
	return kinds & PREDICT_DISTANCE && find_distance(walk, item);
}

/* Most instructions have no address, which can be seen of a few bits. */
static bool may_be_a32(uint32_t code)
{
	return (code & 0x0e000000) == 0x0a000000 || (code & 0x0fb00000) == 0x03000000;
}

static bool may_be_t32(uint32_t code)
{
	return (code & 0x8000f800) == 0x8000f000 || (code & 0x8000fb70) == 0xf240;
}

static bool find_a32(const struct predict_walk *walk, const struct predict_window *window, struct predict_item *item)
{
	item->form = PREDICT_A32_BRANCH;
	return arm_a32_branch(item->code, item->place, &item->target) || find_half(walk, window, false, item);
}

static bool find_t32(const struct predict_walk *walk, const struct predict_window *window, struct predict_item *item)
{
	switch (arm_t32_branch(item->code, item->place, &item->target)) {
	case ARM_BRANCH:
		item->form = PREDICT_T32_BRANCH;
		return true;
	case ARM_BRANCH_X:
		item->form = PREDICT_T32_BRANCH_X;
		return true;
	case ARM_BRANCH_IF:
		item->form = PREDICT_T32_BRANCH_IF;
		return true;
	case ARM_NO_BRANCH:
		break;
	}
	return find_half(walk, window, true, item);
}

static void keep_literal(struct predict_walk *walk, uint32_t address, uint32_t base)
{
	if (!walk->has_literals) {
		/* No word lies at an odd address. */
		for (unsigned i = 0; i < PREDICT_LITERALS; i++)
			walk->literals[i].address = 1;
		walk->has_literals = true;
	}
	walk->literals[address / 4 % PREDICT_LITERALS] = (struct predict_literal){.address = address, .base = base};
}

/* LDR of either size, or ADD. */
static bool may_use_literal(uint32_t code)
{
	return (code & 0xf800) == 0x4800 || (code & 0xffff) == 0xf8df || (code & 0xff78) == 0x4478;
}

/* Which words are loaded and added to the PC. Returns the bytes of the instruction. */
static unsigned follow_literals(struct predict_walk *walk, uint64_t at, uint32_t code)
{
	uint32_t here = place(walk, at);
	unsigned target;
	uint32_t address;
	unsigned size = arm_t32_literal(code, here, &target, &address);

	if (size > 0) {
		walk->registers[target].is_loaded = true;
		walk->registers[target].address = address;
		walk->registers[target].at = at;
		return size;
	}
	if (arm_t32_add_pc(code, &target) && walk->registers[target].is_loaded &&
	    at - walk->registers[target].at < USE) {
		keep_literal(walk, walk->registers[target].address, here + 4);
		walk->registers[target].is_loaded = false;
	}
	return 2;
}

static bool find(const struct predict_walk *walk, const struct predict_window *window, unsigned kinds,
                 struct predict_item *item)
{
	if (item->place % 4 == 0) {
		if (kinds & PREDICT_A32 && may_be_a32(item->code) && find_a32(walk, window, item))
			return true;
		if (kinds & (PREDICT_REL | PREDICT_REL_ODD))
			return find_entry(walk, kinds, item);
		if (find_word(walk, kinds, item))
			return true;
	}
	return kinds & PREDICT_T32 && may_be_t32(item->code) && find_t32(walk, window, item);
}

/* What is worth a closer look; most words and instructions are not. */
struct sieve {
	unsigned kinds;
	uint32_t low; /* the program's lowest address as its words have it */
	uint32_t addresses;
	uint32_t offsets; /* how many of each there are; 0: the block has none */
	uint32_t firsts;  /* of T32: bit n is set when instructions are of use whose 5 highest bits are n */
};

#define FIRSTS_OF_T32     (UINT32_C(1) << 30)
#define FIRSTS_OF_LITERAL (UINT32_C(1) << 31 | 1 << 9 | 1 << 8)

static struct sieve make_sieve(const struct predict_program *program, unsigned kinds)
{
	uint32_t size = program->end - program->low;

	return (struct sieve){
		.kinds = kinds,
		.low = program->low - program->bias,
		.addresses = kinds & PREDICT_ADDRESS ? size : 0,
		.offsets = kinds & PREDICT_OFFSET ? size : 0,
		.firsts = (kinds & PREDICT_T32 ? FIRSTS_OF_T32 : 0) | (kinds & PREDICT_LITERAL ? FIRSTS_OF_LITERAL : 0),
	};
}

static bool may_be_word(const struct sieve *sieve, uint32_t code)
{
	return code - sieve->low < sieve->addresses || code < sieve->offsets ||
	       (sieve->kinds & PREDICT_A32 && may_be_a32(code)) || (sieve->kinds & PREDICT_DISTANCE && code > 1);
}

/* Words only, up to one that may be an item, or to `stop`. */
static void pass_words(struct predict_walk *walk, const struct predict_window *window, unsigned kinds, uint64_t stop)
{
	struct sieve sieve = make_sieve(walk->from.program, kinds);
	uint64_t at = walk->at + (-place(walk, walk->at) & 3);

	while (at < stop && !may_be_word(&sieve, code_at(window, at)))
		at += ITEM_SIZE;
	walk->at = at;
}

static bool is_literal(const struct predict_walk *walk, uint64_t at)
{
	uint32_t here = place(walk, at);

	return walk->has_literals && walk->literals[here / 4 % PREDICT_LITERALS].address == here;
}

/* Instructions of 2 bytes or 4, and words among them: the same. */
static void pass_halves(struct predict_walk *walk, const struct predict_window *window, unsigned kinds, uint64_t stop)
{
	struct sieve sieve = make_sieve(walk->from.program, kinds);
	uint64_t at = walk->at;

	while (at < stop) {
		uint32_t code = code_at(window, at);

		if (place(walk, at) % 4 == 0 &&
		    (may_be_word(&sieve, code) || (kinds & PREDICT_LITERAL && is_literal(walk, at))))
			break;
		if ((sieve.firsts >> (code >> 11 & 31) & 1) == 0) {
			at += 2;
			continue;
		}
		if (may_be_t32(code))
			break;
		at += may_use_literal(code) ? follow_literals(walk, at, code) : 2;
	}
	walk->at = at;
}

/* Pass what is no item for sure. False: all of it up to `stop`, or to where something else begins. */
static bool pass(struct predict_walk *walk, const struct predict_window *window, unsigned kinds, uint64_t stop)
{
	if (stop > walk->from.end)
		stop = walk->from.end;
	if (stop > walk->length - (ITEM_SIZE - 1))
		stop = walk->length - (ITEM_SIZE - 1);
	if (kinds & (PREDICT_T32 | PREDICT_LITERAL))
		pass_halves(walk, window, kinds, stop);
	else
		pass_words(walk, window, kinds, stop);
	return walk->at < stop;
}

bool predict_next(struct predict_walk *walk, const struct predict_window *window, uint64_t limit,
                  struct predict_item *item)
{
	const struct prediction *prediction = walk->prediction;

	while (walk->at < limit && walk->at + ITEM_SIZE <= walk->length) {
		uint64_t block = (walk->new_at + walk->at) >> prediction->block_log;
		unsigned kinds = prediction->kinds[block - prediction->first_block];

		if (kinds == 0) {
			walk->at = ((block + 1) << prediction->block_log) - walk->new_at;
			continue;
		}
		if (walk->at >= walk->from.end)
			find_part(walk, &prediction->old, walk->old_at, walk->at, &walk->from);
		if (!walk->from.program) {
			walk->at = walk->from.end;
			continue;
		}
		if (place(walk, walk->at) % 2 != 0) {
			walk->at++;
			continue;
		}
		if (!(kinds & (PREDICT_REL | PREDICT_REL_ODD))) {
			uint64_t block_end = ((block + 1) << prediction->block_log) - walk->new_at;
			uint64_t stop = block_end < limit ? block_end : limit;

			if (!pass(walk, window, kinds, stop))
				continue;
		}
		*item = (struct predict_item){
			.at = walk->at, .code = code_at(window, walk->at), .place = place(walk, walk->at)};
		if (find(walk, window, kinds, item)) {
			walk->at += ITEM_SIZE;
			return true;
		}
		if (kinds & PREDICT_LITERAL)
			walk->at += follow_literals(walk, walk->at, item->code);
		else if (kinds & PREDICT_T32)
			walk->at += 2;
		else
			walk->at += 4 - item->place % 4;
	}
	return false;
}

struct predict_place predict_land(struct predict_walk *walk, const struct predict_item *item)
{
	struct predict_part *to = &walk->to;

	if (item->at < to->begin || item->at >= to->end)
		find_part(walk, &walk->prediction->new, walk->new_at, item->at, to);
	return (struct predict_place){.address = to->address_of_0 + (uint32_t)item->at, .program = to->program};
}

uint32_t predict_rewrite(struct predict_walk *walk, const struct predict_item *item)
{
	const struct prediction *prediction = walk->prediction;
	bool is_symbol = item->form == PREDICT_SYMBOL;
	const struct predict_shifts *shifts = is_symbol ? &prediction->symbols : &prediction->addresses;
	struct predict_place place = predict_land(walk, item);

	return predict_encode(item, &place, predict_shifted(shifts, item->target));
}
