/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/storage/harness.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BLOCKS     ((size_t)12)
#define ERASE_SIZE ((size_t)4096)
#define PAGE_SIZE  ((size_t)512)

static const struct storage_name *boot(void)
{
	static struct storage_name name = {.kind = STORAGE_MTD, .name = "boot"};

	return &name;
}

static struct fake_nand *open_with_nand(struct fixture *f)
{
	struct fake_nand *nand;
	uint8_t old[BLOCKS * ERASE_SIZE];

	fixture_open(f);
	nand = fake_add_nand(f->medium, "boot", BLOCKS, ERASE_SIZE, PAGE_SIZE);
	fill(old, sizeof(old), 99);
	memcpy(nand->data, old, sizeof(old));
	memset(nand->programmed, 1, BLOCKS * ERASE_SIZE / PAGE_SIZE);
	return nand;
}

/* Write `length` bytes and check what every reader sees, and that the rest is erased. */
static void assert_written(struct fixture *f, const struct fake_nand *nand, size_t length)
{
	uint8_t data[BLOCKS * ERASE_SIZE];
	uint8_t erased[ERASE_SIZE];
	size_t left = length;

	memset(erased, 0xff, sizeof(erased));
	fill(data, length, 1);
	ck_assert_msg(replace(f->storage, boot(), data, length, length, 1000, NULL, &f->error) == 0, "%s",
	              f->error.message);
	assert_content(f->storage, boot(), data, length);
	for (unsigned block = 0; block < BLOCKS; block++) {
		const uint8_t *at = nand->data + (size_t)block * ERASE_SIZE;
		size_t used = left < ERASE_SIZE ? left : ERASE_SIZE;

		if (nand->bad[block])
			continue;
		ck_assert_mem_eq(at, data + (length - left), used);
		ck_assert_mem_eq(at + used, erased, ERASE_SIZE - used);
		left -= used;
	}
	ck_assert_uint_eq(left, 0);
}

START_TEST(plain)
{
	static const size_t lengths[] = {
		1, PAGE_SIZE, PAGE_SIZE + 1, ERASE_SIZE - 1, ERASE_SIZE, 3 * ERASE_SIZE + 7, 0, BLOCKS * ERASE_SIZE};
	struct fixture f;
	struct fake_nand *nand = open_with_nand(&f);

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		assert_written(&f, nand, lengths[i]);
	ck_assert(!fake_has_call(f.medium, "markbad"));
	fixture_close(&f);
}
END_TEST

START_TEST(order_of_a_block)
{
	static const char *const lines[] = {"erase boot 0x0\n",
	                                    "program boot 0x0\n",
	                                    "mtdread boot 0x0\n",
	                                    "erase boot 0x1000\n",
	                                    "program boot 0x1000\n",
	                                    "mtdread boot 0x1000\n",
	                                    "erase boot 0x2000\n",
	                                    "erase boot 0xb000\n",
	                                    "mtdread boot 0x0\n",
	                                    "mtdread boot 0x1000\n",
	                                    NULL};
	struct fixture f;
	struct fake_nand *nand = open_with_nand(&f);

	assert_written(&f, nand, ERASE_SIZE + 10);
	assert_order(f.medium, lines);
	fixture_close(&f);
}
END_TEST

START_TEST(factory_bad_blocks)
{
	struct fixture f;
	struct fake_nand *nand = open_with_nand(&f);
	uint64_t capacity;

	nand->bad[0] = nand->bad[1] = nand->bad[5] = nand->bad[BLOCKS - 1] = true;
	ck_assert_int_eq(storage_capacity(f.storage, boot(), &capacity, NULL), 0);
	ck_assert_uint_eq(capacity, (BLOCKS - 4) * ERASE_SIZE);
	assert_written(&f, nand, 5 * ERASE_SIZE + 100);
	assert_written(&f, nand, (BLOCKS - 4) * ERASE_SIZE);
	ck_assert(!fake_has_call(f.medium, "erase boot 0x0"));
	ck_assert(!fake_has_call(f.medium, "erase boot 0x5000"));
	fixture_close(&f);
}
END_TEST

START_TEST(too_small)
{
	uint8_t data[BLOCKS * ERASE_SIZE] = {0};
	struct fixture f;
	struct fake_nand *nand = open_with_nand(&f);

	nand->bad[3] = true;
	ck_assert_int_eq(
		replace(f.storage, boot(), data, sizeof(data), (BLOCKS - 1) * ERASE_SIZE + 1, 512, NULL, &f.error),
		-ENOSPC);
	ck_assert_int_eq(f.error.code, RESULT_SPACE);
	ck_assert(!fake_has_call(f.medium, "erase"));
	ck_assert(!fake_has_call(f.medium, "program"));
	ck_assert_int_eq(replace(f.storage, boot(), data, 1, UINT64_MAX, 512, NULL, &f.error), -ENOSPC);
	fixture_close(&f);
}
END_TEST

