/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"
#include "patch/model.h"
#include "patch/votes.h"
#include "tests/patch/program.h"
#include "tests/patch/suites.h"
#include "tests/patch/support.h"

#include <elf.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* What is found out of addresses in pairs of programs. */

#define ORIGIN UINT32_C(0x80208000)

/* The two images, and what is known of them. */
struct pair {
	struct image old, new;
	struct region_borders old_borders, new_borders; /* not owned */
	struct alignment alignment;
	struct prediction prediction;
};

static void pair_make(struct pair *pair, const struct bytes *old, const struct bytes *new)
{
	struct error error = {0};

	pair->old = (struct image){.data = old->data, .size = (int64_t)old->size};
	pair->new = (struct image){.data = new->data, .size = (int64_t) new->size};
	ck_assert_int_eq(alignment_make(&pair->alignment, &pair->old, &pair->new, &error), 0);
	ck_assert_int_eq(prediction_make(&pair->prediction,
	                                 &(struct region_image){.image = pair->old, .borders = pair->old_borders},
	                                 &(struct region_image){.image = pair->new, .borders = pair->new_borders},
	                                 &pair->alignment, &error),
	                 0);
}

static void pair_free(struct pair *pair)
{
	prediction_free(&pair->prediction);
	alignment_free(&pair->alignment);
}

/* A stretch's bytes as a patch has them predicted. */
static struct bytes predicted(const struct pair *pair, const struct stretch *stretch)
{
	struct bytes bytes = bytes_copy(pair->old.data + stretch->old_at, (size_t)stretch->add);
	struct predict_window window = {.data = pair->old.data + stretch->old_at, .end = bytes.size};
	struct predict_walk walk;
	struct predict_item item;

	predict_begin(&walk, &pair->prediction, (uint64_t)stretch->old_at, (uint64_t)stretch->new_at, bytes.size);
	while (predict_next(&walk, &window, bytes.size, &item))
		put_le32(bytes.data + item.at, predict_rewrite(&walk, &item));
	return bytes;
}

/* How many bytes the stretches get wrong, with the prediction and without. */
static void count_wrong(const struct pair *pair, size_t *with, size_t *without)
{
	*with = *without = 0;
	for (size_t i = 0; i < pair->alignment.count; i++) {
		const struct stretch *stretch = &pair->alignment.stretches[i];
		struct bytes bytes = predicted(pair, stretch);

		for (int64_t k = 0; k < stretch->add; k++) {
			uint8_t is = pair->new.data[stretch->new_at + k];

			*with += bytes.data[k] != is;
			*without += pair->old.data[stretch->old_at + k] != is;
		}
		bytes_free(&bytes);
	}
}

/* All functions of a program that lies at these offsets of the images are known to be where they went. */
static void expect_functions(const struct pair *pair, const struct program *old, const struct program *new,
                             size_t old_at, size_t new_at)
{
	for (uint32_t i = 0; i < PROGRAM_FUNCTIONS; i++) {
		struct predict_place from = predict_locate(&pair->prediction.old, old_at + old->starts[i]);
		struct predict_place to = predict_locate(&pair->prediction.new, new_at + new->starts[i]);

		ck_assert_ptr_nonnull(from.program);
		ck_assert_uint_eq(from.address - from.program->bias, old->address + old->starts[i]);
		ck_assert_ptr_nonnull(to.program);
		ck_assert_uint_eq(to.address - to.program->bias, new->address + new->starts[i]);
		ck_assert_uint_eq(predict_shifted(&pair->prediction.addresses, from.address), to.address);
	}
}

static void expect_little_wrong(const struct pair *pair)
{
	size_t with, without;

	count_wrong(pair, &with, &without);
	ck_assert_uint_gt(without, 1000);
	ck_assert_uint_lt(with, without / 20);
}

static void expect_function_moved(bool is_elf)
{
	struct program old = {.address = ORIGIN, .grown = 100};
	struct program new = {.address = ORIGIN, .grown = 100, .more = 12};
	struct pair pair = {.prediction = {.kinds = NULL}};

	program_build(&old, is_elf);
	program_build(&new, is_elf);
	pair_make(&pair, &old.bytes, &new.bytes);
	expect_little_wrong(&pair);
	expect_functions(&pair, &old, &new, 0, 0);
	ck_assert_uint_le(pair.prediction.addresses.count, 2);
	pair_free(&pair);
	bytes_free(&old.bytes);
	bytes_free(&new.bytes);
}

START_TEST(test_program_moved)
{
	expect_function_moved(true);
}
END_TEST

/* The same without a header: where it is loaded shows in its words only. */
START_TEST(test_origin_is_found)
{
	expect_function_moved(false);
}
END_TEST

/* Text, a program, noise, another one, noise, at any offsets; where the last program begins. */
#define TEXT ((size_t)4001)

static size_t join(struct bytes *image, const struct program *first, const struct program *second, size_t noise)
{
	struct bytes between = random_bytes(noise, 5);
	size_t at;

	*image = text_bytes(TEXT, 4);
	bytes_append(image, first->bytes.data, first->bytes.size);
	bytes_append(image, between.data, between.size);
	at = image->size;
	bytes_append(image, second->bytes.data, second->bytes.size);
	bytes_append(image, between.data, between.size);
	bytes_free(&between);
	return at;
}

