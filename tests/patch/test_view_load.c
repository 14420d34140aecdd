/* SPDX-License-Identifier: Apache-2.0 */
/* Saved views, written field by field. */
#include "patch/number.h"
#include "patch/view.h"
#include "tests/patch/show.h"
#include "tests/patch/suites.h"

#include <lzma.h>
#include <string.h>

enum { OLD, NEW };

#define RECIPE                                                                                                         \
	"\0\6\12\0\135\3\1\3" /* LZMA2: preset 6, 128 KiB, no converter, lc 3; xz with CRC-32, 12 bytes of header */
#define RECIPE_SIZE 8

static void put(struct bytes *to, uint64_t number)
{
	uint8_t raw[NUMBER_SIZE_MAX];

	bytes_append(to, raw, number_put(raw, number));
}

/* kind, image size, one recipe, and as many parts as are said to follow */
static struct bytes head(uint8_t kind, uint64_t raw_size, uint64_t count)
{
	struct bytes saved = {0};
	const char *version = lzma_version_string();
	uint8_t length = (uint8_t)strlen(version);

	bytes_append(&saved, &kind, 1);
	put(&saved, raw_size);
	put(&saved, 0); /* nothing is sorted */
	put(&saved, 1);
	bytes_append(&saved, RECIPE, RECIPE_SIZE);
	if (kind == NEW) {
		bytes_append(&saved, &length, 1);
		bytes_append(&saved, version, length);
	}
	put(&saved, count);
	return saved;
}

static void put_part(struct bytes *saved, uint64_t gap, uint64_t raw_size, uint64_t recipe, uint64_t plain_size)
{
	put(saved, gap << 1 | 1);
	put(saved, raw_size);
	put(saved, recipe);
	put(saved, plain_size);
}

/* Takes it over. */
static void expect_load(struct bytes saved, int result, const char *message)
{
	struct error error = {0};
	struct view view;
	int got = view_load(&view, saved.data, saved.size, &error);

	ck_assert_msg(got == result && (result == 0 || error.code == RESULT_VERIFY), "%d: %s", got, error.message);
	ck_assert_msg(strstr(error.message, message) != NULL, "\"%s\", want \"%s\"", error.message, message);
	view_free(&view);
	bytes_free(&saved);
}

START_TEST(test_good)
{
	struct bytes saved = head(NEW, 1000, 2);

	put_part(&saved, 100, 50, 0, 70);
	put(&saved, 3 << 1);
	put(&saved, 60);
	expect_load(saved, 0, "");
	expect_load(head(OLD, 0, 0), -EINVAL, "not as it should"); /* a recipe that no part has */
}
END_TEST

START_TEST(test_bad_parts)
{
	static const struct {
		uint64_t gap, raw_size, recipe, plain_size;
	} bad[] = {
		{1000, 1, 0, 1},                          /* begins at the end */
		{1001, 1, 0, 1},                          /* behind it */
		{UINT64_MAX >> 1, 1, 0, 1},               /* where numbers end */
		{999, 2, 0, 1},                           /* ends behind the end */
		{0, 0, 0, 1},                             /* nothing */
		{0, 1, 0, 0},                             /* nothing comes of it */
		{0, 1, 1, 1},                             /* no such recipe */
		{0, 1, 0, (uint64_t)RECIPE_SIZE_MAX + 1}, /* too much comes of it */
		{0, UINT64_MAX, 0, 1},
	};
	struct bytes saved = head(OLD, 1000, 1);

	put_part(&saved, bad[_i].gap, bad[_i].raw_size, bad[_i].recipe, bad[_i].plain_size);
	expect_load(saved, -EINVAL, "view");
}
END_TEST

