/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/arm.h"

/* How far ahead of an instruction its PC is. */
#define A32_AHEAD 8
#define T32_AHEAD 4

static uint32_t bits(uint32_t value, unsigned low, unsigned count)
{
	return value >> low & ((UINT32_C(1) << count) - 1);
}

static uint32_t with_bits(uint32_t value, unsigned low, unsigned count, uint32_t field)
{
	uint32_t mask = ((UINT32_C(1) << count) - 1) << low;

	return (value & ~mask) | (field << low & mask);
}

static uint32_t sign_extended(uint32_t value, unsigned count)
{
	uint32_t sign = UINT32_C(1) << (count - 1);

	return (value ^ sign) - sign;
}

bool arm_a32_branch(uint32_t code, uint32_t at, uint32_t *target)
{
	if (bits(code, 25, 3) != 5 || bits(code, 28, 4) == 15)
		return false;
	*target = at + A32_AHEAD + 4 * sign_extended(bits(code, 0, 24), 24);
	return true;
}

uint32_t arm_a32_branch_to(uint32_t code, uint32_t at, uint32_t target)
{
	return with_bits(code, 0, 24, (target - at - A32_AHEAD) >> 2);
}

/* BLX counts from a PC whose two low bits are clear. */
static uint32_t t32_base(enum arm_t32_branch kind, uint32_t at)
{
	return kind == ARM_BRANCH_X ? (at + T32_AHEAD) & ~UINT32_C(3) : at + T32_AHEAD;
}

static enum arm_t32_branch t32_kind(uint32_t code)
{
	if (bits(code, 11, 5) != 0x1e || bits(code, 31, 1) == 0)
		return ARM_NO_BRANCH;
	if (bits(code, 28, 1) == 1)
		return ARM_BRANCH;
	if (bits(code, 30, 1) == 1)
		return bits(code, 16, 1) == 0 ? ARM_BRANCH_X : ARM_NO_BRANCH;
	return bits(code, 7, 3) != 7 ? ARM_BRANCH_IF : ARM_NO_BRANCH;
}

enum arm_t32_branch arm_t32_branch(uint32_t code, uint32_t at, uint32_t *target)
{
	enum arm_t32_branch kind = t32_kind(code);
	uint32_t sign = bits(code, 10, 1);
	uint32_t j1 = bits(code, 29, 1);
	uint32_t j2 = bits(code, 27, 1);
	uint32_t low = bits(code, 16, 11) << 1;

	if (kind == ARM_BRANCH_IF)
		*target = sign_extended(sign << 20 | j2 << 19 | j1 << 18 | bits(code, 0, 6) << 12 | low, 21);
	else
		*target = sign_extended(
			sign << 24 | (j1 ^ sign ^ 1) << 23 | (j2 ^ sign ^ 1) << 22 | bits(code, 0, 10) << 12 | low, 25);
	*target += t32_base(kind, at);
	return kind;
}

uint32_t arm_t32_branch_to(enum arm_t32_branch kind, uint32_t code, uint32_t at, uint32_t target)
{
	uint32_t distance = target - t32_base(kind, at);
	uint32_t sign;

	code = kind == ARM_BRANCH_X ? with_bits(code, 17, 10, distance >> 2) : with_bits(code, 16, 11, distance >> 1);
	if (kind == ARM_BRANCH_IF) {
		code = with_bits(code, 0, 6, distance >> 12);
		code = with_bits(code, 10, 1, distance >> 20);
		code = with_bits(code, 29, 1, distance >> 18);
		return with_bits(code, 27, 1, distance >> 19);
	}
	sign = bits(distance, 24, 1);
	code = with_bits(code, 0, 10, distance >> 12);
	code = with_bits(code, 10, 1, sign);
	code = with_bits(code, 29, 1, bits(distance, 23, 1) ^ sign ^ 1);
	return with_bits(code, 27, 1, bits(distance, 22, 1) ^ sign ^ 1);
}

bool arm_a32_half(uint32_t code, struct arm_half *half)
{
	uint32_t operation = bits(code, 20, 8);

	*half = (struct arm_half){.upper = operation == 0x34,
	                          .target = bits(code, 12, 4),
	                          .value = bits(code, 16, 4) << 12 | bits(code, 0, 12)};
	return (operation == 0x30 || operation == 0x34) && bits(code, 28, 4) != 15;
}

uint32_t arm_a32_half_with(uint32_t code, uint32_t value)
{
	return with_bits(with_bits(code, 0, 12, value), 16, 4, value >> 12);
}

bool arm_t32_half(uint32_t code, struct arm_half *half)
{
	uint32_t operation = code & 0x8000fbf0;

	*half = (struct arm_half){.upper = operation == 0xf2c0,
	                          .target = bits(code, 24, 4),
	                          .value = bits(code, 0, 4) << 12 | bits(code, 10, 1) << 11 | bits(code, 28, 3) << 8 |
	                                   bits(code, 16, 8)};
	return operation == 0xf240 || operation == 0xf2c0;
}

uint32_t arm_t32_half_with(uint32_t code, uint32_t value)
{
	code = with_bits(code, 16, 8, value);
	code = with_bits(code, 28, 3, value >> 8);
	code = with_bits(code, 10, 1, value >> 11);
	return with_bits(code, 0, 4, value >> 12);
}

unsigned arm_t32_literal(uint32_t code, uint32_t at, unsigned *target, uint32_t *address)
{
	uint32_t base = (at + T32_AHEAD) & ~UINT32_C(3);

	if (bits(code, 11, 5) == 9) {
		*target = bits(code, 8, 3);
		*address = base + 4 * bits(code, 0, 8);
		return 2;
	}
	if (bits(code, 0, 16) != 0xf8df)
		return 0;
	*target = bits(code, 28, 4);
	*address = base + bits(code, 16, 12);
	return 4;
}

bool arm_t32_add_pc(uint32_t code, unsigned *target)
{
	*target = bits(code, 7, 1) << 3 | bits(code, 0, 3);
	return (code & 0xff78) == 0x4478;
}
