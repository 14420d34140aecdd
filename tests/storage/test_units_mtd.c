/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/storage/in_place.h"

#include <errno.h>
#include <string.h>

#define BLOCKS     ((size_t)12)
#define ERASE_SIZE ((size_t)2048)
#define PAGE_SIZE  ((size_t)512)
#define USED       ((size_t)7) /* blocks with content: good ones 0 to 6, which are 0, 1, 3 ... 7 of the partition */
#define LENGTH     (6 * ERASE_SIZE + 700)

static uint8_t old_content[USED * ERASE_SIZE];
static uint8_t new_content[LENGTH];

static struct in_place plan = {.unit = ERASE_SIZE, .length = LENGTH, .before = old_content, .after = new_content};

/* Units 2 and 5 are the same in both versions. */
static struct fake_nand *with_blocks(struct fixture *f, size_t blocks)
{
	struct fake_nand *nand;

	fill(old_content, sizeof(old_content), 70);
	fill(new_content, sizeof(new_content), 71);
	memcpy(new_content + 2 * ERASE_SIZE, old_content + 2 * ERASE_SIZE, ERASE_SIZE);
	memcpy(new_content + 5 * ERASE_SIZE, old_content + 5 * ERASE_SIZE, ERASE_SIZE);
	plan.name = named(STORAGE_MTD, "boot");
	fixture_open(f);
	nand = fake_add_nand(f->medium, "boot", (uint32_t)blocks, ERASE_SIZE, PAGE_SIZE);
	nand->bad[2] = true;
	for (size_t i = 0; i < USED; i++) {
		size_t block = i < 2 ? i : i + 1;

		memcpy(nand->data + block * ERASE_SIZE, old_content + i * ERASE_SIZE, ERASE_SIZE);
		memset(nand->programmed + block * ERASE_SIZE / PAGE_SIZE, 1, ERASE_SIZE / PAGE_SIZE);
	}
	return nand;
}

static void plain(struct fixture *f)
{
	(void)with_blocks(f, BLOCKS);
}

/* Good block 3, and so what lies behind it, has to move. */
static void failing(struct fixture *f)
{
	(void)with_blocks(f, BLOCKS);
	fake_rule(f->medium, "program boot 0x2000", 0, 1000, -EIO);
}

/* A block that is to take another's content fails, too: 0x4000 is the first spare one, 0x2800 comes in the middle. */
static void failing_twice(struct fixture *f)
{
	failing(f);
	fake_rule(f->medium, "erase boot 0x2800", 0, 1000, -EIO);
}

static void failing_spare(struct fixture *f)
{
	failing(f);
	fake_rule(f->medium, "erase boot 0x4000", 0, 1000, -EIO);
}

START_TEST(order_of_a_block)
{
	static const char *const lines[] = {"sync /cache/.fota-new\n",
	                                    "rename /cache/.fota-new /cache/units\n",
	                                    "syncdir /cache\n",
	                                    "erase boot 0x3800\n",
	                                    "program boot 0x3800\n",
	                                    "mtdread boot 0x3800\n",
	                                    "rename /cache/.fota-new /cache/units\n",
	                                    "erase boot 0x2800\n",
	                                    "unlink /cache/units\n",
	                                    "syncdir /cache\n",
	                                    NULL};
	struct fixture f;

	plain(&f);
	ck_assert_msg(in_place_run(&f, &plan) == 0, "%s", f.error.message);
	in_place_check(&f, &plan, true);
	assert_order(f.medium, lines);
	ck_assert(!fake_has_call(f.medium, "erase boot 0x1000")); /* bad */
	ck_assert(!fake_has_call(f.medium, "erase boot 0x1800")); /* the same in both versions */
	ck_assert(!fake_has_call(f.medium, "erase boot 0x4000")); /* behind the content */
	ck_assert(!fake_has_call(f.medium, "markbad"));
	fixture_close(&f);
}
END_TEST

START_TEST(cuts)
{
	ck_assert_uint_gt(in_place_cut(&plan, plain), 50);
}
END_TEST

START_TEST(one_failure_is_retried)
{
	static const char *const calls[] = {"erase boot 0x2000", "program boot 0x2000", "mtdread boot 0x2000"};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct fixture f;

		plain(&f);
		fake_rule(f.medium, calls[i], i == 2 ? 1 : 0, 1, i == 2 ? -EBADMSG : -EIO);
		ck_assert_msg(in_place_run(&f, &plan) == 0, "%s", f.error.message);
		in_place_check(&f, &plan, true);
		ck_assert(!fake_has_call(f.medium, "markbad"));
		fixture_close(&f);
	}
}
END_TEST

START_TEST(blocks_that_fail)
{
	static void (*const worlds[])(struct fixture *) = {failing, failing_twice, failing_spare};
	static const bool bad[][BLOCKS] = {
		{[2] = true, [4] = true}, {[2] = true, [4] = true, [5] = true}, {[2] = true, [4] = true, [8] = true}};

	for (size_t i = 0; i < sizeof(worlds) / sizeof(worlds[0]); i++) {
		struct fixture f;

		worlds[i](&f);
		ck_assert_msg(in_place_run(&f, &plan) == 0, "%s", f.error.message);
		in_place_check(&f, &plan, true);
		ck_assert_mem_eq(f.medium->nand[0].bad, bad[i], sizeof(bad[i]));
		fixture_close(&f);
		ck_assert_uint_gt(in_place_cut(&plan, worlds[i]), 60);
	}
}
END_TEST

