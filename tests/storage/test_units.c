/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/storage/in_place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEBS     ((size_t)6)
#define LEB_SIZE ((size_t)4032)
#define LENGTH   (5 * LEB_SIZE + 1000) /* of the content: the last LEB is used in part */

static uint8_t old_content[LEBS * LEB_SIZE];
static uint8_t new_content[LENGTH];

static struct in_place plan = {.unit = LEB_SIZE, .length = LENGTH, .before = old_content, .after = new_content};

/* Units 1 and 4 are the same in both versions. */
static void set_up(void)
{
	fill(old_content, sizeof(old_content), 60);
	fill(new_content, sizeof(new_content), 61);
	memcpy(new_content + LEB_SIZE, old_content + LEB_SIZE, LEB_SIZE);
	memcpy(new_content + 4 * LEB_SIZE, old_content + 4 * LEB_SIZE, LEB_SIZE);
}

static struct fake_volume *with_volume(struct fixture *f)
{
	struct fake_volume *volume;

	set_up();
	plan.name = named(STORAGE_UBI, "rootfs");
	fixture_open(f);
	volume = fake_add_volume(f->medium, "rootfs", LEBS, LEB_SIZE, false);
	memcpy(volume->data, old_content, sizeof(old_content));
	return volume;
}

static void with_file(struct fixture *f)
{
	set_up();
	plan.name = named(STORAGE_BLOCK, "rootfs");
	fixture_open(f);
	ck_assert_ptr_nonnull(fake_add_file(f->medium, "/dev/rootfs", old_content, sizeof(old_content)));
}

static void begin_volume(struct fixture *f)
{
	(void)with_volume(f);
}

START_TEST(volume_leb_by_leb)
{
	uint8_t rest[LEB_SIZE];
	struct fixture f;
	struct fake_volume *volume = with_volume(&f);

	ck_assert_msg(in_place_run(&f, &plan) == 0, "%s", f.error.message);
	in_place_check(&f, &plan, true);
	ck_assert(fake_has_call(f.medium, "change rootfs 0 4032"));
	ck_assert(fake_has_call(f.medium, "change rootfs 5 1000"));
	ck_assert(!fake_has_call(f.medium, "change rootfs 1"));
	ck_assert(!fake_has_call(f.medium, "change rootfs 4"));
	ck_assert(!fake_has_call(f.medium, "create")); /* no journal, nor anything else */
	memset(rest, 0xff, sizeof(rest));
	ck_assert_mem_eq(volume->data + LENGTH, rest, LEB_SIZE - 1000);
	fixture_close(&f);
}
END_TEST

START_TEST(cuts_in_a_volume)
{
	ck_assert_uint_eq(in_place_cut(&plan, begin_volume), 4); /* a change each, and nothing else */
}
END_TEST

START_TEST(cuts_in_a_file)
{
	ck_assert_uint_gt(in_place_cut(&plan, with_file), 30);
}
END_TEST

START_TEST(slice_by_slice)
{
	static const char *const lines[] = {"rename /cache/.fota-new /cache/units\n",
	                                    "syncdir /cache\n",
	                                    "write /dev/rootfs 20160 1000\n",
	                                    "sync /dev/rootfs\n",
	                                    "rename /cache/.fota-new /cache/units\n",
	                                    "write /dev/rootfs 12096 4032\n",
	                                    "unlink /cache/units\n",
	                                    NULL};
	struct fixture f;

	with_file(&f);
	ck_assert_msg(in_place_run(&f, &plan) == 0, "%s", f.error.message);
	in_place_check(&f, &plan, true);
	assert_order(f.medium, lines);
	ck_assert(!fake_has_call(f.medium, "write /dev/rootfs 4032"));
	/* what lies behind stays */
	ck_assert_mem_eq(fake_find(f.medium, "/dev/rootfs")->data + LENGTH, old_content + LENGTH, LEB_SIZE - 1000);
	fixture_close(&f);
}
END_TEST

