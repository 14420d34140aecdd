/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/arm.h"
#include "tests/patch/suites.h"

/* Instructions with addresses. The encodings were made by GNU's and LLVM's assemblers. */

#define ROUNDS 20000

/* 32 bits, always the same for the same state, which is not 0. */
static uint32_t random_code(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* An instruction of T32 as it is written in listings. */
static uint32_t t32(uint32_t first, uint32_t second)
{
	return second << 16 | first;
}

START_TEST(test_a32_branches)
{
	static const struct {
		uint32_t code, at, target;
	} known[] = {
		{0xeafffffe, 0, 0},        /* b . */
		{0xeb00003d, 4, 0x100},    /* bl */
		{0x0afffffc, 8, 0},        /* beq */
		{0xeb7fffff, 0, 0x2000004} /* the farthest */
	};
	uint32_t target;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		ck_assert(arm_a32_branch(known[i].code, known[i].at, &target));
		ck_assert_uint_eq(target, known[i].target);
		ck_assert_uint_eq(arm_a32_branch_to(known[i].code & 0xff000000, known[i].at, target), known[i].code);
	}
	ck_assert(!arm_a32_branch(0xfa0003bb, 0x10c, &target)); /* blx */
	ck_assert(!arm_a32_branch(0xe59f0008, 0, &target));     /* ldr */
	ck_assert(arm_a32_branch(0xeafffffe, 0xc0208000, &target));
	ck_assert_uint_eq(target, 0xc0208000);
}
END_TEST

START_TEST(test_t32_branches)
{
	static const struct {
		uint32_t first, second, at;
		enum arm_t32_branch kind;
		uint32_t target;
	} known[] = {
		{0xf000, 0xfefe, 0x200, ARM_BRANCH, 0x1000},         /* bl */
		{0xf7ff, 0xbffc, 0x204, ARM_BRANCH, 0x200},          /* b.w */
		{0xf03f, 0xa6fb, 0x20a, ARM_BRANCH_IF, 0x80004},     /* beq.w */
		{0xf77f, 0xaff7, 0x20e, ARM_BRANCH_IF, 0x200},       /* ble.w */
		{0xf7ff, 0xef7e, 0x202, ARM_BRANCH_X, 0x100},        /* blx, counted from 0x204 */
		{0xf3ff, 0xc000, 0x1000, ARM_BRANCH_X, 0x01000004},  /* far */
		{0xf7ff, 0xff7e, 0xfffffffc, ARM_BRANCH, 0xfffffefc} /* around the end */
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		uint32_t code = t32(known[i].first, known[i].second);
		uint32_t target;

		ck_assert_int_eq(arm_t32_branch(code, known[i].at, &target), known[i].kind);
		ck_assert_uint_eq(target, known[i].target);
		ck_assert_uint_eq(arm_t32_branch_to(known[i].kind, code, known[i].at, target), code);
	}
}
END_TEST

START_TEST(test_t32_others_are_no_branches)
{
	static const uint32_t others[][2] = {
		{0x4780, 0xf000}, /* blx r0 */
		{0xf64a, 0x33cd}, /* movw */
		{0xf380, 0x8000}, /* msr: where B<c>.W would have the condition 14 */
		{0xf3af, 0x8000}, /* nop.w */
		{0xf000, 0xc001}, /* blx with its last bit set is undefined */
		{0xe800, 0xf800}, /* something else in front */
	};
	uint32_t target;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_int_eq(arm_t32_branch(t32(others[i][0], others[i][1]), 0, &target), ARM_NO_BRANCH);
}
END_TEST

START_TEST(test_a32_halves)
{
	struct arm_half half;

	ck_assert(arm_a32_half(0xe30a3bcd, &half)); /* movw r3, #0xabcd */
	ck_assert(!half.upper);
	ck_assert_uint_eq(half.target, 3);
	ck_assert_uint_eq(half.value, 0xabcd);
	ck_assert(arm_a32_half(0xe3413234, &half)); /* movt r3, #0x1234 */
	ck_assert(half.upper);
	ck_assert_uint_eq(half.value, 0x1234);
	ck_assert(arm_a32_half(0x0300c001, &half)); /* movweq ip, #1 */
	ck_assert_uint_eq(half.target, 12);
	ck_assert(!arm_a32_half(0xf300c001, &half));
	ck_assert(!arm_a32_half(0xe3a03001, &half)); /* mov */
	ck_assert_uint_eq(arm_a32_half_with(0xe30a3bcd, 0x1234f00f), 0xe30f300f);
}
END_TEST

START_TEST(test_t32_halves)
{
	struct arm_half half;

	ck_assert(arm_t32_half(t32(0xf64a, 0x33cd), &half)); /* movw r3, #0xabcd */
	ck_assert(!half.upper);
	ck_assert_uint_eq(half.target, 3);
	ck_assert_uint_eq(half.value, 0xabcd);
	ck_assert(arm_t32_half(t32(0xf6c1, 0x7e34), &half)); /* movt lr, #0x1f34 */
	ck_assert(half.upper);
	ck_assert_uint_eq(half.target, 14);
	ck_assert_uint_eq(half.value, 0x1f34);
	ck_assert(!arm_t32_half(t32(0xf04f, 0x0301), &half)); /* mov.w */
	ck_assert(!arm_t32_half(t32(0xf64a, 0xb3cd), &half));
	ck_assert_uint_eq(arm_t32_half_with(t32(0xf64a, 0x33cd), 0x99991f34), t32(0xf641, 0x7334));
}
END_TEST

