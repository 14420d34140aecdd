/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/test_medium.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

static uint8_t fill[ERASE_SIZE]; /* what is programmed, set by setup() */
static int misc;

static struct medium *medium(void)
{
	return bench_get()->medium;
}

static void setup(void)
{
	bench_setup();
	for (size_t i = 0; i < sizeof(fill); i++)
		fill[i] = (uint8_t)(i * 7 + i / PAGE_SIZE + 1);
	misc = open_as("nand:misc", STORAGE_WRITE);
}

static void reboot(void)
{
	medium_crash(medium(), SURVIVAL_NOTHING, 1);
	misc = open_as("nand:misc", STORAGE_WRITE);
}

static int erase(uint32_t block)
{
	return medium_ops.mtd_erase(medium(), misc, (uint64_t)block * ERASE_SIZE);
}

static int program(uint32_t page, uint32_t count)
{
	return medium_ops.mtd_program(medium(), misc, (uint64_t)page * PAGE_SIZE, fill, (size_t)count * PAGE_SIZE);
}

/* A page as it is read: the error, or 1 when it is what program() put there (its index-th page), 0 when erased,
 * 2 otherwise. */
static int look_at(uint32_t page, uint32_t index)
{
	uint8_t erased[PAGE_SIZE];
	uint8_t data[PAGE_SIZE];
	int err = medium_ops.mtd_read(medium(), misc, (uint64_t)page * PAGE_SIZE, data, sizeof(data));

	memset(erased, 0xff, sizeof(erased));
	if (err < 0) {
		ck_assert_mem_ne(data, fill + (size_t)index * PAGE_SIZE, sizeof(data));
		return err;
	}
	if (memcmp(data, fill + (size_t)index * PAGE_SIZE, sizeof(data)) == 0)
		return 1;
	return memcmp(data, erased, sizeof(data)) == 0 ? 0 : 2;
}

START_TEST(geometry_and_find)
{
	struct storage_location location;
	struct storage_mtd_info info;

	ck_assert_int_eq(medium_ops.find(medium(), STORAGE_MTD, "misc", &location), 0);
	ck_assert_int_eq(location.kind, STORAGE_MTD);
	ck_assert_int_eq(medium_ops.mtd_info(medium(), open_as(location.path, STORAGE_READ), &info), 0);
	ck_assert_uint_eq(info.size, BLOCKS * ERASE_SIZE);
	ck_assert_uint_eq(info.page_size, PAGE_SIZE);
	ck_assert(info.has_bad_blocks);
	ck_assert_int_eq(medium_ops.find(medium(), STORAGE_MTD, "modem", &location), 0);
	ck_assert_int_eq(location.kind, STORAGE_UBI);
	ck_assert_int_eq(medium_ops.find(medium(), STORAGE_UBI, "misc", &location), -ENOENT);
	ck_assert_int_eq(medium_ops.find(medium(), STORAGE_MTD, "nothing", &location), -ENOENT);
	ck_assert_int_eq(medium_ops.find(medium(), STORAGE_UBI, "ubi0:usrdata", &location), 0);
	ck_assert_str_eq(location.path, "volume:usrdata");
}
END_TEST

START_TEST(what_is_written_outlives_the_power)
{
	ck_assert_int_eq(erase(1), 0);
	ck_assert_int_eq(program(8, 3), 0);
	ck_assert_str_eq(bench_get()->verb, "program");
	ck_assert_str_eq(bench_get()->object, "misc");
	ck_assert_uint_eq(bench_get()->offset, ERASE_SIZE);
	ck_assert_uint_eq(bench_get()->length, 3 * PAGE_SIZE);
	ck_assert_uint_eq(bench_get()->tears, 4);
	reboot();
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_int_eq(look_at(8 + i, i), 1);
	ck_assert_int_eq(look_at(11, 3), 0);
}
END_TEST

START_TEST(cut_before_and_after)
{
	CUT(CUT_BEFORE, program(0, 1));
	reboot();
	ck_assert_int_eq(look_at(0, 0), 0);
	CUT(CUT_AFTER, program(0, 1));
	reboot();
	ck_assert_int_eq(look_at(0, 0), 1);
	CUT(CUT_BEFORE, erase(0));
	reboot();
	ck_assert_int_eq(look_at(0, 0), 1);
	CUT(CUT_AFTER, erase(0));
	reboot();
	ck_assert_int_eq(look_at(0, 0), 0);
	ck_assert_int_eq(program(0, 1), 0);
}
END_TEST