START_TEST(test_bad_shapes)
{
	static const uint8_t bad_containers[][3] = {
		{CONTAINERS},          /* no such */
		{CONTAINER_NONE, 1},   /* it has no details */
		{CONTAINER_GZIP},      /* not of LZMA2 */
		{CONTAINER_XZ, 10, 3}, /* SHA-256 is not known */
		{CONTAINER_XZ, 1, 1},  /* a header shorter than any */
		{CONTAINER_XZ, 0x21, 3},
	};
	struct bytes saved = head(OLD, 1000, 1000000); /* more than would fit */

	put_part(&saved, 0, 1, 0, 1);
	expect_load(saved, -EINVAL, "makes no sense");
	saved = head(OLD, 1000, 1);
	put(&saved, 0); /* as the one before, and there is none */
	put(&saved, 1);
	expect_load(saved, -EINVAL, "out of place");
	saved = head(OLD, 1000, 2);
	put_part(&saved, 0, 1, 0, 1);
	put_part(&saved, 0, 1, 0, 1); /* says again what it need not */
	expect_load(saved, -EINVAL, "not as it should");
	saved = head(OLD, 1000, 1);
	put_part(&saved, 0, 1, 0, 1);
	bytes_append(&saved, "", 1); /* something behind it */
	expect_load(saved, -EINVAL, "not as it should");
	saved = head(OLD, 1000, 1);
	put_part(&saved, 0, 1, 0, 1);
	saved.data[0] = NEW + 1;
	expect_load(saved, -EINVAL, "kind");
	saved = head(OLD, 1000, 1);
	put_part(&saved, 0, 1, 0, 1);
	saved.data[5] = RECIPE_CODERS;
	expect_load(saved, -EINVAL, "coder");
	saved = head(OLD, 1000, 1);
	put_part(&saved, 0, 1, 0, 1);
	saved.data[6] = 10; /* no such preset */
	expect_load(saved, -EINVAL, "settings");
	for (size_t i = 0; i < sizeof(bad_containers) / sizeof(bad_containers[0]); i++) {
		saved = head(OLD, 1000, 1);
		put_part(&saved, 0, 1, 0, 1);
		memcpy(saved.data + 10, bad_containers[i], 3);
		expect_load(saved, -EINVAL, "container");
	}
}
END_TEST

/* An old view of an image of 10 LEBs, of which some are sorted: two numbers each. */
static struct bytes with_sorted(uint64_t leb_size, uint64_t count, const uint64_t *runs)
{
	struct bytes saved = {0};
	uint8_t kind = OLD;

	bytes_append(&saved, &kind, 1);
	put(&saved, 10 * 4096 + 100);
	put(&saved, leb_size);
	put(&saved, count);
	for (uint64_t i = 0; i < 2 * count; i++)
		put(&saved, runs[i]);
	put(&saved, 0); /* recipes */
	put(&saved, 0); /* parts */
	return saved;
}

START_TEST(test_sorted)
{
	static const uint64_t good[] = {0, 1, 1, 3, 4, 1};

	expect_load(with_sorted(4096, 3, good), 0, "");
	expect_load(with_sorted(4096, 1, good), 0, "");
	expect_load(with_sorted(4096, 1, (const uint64_t[]){0, 10}), 0, "");
	expect_load(with_sorted(4096, 0, good), -EINVAL, "out of place");
	expect_load(with_sorted(4096, 1, (const uint64_t[]){0, 11}), -EINVAL, "out of place"); /* behind the image */
	expect_load(with_sorted(4096, 1, (const uint64_t[]){10, 1}), -EINVAL, "out of place");
	expect_load(with_sorted(4096, 1, (const uint64_t[]){3, 0}), -EINVAL, "out of place");
	expect_load(with_sorted(4096, 2, (const uint64_t[]){0, 1, 0, 1}), -EINVAL, "out of place"); /* they touch */
	expect_load(with_sorted(4096, 2, (const uint64_t[]){UINT32_MAX, 0, 1, 1}), -EINVAL, "makes no sense");
	expect_load(with_sorted(4096, 1, (const uint64_t[]){UINT64_MAX, UINT64_MAX}), -EINVAL, "makes no sense");
	expect_load(with_sorted(4095, 1, good), -EINVAL, "out of place");
	expect_load(with_sorted(SORTED_LEB_MAX + 1, 1, good), -EINVAL, "makes no sense");
	expect_load(with_sorted(4096, SORTED_RUNS_MAX + 1, (const uint64_t[2 * SORTED_RUNS_MAX + 2]){0, 1}), -EINVAL,
	            "makes no sense");
}
END_TEST