START_TEST(one_failure_is_retried)
{
	static const char *const calls[] = {"erase boot 0x1000", "program boot 0x1000", "mtdread boot 0x1000"};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct fixture f;
		struct fake_nand *nand = open_with_nand(&f);

		fake_rule(f.medium, calls[i], 0, 1, i == 2 ? -EBADMSG : -EIO);
		assert_written(&f, nand, 3 * ERASE_SIZE);
		ck_assert(!nand->bad[1]);
		fixture_close(&f);
	}
}
END_TEST

static void assert_retired(const char *call, int result)
{
	struct fixture f;
	struct fake_nand *nand = open_with_nand(&f);

	fake_rule(f.medium, call, 0, 2, result);
	assert_written(&f, nand, 3 * ERASE_SIZE);
	ck_assert(nand->bad[1]);
	ck_assert(fake_has_call(f.medium, "markbad boot 0x1000"));
	ck_assert_ptr_nonnull(strstr(f.remarks, "mtd: skipping write block at 0x00001000"));
	fixture_close(&f);
}

START_TEST(block_goes_bad)
{
	assert_retired("erase boot 0x1000", -EIO);
	assert_retired("program boot 0x1000", -EIO);
	assert_retired("program boot 0x1000", FAKE_CORRUPT);
	assert_retired("mtdread boot 0x1000", -EBADMSG);
}
END_TEST

START_TEST(half_written_block_is_erased_before_the_mark)
{
	static const char *const lines[] = {"program boot 0x1000\n",
	                                    "erase boot 0x1000\n",
	                                    "program boot 0x1000\n",
	                                    "erase boot 0x1000\n",
	                                    "markbad boot 0x1000\n",
	                                    "erase boot 0x2000\n",
	                                    NULL};
	struct fixture f;
	struct fake_nand *nand = open_with_nand(&f);

	fake_rule(f.medium, "program boot 0x1000", 0, 2, -EIO);
	assert_written(&f, nand, 2 * ERASE_SIZE);
	assert_order(f.medium, lines);
	fixture_close(&f);
}
END_TEST

START_TEST(rest_goes_bad)
{
	struct fixture f;
	struct fake_nand *nand = open_with_nand(&f);

	fake_rule(f.medium, "erase boot 0x9000", 0, 2, -EIO);
	assert_written(&f, nand, 2 * ERASE_SIZE);
	ck_assert(nand->bad[9]);
	fixture_close(&f);
}
END_TEST

START_TEST(mark_fails)
{
	uint8_t data[2 * ERASE_SIZE] = {0};
	struct fixture f;

	(void)open_with_nand(&f);
	fake_rule(f.medium, "program boot 0x0", 0, 2, -EIO);
	fake_rule(f.medium, "markbad", 0, 1, -EROFS);
	ck_assert_int_eq(replace(f.storage, boot(), data, sizeof(data), sizeof(data), 512, NULL, &f.error), -EROFS);
	ck_assert_ptr_nonnull(strstr(f.error.message, "cannot be marked bad"));
	ck_assert(!fake_has_call(f.medium, "erase boot 0x1000"));
	fixture_close(&f);
}
END_TEST

/* A fault of the whole device must not turn its blocks bad. */
START_TEST(fault_is_not_a_block)
{
	static const int errors[] = {-EROFS, -EACCES, -ENODEV, -ENXIO, -EINVAL, -ENOMEM};
	static const char *const calls[] = {"erase", "program", "mtdread"};
	uint8_t data[2 * ERASE_SIZE] = {0};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		for (size_t j = 0; j < sizeof(calls) / sizeof(calls[0]); j++) {
			struct fixture f;

			(void)open_with_nand(&f);
			fake_rule(f.medium, calls[j], 1, 100, errors[i]);
			ck_assert_int_eq(
				replace(f.storage, boot(), data, sizeof(data), sizeof(data), 512, NULL, &f.error),
				errors[i]);
			ck_assert(!fake_has_call(f.medium, "markbad"));
			fixture_close(&f);
		}
}
END_TEST

