/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"
#include "patch/bsdiff.h"
#include "tests/patch/craft.h"
#include "tests/patch/suites.h"

#include <errno.h>
#include <string.h>

#define OLD_SIZE 100

/* 100 old bytes "0123456789" ten times over. */
static struct bytes ten_tens(void)
{
	struct bytes old = bytes_new(OLD_SIZE);

	for (size_t i = 0; i < old.size; i++)
		old.data[i] = (uint8_t)('0' + i % 10);
	return old;
}

/* A patch of every kind of entry, and what it makes of ten_tens(). */
static struct bytes small_patch(struct bytes *expected)
{
	static const struct entry entries[] = {{10, 3, 40}, {0, 0, -45}, {5, 0, 0}, {0, 4, 0}};
	struct bytes diff = bytes_new(15);
	struct bytes extra = bytes_copy("abcdefg", 7);
	struct bytes patch;

	diff.data[0] = 1;
	diff.data[14] = 0xff;
	patch = craft_bsdiff40(entries, 4, &diff, &extra, 22);
	*expected = bytes_copy("1123456789abc56788defg", 22);
	bytes_free(&diff);
	bytes_free(&extra);
	return patch;
}

START_TEST(test_small_patch)
{
	struct bytes old = ten_tens();
	struct bytes expected;
	struct bytes patch = small_patch(&expected);

	apply_expect(&old, &patch, NULL, &expected);
	bytes_free(&old);
	bytes_free(&patch);
	bytes_free(&expected);
}
END_TEST

START_TEST(test_positions_outside_old)
{
	/* 4 bytes at -2..1, then 4 at 98..101, then 2 at 2^62, then 2 at -2^62 */
	static const struct entry entries[] = {{0, 0, -2},
	                                       {4, 0, 96},
	                                       {4, 0, (INT64_C(1) << 62) - 102},
	                                       {2, 0, -(INT64_C(1) << 62) - 2},
	                                       {0, 0, -(INT64_C(1) << 62)},
	                                       {2, 0, 0}};
	struct bytes old = ten_tens();
	struct bytes none = bytes_new(0);
	struct bytes diff = bytes_new(12);
	struct bytes expected = bytes_copy("\x01\x01\x31\x32\x39\x3a\x01\x01\x01\x01\x01\x01", 12);
	struct bytes patch;

	memset(diff.data, 1, diff.size);
	patch = craft_bsdiff40(entries, 6, &diff, &none, 12);
	apply_expect(&old, &patch, NULL, &expected);
	bytes_free(&patch);
	bytes_free(&expected);
	bytes_free(&diff);
	bytes_free(&none);
	bytes_free(&old);
}
END_TEST

START_TEST(test_empty_old)
{
	static const struct entry entry = {3, 2, 0};
	struct bytes old = bytes_new(0);
	struct bytes diff = bytes_copy("abc", 3);
	struct bytes extra = bytes_copy("de", 2);
	struct bytes expected = bytes_copy("abcde", 5);
	struct bytes patch = craft_bsdiff40(&entry, 1, &diff, &extra, 5);

	apply_expect(&old, &patch, NULL, &expected);
	bytes_free(&old);
	bytes_free(&diff);
	bytes_free(&extra);
	bytes_free(&expected);
	bytes_free(&patch);
}
END_TEST

START_TEST(test_magic)
{
	static const struct {
		const char *start;
		const char *message;
	} cases[] = {
		{"", "too few"},
		{"BSDIFF4", "too few"},
		{"BSDIFF41 and more", "neither"},
		{"IMGDIFF1....", "IMGDIFF1"},
		{"BSDF2\1\2\3 and more", "BSDF2"},
		{"ENDSLEY/BSDIFF43....", "ENDSLEY/BSDIFF43"},
		{"PK\3\4zipzip", "504b0304"},
	};
	struct bytes old = ten_tens();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes patch = bytes_copy(cases[i].start, strlen(cases[i].start));

		apply_broken(&old, &patch, 10, cases[i].message);
		bytes_free(&patch);
	}
	bytes_free(&old);
}
END_TEST

START_TEST(test_identify)
{
	static const struct {
		const char *start;
		enum patch_format format;
	} cases[] = {{"BSDIFF40", PATCH_BSDIFF40}, {"IMGDIFF2", PATCH_IMGDIFF2}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct memory_block block = {.data = cases[i].start, .size = strlen(cases[i].start)};
		struct reader reader = reader_from_memory(&block);
		struct content content = content_from_reader(&reader);
		enum patch_format format;

		ck_assert_int_eq(patch_identify(&content, &format, NULL), 0);
		ck_assert_int_eq((int)format, (int)cases[i].format);
	}
}
END_TEST

