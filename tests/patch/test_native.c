/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"
#include "patch/number.h"
#include "patch/patch.h"
#include "tests/patch/native_trip.h"
#include "tests/patch/program.h"
#include "tests/patch/suites.h"
#include "tests/patch/support.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

START_TEST(makes_what_it_was_made_for)
{
	struct bytes text = text_bytes(700000, 1);

	native_round_trip_owned(bytes_new(0), bytes_new(0));
	native_round_trip_owned(bytes_new(0), text_bytes(3000, 2));
	native_round_trip_owned(text_bytes(3000, 2), bytes_new(0));
	native_round_trip_owned(bytes_copy("a", 1), bytes_copy("b", 1));
	native_round_trip_owned(text_bytes(5000, 3), text_bytes(5000, 3));
	native_round_trip_owned(random_bytes(300000, 4), random_bytes(600000, 5));
	for (uint32_t seed = 1; seed <= 3; seed++)
		native_round_trip_owned(bytes_copy(text.data, text.size), edited_copy(&text, seed));
	bytes_free(&text);
}
END_TEST

/* A function grows, and all behind it moves: nearly every call and every word of the table differs. */
START_TEST(a_program_is_predicted)
{
	for (int is_elf = 0; is_elf < 2; is_elf++) {
		struct program old = {.address = 0x80208000};
		struct program new = {.address = 0x80208000, .grown = PROGRAM_FUNCTIONS / 3, .more = 3};
		struct bytes patch, plain = bytes_new(0);
		struct sink sink = bytes_sink(&plain);

		program_build(&old, is_elf == 1);
		program_build(&new, is_elf == 1);
		patch = native_make_patch(&old.bytes, &new.bytes, false);
		ck_assert_int_eq(patch_make_bsdiff40(old.bytes.data, old.bytes.size, new.bytes.data, new.bytes.size, 0,
		                                     &sink, NULL),
		                 0);
		ck_assert_uint_lt(patch.size, plain.size / 3);
		native_round_trip(&old.bytes, &new.bytes);
		apply_cut_everywhere(&old.bytes, &patch, new.bytes.size);
		bytes_free(&patch);
		bytes_free(&plain);
		bytes_free(&old.bytes);
		bytes_free(&new.bytes);
	}
}
END_TEST

START_TEST(the_same_twice)
{
	struct bytes old = text_bytes(100000, 1);
	struct bytes new = edited_copy(&old, 2);
	struct bytes first = native_make_patch(&old, &new, false);
	struct bytes second = native_make_patch(&old, &new, false);

	bytes_expect_equal(&first, &second);
	bytes_free(&first);
	bytes_free(&second);
	bytes_free(&old);
	bytes_free(&new);
}
END_TEST

struct small_pair {
	struct bytes old, new, patch;
};

static struct small_pair small_pair_open(void)
{
	struct small_pair pair = {.old = text_bytes(3000, 1)};

	pair.new = edited_copy(&pair.old, 2);
	pair.patch = native_make_patch(&pair.old, &pair.new, true);
	return pair;
}

/* The same, with a model. */
static struct small_pair program_pair_open(void)
{
	struct program old = {.address = 0x80208000};
	struct program new = {.address = 0x80208000, .grown = 3, .more = 3};
	struct small_pair pair;

	program_build(&old, true);
	program_build(&new, true);
	pair = (struct small_pair){.old = old.bytes, .new = new.bytes};
	pair.patch = native_make_patch(&pair.old, &pair.new, true);
	return pair;
}

static void small_pair_close(struct small_pair *pair)
{
	bytes_free(&pair->old);
	bytes_free(&pair->new);
	bytes_free(&pair->patch);
}

START_TEST(cut_anywhere_it_is_refused)
{
	struct small_pair pair = small_pair_open();

	apply_cut_everywhere(&pair.old, &pair.patch, pair.new.size);
	small_pair_close(&pair);
}
END_TEST