START_TEST(torn_program_of_many_pages)
{
	CUT(CUT_TORN + 0, program(0, 4));
	CUT(CUT_TORN + 1, program(8, 4));
	CUT(CUT_TORN + 2, program(16, 4));
	reboot();
	ck_assert_int_eq(look_at(0, 0), -EBADMSG);
	ck_assert_int_eq(look_at(1, 1), 0);
	ck_assert_int_eq(look_at(8, 0), 1);
	ck_assert_int_eq(look_at(9, 1), 1);
	ck_assert_int_eq(look_at(10, 2), -EBADMSG);
	ck_assert_int_eq(look_at(10, 2), -EBADMSG);
	ck_assert_int_eq(look_at(11, 3), 0);
	ck_assert_int_eq(look_at(18, 2), 1);
	for (int i = 0; i < 300; i++) {
		ck_assert_int_eq(look_at(19, 3), 1);
		ck_assert_int_eq(look_at(19, 3), -EBADMSG);
	}
}
END_TEST

START_TEST(torn_program_of_one_page)
{
	CUT(CUT_TORN + 0, program(0, 1));
	CUT(CUT_TORN + 1, program(8, 1));
	CUT(CUT_TORN + 2, program(16, 1));
	CUT(CUT_TORN + 3, program(24, 1));
	reboot();
	ck_assert_int_eq(look_at(0, 0), -EBADMSG);
	ck_assert_int_eq(look_at(8, 0), 2);
	ck_assert_int_eq(look_at(8, 0), -EBADMSG);
	ck_assert_int_eq(look_at(16, 0), 1);
	ck_assert_int_eq(look_at(16, 0), -EBADMSG);
	ck_assert_int_eq(look_at(24, 0), -EBADMSG);
	ck_assert_int_eq(look_at(24, 0), 1);
	ck_assert_int_eq(erase(0), 0);
	ck_assert_int_eq(program(0, 1), 0);
	for (int i = 0; i < 9; i++)
		ck_assert_int_eq(look_at(0, 0), 1);
}
END_TEST

static void program_all_blocks(uint32_t pages)
{
	for (uint32_t block = 0; block < BLOCKS; block++)
		ck_assert_int_eq(program(block * 8, pages), 0);
}

START_TEST(torn_erase)
{
	program_all_blocks(8);
	for (uint32_t tear = 0; tear < 4; tear++)
		CUT(CUT_TORN + tear, erase(tear));
	ck_assert_uint_eq(bench_get()->tears, 4);
	reboot();
	for (uint32_t i = 0; i < 8; i++) {
		ck_assert_int_eq(look_at(i, i), 1);
		ck_assert_int_eq(look_at(i, i), -EBADMSG);
		ck_assert_int_eq(look_at(8 + i, i), i < 4 ? 0 : 1);
		ck_assert_int_eq(look_at(16 + i, i), 0);
		ck_assert_int_eq(look_at(24 + i, i), i < 4 ? 1 : 0);
	}
	ck_assert_int_eq(look_at(1, 1), 1);
	ck_assert_int_eq(look_at(8 + 7, 7), 1);
	ck_assert_int_eq(program(16, 1), 0); /* the block looks as good as new */
}
END_TEST

START_TEST(weak_page_goes_bad_later)
{
	CUT(CUT_TORN + 2, erase(2));
	reboot();
	ck_assert_int_eq(program(16, 2), 0);
	ck_assert_int_eq(look_at(16, 0), 1);
	ck_assert_int_eq(look_at(16, 0), 1);
	ck_assert_int_eq(look_at(16, 0), -EBADMSG);
	reboot();
	ck_assert_int_eq(look_at(16, 0), -EBADMSG);
	ck_assert_int_eq(look_at(17, 1), 1);
	ck_assert_int_eq(erase(2), 0);
	ck_assert_int_eq(program(16, 1), 0);
	for (int i = 0; i < 9; i++)
		ck_assert_int_eq(look_at(16, 0), 1);
}
END_TEST

START_TEST(weak_pages_behind_old_ones_can_be_programmed)
{
	program_all_blocks(2);
	CUT(CUT_TORN + 3, erase(0));
	reboot();
	ck_assert_int_eq(program(2, 1), 0); /* erased whole */
	ck_assert_int_eq(program(4, 1), 0); /* weak */
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(look_at(2, 0), 1);
		ck_assert_int_eq(look_at(4, 0), i < 2 ? 1 : -EBADMSG);
	}
}
END_TEST

START_TEST(program_twice_dies)
{
	ck_assert_int_eq(program(0, 1), 0);
	(void)program(0, 1);
}
END_TEST

START_TEST(program_of_a_torn_page_dies)
{
	CUT(CUT_TORN + 0, program(0, 1));
	reboot();
	(void)program(0, 1);
}
END_TEST

START_TEST(program_backwards_dies)
{
	ck_assert_int_eq(program(3, 1), 0);
	(void)program(2, 1);
}
END_TEST

START_TEST(program_across_a_bad_block_dies)
{
	medium_make_bad(medium(), "misc", 1);
	(void)program(4, 8);
}
END_TEST