START_TEST(test_hostile_header)
{
	static const uint64_t minus = UINT64_C(1) << 63;
	static const struct {
		size_t offset;
		uint64_t value;
		const char *message;
	} cases[] = {
		{8, minus | 1, "does not fit"},
		{8, INT64_MAX, "does not fit"},
		{8, UINT64_MAX, "does not fit"},
		{8, 1u << 20, "does not fit"},
		{16, minus | 1, "does not fit"},
		{16, INT64_MAX, "does not fit"},
		{16, 1u << 20, "does not fit"},
		{24, minus | 22, "does not fit"},
		{24, INT64_MAX, "expected 22"},
		{24, 21, "makes 21 bytes"},
		{24, 23, "makes 23 bytes"},
		{24, 0, "makes 0 bytes"},
		{8, 0, "control stream is cut short"},
		{16, 0, "diff stream is cut short"},
	};
	struct bytes old = ten_tens();
	struct bytes expected;
	struct bytes patch = small_patch(&expected);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t before = get_le64(patch.data + cases[i].offset);

		put_le64(patch.data + cases[i].offset, cases[i].value);
		apply_broken(&old, &patch, expected.size, cases[i].message);
		put_le64(patch.data + cases[i].offset, before);
	}
	apply_broken(&old, &patch, expected.size - 1, "expected 21");
	apply_broken(&old, &patch, expected.size + 1, "expected 23");
	bytes_free(&old);
	bytes_free(&expected);
	bytes_free(&patch);
}
END_TEST

START_TEST(test_hostile_entries)
{
	static const struct {
		struct entry entries[3];
		size_t count;
		size_t diff_size, extra_size;
		const char *message;
	} cases[] = {
		{{{-1, 11, 0}}, 1, 10, 11, "control entry of -1"},
		{{{11, -1, 0}}, 1, 11, 10, "control entry of 11 and -1"},
		{{{11, 0, 0}}, 1, 11, 0, "with 10 to go"},
		{{{0, 11, 0}}, 1, 0, 11, "with 10 to go"},
		{{{6, 5, 0}}, 1, 6, 5, "with 10 to go"},
		{{{INT64_MAX, INT64_MAX, 0}}, 1, 6, 5, "with 10 to go"},
		{{{5, 0, 0}, {5, 1, 0}}, 2, 10, 1, "with 5 to go"},
		{{{1, 0, INT64_MAX}, {9, 0, 0}}, 2, 10, 0, "moves the old position"},
		{{{0, 0, INT64_MAX}, {10, 0, 0}}, 2, 10, 0, "moves the old position"},
		{{{1, 0, -INT64_MAX}, {0, 0, -INT64_MAX}}, 2, 10, 0, "moves the old position"},
		{{{0, 0, 0}}, 0, 10, 0, "control stream holds too few"},
		{{{5, 4, 0}}, 1, 5, 4, "control stream holds too few"},
		{{{10, 0, 0}}, 1, 9, 0, "diff stream holds too few"},
		{{{0, 10, 0}}, 1, 0, 9, "extra stream holds too few"},
		{{{10, 0, 0}}, 1, 11, 0, "diff stream holds too many"},
		{{{10, 0, 0}}, 1, 10, 1, "extra stream holds too many"},
		{{{10, 0, 0}, {0, 0, 0}}, 2, 10, 0, "control stream holds too many"},
	};
	struct bytes old = ten_tens();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes diff = bytes_new(cases[i].diff_size);
		struct bytes extra = bytes_new(cases[i].extra_size);
		struct bytes patch = craft_bsdiff40(cases[i].entries, cases[i].count, &diff, &extra, 10);

		apply_broken(&old, &patch, 10, cases[i].message);
		bytes_free(&diff);
		bytes_free(&extra);
		bytes_free(&patch);
	}
	bytes_free(&old);
}
END_TEST

START_TEST(test_idle_entries)
{
	struct entry entries[200] = {{0, 0, 0}};
	struct bytes old = ten_tens();
	struct bytes none = bytes_new(0);
	struct bytes diff = bytes_new(10);
	struct bytes patch;

	entries[199].add = 10;
	patch = craft_bsdiff40(entries, 200, &diff, &none, 10);
	apply_broken(&old, &patch, 10, "leads nowhere");
	bytes_free(&patch);
	patch = craft_bsdiff40(entries + 190, 10, &diff, &none, 10);
	old.size = 10;
	apply_expect(&old, &patch, NULL, &old);
	bytes_free(&patch);
	bytes_free(&diff);
	bytes_free(&none);
	bytes_free(&old);
}
END_TEST

START_TEST(test_cut_and_flipped)
{
	struct bytes old = ten_tens();
	struct bytes expected;
	struct bytes patch = small_patch(&expected);

	apply_cut_everywhere(&old, &patch, expected.size);
	apply_flip_every_bit(&old, &patch, expected.size);
	bytes_free(&old);
	bytes_free(&expected);
	bytes_free(&patch);
}
END_TEST

