/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/inflate_seek.h"
#include "patch/regzip.h"
#include "tests/patch/native_trip.h"
#include "tests/patch/show.h"
#include "tests/patch/squeeze.h"
#include "tests/patch/suites.h"

#include <string.h>

enum { HEADER = 10, TRAILER = 8, LEVELS = 9 };

static struct bytes regzip(const struct bytes *plain, unsigned level, size_t piece)
{
	struct bytes made = {NULL, 0};
	struct sink sink = bytes_sink(&made);
	struct error error = {.message = ""};
	struct regzip *regzip;
	struct sink in;

	ck_assert_int_eq(regzip_open(&regzip, level, &sink, &error), 0);
	in = regzip_sink(regzip);
	for (size_t at = 0; at < plain->size; at += piece) {
		size_t n = plain->size - at < piece ? plain->size - at : piece;

		ck_assert_int_eq(in.write(in.ctx, plain->data + at, n), 0);
	}
	ck_assert_int_eq(regzip_finish(regzip), 0);
	regzip_close(regzip);
	return made;
}

static void expect_gzip(const struct bytes *plain, unsigned level, size_t piece)
{
	struct bytes member = squeeze_gzip(plain, level);
	struct bytes made = regzip(plain, level, piece);

	ck_assert_uint_eq(made.size + HEADER + TRAILER, member.size);
	ck_assert_mem_eq(made.data, member.data + HEADER, made.size);
	bytes_free(&member);
	bytes_free(&made);
}

/* Where the window is full, slides, or ends in the middle of a match. */
START_TEST(test_sizes)
{
	static const size_t sizes[] = {1,     2,     3,     261,   262,   263,   32767, 32768,  32769,
	                               65273, 65274, 65275, 65535, 65536, 65537, 98042, 131071, 200001};
	struct bytes plain = text_bytes(sizes[_i], 5);

	expect_gzip(&plain, 6, 1000);
	expect_gzip(&plain, 9, 65536);
	expect_gzip(&plain, 1, sizes[_i]);
	memset(plain.data, 'x', plain.size);
	expect_gzip(&plain, 9, sizes[_i]);
	expect_gzip(&plain, 2, 4096);
	bytes_free(&plain);
}
END_TEST

/* Noise is stored, what changes begins a block early, three letters are fixed codes or few. */
static struct bytes mixed(uint32_t seed)
{
	struct bytes noise = random_bytes(70000, seed);
	struct bytes all = bytes_copy(noise.data, noise.size);
	struct bytes text = text_bytes(300000, seed + 1);
	uint8_t letters[12000];
	uint32_t state = seed;

	bytes_append(&all, text.data, text.size);
	for (size_t i = 0; i < sizeof(letters); i++)
		letters[i] = (uint8_t)('a' + next_random(&state) % 3);
	bytes_append(&all, letters, sizeof(letters));
	bytes_append(&all, noise.data, noise.size);
	bytes_append(&all, text.data, 33000);
	bytes_free(&noise);
	bytes_free(&text);
	return all;
}

START_TEST(test_levels)
{
	struct bytes plain = mixed((uint32_t)_i);

	expect_gzip(&plain, (unsigned)_i, 30000);
	bytes_free(&plain);
}
END_TEST

/* Distances that are just in reach, and just out of it. */
START_TEST(test_reach)
{
	static const size_t periods[] = {1, 2, 3, 258, 4095, 4096, 4097, 32505, 32506, 32507, 32768};
	struct bytes period = random_bytes(periods[_i], 7);
	struct bytes plain = bytes_new(150000);

	for (size_t i = 0; i < plain.size; i++)
		plain.data[i] = period.data[i % period.size];
	for (unsigned level = 3; level <= LEVELS; level += 3)
		expect_gzip(&plain, level, 50000);
	bytes_free(&period);
	bytes_free(&plain);
}
END_TEST

START_TEST(test_full_sink)
{
	struct bytes plain = random_bytes(300000, 1);
	size_t longest = 1000;
	struct sink sink = full_sink(&longest);
	struct error error = {.message = ""};
	struct regzip *regzip;
	struct sink in;
	int err;

	ck_assert_int_eq(regzip_open(&regzip, 9, &sink, &error), 0);
	in = regzip_sink(regzip);
	err = in.write(in.ctx, plain.data, plain.size);
	ck_assert_int_eq(err, -ENOSPC);
	ck_assert_int_eq(regzip_finish(regzip), -ENOSPC);
	regzip_close(regzip);
	bytes_free(&plain);
}
END_TEST

/* ---- Large parts, read where they are needed ---- */

#define LARGE 2500000u

static struct inflate_seek *open_seek(struct memory_block *coded, struct error *error)
{
	struct reader reader = reader_from_memory(coded);
	struct inflate_seek *seek;

	ck_assert_int_eq(inflate_seek_open(&seek, &reader, LARGE, error), 0);
	return seek;
}