/* What a volume that cannot be changed is told apart by: code and a word of the message. */
static void assert_refused(struct fixture *f, int err, const char *word)
{
	struct storage_units *units;

	ck_assert_int_eq(in_place_open(f, &plan, &units), err);
	ck_assert_ptr_nonnull(strstr(f->error.message, "UBI:rootfs"));
	ck_assert_ptr_nonnull(strstr(f->error.message, word));
	ck_assert(!fake_has_call(f->medium, "change"));
}

START_TEST(volumes_that_are_refused)
{
	struct fixture f;
	struct fake_volume *volume = with_volume(&f);

	volume->info.is_static = true;
	assert_refused(&f, -EROFS, "static");
	volume->info.is_static = false;
	volume->info.interrupted = true;
	assert_refused(&f, -EUCLEAN, "interrupted");
	volume->info.interrupted = false;
	volume->info.leb_size = 2016;
	assert_refused(&f, -EINVAL, "LEBs of 2016 bytes, not of 4032");
	volume->info.leb_size = LEB_SIZE;
	volume->info.size -= LEB_SIZE;
	assert_refused(&f, -ENOSPC, "too small");
	ck_assert_int_eq(f.error.code, RESULT_SPACE);
	fixture_close(&f);
}
END_TEST

START_TEST(busy)
{
	struct storage_units *units;
	struct storage_reader *reader;
	struct fixture f;

	(void)with_volume(&f);
	ck_assert_int_eq(storage_reader_open(f.storage, &plan.name, &reader, NULL), 0);
	ck_assert_int_eq(in_place_run(&f, &plan), -EBUSY);
	ck_assert_ptr_nonnull(strstr(f.error.message, "UBI:rootfs: the volume is in use"));
	storage_reader_close(reader);
	fake_rule(f.medium, "change", 0, 1, -EROFS);
	ck_assert_int_eq(in_place_run(&f, &plan), -EROFS);
	ck_assert_ptr_nonnull(strstr(f.error.message, "the UBI device is read-only"));
	ck_assert_int_eq(in_place_open(&f, &plan, &units), 0);
	ck_assert_int_eq(storage_units_close(units, &f.error), 0);
	in_place_check(&f, &plan, false);
	ck_assert_int_eq(in_place_run(&f, &plan), 0);
	fixture_close(&f);
}
END_TEST

START_TEST(what_is_read_back_differs)
{
	struct storage_units *units;
	struct fixture f;

	for (int is_file = 0; is_file <= 1; is_file++) {
		if (is_file)
			with_file(&f);
		else
			(void)with_volume(&f);
		fake_rule(f.medium, is_file ? "write /dev/rootfs" : "change", 0, 1, FAKE_CORRUPT);
		ck_assert_int_eq(in_place_open(&f, &plan, &units), 0);
		ck_assert_int_eq(storage_units_change(units, 2, new_content, LEB_SIZE, &f.error), -EBADMSG);
		ck_assert_int_eq(f.error.code, RESULT_VERIFY);
		/* The journal holds the only copy of what belongs there. */
		ck_assert_int_eq(storage_units_change(units, 3, new_content, LEB_SIZE, &f.error), -EIO);
		ck_assert_int_eq(storage_units_close(units, &f.error), 0);
		ck_assert_int_eq(storage_units_recover(f.storage, JOURNAL, &f.error), is_file);
		ck_assert_int_eq(in_place_run(&f, &plan), 0);
		in_place_check(&f, &plan, true);
		fixture_close(&f);
	}
}
END_TEST

