/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/storage/harness.h"

#include <errno.h>
#include <string.h>

#define LEBS     ((size_t)6)
#define LEB_SIZE ((size_t)4032)

static const struct storage_name *modem(void)
{
	static struct storage_name name = {.kind = STORAGE_UBI, .name = "modem"};

	return &name;
}

static struct fake_volume *open_with_volume(struct fixture *f, bool is_static)
{
	struct fake_volume *volume;

	fixture_open(f);
	volume = fake_add_volume(f->medium, "modem", LEBS, LEB_SIZE, is_static);
	fill(volume->data, LEBS * LEB_SIZE, 50);
	volume->info.used = volume->info.size;
	return volume;
}

START_TEST(update)
{
	static const size_t lengths[] = {1, LEB_SIZE - 1, LEB_SIZE, LEB_SIZE + 1, LEBS * LEB_SIZE};
	uint8_t data[LEBS * LEB_SIZE];

	for (int is_static = 0; is_static <= 1; is_static++)
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			struct fixture f;
			struct fake_volume *volume = open_with_volume(&f, is_static);

			fill(data, lengths[i], 1);
			ck_assert_int_eq(replace(f.storage, modem(), data, lengths[i], lengths[i], 700, NULL, &f.error),
			                 0);
			assert_content(f.storage, modem(), data, lengths[i]);
			ck_assert(!volume->info.interrupted);
			fixture_close(&f);
		}
}
END_TEST

START_TEST(order_of_an_update)
{
	static const char *const lines[] = {"update modem 9000\n",  "ubiwrite modem 4032\n", "ubiwrite modem 4032\n",
	                                    "ubiwrite modem 936\n", "sync modem\n",          NULL};
	uint8_t data[9000];
	struct fixture f;

	(void)open_with_volume(&f, false);
	fill(data, sizeof(data), 1);
	ck_assert_int_eq(replace(f.storage, modem(), data, sizeof(data), sizeof(data), 100, NULL, &f.error), 0);
	assert_order(f.medium, lines);
	fixture_close(&f);
}
END_TEST

START_TEST(nothing_before_the_first_byte)
{
	uint8_t old[LEBS * LEB_SIZE];
	struct storage_writer *writer;
	struct fixture f;
	struct fake_volume *volume = open_with_volume(&f, false);

	memcpy(old, volume->data, sizeof(old));
	ck_assert_int_eq(storage_writer_open(f.storage, modem(), 100, NULL, &writer, NULL), 0);
	storage_writer_abort(writer);
	ck_assert_int_eq(storage_writer_open(f.storage, modem(), 100, NULL, &writer, NULL), 0);
	ck_assert_int_eq(storage_writer_commit(writer, NULL, NULL), -EINVAL);
	ck_assert_int_eq(storage_writer_open(f.storage, modem(), LEBS * LEB_SIZE + 1, NULL, &writer, &f.error),
	                 -ENOSPC);
	ck_assert_int_eq(f.error.code, RESULT_SPACE);
	ck_assert(!fake_has_call(f.medium, "update"));
	assert_content(f.storage, modem(), old, sizeof(old));
	fixture_close(&f);
}
END_TEST

START_TEST(interrupted)
{
	uint8_t data[3 * LEB_SIZE];
	struct storage_writer *writer;
	struct storage_reader *reader;
	uint64_t capacity;
	struct fixture f;

	(void)open_with_volume(&f, true);
	fill(data, sizeof(data), 2);
	ck_assert_int_eq(storage_writer_open(f.storage, modem(), sizeof(data), NULL, &writer, NULL), 0);
	ck_assert_int_eq(storage_writer_write(writer, data, 2 * LEB_SIZE, NULL), 0);
	storage_writer_abort(writer);
	ck_assert_int_eq(storage_reader_open(f.storage, modem(), &reader, &f.error), -EUCLEAN);
	ck_assert_int_eq(f.error.code, RESULT_VERIFY);
	ck_assert_ptr_nonnull(strstr(f.error.message, "UBI:modem"));
	ck_assert_int_eq(storage_capacity(f.storage, modem(), &capacity, NULL), 0);
	ck_assert_uint_eq(capacity, LEBS * LEB_SIZE);
	/* The way back is a new update from the first byte. */
	fake_clear_log(f.medium);
	ck_assert_int_eq(replace(f.storage, modem(), data, sizeof(data), sizeof(data), 512, NULL, &f.error), 0);
	ck_assert(fake_has_call(f.medium, "update modem 12096"));
	assert_content(f.storage, modem(), data, sizeof(data));
	fixture_close(&f);
}
END_TEST