START_TEST(no_spare_block)
{
	struct fixture f;

	(void)with_blocks(&f, USED + 1);
	fake_rule(f.medium, "program boot 0x2000", 0, 4, -EIO);
	ck_assert_int_eq(in_place_run(&f, &plan), -ENOSPC);
	ck_assert_int_eq(f.error.code, RESULT_SPACE);
	ck_assert_ptr_nonnull(strstr(f.error.message, "MTD:boot: the block at 0x00002000 fails"));
	ck_assert(!fake_has_call(f.medium, "markbad"));
	/* What belongs there is in the journal, and goes there as soon as the block takes it. */
	ck_assert_int_eq(storage_units_recover(f.storage, JOURNAL, &f.error), -ENOSPC);
	ck_assert_int_eq(storage_units_recover(f.storage, JOURNAL, &f.error), 1);
	in_place_check(&f, &plan, false);
	ck_assert_int_eq(in_place_run(&f, &plan), 0);
	in_place_check(&f, &plan, true);
	fixture_close(&f);
}
END_TEST

/* A cut leaves a journal; then somebody writes the partition by other means, and its block is no more what it was. */
START_TEST(written_by_others_since)
{
	uint8_t *block;
	struct fixture f;

	block = with_blocks(&f, BLOCKS)->data + 3 * (size_t)ERASE_SIZE;
	fake_rule(f.medium, "program boot 0x1800", 0, 1, -ENODEV);
	memcpy(new_content + 2 * ERASE_SIZE, new_content, ERASE_SIZE);
	ck_assert_int_eq(in_place_run(&f, &plan), -ENODEV);
	ck_assert_ptr_nonnull(fake_find(f.medium, JOURNAL));
	memcpy(block, old_content + 2 * ERASE_SIZE, ERASE_SIZE);
	block[0] ^= 1;
	block[ERASE_SIZE / 2] ^= 1;
	memset(f.medium->nand[0].programmed + 3 * ERASE_SIZE / PAGE_SIZE, 1, ERASE_SIZE / PAGE_SIZE);
	ck_assert_int_eq(storage_units_recover(f.storage, JOURNAL, &f.error), 1);
	ck_assert_ptr_null(fake_find(f.medium, JOURNAL));
	block[0] ^= 1;
	block[ERASE_SIZE / 2] ^= 1;
	ck_assert_mem_eq(block, old_content + 2 * ERASE_SIZE, ERASE_SIZE);
	fixture_close(&f);
}
END_TEST

START_TEST(what_cannot_be_moved)
{
	struct storage_units *units;
	struct fixture f;

	failing(&f);
	f.medium->nand[0].unreadable[5 * ERASE_SIZE / PAGE_SIZE] = true;
	ck_assert_int_eq(in_place_open(&f, &plan, &units), 0);
	ck_assert_int_lt(storage_units_change(units, 3, new_content + 3 * ERASE_SIZE, ERASE_SIZE, &f.error), 0);
	ck_assert_ptr_nonnull(strstr(f.error.message, "MTD:boot: moving the block at 0x00002800"));
	ck_assert_int_eq(storage_units_close(units, NULL), 0);
	ck_assert(!fake_has_call(f.medium, "markbad"));
	fixture_close(&f);
}
END_TEST

START_TEST(fault_is_not_a_block)
{
	static const char *const calls[] = {"erase", "program", "markbad"};
	struct storage_stat stat;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct fixture f;

		failing(&f);
		fake_rule(f.medium, calls[i], 0, 1, -EROFS);
		ck_assert_int_eq(in_place_run(&f, &plan), -EROFS);
		ck_assert_ptr_nonnull(strstr(f.error.message, "MTD:boot"));
		ck_assert_int_eq(storage_stat_path(f.storage, JOURNAL, &stat), 0);
		ck_assert(!f.medium->nand[0].bad[4]);
		ck_assert_int_eq(storage_units_recover(f.storage, JOURNAL, &f.error), 1);
		in_place_check(&f, &plan, false);
		fixture_close(&f);
	}
}
END_TEST

START_TEST(other_blocks)
{
	struct storage_units *units;
	struct fixture f;

	plain(&f);
	plan.unit = 2 * ERASE_SIZE;
	ck_assert_int_eq(in_place_open(&f, &plan, &units), -EINVAL);
	plan.unit = ERASE_SIZE;
	ck_assert_ptr_nonnull(strstr(f.error.message, "erase blocks of 2048 bytes, not of 4096"));
	plan.length = BLOCKS * ERASE_SIZE;
	ck_assert_int_eq(in_place_open(&f, &plan, &units), -ENOSPC);
	plan.length = LENGTH;
	ck_assert(!fake_has_call(f.medium, "erase"));
	fixture_close(&f);
}
END_TEST

Suite *suite_units_mtd(void)
{
	Suite *suite = suite_create("storage units of MTD");
	TCase *tests = tcase_create("units of MTD");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, order_of_a_block);
	tcase_add_test(tests, cuts);
	tcase_add_test(tests, one_failure_is_retried);
	tcase_add_test(tests, blocks_that_fail);
	tcase_add_test(tests, no_spare_block);
	tcase_add_test(tests, written_by_others_since);
	tcase_add_test(tests, what_cannot_be_moved);
	tcase_add_test(tests, fault_is_not_a_block);
	tcase_add_test(tests, other_blocks);
	suite_add_tcase(suite, tests);
	return suite;
}