START_TEST(blocks_run_out)
{
	uint8_t data[(BLOCKS - 2) * ERASE_SIZE] = {0};
	struct fixture f;
	struct fake_nand *nand = open_with_nand(&f);

	fake_rule(f.medium, "program boot 0x1000", 0, 2, -EIO);
	fake_rule(f.medium, "program boot 0x2000", 0, 2, -EIO);
	fake_rule(f.medium, "program boot 0x3000", 0, 2, -EIO);
	ck_assert_int_eq(replace(f.storage, boot(), data, sizeof(data), sizeof(data), 512, NULL, &f.error), -ENOSPC);
	ck_assert_int_eq(f.error.code, RESULT_SPACE);
	ck_assert_ptr_nonnull(strstr(f.error.message, "3 blocks went bad"));
	ck_assert(nand->bad[1] && nand->bad[2] && nand->bad[3] && !nand->bad[4]);
	fixture_close(&f);
}
END_TEST

START_TEST(everything_fails)
{
	uint8_t data[ERASE_SIZE] = {0};
	unsigned bad = 0;
	struct fixture f;
	struct fake_nand *nand = open_with_nand(&f);

	fake_rule(f.medium, "program", 0, 1000, -EIO);
	ck_assert_int_eq(replace(f.storage, boot(), data, sizeof(data), sizeof(data), 512, NULL, &f.error), -EIO);
	for (unsigned i = 0; i < BLOCKS; i++)
		bad += nand->bad[i];
	ck_assert_uint_le(bad, 8); /* a dead controller does not cost the whole partition */
	fixture_close(&f);
}
END_TEST

START_TEST(verified_as_a_whole)
{
	uint8_t data[3 * ERASE_SIZE];
	struct digest_value wrong;
	struct fixture f;

	(void)open_with_nand(&f);
	fill(data, sizeof(data), 1);
	wrong = digest_of(data, sizeof(data) - 1, DIGEST_SHA1);
	ck_assert_int_eq(replace(f.storage, boot(), data, sizeof(data), sizeof(data), 512, &wrong, &f.error), -EBADMSG);
	ck_assert_int_eq(f.error.code, RESULT_VERIFY);
	/* Good when written, gone when read as a whole. */
	fake_rule(f.medium, "mtdread boot 0x1000", 1, 1, -EBADMSG);
	ck_assert_int_eq(replace(f.storage, boot(), data, sizeof(data), sizeof(data), 512, NULL, &f.error), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(f.error.message, "MTD:boot"));
	fixture_close(&f);
}
END_TEST

START_TEST(reader_over_bad_blocks)
{
	uint8_t expected[(BLOCKS - 2) * ERASE_SIZE];
	uint8_t found[sizeof(expected)];
	struct storage_reader *reader;
	struct reader io;
	struct fixture f;
	struct fake_nand *nand = open_with_nand(&f);

	nand->bad[0] = nand->bad[6] = true;
	memcpy(expected, nand->data + ERASE_SIZE, 5 * ERASE_SIZE);
	memcpy(expected + 5 * ERASE_SIZE, nand->data + 7 * ERASE_SIZE, 5 * ERASE_SIZE);
	ck_assert_int_eq(storage_reader_open(f.storage, boot(), &reader, NULL), 0);
	io = storage_reader_io(reader);
	ck_assert_uint_eq(io.size, sizeof(expected));
	for (size_t at = 0; at < sizeof(expected); at += 777) {
		size_t n = sizeof(expected) - at < 9000 ? sizeof(expected) - at : 9000;

		ck_assert_int_eq(io.read_at(io.ctx, at, found, n), 0);
		ck_assert_mem_eq(found, expected + at, n);
	}
	ck_assert_int_eq(io.read_at(io.ctx, io.size, found, 0), 0);
	ck_assert_int_eq(io.read_at(io.ctx, io.size, found, 1), -EINVAL);
	ck_assert_int_eq(io.read_at(io.ctx, io.size - 1, found, 2), -EINVAL);
	ck_assert_int_eq(io.read_at(io.ctx, UINT64_MAX, found, 2), -EINVAL);
	storage_reader_close(reader);
	fixture_close(&f);
}
END_TEST