START_TEST(failures)
{
	uint8_t data[3 * LEB_SIZE];
	struct storage_reader *reader;
	struct fixture f;

	fill(data, sizeof(data), 3);
	(void)open_with_volume(&f, false);
	fake_rule(f.medium, "update", 0, 1, -EIO);
	ck_assert_int_eq(replace(f.storage, modem(), data, sizeof(data), sizeof(data), 512, NULL, &f.error), -EIO);
	ck_assert(!fake_has_call(f.medium, "ubiwrite"));
	fake_rule(f.medium, "ubiwrite", 1, 1, -EIO);
	ck_assert_int_eq(replace(f.storage, modem(), data, sizeof(data), sizeof(data), 512, NULL, &f.error), -EIO);
	ck_assert_ptr_nonnull(strstr(f.error.message, "UBI:modem"));
	ck_assert_int_eq(storage_reader_open(f.storage, modem(), &reader, NULL), -EUCLEAN);
	fake_rule(f.medium, "ubiwrite", 2, 1, FAKE_CORRUPT);
	ck_assert_int_eq(replace(f.storage, modem(), data, sizeof(data), sizeof(data), 512, NULL, &f.error), -EBADMSG);
	ck_assert_int_eq(f.error.code, RESULT_VERIFY);
	ck_assert_int_eq(replace(f.storage, modem(), data, sizeof(data), sizeof(data), 512, NULL, &f.error), 0);
	fixture_close(&f);
}
END_TEST

START_TEST(busy)
{
	uint8_t data[100] = {0};
	struct storage_reader *reader;
	struct fixture f;

	(void)open_with_volume(&f, false);
	ck_assert_int_eq(storage_reader_open(f.storage, modem(), &reader, NULL), 0);
	ck_assert_int_eq(replace(f.storage, modem(), data, sizeof(data), sizeof(data), 512, NULL, &f.error), -EBUSY);
	ck_assert_ptr_nonnull(strstr(f.error.message, "in use"));
	storage_reader_close(reader);
	ck_assert_int_eq(replace(f.storage, modem(), data, sizeof(data), sizeof(data), 512, NULL, &f.error), 0);
	fixture_close(&f);
}
END_TEST

START_TEST(emptied)
{
	struct fixture f;
	struct fake_volume *volume = open_with_volume(&f, false);

	ck_assert_int_eq(storage_erase(f.storage, modem(), &f.error), 0);
	ck_assert(fake_has_call(f.medium, "update modem 0"));
	ck_assert(!volume->info.interrupted);
	fake_clear_log(f.medium);
	ck_assert_int_eq(replace(f.storage, modem(), NULL, 0, 0, 1, NULL, &f.error), 0);
	ck_assert(fake_has_call(f.medium, "update modem 0"));
	fake_rule(f.medium, "update", 0, 1, -EROFS);
	ck_assert_int_eq(storage_erase(f.storage, modem(), &f.error), -EROFS);
	fixture_close(&f);
}
END_TEST

Suite *suite_ubi(void)
{
	Suite *suite = suite_create("storage UBI");
	TCase *tests = tcase_create("UBI");

	tcase_add_test(tests, update);
	tcase_add_test(tests, order_of_an_update);
	tcase_add_test(tests, nothing_before_the_first_byte);
	tcase_add_test(tests, interrupted);
	tcase_add_test(tests, failures);
	tcase_add_test(tests, busy);
	tcase_add_test(tests, emptied);
	suite_add_tcase(suite, tests);
	return suite;
}