/* Before anything is made of it: there is but one frame. */
START_TEST(a_flipped_bit_is_refused_before_its_frame)
{
	struct small_pair pair = small_pair_open();

	for (size_t bit = 0; bit < 8 * pair.patch.size; bit++) {
		struct apply_run run = {.old = &pair.old, .patch = &pair.patch, .expected_size = pair.new.size};

		pair.patch.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_int_lt(apply_run(&run), 0);
		ck_assert_uint_eq(run.out.size, 0);
		bytes_free(&run.out);
		pair.patch.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	small_pair_close(&pair);
}
END_TEST

/* Where the record's body lies; its CRC stands behind it. */
static size_t find_body(const struct bytes *patch, size_t at, size_t *size)
{
	struct number_source source = {.data = patch->data + at + 1, .left = patch->size - at - 1};

	*size = (size_t)number_read(&source);
	ck_assert(!source.failed);
	return (size_t)(source.data - patch->data);
}

static void seal(const struct bytes *patch, size_t at, size_t end)
{
	put_le32(patch->data + end, (uint32_t)crc32_z(0, patch->data + at, end - at));
}

/* Somebody who knows the CRC can write what they like: the conditions of apply_run() must hold. */
START_TEST(a_forged_record_does_no_harm)
{
	struct small_pair pair = _i == 0 ? small_pair_open() : program_pair_open();

	for (size_t at = 8; at < pair.patch.size;) {
		size_t size;
		size_t body = find_body(&pair.patch, at, &size);

		for (size_t bit = 8 * body; bit < 8 * (body + size); bit++) {
			struct apply_run run = {.old = &pair.old, .patch = &pair.patch, .expected_size = pair.new.size};

			pair.patch.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
			seal(&pair.patch, at, body + size);
			(void)apply_run(&run);
			bytes_free(&run.out);
			pair.patch.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		seal(&pair.patch, at, body + size);
		at = body + size + 4;
	}
	apply_expect(&pair.old, &pair.patch, NULL, &pair.new);
	small_pair_close(&pair);
}
END_TEST

START_TEST(what_is_wrong_is_said)
{
	struct small_pair pair = small_pair_open();
	struct bytes shorter = bytes_copy(pair.old.data, pair.old.size - 1);

	apply_broken(&pair.old, &pair.patch, pair.new.size + 1, "expected");
	apply_broken(&shorter, &pair.patch, pair.new.size, "the patch is for");
	pair.patch.data[20] ^= 1;
	apply_broken(&pair.old, &pair.patch, pair.new.size, "damaged");
	pair.patch.data[20] ^= 1;
	pair.patch.size -= 3;
	apply_broken(&pair.old, &pair.patch, pair.new.size, "middle of a record");
	pair.patch.size += 3;
	bytes_free(&shorter);
	small_pair_close(&pair);
}
END_TEST

START_TEST(failures_around_it_are_told)
{
	struct small_pair pair = small_pair_open();
	struct apply_run runs[] = {{.fail_old = EBADMSG}, {.fail_patch = EIO}, {.fail_sink = ENOSPC}};
	const int expected[] = {-EBADMSG, -EIO, -ENOSPC};

	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		runs[i].old = &pair.old;
		runs[i].patch = &pair.patch;
		runs[i].expected_size = pair.new.size;
		ck_assert_int_eq(apply_run(&runs[i]), expected[i]);
		bytes_free(&runs[i].out);
	}
	small_pair_close(&pair);
}
END_TEST

START_TEST(numbers_are_read_as_written)
{
	static const uint64_t values[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, INT64_MAX, UINT64_MAX};
	static const uint8_t too_long[] = {0x80, 0x00};
	static const uint8_t too_large[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02};
	struct number_source source;
	uint8_t at[NUMBER_SIZE_MAX];

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		int64_t same = (int64_t)values[i];

		source = (struct number_source){.data = at, .left = number_put(at, values[i])};
		ck_assert_uint_eq(number_read(&source), values[i]);
		ck_assert(!source.failed && source.left == 0);
		source = (struct number_source){.data = at, .left = number_put_signed(at, same)};
		ck_assert_int_eq(number_read_signed(&source), same);
		source = (struct number_source){.data = at, .left = number_put(at, values[i]) - 1};
		ck_assert_uint_eq(number_read(&source), 0);
		ck_assert(source.failed);
	}
	source = (struct number_source){.data = too_long, .left = sizeof(too_long)};
	ck_assert(number_read(&source) == 0 && source.failed);
	source = (struct number_source){.data = too_large, .left = sizeof(too_large)};
	ck_assert(number_read(&source) == 0 && source.failed);
}
END_TEST