START_TEST(requests_that_make_no_sense)
{
	struct storage_units_options options = {.length = LENGTH, .unit = LEB_SIZE};
	struct storage_units_info info;
	struct storage_units *units;
	struct storage_name file = named(STORAGE_FILE, "/bin/app");
	struct fixture f;

	with_file(&f);
	ck_assert_int_eq(storage_units_open(f.storage, &file, &options, &units, &info, &f.error), -EINVAL);
	ck_assert_int_eq(storage_units_open(f.storage, &plan.name, &options, &units, &info, &f.error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(f.error.message, "without a journal"));
	options.journal = JOURNAL;
	options.unit = 0;
	ck_assert_int_eq(storage_units_open(f.storage, &plan.name, &options, &units, &info, &f.error), -EINVAL);
	options.unit = LEB_SIZE;
	ck_assert_int_eq(storage_units_open(f.storage, &plan.name, &options, &units, &info, &f.error), 0);
	ck_assert_uint_eq(info.size, sizeof(old_content));
	ck_assert_uint_ge(info.scratch, 2 * LEB_SIZE);
	ck_assert_int_eq(storage_units_change(units, 0, new_content, 0, &f.error), -EINVAL);
	ck_assert_int_eq(storage_units_change(units, 0, new_content, LEB_SIZE + 1, &f.error), -EINVAL);
	ck_assert_int_eq(storage_units_change(units, 5, new_content, 1001, &f.error), -EINVAL);
	ck_assert_int_eq(storage_units_change(units, 6, new_content, 1, &f.error), -EINVAL);
	ck_assert_int_eq(storage_units_change(units, UINT64_MAX, new_content, 1, &f.error), -EINVAL);
	ck_assert_int_eq(storage_units_close(units, &f.error), 0);
	ck_assert(!fake_has_call(f.medium, "write"));
	fixture_close(&f);
}
END_TEST

START_TEST(only_looked_at)
{
	const struct storage_units_options options = {
		.journal = JOURNAL, .length = LENGTH, .unit = LEB_SIZE, .look = true};
	struct storage_reader *reader;
	struct storage_units_info info;
	struct storage_units *units;
	uint8_t data[LEB_SIZE];
	struct reader io;
	struct fixture f;

	(void)with_volume(&f);
	ck_assert_int_eq(storage_reader_open(f.storage, &plan.name, &reader, NULL), 0); /* who is not in the way */
	ck_assert_int_eq(storage_units_open(f.storage, &plan.name, &options, &units, &info, &f.error), 0);
	io = storage_units_io(units);
	ck_assert_int_eq(io.read_at(io.ctx, LEB_SIZE, data, sizeof(data)), 0);
	ck_assert_mem_eq(data, old_content + LEB_SIZE, sizeof(data));
	ck_assert_int_eq(storage_units_change(units, 0, new_content, LEB_SIZE, &f.error), -EBADF);
	ck_assert_int_eq(storage_units_close(units, &f.error), 0);
	ck_assert(!fake_has_call(f.medium, "change"));
	storage_reader_close(reader);
	fixture_close(&f);
}
END_TEST

/* Leave a journal whose unit is half written. */
static void leave_journal(struct fixture *f)
{
	with_file(f);
	fake_rule(f->medium, "sync /dev/rootfs", 0, 1, -ENODEV);
	ck_assert_int_eq(in_place_run(f, &plan), -ENODEV);
	memset(fake_find(f->medium, "/dev/rootfs")->data + 5 * LEB_SIZE, 0x55, 500);
}

START_TEST(journal_of_another_object)
{
	struct storage_units_options options = {.journal = JOURNAL, .length = LEB_SIZE, .unit = LEB_SIZE};
	struct storage_name other = named(STORAGE_UBI, "modem");
	struct storage_units_info info;
	struct storage_units *units;
	struct fixture f;

	leave_journal(&f);
	(void)fake_add_volume(f.medium, "modem", LEBS, LEB_SIZE, false);
	options.look = true;
	ck_assert_int_eq(storage_units_open(f.storage, &other, &options, &units, &info, &f.error), 0);
	ck_assert_int_eq(storage_units_close(units, &f.error), 0);
	ck_assert_ptr_nonnull(fake_find(f.medium, JOURNAL));
	options.look = false;
	ck_assert_int_eq(storage_units_open(f.storage, &other, &options, &units, &info, &f.error), 0);
	ck_assert_int_eq(storage_units_close(units, &f.error), 0);
	in_place_check(&f, &plan, false);
	fixture_close(&f);
	leave_journal(&f);
	(void)fake_add_volume(f.medium, "modem", LEBS, LEB_SIZE, false);
	memcpy(fake_find(f.medium, "/dev/rootfs")->path, "/dev/Rootfs", sizeof("/dev/Rootfs"));
	ck_assert_int_eq(storage_units_open(f.storage, &other, &options, &units, &info, &f.error), -ENOENT);
	ck_assert_ptr_nonnull(strstr(f.error.message, JOURNAL));
	ck_assert_ptr_nonnull(strstr(f.error.message, "EMMC:rootfs"));
	ck_assert_ptr_nonnull(fake_find(f.medium, JOURNAL)); /* it still may be of use */
	fixture_close(&f);
}
END_TEST

START_TEST(journal_that_is_not_whole)
{
	struct fixture f;
	struct fake_node *journal;
	size_t size;

	leave_journal(&f);
	journal = fake_find(f.medium, JOURNAL);
	size = (size_t)journal->stat.size;
	for (size_t at = 0; at < size; at += at < 100 ? 1 : 50) {
		journal->data[at] ^= 0x10;
		ck_assert_int_eq(storage_units_recover(f.storage, JOURNAL, &f.error), 0);
		journal->data[at] ^= 0x10;
		journal->stat.size = at;
		ck_assert_int_eq(storage_units_recover(f.storage, JOURNAL, &f.error), 0);
		journal->stat.size = size;
	}
	ck_assert_int_eq(storage_units_recover(f.storage, JOURNAL, &f.error), 1);
	in_place_check(&f, &plan, false);
	ck_assert_int_eq(storage_units_recover(f.storage, JOURNAL, &f.error), 0);
	fixture_close(&f);
}
END_TEST

/* A journal that power cut short takes none of the room that there was for it. */
START_TEST(journal_that_was_being_written)
{
	struct fixture f;

	leave_journal(&f);
	(void)fake_add_file(f.medium, "/cache/.fota-new", "half", 4);
	ck_assert_int_eq(storage_units_recover(f.storage, JOURNAL, &f.error), 1);
	ck_assert_ptr_null(fake_find(f.medium, "/cache/.fota-new"));
	(void)fake_add_file(f.medium, "/cache/.fota-new", "half", 4);
	fake_rule(f.medium, "unlink /cache/.fota-new", 0, 1, -EROFS);
	ck_assert_int_eq(storage_units_recover(f.storage, JOURNAL, &f.error), -EROFS);
	ck_assert_int_eq(storage_units_recover(f.storage, JOURNAL, &f.error), 0);
	ck_assert_ptr_null(fake_find(f.medium, "/cache/.fota-new"));
	fixture_close(&f);
}
END_TEST

START_TEST(no_room_for_the_journal)
{
	struct fixture f;

	with_file(&f);
	fake_rule(f.medium, "write /cache/.fota-new", 0, 1, -ENOSPC);
	ck_assert_int_eq(in_place_run(&f, &plan), -ENOSPC);
	ck_assert_int_eq(f.error.code, RESULT_SPACE);
	ck_assert_ptr_null(fake_find(f.medium, JOURNAL));
	in_place_check(&f, &plan, false);
	ck_assert_int_eq(in_place_run(&f, &plan), 0);
	in_place_check(&f, &plan, true);
	fixture_close(&f);
}
END_TEST

Suite *suite_units(void)
{
	Suite *suite = suite_create("storage units");
	TCase *tests = tcase_create("units");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, volume_leb_by_leb);
	tcase_add_test(tests, cuts_in_a_volume);
	tcase_add_test(tests, cuts_in_a_file);
	tcase_add_test(tests, slice_by_slice);
	tcase_add_test(tests, volumes_that_are_refused);
	tcase_add_test(tests, busy);
	tcase_add_test(tests, what_is_read_back_differs);
	tcase_add_test(tests, requests_that_make_no_sense);
	tcase_add_test(tests, only_looked_at);
	tcase_add_test(tests, journal_of_another_object);
	tcase_add_test(tests, journal_that_is_not_whole);
	tcase_add_test(tests, journal_that_was_being_written);
	tcase_add_test(tests, no_room_for_the_journal);
	suite_add_tcase(suite, tests);
	return suite;
}