/* Another library may compress otherwise; that it decodes is enough for an old image. */
START_TEST(test_other_version)
{
	struct bytes saved = head(NEW, 1000, 1);

	put_part(&saved, 0, 1, 0, 1);
	saved.data[6 + RECIPE_SIZE] ^= 1;
	expect_load(saved, -ENOTSUP, "made for liblzma");
	saved = head(NEW, 1000, 1);
	put_part(&saved, 0, 1, 0, 1);
	saved.data[5 + RECIPE_SIZE] = 3; /* the first three of it */
	expect_load(saved, -ENOTSUP, "made for liblzma");
	saved = head(OLD, 1000, 1);
	put_part(&saved, 0, 1, 0, 1);
	expect_load(saved, 0, "");
}
END_TEST

/* Whatever is loaded writes itself the same way again. */
START_TEST(test_cut_and_flipped)
{
	struct bytes saved = head(NEW, 5000, 40);

	for (uint64_t i = 0; i < 40; i++)
		put_part(&saved, i, 20 + i, 0, 1000 + i);
	for (size_t size = 0; size < saved.size; size++)
		expect_load(bytes_copy(saved.data, size), -EINVAL, "");
	for (size_t bit = 0; bit < 8 * saved.size; bit++) {
		struct error error = {0};
		struct view view;

		saved.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (view_load(&view, saved.data, saved.size, &error) == 0) {
			struct bytes again = show_save(&view);

			bytes_expect_equal(&again, &saved);
			bytes_free(&again);
		} else {
			ck_assert(error.message[0] != '\0');
		}
		view_free(&view);
		saved.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	expect_load(saved, 0, "");
}
END_TEST

START_TEST(test_cannot_be_saved)
{
	struct view view;
	struct error error = {0};
	size_t longest = 0;
	struct sink sink = full_sink(&longest);

	view_start(&view, 10, false);
	ck_assert_int_eq(view_save(&view, &sink, &error), -ENOSPC);
	ck_assert_ptr_nonnull(strstr(error.message, "cannot be saved"));
	view_free(&view);
}
END_TEST

/* A view that is only for reading is not written. */
START_TEST(test_not_exact)
{
	struct bytes out = {0};
	struct sink sink = bytes_sink(&out);
	struct view_writer *writer;
	struct view view;

	view_start(&view, 10, false);
	ck_assert_int_eq(view_writer_open(&writer, &view, 0, &sink, NULL), -EINVAL);
	view_start(&view, 10, true);
	ck_assert_int_eq(view_writer_open(&writer, &view, 11, &sink, NULL), -EINVAL);
	ck_assert_int_eq(view_writer_open(&writer, &view, 10, &sink, NULL), 0);
	view_writer_close(writer);
}
END_TEST

Suite *suite_view_load(void)
{
	Suite *suite = suite_create("view_load");
	TCase *tcase = tcase_create("view_load");

	tcase_add_test(tcase, test_good);
	tcase_add_test(tcase, test_sorted);
	tcase_add_loop_test(tcase, test_bad_parts, 0, 9);
	tcase_add_test(tcase, test_bad_shapes);
	tcase_add_test(tcase, test_other_version);
	tcase_add_test(tcase, test_cut_and_flipped);
	tcase_add_test(tcase, test_cannot_be_saved);
	tcase_add_test(tcase, test_not_exact);
	suite_add_tcase(suite, tcase);
	return suite;
}