START_TEST(bad_blocks)
{
	bool bad = false;

	medium_make_bad(medium(), "misc", 1);
	ck_assert_int_eq(medium_ops.mtd_is_bad(medium(), misc, ERASE_SIZE, &bad), 0);
	ck_assert(bad);
	ck_assert_int_eq(erase(1), -EIO);
	ck_assert_int_eq(program(8, 1), -EIO);
	ck_assert_int_eq(look_at(8, 0), -EIO);
	ck_assert_uint_eq(bench_get()->steps, 0);
	CUT(CUT_AFTER, medium_ops.mtd_mark_bad(medium(), misc, 0));
	ck_assert_uint_eq(bench_get()->tears, 0);
	reboot();
	ck_assert_int_eq(medium_ops.mtd_is_bad(medium(), misc, 0, &bad), 0);
	ck_assert(bad);
	ck_assert_int_eq(medium_ops.mtd_is_bad(medium(), misc, 2 * ERASE_SIZE, &bad), 0);
	ck_assert(!bad);
}
END_TEST

START_TEST(wear_out)
{
	medium_wear_out(medium(), "misc", 0, 3);
	ck_assert_int_eq(erase(0), 0);
	ck_assert_int_eq(program(0, 1), 0);
	ck_assert_int_eq(erase(0), -EIO);
	ck_assert_int_eq(look_at(0, 0), 1);
	ck_assert_int_eq(program(1, 1), -EIO);
	ck_assert_int_eq(look_at(1, 0), -EBADMSG);
	ck_assert_int_eq(erase(0), -EIO);
	ck_assert_int_eq(erase(1), 0);
	medium_wear_out(medium(), "misc", 1, 1);
	ck_assert_int_eq(program(8, 1), -EIO);
}
END_TEST

START_TEST(erases_are_counted)
{
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(erase(1), 0);
	CUT(CUT_TORN + 1, erase(2));
	CUT(CUT_BEFORE, erase(2));
	ck_assert_uint_eq(medium_figures(medium()).erases, 4);
	ck_assert_uint_eq(medium_figures(medium()).block_erases, 3);
	ck_assert_uint_eq(medium_figures(medium()).operations, 5);
}
END_TEST

START_TEST(look_from_outside)
{
	uint8_t data[3 * ERASE_SIZE];

	medium_make_bad(medium(), "misc", 1);
	memset(data, 0x5a, sizeof(data));
	medium_write_nand(medium(), "misc", data, 2 * ERASE_SIZE - 100);
	memset(data, 0, sizeof(data));
	ck_assert(medium_read_nand(medium(), "misc", data, 2 * ERASE_SIZE));
	ck_assert_uint_eq(data[0], 0x5a);
	ck_assert_uint_eq(data[2 * ERASE_SIZE - 101], 0x5a);
	ck_assert_uint_eq(data[2 * ERASE_SIZE - 100], 0xff);
	ck_assert_uint_eq(bench_get()->steps, 0);
	ck_assert_int_eq(look_at(8, 0), -EIO);
	CUT(CUT_TORN + 0, erase(2));
	ck_assert(medium_read_nand(medium(), "misc", data, ERASE_SIZE));
	ck_assert(!medium_read_nand(medium(), "misc", data, ERASE_SIZE + 1));
	ck_assert(!medium_read_nand(medium(), "misc", data, 4 * ERASE_SIZE)); /* more than there is */
}
END_TEST

START_TEST(reading_needs_no_write_access)
{
	misc = open_as("nand:misc", STORAGE_READ);
	ck_assert_int_eq(look_at(0, 0), 0);
	ck_assert_int_eq(erase(0), -EPERM);
	ck_assert_int_eq(program(0, 1), -EBADF);
	ck_assert_int_eq(medium_ops.sync(medium(), misc), -EINVAL);
}
END_TEST

Suite *suite_nand(void)
{
	Suite *suite = suite_create("powercut nand");
	TCase *tcase = tcase_create("nand");

	tcase_add_checked_fixture(tcase, setup, bench_teardown);
	tcase_add_test(tcase, geometry_and_find);
	tcase_add_test(tcase, what_is_written_outlives_the_power);
	tcase_add_test(tcase, cut_before_and_after);
	tcase_add_test(tcase, torn_program_of_many_pages);
	tcase_add_test(tcase, torn_program_of_one_page);
	tcase_add_test(tcase, torn_erase);
	tcase_add_test(tcase, weak_page_goes_bad_later);
	tcase_add_test(tcase, weak_pages_behind_old_ones_can_be_programmed);
	tcase_add_test_raise_signal(tcase, program_twice_dies, SIGABRT);
	tcase_add_test_raise_signal(tcase, program_of_a_torn_page_dies, SIGABRT);
	tcase_add_test_raise_signal(tcase, program_backwards_dies, SIGABRT);
	tcase_add_test_raise_signal(tcase, program_across_a_bad_block_dies, SIGABRT);
	tcase_add_test(tcase, bad_blocks);
	tcase_add_test(tcase, wear_out);
	tcase_add_test(tcase, erases_are_counted);
	tcase_add_test(tcase, look_from_outside);
	tcase_add_test(tcase, reading_needs_no_write_access);
	suite_add_tcase(suite, tcase);
	return suite;
}
