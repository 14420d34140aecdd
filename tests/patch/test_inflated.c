/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/inflated.h"
#include "tests/patch/craft.h"
#include "tests/patch/suites.h"

#include <errno.h>
#include <string.h>

struct fixture {
	struct bytes plain;
	struct bytes packed;
	struct memory_block block;
	struct reader reader;
	struct error error;
};

static void fixture_open(struct fixture *f, struct bytes plain)
{
	memset(f, 0, sizeof(*f));
	f->plain = plain;
	f->packed = deflate_bytes(&plain, &default_params);
	f->block = (struct memory_block){.data = f->packed.data, .size = f->packed.size};
	f->reader = reader_from_memory(&f->block);
}

static void fixture_close(struct fixture *f)
{
	bytes_free(&f->plain);
	bytes_free(&f->packed);
}

static void expect_at(const struct fixture *f, const struct reader *reader, uint64_t offset, size_t length)
{
	struct bytes got = bytes_new(length);

	ck_assert_int_eq(reader->read_at(reader->ctx, offset, got.data, length), 0);
	ck_assert(memcmp(got.data, f->plain.data + offset, length) == 0);
	bytes_free(&got);
}

/* Sizes about a block, the cache, a full set of points and several halvings of it. */
START_TEST(test_random_access)
{
	static const size_t sizes[] = {1,
	                               INFLATED_BLOCK_SIZE - 1,
	                               INFLATED_BLOCK_SIZE,
	                               INFLATED_BLOCK_SIZE + 1,
	                               INFLATED_BLOCK_SIZE * (INFLATED_SLOTS + 3),
	                               INFLATED_BLOCK_SIZE * INFLATED_POINTS,
	                               INFLATED_BLOCK_SIZE * INFLATED_POINTS + 1,
	                               INFLATED_BLOCK_SIZE * INFLATED_POINTS * 4 + 777};
	size_t size = sizes[_i];
	struct inflated *inflated;
	struct reader reader;
	struct fixture f;
	uint32_t random = 12;

	fixture_open(&f, text_bytes(size, 13));
	ck_assert_int_eq(inflated_open(&inflated, &f.reader, size, &f.error), 0);
	reader = inflated_reader(inflated);
	ck_assert_uint_eq(reader.size, size);
	expect_at(&f, &reader, 0, 1);
	expect_at(&f, &reader, size - 1, 1);
	for (size_t i = 0; i < 100; i++) {
		uint64_t offset = (uint64_t)next_random(&random) * 31 % size;
		size_t length = next_random(&random) % (i % 10 == 0 ? 100000 : 50);

		expect_at(&f, &reader, offset, length < size - offset ? length : size - offset);
	}
	for (uint64_t offset = size > 400000 ? size - 400000 : 0; offset < size; offset += 5000)
		expect_at(&f, &reader, offset, size - offset < 5000 ? size - offset : 5000);
	inflated_close(inflated);
	fixture_close(&f);
}
END_TEST

START_TEST(test_outside)
{
	struct inflated *inflated;
	struct reader reader;
	struct fixture f;
	uint8_t byte[2];

	fixture_open(&f, text_bytes(1000, 13));
	ck_assert_int_eq(inflated_open(&inflated, &f.reader, 1000, &f.error), 0);
	reader = inflated_reader(inflated);
	ck_assert_int_eq(reader.read_at(reader.ctx, 999, byte, 2), -EINVAL);
	ck_assert_int_eq(reader.read_at(reader.ctx, UINT64_MAX, byte, 2), -EINVAL);
	inflated_close(inflated);
	fixture_close(&f);
}
END_TEST

START_TEST(test_empty)
{
	struct inflated *inflated;
	struct fixture f;

	fixture_open(&f, bytes_new(0));
	ck_assert_int_eq(inflated_open(&inflated, &f.reader, 0, &f.error), 0);
	ck_assert_uint_eq(inflated_reader(inflated).size, 0);
	inflated_close(inflated);
	fixture_close(&f);
}
END_TEST

START_TEST(test_wrong_size)
{
	static const uint64_t claims[] = {0, 1, 99999, 100001, UINT64_MAX};
	struct inflated *inflated;
	struct fixture f;

	fixture_open(&f, text_bytes(100000, 13));
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		ck_assert_int_eq(inflated_open(&inflated, &f.reader, claims[i], &f.error), -EINVAL);
		ck_assert_int_eq(f.error.code, RESULT_VERIFY);
		ck_assert_ptr_nonnull(strstr(f.error.message, "inflates to"));
		ck_assert_ptr_null(inflated);
	}
	fixture_close(&f);
}
END_TEST

START_TEST(test_cut_and_flipped)
{
	struct inflated *inflated;
	struct fixture f;
	size_t whole;

	fixture_open(&f, text_bytes(600, 13));
	whole = f.packed.size;
	for (f.reader.size = 0; f.reader.size < whole; f.reader.size++)
		ck_assert_int_eq(inflated_open(&inflated, &f.reader, f.plain.size, &f.error), -EINVAL);
	for (size_t bit = 0; bit < 8 * whole; bit++) {
		f.packed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		(void)inflated_open(&inflated, &f.reader, f.plain.size, &f.error); /* either result is right */
		inflated_close(inflated);
		f.packed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	fixture_close(&f);
}
END_TEST

/* A medium whose second reading differs must not be believed. */
START_TEST(test_source_changes)
{
	struct inflated *inflated;
	struct reader reader;
	struct fixture f;
	uint8_t byte;

	fixture_open(&f, text_bytes(INFLATED_BLOCK_SIZE * (INFLATED_SLOTS + 9), 13));
	ck_assert_int_eq(inflated_open(&inflated, &f.reader, f.plain.size, &f.error), 0);
	reader = inflated_reader(inflated);
	memset(f.packed.data, 0, f.packed.size);
	f.packed.data[0] = 0x03; /* an empty last block */
	ck_assert_int_lt(reader.read_at(reader.ctx, 0, &byte, 1), 0);
	inflated_close(inflated);
	fixture_close(&f);
}
END_TEST

Suite *suite_inflated(void)
{
	Suite *suite = suite_create("inflated");
	TCase *tcase = tcase_create("random access");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, test_random_access, 0, 8);
	tcase_add_test(tcase, test_outside);
	tcase_add_test(tcase, test_empty);
	tcase_add_test(tcase, test_wrong_size);
	tcase_add_test(tcase, test_cut_and_flipped);
	tcase_add_test(tcase, test_source_changes);
	suite_add_tcase(suite, tcase);
	return suite;
}
