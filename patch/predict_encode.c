/* SPDX-License-Identifier: Apache-2.0 */
/* An item's bytes as they mean something else. */
#include "patch/predict.h"

#include "patch/arm.h"

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