START_TEST(test_callers_errors)
{
	struct bytes old = text_bytes(100000, 1);
	struct bytes new = edited_copy(&old, 2);
	struct bytes patch = make_bsdiff40(&old, &new);
	struct apply_run good = {.old = &old, .patch = &patch, .expected_size = new.size, .read_at_most = 7};
	struct apply_run runs[] = {good, good, good};

	ck_assert_int_eq(apply_run(&good), 0);
	bytes_expect_equal(&good.out, &new);
	bytes_free(&good.out);
	runs[0].fail_old = EIO;
	runs[1].fail_patch = EBADMSG;
	runs[2].fail_sink = ENOSPC;
	ck_assert_int_eq(apply_run(&runs[0]), -EIO);
	ck_assert_int_eq(apply_run(&runs[1]), -EBADMSG);
	ck_assert_int_eq(apply_run(&runs[2]), -ENOSPC);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(runs[i].error.code, 0);
		ck_assert_ptr_nonnull(strstr(runs[i].error.message, i == 0   ? "old content"
		                                                    : i == 1 ? "patch"
		                                                             : "written"));
		bytes_free(&runs[i].out);
	}
	bytes_free(&old);
	bytes_free(&new);
	bytes_free(&patch);
}
END_TEST

/* What a patch says that it needs is what it takes, and not much more. */
static void expect_memory(const struct apply_run *run)
{
	struct memory_block block = {.data = run->patch->data, .size = run->patch->size};
	struct reader reader = reader_from_memory(&block);
	struct content content = content_from_reader(&reader);
	uint64_t memory;

	ck_assert_int_eq(patch_memory(&content, &memory, NULL), 0);
	ck_assert_uint_le(run->peak, memory);
	ck_assert_uint_gt(run->peak + (512u << 10), memory);
}

/* As other writers have it: every stream asks for the largest blocks. */
static void claim_largest_blocks(struct bytes *patch)
{
	size_t control = (size_t)get_le64(patch->data + 8);
	size_t starts[] = {0, control, control + (size_t)get_le64(patch->data + 16)};

	for (size_t i = 0; i < 3; i++) {
		uint8_t *stream = patch->data + BSDIFF_HEADER_SIZE + starts[i];

		ck_assert(memcmp(stream, "BZh", 3) == 0);
		stream[3] = '9';
	}
}

START_TEST(test_memory)
{
	struct bytes old = text_bytes(700000, 1);
	struct bytes noise = random_bytes(200000, 3);
	struct bytes new = edited_copy(&old, 2);
	struct bytes patch;
	struct apply_run run = {.old = &old, .patch = &patch};

	bytes_append(&new, noise.data, noise.size);
	patch = make_bsdiff40(&old, &new);
	claim_largest_blocks(&patch);
	run.expected_size = new.size;
	ck_assert_int_eq(apply_run(&run), 0);
	bytes_expect_equal(&run.out, &new);
	/* All three windows were there, or this would not test what it says. */
	ck_assert_uint_gt(run.peak, 10u << 20);
	ck_assert_uint_le(run.peak, PATCH_BSDIFF40_MEMORY);
	expect_memory(&run);
	bytes_free(&run.out);
	bytes_free(&old);
	bytes_free(&noise);
	bytes_free(&new);
	bytes_free(&patch);
}
END_TEST

START_TEST(test_memory_of_small_blocks)
{
	struct bytes old = ten_tens();
	struct bytes expected;
	struct bytes patch = small_patch(&expected);
	struct apply_run run = {.old = &old, .patch = &patch, .expected_size = expected.size};

	ck_assert_int_eq(apply_run(&run), 0);
	expect_memory(&run);
	/* Cut or flipped, it says something or nothing, but reads nothing that is not there. */
	for (size_t i = 0; i < patch.size; i++) {
		struct memory_block block = {.data = patch.data, .size = i};
		struct reader reader = reader_from_memory(&block);
		struct content content = content_from_reader(&reader);
		uint64_t memory;

		if (patch_memory(&content, &memory, &run.error) < 0)
			ck_assert_uint_gt(strlen(run.error.message), 0);
	}
	bytes_free(&run.out);
	bytes_free(&old);
	bytes_free(&patch);
	bytes_free(&expected);
}
END_TEST

Suite *suite_bsdiff(void)
{
	Suite *suite = suite_create("bsdiff");
	TCase *tcase = tcase_create("apply");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, test_small_patch);
	tcase_add_test(tcase, test_positions_outside_old);
	tcase_add_test(tcase, test_empty_old);
	tcase_add_test(tcase, test_magic);
	tcase_add_test(tcase, test_identify);
	tcase_add_test(tcase, test_hostile_header);
	tcase_add_test(tcase, test_hostile_entries);
	tcase_add_test(tcase, test_idle_entries);
	tcase_add_test(tcase, test_cut_and_flipped);
	tcase_add_test(tcase, test_callers_errors);
	tcase_add_test(tcase, test_memory);
	tcase_add_test(tcase, test_memory_of_small_blocks);
	suite_add_tcase(suite, tcase);
	return suite;
}