/* Where the nth record of a type begins; *end is where the next one does. */
static size_t find_record(const struct bytes *patch, uint8_t type, unsigned n, size_t *end)
{
	size_t at = 8;

	for (;; at = *end) {
		uint64_t size;
		size_t digits;

		ck_assert_uint_lt(at, patch->size);
		digits = number_get(patch->data + at + 1, patch->size - at - 1, &size);
		ck_assert_uint_gt(digits, 0);
		*end = at + 1 + digits + (size_t)size + 4;
		if (patch->data[at] == type && n-- == 0)
			return at;
	}
}

/* The head allows as much memory as the digits of its number can say. */
static void allow_memory(struct bytes *patch)
{
	size_t end, at = find_record(patch, 1, 0, &end);
	size_t digits = 0, field = at + 1;
	uint64_t number;

	/* The body's size, flags, two sizes, unit, memory. */
	for (unsigned i = 0; i < 6; i++) {
		field += digits;
		digits = number_get(patch->data + field, end - field, &number);
		ck_assert_uint_gt(digits, 0);
	}
	patch->data[field + digits - 1] = 0x7f;
	put_le32(patch->data + end - 4, (uint32_t)crc32(0, patch->data + at, (uInt)(end - 4 - at)));
}

/* A stretch cannot go on with a model that it did not begin with. */
START_TEST(a_model_in_the_middle_of_a_stretch)
{
	struct program old = {.address = 0x80208000};
	struct program new = {.address = 0x80208000, .grown = 3, .more = 3};
	struct bytes noise = random_bytes(1 << 20, 9);
	struct bytes patch, wrong;
	size_t model, model_end, frame, frame_end;

	program_build(&old, true);
	program_build(&new, true);
	bytes_append(&old.bytes, noise.data, noise.size);
	bytes_append(&new.bytes, noise.data, noise.size);
	patch = native_make_patch(&old.bytes, &new.bytes, false);
	model = find_record(&patch, 3, 0, &model_end);
	frame = find_record(&patch, 4, 1, &frame_end);
	allow_memory(&patch);
	wrong = bytes_copy(patch.data, frame);
	bytes_append(&wrong, patch.data + model, model_end - model);
	bytes_append(&wrong, patch.data + frame, patch.size - frame);
	apply_expect(&old.bytes, &patch, NULL, &new.bytes);
	apply_broken(&old.bytes, &wrong, new.bytes.size, "goes on with what never began");
	bytes_free(&old.bytes);
	bytes_free(&new.bytes);
	bytes_free(&noise);
	bytes_free(&patch);
	bytes_free(&wrong);
}
END_TEST

Suite *suite_native(void)
{
	Suite *suite = suite_create("native");
	TCase *tcase = tcase_create("native");

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, makes_what_it_was_made_for);
	tcase_add_test(tcase, a_program_is_predicted);
	tcase_add_test(tcase, the_same_twice);
	tcase_add_test(tcase, cut_anywhere_it_is_refused);
	tcase_add_test(tcase, a_flipped_bit_is_refused_before_its_frame);
	tcase_add_loop_test(tcase, a_forged_record_does_no_harm, 0, 2);
	tcase_add_test(tcase, what_is_wrong_is_said);
	tcase_add_test(tcase, failures_around_it_are_told);
	tcase_add_test(tcase, numbers_are_read_as_written);
	tcase_add_test(tcase, a_model_in_the_middle_of_a_stretch);
	suite_add_tcase(suite, tcase);
	return suite;
}
