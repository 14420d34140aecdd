/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/pair.h"

#include "base/bytes.h"
#include "patch/arm.h"

/* The address that a MOVW and its MOVT have; the vote is the MOVW's. */
static bool read_halves(const struct pair *pair, bool t32, uint32_t *target)
{
	uint32_t other_code = get_le32(pair->new_stretch + pair->item.other);
	struct arm_half half, other;

	if (t32) {
		if (!arm_t32_half(pair->new_code, &half) || !arm_t32_half(other_code, &other))
			return false;
	} else if (!arm_a32_half(pair->new_code, &half) || !arm_a32_half(other_code, &other)) {
		return false;
	}
	*target = other.value << 16 | half.value;
	return !half.upper && other.upper && half.target == other.target;
}

bool pair_read_target(const struct pair *pair, uint32_t *target)
{
	const struct predict_place *place = &pair->new_place;
	uint32_t base = pair->item.base + (place->address - pair->item.place);
	uint32_t code = pair->new_code;

	if (!place->program)
		return false;
	switch (pair->item.form) {
	case PREDICT_A32_BRANCH:
		return code >> 24 == pair->item.code >> 24 && arm_a32_branch(code, place->address, target);
	case PREDICT_T32_BRANCH:
		return arm_t32_branch(code, place->address, target) == ARM_BRANCH;
	case PREDICT_T32_BRANCH_X:
		return arm_t32_branch(code, place->address, target) == ARM_BRANCH_X;
	case PREDICT_T32_BRANCH_IF:
		return arm_t32_branch(code, place->address, target) == ARM_BRANCH_IF;
	case PREDICT_A32_UPPER:
	case PREDICT_T32_UPPER:
		return false;
	case PREDICT_A32_LOWER:
	case PREDICT_T32_LOWER:
		if (!read_halves(pair, pair->item.form == PREDICT_T32_LOWER, target))
			return false;
		*target += place->program->bias;
		break;
	case PREDICT_WORD:
		*target = code + place->program->bias;
		break;
	case PREDICT_WORD_OFFSET:
		*target = code + place->program->low;
		break;
	case PREDICT_WORD_FROM:
		*target = base + code;
		break;
	case PREDICT_WORD_FROM31:
		if (code >> 31 != 0)
			return false;
		*target = base + ((code ^ 0x40000000) - 0x40000000);
		break;
	case PREDICT_SYMBOL:
		*target = code >> 8;
		return (code & 0xff) == (pair->item.code & 0xff);
	}
	return predict_is_inside(place->program, *target);
}
