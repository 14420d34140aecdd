/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/storage/harness.h"

#include <errno.h>
#include <string.h>

START_TEST(nand_pages)
{
	uint8_t page[512];
	uint8_t found[1024];
	struct storage_raw *raw;
	struct storage_raw_info info;
	struct fixture f;
	struct fake_nand *nand;

	fixture_open(&f);
	nand = fake_add_nand(f.medium, "misc", 6, 4096, 512);
	nand->bad[0] = nand->bad[2] = true;
	fill(page, sizeof(page), 1);
	ck_assert_int_eq(storage_raw_open(f.storage, "misc", &raw, &info, &f.error), 0);
	ck_assert_int_eq(info.kind, STORAGE_MTD);
	ck_assert_uint_eq(info.size, 16384);
	ck_assert_uint_eq(info.erase_size, 4096);
	ck_assert_uint_eq(info.page_size, 512);
	ck_assert_int_eq(storage_raw_erase(raw, 4096, &f.error), 0);
	ck_assert(fake_has_call(f.medium, "erase misc 0x3000"));
	ck_assert_int_eq(storage_raw_program(raw, 4096 + 512, page, sizeof(page), &f.error), 0);
	ck_assert_mem_eq(nand->data + 0x3000 + 512, page, sizeof(page));
	ck_assert_int_eq(storage_raw_read(raw, 4096 + 512, found, 512, &f.error), 0);
	ck_assert_mem_eq(found, page, 512);
	/* Over the end of a good block into the next one. */
	ck_assert_int_eq(storage_raw_program(raw, 4096 - 512, found, 1024, &f.error), 0);
	ck_assert(fake_has_call(f.medium, "program misc 0x1e00"));
	ck_assert(fake_has_call(f.medium, "program misc 0x3000"));
	storage_raw_close(raw);
	fixture_close(&f);
}
END_TEST

START_TEST(bad_requests)
{
	uint8_t data[4096] = {0};
	struct storage_raw *raw;
	struct storage_raw_info info;
	struct fixture f;
	struct fake_nand *nand;

	fixture_open(&f);
	nand = fake_add_nand(f.medium, "misc", 2, 4096, 512);
	ck_assert_int_eq(storage_raw_open(f.storage, "misc", &raw, &info, &f.error), 0);
	ck_assert_int_eq(storage_raw_erase(raw, 1, &f.error), -EINVAL);
	ck_assert_int_eq(storage_raw_erase(raw, 8192, &f.error), -EINVAL);
	ck_assert_int_eq(storage_raw_erase(raw, UINT64_MAX - 4095, &f.error), -EINVAL);
	ck_assert_int_eq(storage_raw_program(raw, 0, data, 511, &f.error), -EINVAL);
	ck_assert_int_eq(storage_raw_program(raw, 256, data, 512, &f.error), -EINVAL);
	ck_assert_int_eq(storage_raw_program(raw, 8192, data, 512, &f.error), -EINVAL);
	ck_assert_int_eq(storage_raw_read(raw, 8191, data, 2, &f.error), -EINVAL);
	ck_assert_int_eq(storage_raw_read(raw, UINT64_MAX, data, 2, &f.error), -EINVAL);
	nand->unreadable[0] = true;
	ck_assert_int_eq(storage_raw_read(raw, 0, data, 512, &f.error), -EBADMSG);
	fake_rule(f.medium, "erase", 0, 1, -EIO);
	ck_assert_int_eq(storage_raw_erase(raw, 0, &f.error), -EIO);
	fake_rule(f.medium, "program", 0, 1, -EIO);
	ck_assert_int_eq(storage_raw_program(raw, 4096, data, 512, &f.error), -EIO);
	ck_assert(!fake_has_call(f.medium, "markbad"));
	storage_raw_close(raw);
	storage_raw_close(NULL);
	ck_assert_int_eq(storage_raw_open(f.storage, "", &raw, &info, &f.error), -EINVAL);
	ck_assert_int_eq(storage_raw_open(f.storage, "nowhere", &raw, &info, &f.error), -ENOENT);
	fake_add_volume(f.medium, "volume", 2, 4096, false);
	ck_assert_int_eq(storage_raw_open(f.storage, "volume", &raw, &info, &f.error), -EINVAL);
	fixture_close(&f);
}
END_TEST

/* A block that is taken out of use is marked bad, and the others move up. */
START_TEST(retired_block)
{
	struct storage_raw *raw;
	struct storage_raw_info info;
	struct fake_nand *nand;
	uint8_t data[512];
	struct fixture f;

	fixture_open(&f);
	nand = fake_add_nand(f.medium, "misc", 3, 4096, 512);
	memset(nand->data + 8192, 'c', 512);
	ck_assert_int_eq(storage_raw_open(f.storage, "misc", &raw, &info, &f.error), 0);
	ck_assert_int_eq(storage_raw_retire(raw, 512, &info, &f.error), -EINVAL);
	ck_assert_int_eq(storage_raw_retire(raw, 4096, &info, &f.error), 0);
	ck_assert(nand->bad[1] && !nand->bad[0]);
	ck_assert_uint_eq(info.size, 8192);
	ck_assert_int_eq(storage_raw_read(raw, 4096, data, sizeof(data), &f.error), 0);
	ck_assert_uint_eq(data[0], 'c');
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(storage_raw_retire(raw, 0, &info, &f.error), 0);
	ck_assert_uint_eq(info.size, 0);
	storage_raw_close(raw);
	ck_assert_ptr_nonnull(fake_add_file(f.medium, "/dev/file", "0123", 4));
	ck_assert_int_eq(storage_raw_open(f.storage, "file", &raw, &info, &f.error), 0);
	ck_assert_int_eq(storage_raw_retire(raw, 0, &info, &f.error), -EOPNOTSUPP);
	storage_raw_close(raw);
	fixture_close(&f);
}
END_TEST

START_TEST(block_bytes)
{
	static const char *const lines[] = {"write /dev/misc 7 3\n", "sync /dev/misc\n", "read /dev/misc 6 5\n", NULL};
	uint8_t found[5];
	struct storage_raw *raw;
	struct storage_raw_info info;
	struct fixture f;

	fixture_open(&f);
	ck_assert_ptr_nonnull(fake_add_file(f.medium, "/dev/misc", "0123456789abcdef", 16));
	ck_assert_int_eq(storage_raw_open(f.storage, "misc", &raw, &info, &f.error), 0);
	ck_assert_int_eq(info.kind, STORAGE_BLOCK);
	ck_assert_uint_eq(info.size, 16);
	ck_assert_uint_eq(info.erase_size, 1);
	ck_assert_uint_eq(info.page_size, 1);
	ck_assert_int_eq(storage_raw_erase(raw, 3, &f.error), 0);
	ck_assert_int_eq(storage_raw_program(raw, 7, "XYZ", 3, &f.error), 0);
	ck_assert_int_eq(storage_raw_read(raw, 6, found, 5, &f.error), 0);
	ck_assert_mem_eq(found, "6XYZa", 5);
	assert_order(f.medium, lines);
	ck_assert_int_eq(storage_raw_program(raw, 14, "XYZ", 3, &f.error), -EINVAL);
	storage_raw_close(raw);
	fixture_close(&f);
}
END_TEST

Suite *suite_raw(void)
{
	Suite *suite = suite_create("storage raw");
	TCase *tests = tcase_create("raw");

	tcase_add_test(tests, nand_pages);
	tcase_add_test(tests, bad_requests);
	tcase_add_test(tests, retired_block);
	tcase_add_test(tests, block_bytes);
	suite_add_tcase(suite, tests);
	return suite;
}