START_TEST(test_seek)
{
	struct bytes plain = text_bytes(LARGE, 5);
	struct bytes member = squeeze_gzip(&plain, _i == 0 ? 1 : 9);
	struct memory_block coded = {.data = member.data + HEADER, .size = member.size - HEADER - TRAILER};
	struct error error = {.message = ""};
	struct inflate_seek *seek = open_seek(&coded, &error);
	size_t before = heap_in_use();
	uint32_t state = 3;
	uint8_t buffer[100000];

	for (int i = 0; i < 150; i++) {
		size_t at = next_random(&state) % LARGE;
		size_t size = next_random(&state) % (i % 8 == 0 ? sizeof(buffer) : 3000);

		if (size > LARGE - at)
			size = LARGE - at;
		ck_assert_int_eq(inflate_seek_read(seek, at, buffer, size), 0);
		ck_assert_mem_eq(buffer, plain.data + at, size);
		ck_assert_uint_le(heap_in_use() - before, inflate_seek_memory());
	}
	ck_assert_int_eq(inflate_seek_read(seek, LARGE - 1, buffer, 2), -EINVAL);
	inflate_seek_close(seek);
	bytes_free(&member);
	bytes_free(&plain);
}
END_TEST

/* Less than was said, or something else: an error where it is needed, and not before. */
START_TEST(test_seek_broken)
{
	struct bytes plain = text_bytes(LARGE, 5);
	struct bytes member = squeeze_gzip(&plain, 6);
	struct memory_block coded = {.data = member.data + HEADER, .size = member.size / 2};
	struct error error = {.message = ""};
	struct inflate_seek *seek = open_seek(&coded, &error);
	uint8_t buffer[1000];

	ck_assert_int_eq(inflate_seek_read(seek, LARGE - 1000, buffer, 1000), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.message, "no DEFLATE data of the size"));
	ck_assert_int_eq(inflate_seek_read(seek, 500000, buffer, 1000), 0);
	ck_assert_mem_eq(buffer, plain.data + 500000, 1000);
	inflate_seek_close(seek);
	memset(member.data + HEADER + coded.size / 2, 0xff, 64);
	seek = open_seek(&coded, &error);
	ck_assert_int_eq(inflate_seek_read(seek, LARGE / 2, buffer, 1000), -EINVAL);
	ck_assert_int_eq(inflate_seek_read(seek, 0, buffer, 1000), 0);
	inflate_seek_close(seek);
	bytes_free(&member);
	bytes_free(&plain);
}
END_TEST

/* A kernel in a header, as Linux's build compresses it, within the usual memory. */
START_TEST(test_large_part)
{
	struct bytes plain = text_bytes(LARGE, 5);
	struct bytes edited = edited_copy(&plain, 6);
	struct bytes old = random_bytes(4096, 7), new = bytes_copy(old.data, old.size);
	struct bytes old_member = squeeze_gzip(&plain, 9), new_member = squeeze_gzip(&edited, 9);
	struct bytes patch;

	bytes_append(&old, old_member.data, old_member.size);
	bytes_append(&new, new_member.data, new_member.size);
	patch = native_make_patch(&old, &new, false);
	apply_expect(&old, &patch, NULL, &new);
	ck_assert_uint_le(native_memory(&patch), PATCH_NATIVE_MEMORY);
	ck_assert_uint_lt(patch.size, new_member.size / 4);
	bytes_free(&patch);
	bytes_free(&old_member);
	bytes_free(&new_member);
	bytes_free(&old);
	bytes_free(&new);
	bytes_free(&plain);
	bytes_free(&edited);
}
END_TEST

/* What gzip has made is seen plain, whatever the level, and made again. */
START_TEST(test_view)
{
	struct bytes plain = text_bytes(250001, 1);
	struct show show = {0};

	show_add(&show, random_bytes(777, 2));
	show_add(&show, squeeze_gzip(&plain, (unsigned)_i));
	show_add(&show, random_bytes(99, 3));
	show_add(&show, squeeze_gzip(&plain, (unsigned)_i));
	show_expect(&show, 2);
	ck_assert(show_has(&show.found, &plain));
	ck_assert_uint_eq(show.found.plain.size, 777 + 99 + 2 * (HEADER + plain.size));
	show_free(&show);
	bytes_free(&plain);
}
END_TEST

Suite *suite_gzip(void)
{
	Suite *suite = suite_create("gzip");
	TCase *tcase = tcase_create("gzip");

	tcase_set_timeout(tcase, 300);
	tcase_add_loop_test(tcase, test_sizes, 0, 18);
	tcase_add_loop_test(tcase, test_levels, 1, LEVELS + 1);
	tcase_add_loop_test(tcase, test_reach, 0, 11);
	tcase_add_test(tcase, test_full_sink);
	tcase_add_loop_test(tcase, test_view, 1, LEVELS + 1);
	tcase_add_loop_test(tcase, test_seek, 0, 2);
	tcase_add_test(tcase, test_seek_broken);
	tcase_add_test(tcase, test_large_part);
	suite_add_tcase(suite, tcase);
	return suite;
}