START_TEST(test_t32_literals)
{
	unsigned target;
	uint32_t address;

	ck_assert_uint_eq(arm_t32_literal(t32(0x4802, 0xffff), 0x21a, &target, &address), 2); /* ldr r0, [pc, #8] */
	ck_assert_uint_eq(target, 0);
	ck_assert_uint_eq(address, 0x224);
	ck_assert_uint_eq(arm_t32_literal(t32(0xf8df, 0x9104), 0x21c, &target, &address), 4);
	ck_assert_uint_eq(target, 9);
	ck_assert_uint_eq(address, 0x324);
	ck_assert_uint_eq(arm_t32_literal(t32(0xf85f, 0x9104), 0x21c, &target, &address), 0); /* backward */
	ck_assert_uint_eq(arm_t32_literal(t32(0x4479, 0x4802), 0x21c, &target, &address), 0);
	ck_assert(arm_t32_add_pc(0xffff4479, &target));
	ck_assert_uint_eq(target, 1);
	ck_assert(arm_t32_add_pc(0x000044f9, &target));
	ck_assert_uint_eq(target, 9);
	ck_assert(!arm_t32_add_pc(0x00004469, &target)); /* add r1, sp */
	ck_assert(!arm_t32_add_pc(0x44790000, &target));
}
END_TEST

/* What an instruction says is what it is made of again, and no bit beside it changes with another address. */
START_TEST(test_random_branches)
{
	uint32_t state = 1;
	unsigned found = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		/* Every branch of T32 is among these; most of these are some. */
		uint32_t code = t32(0xf000 | (random_code(&state) & 0x7ff), 0x8000 | (random_code(&state) & 0x7fff));
		uint32_t at = random_code(&state) & ~UINT32_C(1);
		uint32_t target, other;
		enum arm_t32_branch kind = arm_t32_branch(code, at, &target);

		if (kind != ARM_NO_BRANCH) {
			uint32_t align = kind == ARM_BRANCH_X ? ~UINT32_C(3) : ~UINT32_C(1);
			uint32_t range = kind == ARM_BRANCH_IF ? 0xfffff : 0xffffff;
			uint32_t wanted = ((at & align) + (random_code(&state) & range) - range / 2) & align;
			uint32_t there = arm_t32_branch_to(kind, code, at, wanted);

			ck_assert_uint_eq(arm_t32_branch_to(kind, code, at, target), code);
			ck_assert_int_eq(arm_t32_branch(there, at, &other), kind);
			ck_assert_uint_eq(other, wanted);
			ck_assert_uint_eq(arm_t32_branch_to(kind, there, at, target), code);
			found++;
		}
		code = 0x0a000000 | (random_code(&state) & 0xf1ffffff);
		if (arm_a32_branch(code, at, &target)) {
			uint32_t wanted = at + (random_code(&state) & 0x1fffffc);

			ck_assert_uint_eq(arm_a32_branch_to(code, at, target), code);
			ck_assert(arm_a32_branch(arm_a32_branch_to(code, at, wanted), at, &other));
			ck_assert_uint_eq(other, wanted);
			ck_assert_uint_eq(arm_a32_branch_to(arm_a32_branch_to(code, at, wanted), at, target), code);
			found++;
		}
	}
	ck_assert_uint_gt(found, ROUNDS);
}
END_TEST

START_TEST(test_random_halves)
{
	uint32_t state = 2;
	unsigned found = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint32_t code = 0x03000000 | (random_code(&state) & 0xf04fffff);
		uint32_t value = random_code(&state) & 0xffff;
		struct arm_half half, other;

		if (arm_a32_half(code, &half)) {
			ck_assert_uint_eq(arm_a32_half_with(code, half.value), code);
			ck_assert(arm_a32_half(arm_a32_half_with(code, value), &other));
			ck_assert_uint_eq(other.value, value);
			ck_assert(other.upper == half.upper && other.target == half.target);
			ck_assert_uint_eq(arm_a32_half_with(arm_a32_half_with(code, value), half.value), code);
			found++;
		}
		code = 0xf240 | (random_code(&state) & 0x7fff048f);
		ck_assert(arm_t32_half(code, &half));
		ck_assert_uint_eq(arm_t32_half_with(code, half.value), code);
		ck_assert(arm_t32_half(arm_t32_half_with(code, value), &other));
		ck_assert_uint_eq(other.value, value);
		ck_assert(other.upper == half.upper && other.target == half.target);
		ck_assert_uint_eq(arm_t32_half_with(arm_t32_half_with(code, value), half.value), code);
	}
	ck_assert_uint_gt(found, ROUNDS / 2);
}
END_TEST

Suite *suite_arm(void)
{
	Suite *suite = suite_create("arm");
	TCase *tcase = tcase_create("arm");

	tcase_add_test(tcase, test_a32_branches);
	tcase_add_test(tcase, test_t32_branches);
	tcase_add_test(tcase, test_t32_others_are_no_branches);
	tcase_add_test(tcase, test_a32_halves);
	tcase_add_test(tcase, test_t32_halves);
	tcase_add_test(tcase, test_t32_literals);
	tcase_add_test(tcase, test_random_branches);
	tcase_add_test(tcase, test_random_halves);
	suite_add_tcase(suite, tcase);
	return suite;
}
