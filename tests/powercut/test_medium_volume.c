/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/test_medium.h"

#include <errno.h>
#include <string.h>

static struct medium *medium(void)
{
	return bench_get()->medium;
}

static struct storage_ubi_info info_of(const char *volume)
{
	struct storage_ubi_info info;
	int handle = open_as(volume, STORAGE_READ);

	ck_assert_int_eq(medium_ops.ubi_info(medium(), handle, &info), 0);
	shut(handle);
	return info;
}

static void start(const char *volume, uint64_t bytes, int *handle)
{
	*handle = open_as(volume, STORAGE_WRITE);
	ck_assert_int_eq(medium_ops.ubi_update(medium(), *handle, bytes), 0);
}

START_TEST(update_of_a_static_volume)
{
	char data[8] = "";
	int handle;

	medium_write_volume(medium(), "firmware", "old text", 8);
	ck_assert_uint_eq(info_of("volume:firmware").used, 8);
	start("volume:firmware", 6, &handle);
	ck_assert_int_eq(medium_ops.read(medium(), handle, 0, data, 6), -EBUSY);
	ck_assert_int_eq(medium_ops.ubi_write(medium(), handle, "fresh", 5), 0);
	ck_assert_uint_eq(bench_get()->tears, 2);
	ck_assert_int_eq(medium_ops.ubi_write(medium(), handle, "er", 2), -ENOSPC);
	ck_assert_int_eq(medium_ops.ubi_write(medium(), handle, "!", 1), 0);
	ck_assert_str_eq(bench_get()->verb, "ubiwrite");
	ck_assert_uint_eq(bench_get()->offset, 5);
	ck_assert_uint_eq(bench_get()->tears, 3);
	ck_assert_int_eq(medium_ops.sync(medium(), handle), 0);
	ck_assert_int_eq(medium_ops.read(medium(), handle, 0, data, sizeof(data)), 6);
	ck_assert_str_eq(data, "fresh!");
	medium_crash(medium(), SURVIVAL_NOTHING, 1);
	ck_assert(medium_read_volume(medium(), "firmware", data, 6));
	ck_assert_str_eq(data, "fresh!");
	ck_assert(!medium_read_volume(medium(), "firmware", data, 7));
	ck_assert_uint_eq(info_of("volume:firmware").used, 6);
}
END_TEST

START_TEST(dynamic_volume_reads_to_its_end)
{
	uint8_t data[16];
	int handle;

	start("volume:modem", 3, &handle);
	ck_assert_int_eq(medium_ops.ubi_write(medium(), handle, "new", 3), 0);
	ck_assert_uint_eq(info_of("volume:modem").used, VOLUME_SIZE);
	ck_assert_int_eq(medium_ops.read(medium(), handle, 0, data, sizeof(data)), sizeof(data));
	ck_assert_mem_eq(data, "new\xff\xff", 5);
	ck_assert_int_eq(medium_ops.ubi_update(medium(), handle, VOLUME_SIZE + 1), -EINVAL);
}
END_TEST

START_TEST(power_goes_in_an_update)
{
	static const unsigned ends[] = {CUT_BEFORE, CUT_TORN + 0, CUT_TORN + 1, CUT_TORN + 2};
	char data[8];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		int handle;

		medium_write_volume(medium(), "modem", "old text", 8);
		start("volume:modem", 8, &handle);
		CUT(ends[i], medium_ops.ubi_write(medium(), handle, "new text", 8));
		medium_crash(medium(), SURVIVAL_EVERYTHING, 1);
		ck_assert(info_of("volume:modem").interrupted);
		ck_assert(!medium_read_volume(medium(), "modem", data, 8));
		handle = open_as("volume:modem", STORAGE_WRITE);
		ck_assert_int_eq(medium_ops.read(medium(), handle, 0, data, 8), -EBADF);
		ck_assert_int_eq(medium_ops.ubi_write(medium(), handle, "new text", 8), -EPERM);
		ck_assert_int_eq(medium_ops.ubi_update(medium(), handle, 4), 0);
		ck_assert_int_eq(medium_ops.ubi_write(medium(), handle, "good", 4), 0);
		ck_assert(medium_read_volume(medium(), "modem", data, 4));
		shut(handle);
	}
}
END_TEST

START_TEST(cuts_around_the_marker)
{
	char data[8];
	int handle = open_as("volume:modem", STORAGE_WRITE);

	medium_write_volume(medium(), "modem", "old text", 8);
	CUT(CUT_BEFORE, medium_ops.ubi_update(medium(), handle, 8));
	ck_assert_uint_eq(bench_get()->tears, 0);
	medium_crash(medium(), SURVIVAL_NOTHING, 1);
	ck_assert(medium_read_volume(medium(), "modem", data, 8));
	ck_assert_mem_eq(data, "old text", 8);
	handle = open_as("volume:modem", STORAGE_WRITE);
	CUT(CUT_AFTER, medium_ops.ubi_update(medium(), handle, 8));
	medium_crash(medium(), SURVIVAL_NOTHING, 1);
	ck_assert(info_of("volume:modem").interrupted);
	start("volume:modem", 8, &handle);
	CUT(CUT_AFTER, medium_ops.ubi_write(medium(), handle, "new text", 8));
	medium_crash(medium(), SURVIVAL_NOTHING, 1);
	ck_assert(medium_read_volume(medium(), "modem", data, 8));
	ck_assert_mem_eq(data, "new text", 8);
}
END_TEST

START_TEST(closing_early_leaves_the_marker)
{
	int handle;

	start("volume:modem", 8, &handle);
	ck_assert_int_eq(medium_ops.ubi_write(medium(), handle, "half", 4), 0);
	shut(handle);
	ck_assert(info_of("volume:modem").interrupted);
	start("volume:modem", 0, &handle);
	ck_assert(!info_of("volume:modem").interrupted);
}
END_TEST