/* An image of several programs with the same addresses. Of what stays as it is nothing is told. */
START_TEST(test_programs_in_an_image)
{
	struct program same = {.address = 0x10000};
	struct program old[2] = {{.address = 0x10000, .grown = 100, .seed = 1000000},
	                         {.address = 0x10000, .grown = 200, .seed = 2000000}};
	struct program new[2] = {old[0], old[1]};
	struct bytes images[4];
	size_t old_at, new_at;
	struct pair pair = {.prediction = {.kinds = NULL}};

	program_build(&same, true);
	new[0].more = 12;
	new[1].more = 25;
	for (unsigned i = 0; i < 2; i++) {
		program_build(&old[i], true);
		program_build(&new[i], true);
	}
	old_at = join(&images[0], &old[0], &old[1], 2000);
	new_at = join(&images[1], &new[0], &new[1], 3001);
	pair_make(&pair, &images[0], &images[1]);
	expect_little_wrong(&pair);
	expect_functions(&pair, &old[0], &new[0], TEXT, TEXT);
	expect_functions(&pair, &old[1], &new[1], old_at, new_at);
	ck_assert_uint_eq(pair.prediction.new.program_count, 3);
	pair_free(&pair);

	old_at = join(&images[2], &same, &old[1], 2000);
	new_at = join(&images[3], &same, &new[1], 2000);
	pair_make(&pair, &images[2], &images[3]);
	expect_little_wrong(&pair);
	expect_functions(&pair, &old[1], &new[1], old_at, new_at);
	ck_assert_uint_eq(pair.prediction.old.program_count, 2);
	ck_assert_uint_eq(pair.prediction.new.program_count, 2);
	ck_assert_ptr_null(predict_locate(&pair.prediction.new, TEXT + same.starts[0]).program);
	pair_free(&pair);
	for (unsigned i = 0; i < 4; i++)
		bytes_free(&images[i]);
	for (unsigned i = 0; i < 2; i++) {
		bytes_free(&old[i].bytes);
		bytes_free(&new[i].bytes);
	}
	bytes_free(&same.bytes);
}
END_TEST

/* As in a view in which some blocks of the first file stay compressed: it ends sooner than its header says. */
START_TEST(test_program_cut_short)
{
	struct program old[2] = {{.address = 0x10000, .grown = 100, .seed = 1000000},
	                         {.address = 0x10000, .grown = 200, .seed = 2000000}};
	struct program new[2] = {old[0], old[1]};
	struct bytes images[2];
	size_t old_at, new_at;
	struct pair pair = {.prediction = {.kinds = NULL}};

	new[0].more = 12;
	new[1].more = 25;
	for (unsigned i = 0; i < 2; i++) {
		program_build(&old[i], true);
		program_build(&new[i], true);
	}
	put_le32(old[0].bytes.data + sizeof(Elf32_Ehdr) + offsetof(Elf32_Phdr, p_filesz), 1 << 20);
	put_le32(new[0].bytes.data + sizeof(Elf32_Ehdr) + offsetof(Elf32_Phdr, p_filesz), 1 << 20);
	old_at = join(&images[0], &old[0], &old[1], 2000);
	new_at = join(&images[1], &new[0], &new[1], 2000);
	pair_make(&pair, &images[0], &images[1]);
	expect_little_wrong(&pair);
	expect_functions(&pair, &old[1], &new[1], old_at, new_at);
	pair_free(&pair);
	for (unsigned i = 0; i < 2; i++) {
		bytes_free(&images[i]);
		bytes_free(&old[i].bytes);
		bytes_free(&new[i].bytes);
	}
}
END_TEST

/* Programs without headers, with addresses of their own, between others: only that they begin there is known. */
START_TEST(test_regions)
{
	struct program old[2] = {{.address = ORIGIN, .grown = 100, .seed = 1000000},
	                         {.address = 0x60100000, .grown = 200, .seed = 2000000}};
	struct program new[2] = {old[0], old[1]};
	uint64_t borders[2][2];
	struct bytes images[2];
	struct pair pair = {.old_borders = {borders[0], 2}, .new_borders = {borders[1], 2}};

	new[0].more = 12;
	new[1].more = 25;
	for (unsigned i = 0; i < 2; i++) {
		program_build(&old[i], false);
		program_build(&new[i], false);
	}
	borders[0][1] = join(&images[0], &old[0], &old[1], 2000);
	borders[1][1] = join(&images[1], &new[0], &new[1], 3001);
	borders[0][0] = borders[1][0] = TEXT;
	pair_make(&pair, &images[0], &images[1]);
	expect_little_wrong(&pair);
	expect_functions(&pair, &old[0], &new[0], TEXT, TEXT);
	expect_functions(&pair, &old[1], &new[1], borders[0][1], borders[1][1]);
	pair_free(&pair);
	for (unsigned i = 0; i < 2; i++) {
		bytes_free(&images[i]);
		bytes_free(&old[i].bytes);
		bytes_free(&new[i].bytes);
	}
}
END_TEST

