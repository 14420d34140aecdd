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

/* Programs lie in a space as they lie in pages of their own. */
#define PAGE UINT32_C(4096)

void predict_lay_out(const struct predict_space *space)
{
	uint32_t end = 0;

	for (size_t i = 0; i < space->program_count; i++) {
		struct predict_program *program = &space->programs[i];
		uint32_t low = ((end + PAGE - 1) & ~(PAGE - 1)) + program->low % PAGE;

		program->bias = low - program->low;
		program->low = low;
		program->end += program->bias;
		end = program->end;
	}
	for (size_t i = 0; i < space->segment_count; i++)
		space->segments[i].address += space->programs[space->segments[i].program].low;
}

/* The first segment that ends behind the offset; the space's segment_count when there is none. */
static size_t find_segment(const struct predict_space *space, uint64_t offset)
{
	size_t low = 0, high = space->segment_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct predict_segment *segment = &space->segments[middle];

		if ((uint64_t)segment->offset + segment->length <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct predict_place predict_locate(const struct predict_space *space, uint64_t offset)
{
	size_t at = find_segment(space, offset);
	const struct predict_segment *segment = &space->segments[at];

	if (at == space->segment_count || segment->offset > offset)
		return (struct predict_place){.address = (uint32_t)offset};
	return (struct predict_place){.address = segment->address + (uint32_t)(offset - segment->offset),
	                              .program = &space->programs[segment->program]};
}

bool predict_is_inside(const struct predict_program *program, uint32_t address)
{
	return address >= program->low && address < program->end;
}

uint32_t predict_shifted(const struct predict_shifts *shifts, uint32_t value)
{
	size_t low = 0, high = shifts->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (shifts->list[middle].from <= value)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? value + shifts->list[low - 1].by : value;
}

void predict_begin(struct predict_walk *walk, const struct prediction *prediction, uint64_t old_at, uint64_t new_at,
                   uint64_t length)
{
	walk->prediction = prediction;
	walk->old_at = old_at;
	walk->new_at = new_at;
	walk->length = length;
	walk->at = old_at & 1;
	walk->program_end = 0;
	walk->has_literals = false;
	memset(walk->registers, 0, sizeof(walk->registers));
}

static uint32_t code_at(const struct predict_window *window, uint64_t at)
{
	return get_le32(window->data + (at - window->start));
}

static uint32_t place(const struct predict_walk *walk, uint64_t at)
{
	return walk->address_of_0 + (uint32_t)at;
}

/* Whose bytes the next ones are. */
static void enter_segment(struct predict_walk *walk)
{
	const struct predict_space *old = &walk->prediction->old;
	uint64_t offset = walk->old_at + walk->at;
	size_t at = find_segment(old, offset);
	const struct predict_segment *segment = &old->segments[at];

	walk->program = NULL;
	walk->program_end = walk->length;
	if (at == old->segment_count)
		return;
	if (segment->offset > offset) {
		walk->program_end = segment->offset - walk->old_at;
		return;
	}
	walk->program = &old->programs[segment->program];
	walk->program_end = (uint64_t)segment->offset + segment->length - walk->old_at;
	walk->address_of_0 = segment->address - (uint32_t)(segment->offset - walk->old_at);
}

static bool is_inside(const struct predict_walk *walk, uint32_t address)
{
	return predict_is_inside(walk->program, address);
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
	item->target =
		(half.upper ? half.value << 16 | other.value : other.value << 16 | half.value) + walk->program->bias;
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
	item->target = item->code + walk->program->bias;
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
	const struct predict_program *program = walk->program;

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
	return (code & 0xf800) == 0xf000;
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
	if ((walk->old_at + item->at) % 4 == 0) {
		if (kinds & PREDICT_A32 && may_be_a32(item->code) && find_a32(walk, window, item))
			return true;
		if (kinds & (PREDICT_REL | PREDICT_REL_ODD))
			return find_entry(walk, kinds, item);
		if (find_word(walk, kinds, item))
			return true;
	}
	return kinds & PREDICT_T32 && may_be_t32(item->code) && find_t32(walk, window, item);
}

/* Instructions and words begin where the old image has even offsets. */
static void skip_to(struct predict_walk *walk, uint64_t at)
{
	walk->at = at + ((walk->old_at + at) & 1);
}

bool predict_next(struct predict_walk *walk, const struct predict_window *window, uint64_t limit,
                  struct predict_item *item)
{
	const struct prediction *prediction = walk->prediction;

	while (walk->at < limit && walk->at + ITEM_SIZE <= walk->length) {
		uint64_t block = (walk->new_at + walk->at) >> prediction->block_log;
		unsigned kinds = prediction->kinds[block - prediction->first_block];

		if (kinds == 0) {
			skip_to(walk, ((block + 1) << prediction->block_log) - walk->new_at);
			continue;
		}
		if (walk->at >= walk->program_end)
			enter_segment(walk);
		if (!walk->program) {
			skip_to(walk, walk->program_end);
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
			walk->at += 4 - (walk->old_at + walk->at) % 4;
	}
	return false;
}

uint32_t predict_rewrite(const struct predict_walk *walk, const struct predict_item *item)
{
	const struct prediction *prediction = walk->prediction;
	struct predict_place place = predict_locate(&prediction->new, walk->new_at + item->at);
	bool is_symbol = item->form == PREDICT_SYMBOL;

	return predict_encode(item, &place,
	                      predict_shifted(is_symbol ? &prediction->symbols : &prediction->addresses, item->target));
}

uint32_t predict_encode(const struct predict_item *item, const struct predict_place *place, uint32_t target)
{
	uint32_t base = item->base + (place->address - item->place);
	uint32_t low = place->program ? place->program->low : 0;
	uint32_t word = target - (place->program ? place->program->bias : 0);

	switch (item->form) {
	case PREDICT_A32_BRANCH:
		return arm_a32_branch_to(item->code, place->address, target);
	case PREDICT_T32_BRANCH:
		return arm_t32_branch_to(ARM_BRANCH, item->code, place->address, target);
	case PREDICT_T32_BRANCH_X:
		return arm_t32_branch_to(ARM_BRANCH_X, item->code, place->address, target);
	case PREDICT_T32_BRANCH_IF:
		return arm_t32_branch_to(ARM_BRANCH_IF, item->code, place->address, target);
	case PREDICT_A32_LOWER:
		return arm_a32_half_with(item->code, word);
	case PREDICT_A32_UPPER:
		return arm_a32_half_with(item->code, word >> 16);
	case PREDICT_T32_LOWER:
		return arm_t32_half_with(item->code, word);
	case PREDICT_T32_UPPER:
		return arm_t32_half_with(item->code, word >> 16);
	case PREDICT_WORD_OFFSET:
		return target - low;
	case PREDICT_WORD_FROM:
		return target - base;
	case PREDICT_WORD_FROM31:
		return (target - base) & 0x7fffffff;
	case PREDICT_SYMBOL:
		return target << 8 | (item->code & 0xff);
	case PREDICT_WORD:
		break;
	}
	return word;
}
