/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_ARM_H
#define PATCH_ARM_H

/*
 * Instructions of 32-bit ARM that hold addresses, taken apart and put together again (ARM DDI 0406C: B and BL in
 * A8.8.18 and A8.8.25, MOV (immediate) A8.8.102, MOVT A8.8.106, LDR (literal) A8.8.64, ADD (register) A8.8.6). An A32
 * instruction is a little-endian word; one of T32 has its first halfword in the low bits. What is put together keeps
 * all that is no part of the address; of an address that does not fit it takes the bits that do.
 */
#include <stdbool.h>
#include <stdint.h>

/* B or BL that lies at this address; those with a condition, too, but not BLX, whose 4 top bits are set. */
bool arm_a32_branch(uint32_t code, uint32_t at, uint32_t *target);
uint32_t arm_a32_branch_to(uint32_t code, uint32_t at, uint32_t target);

enum arm_t32_branch {
	ARM_NO_BRANCH,
	ARM_BRANCH,    /* B.W, BL */
	ARM_BRANCH_X,  /* BLX: to A32 */
	ARM_BRANCH_IF, /* B<c>.W */
};

/* Where it leads is only said of a branch. */
enum arm_t32_branch arm_t32_branch(uint32_t code, uint32_t at, uint32_t *target);
uint32_t arm_t32_branch_to(enum arm_t32_branch kind, uint32_t code, uint32_t at, uint32_t target);

/* MOVW, or MOVT for the upper half: 16 bits for a register. */
struct arm_half {
	bool upper;
	unsigned target; /* register */
	uint32_t value;
};
bool arm_a32_half(uint32_t code, struct arm_half *half);
uint32_t arm_a32_half_with(uint32_t code, uint32_t value);
bool arm_t32_half(uint32_t code, struct arm_half *half);
uint32_t arm_t32_half_with(uint32_t code, uint32_t value);

/*
 * LDR Rt, [PC, #n] of T32 that lies at this address, forward only: the address that it loads from. Returns the
 * instruction's bytes, 0 when it is another one.
 */
unsigned arm_t32_literal(uint32_t code, uint32_t at, unsigned *target, uint32_t *address);

/* ADD Rt, PC of T32, in the low halfword. */
bool arm_t32_add_pc(uint32_t code, unsigned *target);

#endif