/* Borders that say nothing, or nonsense, do no harm. */
START_TEST(test_borders_anywhere)
{
	static uint64_t lists[][3] = {{0, 0, 0}, {1, 2, 3}, {5000, 5000, 5001}, {0, 5000, UINT64_MAX}, {9000, 7, 6}};
	struct bytes old = random_bytes(20000, 1);
	struct bytes new = edited_copy(&old, 2);

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct pair pair = {.old_borders = {lists[i], 3}, .new_borders = {lists[0], i % 3}};
		size_t with, without;

		pair_make(&pair, &old, &new);
		count_wrong(&pair, &with, &without);
		ck_assert_uint_le(with, without);
		pair_free(&pair);
	}
	bytes_free(&old);
	bytes_free(&new);
}
END_TEST

/* In what is no program a prediction must not do harm, and must not fail. */
START_TEST(test_no_program)
{
	static const size_t sizes[] = {0, 1, 3, 4, 5, 1023, 1024, 1025, 50000};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct bytes old = random_bytes(sizes[i], 1);
		struct bytes new = edited_copy(&old, 2);
		size_t with, without;
		struct pair pair = {.prediction = {.kinds = NULL}};

		pair_make(&pair, &old, &new);
		count_wrong(&pair, &with, &without);
		ck_assert_uint_le(with, without);
		pair_free(&pair);
		pair_make(&pair, &new, &old);
		pair_free(&pair);
		bytes_free(&old);
		bytes_free(&new);
	}
}
END_TEST

/* Headers that promise anything: each field of a program's in turn has its bits set and cleared. */
START_TEST(test_headers_that_lie)
{
	struct program old = {.address = ORIGIN, .grown = 3};
	struct program new = {.address = ORIGIN, .grown = 3, .more = 5};

	program_build(&old, true);
	program_build(&new, true);
	for (size_t at = 0; at < sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr); at += 2) {
		struct bytes lie = bytes_copy(old.bytes.data, old.bytes.size);
		struct pair pair = {.prediction = {.kinds = NULL}};

		put_le16(lie.data + at, at % 4 == 0 ? 0xffff : 0x8000);
		pair_make(&pair, &lie, &new.bytes);
		pair_free(&pair);
		pair_make(&pair, &new.bytes, &lie);
		pair_free(&pair);
		bytes_free(&lie);
	}
	bytes_free(&old.bytes);
	bytes_free(&new.bytes);
}
END_TEST

static void vote(struct votes *votes, uint32_t from, uint32_t to, unsigned times)
{
	struct error error = {0};

	for (unsigned i = 0; i < times; i++)
		ck_assert_int_eq(votes_add(votes, from, to, &error), 0);
}

/* What many say is believed, and what a few say that would cost more than it gains is not. */
START_TEST(test_votes)
{
	struct predict_shifts shifts = {0};
	struct votes votes = {0};
	struct error error = {0};

	ck_assert_int_eq(votes_settle(&votes, &shifts, &error), 0);
	ck_assert_uint_eq(shifts.count, 0);
	for (uint32_t at = 100000; at > 0; at -= 100) {
		vote(&votes, at, at < 40000 ? at : at < 70000 ? at + 24 : at - 8, 4);
		vote(&votes, at, at + 4000, 3);
		vote(&votes, at, at * 3, 1);
	}
	vote(&votes, 50050, 1, 1);
	vote(&votes, 60050, 60030, 50);
	ck_assert_int_eq(votes_settle(&votes, &shifts, &error), 0);
	ck_assert_uint_eq(shifts.count, 4);
	ck_assert_uint_eq(shifts.list[0].from, 40000);
	ck_assert_uint_eq(shifts.list[0].by, 24);
	ck_assert_uint_eq(shifts.list[1].from, 60050);
	ck_assert_uint_eq(shifts.list[1].by, (uint32_t)-20);
	ck_assert_uint_eq(shifts.list[2].from, 60100);
	ck_assert_uint_eq(shifts.list[2].by, 24);
	ck_assert_uint_eq(shifts.list[3].from, 70000);
	ck_assert_uint_eq(shifts.list[3].by, (uint32_t)-8);
	/* They are used up. */
	vote(&votes, 5, 7, 2);
	ck_assert_int_eq(votes_settle(&votes, &shifts, &error), 0);
	ck_assert_uint_eq(shifts.count, 1);
	free(shifts.list);
	votes_free(&votes);
}
END_TEST

Suite *suite_model(void)
{
	Suite *suite = suite_create("model");
	TCase *tcase = tcase_create("model");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_program_moved);
	tcase_add_test(tcase, test_origin_is_found);
	tcase_add_test(tcase, test_programs_in_an_image);
	tcase_add_test(tcase, test_program_cut_short);
	tcase_add_test(tcase, test_regions);
	tcase_add_test(tcase, test_borders_anywhere);
	tcase_add_test(tcase, test_no_program);
	tcase_add_test(tcase, test_headers_that_lie);
	tcase_add_test(tcase, test_votes);
	suite_add_tcase(suite, tcase);
	return suite;
}