START_TEST(unreadable_pages)
{
	uint8_t found[2 * ERASE_SIZE];
	struct storage_reader *reader;
	struct digest_value value;
	struct reader io;
	struct fixture f;
	struct fake_nand *nand = open_with_nand(&f);

	nand->unreadable[ERASE_SIZE / PAGE_SIZE + 2] = true;
	ck_assert_int_eq(storage_reader_open(f.storage, boot(), &reader, NULL), 0);
	io = storage_reader_io(reader);
	ck_assert_int_eq(io.read_at(io.ctx, 0, found, ERASE_SIZE), 0);
	ck_assert_int_eq(io.read_at(io.ctx, 0, found, sizeof(found)), -EBADMSG);
	ck_assert_int_eq(io.read_at(io.ctx, ERASE_SIZE + 2 * PAGE_SIZE + 511, found, 1), -EBADMSG);
	ck_assert_int_eq(storage_digest(&io, io.size, DIGEST_SHA1, &value, &f.error), -EBADMSG);
	ck_assert_int_eq(f.error.code, RESULT_VERIFY);
	ck_assert_int_eq(storage_digest(&io, io.size + 1, DIGEST_SHA1, &value, &f.error), -EINVAL);
	storage_reader_close(reader);
	fixture_close(&f);
}
END_TEST

START_TEST(erase_partition)
{
	uint8_t erased[ERASE_SIZE];
	struct fixture f;
	struct fake_nand *nand = open_with_nand(&f);

	nand->bad[2] = true;
	fake_rule(f.medium, "erase boot 0x4000", 0, 2, -EIO);
	ck_assert_int_eq(storage_erase(f.storage, boot(), &f.error), 0);
	ck_assert(nand->bad[4]);
	ck_assert(!fake_has_call(f.medium, "erase boot 0x2000"));
	memset(erased, 0xff, sizeof(erased));
	for (unsigned i = 0; i < BLOCKS; i++)
		if (!nand->bad[i])
			ck_assert_mem_eq(nand->data + (size_t)i * ERASE_SIZE, erased, sizeof(erased));
	fixture_close(&f);
}
END_TEST

START_TEST(impossible_geometry)
{
	static const struct storage_mtd_info infos[] = {
		{.size = 8192, .erase_size = 0, .page_size = 512},
		{.size = 8192, .erase_size = 4096, .page_size = 0},
		{.size = 8192, .erase_size = 4096, .page_size = 8192},
		{.size = 8192, .erase_size = 4096, .page_size = 500},
		{.size = 8193, .erase_size = 4096, .page_size = 512},
		{.size = UINT64_C(1) << 40, .erase_size = 1u << 31, .page_size = 512},
		{.size = UINT64_C(1) << 62, .erase_size = 4096, .page_size = 512},
	};
	struct storage_reader *reader;
	struct fixture f;
	struct fake_nand *nand = open_with_nand(&f);

	for (size_t i = 0; i < sizeof(infos) / sizeof(infos[0]); i++) {
		nand->info = infos[i];
		ck_assert_int_eq(storage_reader_open(f.storage, boot(), &reader, &f.error), -EINVAL);
	}
	fixture_close(&f);
}
END_TEST

START_TEST(unknown_partition)
{
	struct storage_name name = named(STORAGE_MTD, "nowhere");
	struct storage_reader *reader;
	struct storage_writer *writer;
	uint64_t capacity;
	struct fixture f;

	(void)open_with_nand(&f);
	ck_assert_int_eq(storage_reader_open(f.storage, &name, &reader, &f.error), -ENOENT);
	ck_assert_ptr_nonnull(strstr(f.error.message, "MTD:nowhere"));
	ck_assert_int_eq(storage_writer_open(f.storage, &name, 1, NULL, &writer, &f.error), -ENOENT);
	ck_assert_int_eq(storage_capacity(f.storage, &name, &capacity, &f.error), -ENOENT);
	ck_assert_int_eq(storage_erase(f.storage, &name, &f.error), -ENOENT);
	fixture_close(&f);
}
END_TEST

Suite *suite_mtd(void)
{
	Suite *suite = suite_create("storage MTD");
	TCase *tests = tcase_create("MTD");

	tcase_add_test(tests, plain);
	tcase_add_test(tests, order_of_a_block);
	tcase_add_test(tests, factory_bad_blocks);
	tcase_add_test(tests, too_small);
	tcase_add_test(tests, one_failure_is_retried);
	tcase_add_test(tests, block_goes_bad);
	tcase_add_test(tests, half_written_block_is_erased_before_the_mark);
	tcase_add_test(tests, rest_goes_bad);
	tcase_add_test(tests, mark_fails);
	tcase_add_test(tests, fault_is_not_a_block);
	tcase_add_test(tests, blocks_run_out);
	tcase_add_test(tests, everything_fails);
	tcase_add_test(tests, verified_as_a_whole);
	tcase_add_test(tests, reader_over_bad_blocks);
	tcase_add_test(tests, unreadable_pages);
	tcase_add_test(tests, erase_partition);
	tcase_add_test(tests, impossible_geometry);
	tcase_add_test(tests, unknown_partition);
	suite_add_tcase(suite, tests);
	return suite;
}
