/* SPDX-License-Identifier: Apache-2.0 */
/* The attempt journal: counting that survives power cuts, garbage and its own end. */
#include "misc/misc.h"
#include "nand.h"
#include "suites.h"

#include <string.h>

static struct misc *open_misc(const struct nand *nand)
{
	struct misc *misc;

	ck_assert_int_eq(misc_open(nand->storage, "misc", &misc, NULL), 0);
	return misc;
}

static struct misc_attempts attempts(const struct nand *nand)
{
	struct misc *misc = open_misc(nand);
	struct misc_attempts result;

	ck_assert_int_eq(misc_attempts_read(misc, 0, &result, NULL), 0);
	misc_close(misc);
	return result;
}

START_TEST(test_counting)
{
	struct nand *nand = nand_new((unsigned)_i);
	struct misc *misc = open_misc(nand);

	ck_assert_uint_eq(attempts(nand).begun, 0);
	for (unsigned i = 1; i <= 5; i++) {
		ck_assert_int_eq(misc_attempt_begin(misc, 0, 10, NULL), 0);
		ck_assert_uint_eq(attempts(nand).begun, i);
		ck_assert(attempts(nand).running);
		ck_assert_int_eq(misc_attempt_failed(misc, 509 + (int)i, NULL), 0);
		ck_assert_uint_eq(attempts(nand).begun, i);
		ck_assert_int_eq(attempts(nand).last_code, 509 + (int)i);
		ck_assert(!attempts(nand).running);
	}
	ck_assert_uint_eq(nand->erases, 0);
	ck_assert_int_eq(misc_attempt_succeeded(misc, NULL), 0);
	ck_assert(attempts(nand).succeeded);
	ck_assert_int_eq(misc_attempts_reset(misc, NULL), 0);
	ck_assert_uint_eq(attempts(nand).begun, 0);
	ck_assert(!attempts(nand).succeeded);
	ck_assert_int_eq(attempts(nand).last_code, 0);
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/* An attempt that power cut short is forgiven when it got further, and only then. */
START_TEST(test_forgiving)
{
	struct nand *nand = nand_new(4);
	struct misc *misc = open_misc(nand);
	struct misc_attempts now;

	for (unsigned percent = 0; percent < 100; percent += 10)
		ck_assert_int_eq(misc_attempt_begin(misc, 0, percent, NULL), 0);
	now = attempts(nand);
	ck_assert_uint_eq(now.begun, 1);
	ck_assert_uint_eq(misc_attempts_held(&now, 90), 1);
	ck_assert_uint_eq(misc_attempts_held(&now, 91), 0);
	ck_assert_int_eq(misc_attempt_begin(misc, 0, 90, NULL), 0); /* no further */
	ck_assert_uint_eq(attempts(nand).begun, 2);
	ck_assert_int_eq(misc_attempt_failed(misc, 510, NULL), 0);
	ck_assert_int_eq(misc_attempt_begin(misc, 0, 95, NULL), 0); /* further, but it failed by itself */
	ck_assert_uint_eq(attempts(nand).begun, 3);
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/* A journal is about one upgrade: of another one it has no attempts, and begins to count anew. */
START_TEST(test_another_upgrade)
{
	struct nand *nand = nand_new(4);
	struct misc *misc = open_misc(nand);
	struct misc_attempts now;

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(misc_attempt_begin(misc, i == 2 ? 0 : 7, 50, NULL), 0); /* 0: whichever it is */
	ck_assert_int_eq(misc_attempt_failed(misc, 510, NULL), 0);
	ck_assert_int_eq(misc_attempts_read(misc, 7, &now, NULL), 0);
	ck_assert_uint_eq(now.begun, 4);
	ck_assert_int_eq(now.last_code, 510);
	ck_assert_int_eq(misc_attempts_read(misc, 8, &now, NULL), 0);
	ck_assert_uint_eq(now.begun, 0);
	ck_assert_int_eq(now.last_code, 0);
	ck_assert_uint_eq(attempts(nand).begun, 4); /* looking changes nothing */
	ck_assert_int_eq(misc_attempt_succeeded(misc, NULL), 0);
	ck_assert_int_eq(misc_attempts_read(misc, 7, &now, NULL), 0);
	ck_assert(now.succeeded);
	ck_assert_int_eq(misc_attempts_read(misc, 8, &now, NULL), 0);
	ck_assert(!now.succeeded);
	ck_assert_int_eq(misc_attempt_begin(misc, 8, 0, NULL), 0);
	ck_assert_uint_eq(attempts(nand).begun, 1);
	ck_assert_uint_eq(attempts(nand).progress, 0);
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/* More records than the journal has room for: the count goes on. */
START_TEST(test_full)
{
	struct nand *nand = nand_new((unsigned)_i);
	struct misc *misc = open_misc(nand);

	for (unsigned i = 1; i <= 3 * NAND_PAGES; i++) {
		ck_assert_int_eq(misc_attempt_begin(misc, 0, 0, NULL), 0);
		ck_assert_uint_eq(attempts(nand).begun, i);
	}
	ck_assert_uint_gt(nand->erases, 0);
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/* The flag survives whatever the journal does in the same block. */
START_TEST(test_full_beside_flag)
{
	static const char *const standard[] = {MISC_DEFAULT_ARGUMENT};
	struct nand *nand = nand_new(1);
	struct misc *misc = open_misc(nand);
	struct misc_message message;

	ck_assert_int_eq(misc_arm(misc, standard, 1, NULL), 0);
	for (unsigned i = 1; i <= 2 * NAND_PAGES; i++)
		ck_assert_int_eq(misc_attempt_begin(misc, 0, 0, NULL), 0);
	ck_assert_uint_eq(attempts(nand).begun, 2 * NAND_PAGES);
	ck_assert_int_eq(misc_read_message(misc, &message, NULL), 0);
	ck_assert(misc_is_armed(&message));
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/* Upgrade after upgrade: erased rarely, and never while an upgrade runs. */
START_TEST(test_wear)
{
	static const char *const standard[] = {MISC_DEFAULT_ARGUMENT};
	struct nand *nand = nand_new(4);
	struct misc *misc = open_misc(nand);
	unsigned journal_erases = 0;

	for (int upgrade = 0; upgrade < 100; upgrade++) {
		unsigned before;

		ck_assert_int_eq(misc_arm(misc, standard, 1, NULL), 0);
		before = nand->erases;
		for (int i = 0; i < 5; i++) {
			ck_assert_int_eq(misc_attempt_begin(misc, 0, 0, NULL), 0);
			ck_assert_int_eq(misc_attempt_failed(misc, 510, NULL), 0);
		}
		ck_assert_uint_eq(nand->erases, before);
		ck_assert_int_eq(misc_clear(misc, NULL), 0);
	}
	journal_erases = nand->erases - 200; /* two per upgrade are the flag's */
	ck_assert_uint_le(journal_erases, 100);
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/* Power goes during a count: it is counted or not, never more, never less than before, and counting goes on. */
START_TEST(test_cut_counting)
{
	struct nand *start = nand_new((unsigned)_i);
	struct misc *misc = open_misc(start);

	ck_assert_int_eq(misc_attempt_begin(misc, 0, 7, NULL), 0);
	ck_assert_int_eq(misc_attempt_failed(misc, 511, NULL), 0);
	misc_close(misc);
	for (unsigned cut = 1; cut <= 3; cut++) {
		struct nand *nand = nand_copy(start);
		int err;

		nand->cut_at = cut;
		misc = open_misc(nand);
		err = misc_attempt_begin(misc, 0, 7, NULL);
		misc_close(misc);
		nand->cut_at = 0;
		ck_assert_uint_eq(attempts(nand).begun, cut == 1 ? 1 : 2);
		ck_assert_int_eq(err == 0, cut > 1);
		ck_assert_int_eq(attempts(nand).last_code, 511);
		misc = open_misc(nand);
		ck_assert_int_eq(misc_attempt_begin(misc, 0, 7, NULL), 0);
		ck_assert_uint_eq(attempts(nand).begun, cut == 1 ? 2 : 3);
		misc_close(misc);
		nand_free(nand);
	}
	nand_free(start);
}
END_TEST

START_TEST(test_worn_pages)
{
	struct nand *nand = nand_new(4);
	struct misc *misc = open_misc(nand);

	nand->fail_program = 3; /* three pages that take nothing are passed over */
	ck_assert_int_eq(misc_attempt_begin(misc, 0, 0, NULL), 0);
	ck_assert_uint_eq(attempts(nand).begun, 1);
	nand->fail_program = 1000;
	ck_assert_int_lt(misc_attempt_begin(misc, 0, 0, NULL), 0);
	misc_close(misc);
	nand_free(nand);
}
END_TEST

/* Every single flipped bit of a record makes it not there; the one before it counts. */
START_TEST(test_flipped_bits)
{
	struct nand *nand = nand_new(4);
	struct misc *misc = open_misc(nand);
	uint8_t *record = nand->data + NAND_BLOCK + NAND_PAGE;

	ck_assert_int_eq(misc_attempt_begin(misc, 0, 0, NULL), 0);
	ck_assert_int_eq(misc_attempt_begin(misc, 0, 0, NULL), 0);
	ck_assert_uint_eq(attempts(nand).begun, 2);
	for (unsigned bit = 0; bit < 32 * 8; bit++) {
		record[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_uint_eq(attempts(nand).begun, 1);
		record[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (unsigned length = 0; length < 32; length++) {
		uint8_t saved[32];

		memcpy(saved, record, sizeof(saved));
		memset(record + length, 0xFF, sizeof(saved) - length);
		ck_assert_uint_eq(attempts(nand).begun, 1);
		memcpy(record, saved, sizeof(saved));
	}
	misc_close(misc);
	nand_free(nand);
}
END_TEST

START_TEST(test_garbage)
{
	struct nand *nand = nand_new(4);
	struct misc *misc = open_misc(nand);

	for (size_t i = 0; i < NAND_BLOCK; i++)
		nand->data[NAND_BLOCK + i] = (uint8_t)(i * 37 + i / 13);
	memset(nand->programmed, 1, sizeof(nand->programmed));
	ck_assert_uint_eq(attempts(nand).begun, 0);
	ck_assert_int_eq(misc_attempt_begin(misc, 0, 0, NULL), 0);
	ck_assert_uint_eq(attempts(nand).begun, 1);
	misc_close(misc);
	nand_free(nand);
}
END_TEST

TCase *journal_tests(void)
{
	TCase *tests = tcase_create("journal");

	tcase_add_loop_test(tests, test_counting, 1, 4);
	tcase_add_test(tests, test_forgiving);
	tcase_add_test(tests, test_another_upgrade);
	tcase_add_loop_test(tests, test_full, 1, 3);
	tcase_add_test(tests, test_full_beside_flag);
	tcase_add_test(tests, test_wear);
	tcase_add_loop_test(tests, test_cut_counting, 1, 3);
	tcase_add_test(tests, test_worn_pages);
	tcase_add_test(tests, test_flipped_bits);
	tcase_add_test(tests, test_garbage);
	return tests;
}