START_TEST(one_user_at_a_time)
{
	int writer = open_as("volume:modem", STORAGE_WRITE);
	int reader = open_as("volume:modem", STORAGE_READ);

	ck_assert_int_eq(medium_ops.ubi_update(medium(), reader, 8), -EPERM);
	ck_assert_int_eq(medium_ops.ubi_update(medium(), writer, 8), -EBUSY);
	ck_assert_int_eq(medium_ops.open(medium(), "volume:modem", STORAGE_WRITE), -EBUSY);
	shut(reader);
	ck_assert_int_eq(medium_ops.ubi_update(medium(), writer, 8), 0);
	ck_assert_int_eq(medium_ops.open(medium(), "volume:modem", STORAGE_READ), -EBUSY);
	ck_assert_int_eq(medium_ops.open(medium(), "volume:usrdata", STORAGE_WRITE), -EBUSY);
	shut(open_as("volume:usrdata", STORAGE_READ));
}
END_TEST

START_TEST(one_leb_changes_or_does_not)
{
	static const unsigned ends[] = {CUT_BEFORE, CUT_AFTER};
	static const char *const texts[] = {"old text", "new\xff\xff\xff\xff\xff"};
	char data[4096 + 8];

	for (size_t i = 0; i < 2; i++) {
		int handle;

		memset(data, 'x', sizeof(data));
		memcpy(data + 4096, texts[0], strlen(texts[0]));
		medium_write_volume(medium(), "modem", data, sizeof(data));
		handle = open_as("volume:modem", STORAGE_WRITE);
		CUT(ends[i], medium_ops.ubi_change(medium(), handle, 1, "new", 3));
		ck_assert_str_eq(bench_get()->verb, "change");
		ck_assert_uint_eq(bench_get()->offset, 4096);
		ck_assert_uint_eq(bench_get()->tears, 0);
		medium_crash(medium(), SURVIVAL_NOTHING, 1);
		ck_assert(!info_of("volume:modem").interrupted);
		ck_assert(medium_read_volume(medium(), "modem", data, sizeof(data)));
		ck_assert_mem_eq(data + 4096, texts[i], 8);
		ck_assert_int_eq(data[4095], 'x');
	}
}
END_TEST

START_TEST(changes_that_are_refused)
{
	int handle = open_as("volume:modem", STORAGE_READ);
	char data[8];

	ck_assert_int_eq(medium_ops.ubi_change(medium(), handle, 0, "new", 3), -EROFS);
	shut(handle);
	handle = open_as("volume:firmware", STORAGE_WRITE);
	ck_assert_int_eq(medium_ops.ubi_change(medium(), handle, 0, "new", 3), -EROFS);
	shut(handle);
	handle = open_as("volume:modem", STORAGE_WRITE);
	ck_assert_int_eq(medium_ops.ubi_change(medium(), handle, 4, "new", 3), -EINVAL);
	ck_assert_int_eq(medium_ops.ubi_change(medium(), handle, 0, NULL, 4097), -EINVAL);
	ck_assert_int_eq(open_as("volume:modem", STORAGE_READ) < 0, 0);
	ck_assert_int_eq(medium_ops.ubi_change(medium(), handle, 0, "new", 3), -EBUSY);
	ck_assert_uint_eq(bench_get()->steps, 0);
	medium_crash(medium(), SURVIVAL_NOTHING, 1);
	/* A change does not lift the marker of an update. */
	start("volume:modem", 8, &handle);
	medium_crash(medium(), SURVIVAL_NOTHING, 1);
	handle = open_as("volume:modem", STORAGE_WRITE);
	ck_assert_int_eq(medium_ops.ubi_change(medium(), handle, 0, "new text", 8), 0);
	ck_assert_int_eq(medium_ops.read(medium(), handle, 0, data, 8), -EBADF);
}
END_TEST

START_TEST(emptying_a_volume_formats_its_file_system)
{
	int handle;

	put_text("/usrdata/file", "text");
	ck_assert_int_eq(medium_ops.unmount(medium(), "/usrdata"), 0);
	handle = open_as("volume:usrdata", STORAGE_WRITE);
	ck_assert_int_eq(medium_ops.mount(medium(), "ubifs", "usrdata", "/usrdata", ""), -EBUSY);
	ck_assert_int_eq(medium_ops.ubi_update(medium(), handle, 8), -EOPNOTSUPP);
	ck_assert_int_eq(medium_ops.ubi_update(medium(), handle, 0), 0);
	shut(handle);
	bench_mount();
	ck_assert(is_missing("/usrdata/file"));
	put_text("/usrdata/file", "fresh");
	bench_crash(SURVIVAL_NOTHING, 1);
	ck_assert(has_text("/usrdata/file", "fresh"));
}
END_TEST

Suite *suite_volume(void)
{
	Suite *suite = suite_create("powercut volumes");
	TCase *tcase = tcase_create("volumes");

	tcase_add_checked_fixture(tcase, bench_setup, bench_teardown);
	tcase_add_test(tcase, update_of_a_static_volume);
	tcase_add_test(tcase, dynamic_volume_reads_to_its_end);
	tcase_add_test(tcase, power_goes_in_an_update);
	tcase_add_test(tcase, cuts_around_the_marker);
	tcase_add_test(tcase, closing_early_leaves_the_marker);
	tcase_add_test(tcase, one_user_at_a_time);
	tcase_add_test(tcase, one_leb_changes_or_does_not);
	tcase_add_test(tcase, changes_that_are_refused);
	tcase_add_test(tcase, emptying_a_volume_formats_its_file_system);
	suite_add_tcase(suite, tcase);
	return suite;
}
