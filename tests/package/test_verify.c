/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include "base/digest.h"
#include "craft.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Contents of the sample, as far as they can be read. */
static void check_sample(struct package *package)
{
	static const char text[] = "deflate deflate deflate deflate deflate me, deflate me";

	ck_assert_uint_eq(package_count(package), 4);
	check_content(package, "a", "stored", 6);
	check_content(package, "d/b", text, sizeof(text) - 1);
	check_content(package, "d/l", "../a", 4);
}

/* Whatever bit is wrong: refused, found by the test, or without any effect on what is read. */
START_TEST(every_bit_flip)
{
	struct package_limits limits = package_default_limits();
	unsigned refused = 0;
	unsigned found = 0;
	struct craft craft;

	craft_sample(&craft);
	for (size_t bit = 0; bit < craft.size * 8; bit++) {
		struct package *package;
		struct error error = {0};

		craft.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (package_open(&craft.reader, &limits, &package, &error) < 0) {
			ck_assert_int_ne(error.code, 0);
			refused++;
		} else {
			if (package_test(package, NULL, NULL, &error) < 0)
				found++;
			else
				check_sample(package);
			package_close(package);
		}
		craft.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_assert_uint_gt(refused, 1000);
	ck_assert_uint_ge(found, 80); /* at least every bit of the stored contents */
	craft_free(&craft);
}
END_TEST

struct counted {
	uint64_t last_done;
	uint64_t total;
	bool rising;
};

static void count_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct counted *counted = ctx;

	counted->rising = counted->rising && done >= counted->last_done && done <= total;
	counted->last_done = done;
	counted->total = total;
}

START_TEST(test_tells_progress)
{
	struct counted counted = {.rising = true};
	uint8_t *noise = malloc(NOISE_SIZE);
	struct package *package;
	struct craft craft;

	noise_package(&craft, noise);
	package = open_package(&craft.reader);
	ck_assert_int_eq(package_test(package, count_progress, &counted, NULL), 0);
	ck_assert(counted.rising);
	ck_assert_uint_gt(counted.total, NOISE_SIZE);
	ck_assert_uint_eq(counted.last_done, counted.total);
	package_close(package);
	craft_free(&craft);
	free(noise);
}
END_TEST

static const char *md5_of(const char *text, char hex[DIGEST_TEXT_SIZE])
{
	struct digest_value value;
	struct digest digest;

	digest_start(&digest, DIGEST_MD5);
	digest_add(&digest, text, strlen(text));
	digest_finish(&digest, &value);
	return digest_format(&value, hex);
}

/* Formats with one %s for the MD5 of entry "dir/a b". */
static const struct {
	const char *list;
	int code;
} md5_cases[] = {
	{"%s  dir/a b\n", 0},
	{"%s  dir/a b", 0},
	{"%s *dir/a b\r\n\r\n", 0},
	{"%s dir/a b\n", 0},
	{"%s  ./dir/a b\n", 0},
	{"", 0},
	{"\n%s  dir/a b\n\n", 0},
	{"%s  dir/missing\n", RESULT_DIGEST},
	{"%s  dir/a b\nd41d8cd98f00b204e9800998ecf8427e  dir/a b\n", RESULT_DIGEST},
	{"d41d8cd98f00b204e9800998ecf8427e  dir/a b\n", RESULT_DIGEST},
	{"%s\n", RESULT_DIGEST},
	{"%s  \n", RESULT_DIGEST},
	{"0%s  dir/a b\n", RESULT_DIGEST},
	{"da39a3ee5e6b4b0d3255bfef95601890afd80709  dir/a b\n", RESULT_DIGEST},
	{"no list\n", RESULT_DIGEST},
};

START_TEST(md5_lists)
{
	char hex[DIGEST_TEXT_SIZE];
	struct error error = {0};
	struct package *package;
	struct craft craft;
	char list[512];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(list, sizeof(list), md5_cases[_i].list, md5_of("content", hex));
#pragma GCC diagnostic pop
	craft_start(&craft);
	craft_add(&craft, "dir/a b", CRAFT_DEFLATED, "content", 7, 0);
	craft_add_text(&craft, "md5.txt", list);
	craft_finish(&craft, NULL, 0);
	package = open_package(&craft.reader);
	if (md5_cases[_i].code == 0) {
		ck_assert_msg(package_test(package, NULL, NULL, &error) == 0, "%s", error.message);
	} else {
		ck_assert_int_lt(package_test(package, NULL, NULL, &error), 0);
		ck_assert_int_eq(error.code, md5_cases[_i].code);
	}
	package_close(package);
	craft_free(&craft);
}
END_TEST

static void count_call(void *ctx, uint64_t done, uint64_t total)
{
	unsigned *calls = ctx;

	ck_assert_uint_le(done, total);
	*calls += 1;
}

/* A list may name every entry once. One that repeats them could keep its reader busy for days. */
START_TEST(md5_list_that_repeats)
{
	static char content[100000];
	char hex[DIGEST_TEXT_SIZE];
	char list[3 * 64];
	struct error error = {0};
	struct package *package;
	struct craft craft;
	unsigned calls = 0;
	size_t length;

	memset(content, 'x', sizeof(content) - 1);
	(void)md5_of(content, hex);
	(void)snprintf(list, sizeof(list), "%s  a\n%s  a\n", hex, hex);
	length = _i ? strlen(list) / 2 : strlen(list);
	craft_start(&craft);
	craft_add(&craft, "a", CRAFT_DEFLATED, content, sizeof(content) - 1, 0);
	craft_add(&craft, "md5.txt", CRAFT_STORED, list, length, 0);
	craft_finish(&craft, NULL, 0);
	package = open_package(&craft.reader);
	if (_i) {
		ck_assert_int_eq(package_test(package, count_call, &calls, &error), 0);
		ck_assert_uint_ge(calls, 2 * (sizeof(content) / 16384)); /* while the list is checked, too */
	} else {
		ck_assert_int_lt(package_test(package, NULL, NULL, &error), 0);
		ck_assert_int_eq(error.code, RESULT_DIGEST);
	}
	package_close(package);
	craft_free(&craft);
}
END_TEST

static int no_memory(void *ctx, uint64_t offset, void *buffer, size_t length)
{
	const struct reader *whole = ctx;

	/* The directory can be read, the entries' data cannot. */
	return offset < 1000 ? -ENOMEM : whole->read_at(whole->ctx, offset, buffer, length);
}

/* A module that is short of memory has no verdict on the package. */
START_TEST(no_memory_is_no_verdict)
{
	static char content[4000];
	struct error error = {.code = -1};
	struct package *package;
	struct reader whole;
	struct craft craft;

	craft_start(&craft);
	craft_add(&craft, "a", CRAFT_STORED, content, sizeof(content), 0);
	craft_finish(&craft, NULL, 0);
	whole = craft.reader;
	package = open_package(&craft.reader);
	craft.reader.read_at = no_memory;
	craft.reader.ctx = &whole;
	ck_assert_int_eq(package_test(package, NULL, NULL, &error), -ENOMEM);
	ck_assert_int_eq(error.code, 0);
	package_close(package);
	craft_free(&craft);
}
END_TEST

START_TEST(md5_list_with_endless_line)
{
	struct error error = {0};
	struct package *package;
	struct craft craft;
	char list[4000];

	memset(list, 'a', sizeof(list));
	craft_start(&craft);
	craft_add(&craft, "md5.txt", CRAFT_STORED, list, sizeof(list), 0);
	craft_finish(&craft, NULL, 0);
	package = open_package(&craft.reader);
	ck_assert_int_lt(package_test(package, NULL, NULL, &error), 0);
	ck_assert_int_eq(error.code, RESULT_DIGEST);
	package_close(package);
	craft_free(&craft);
}
END_TEST

TCase *verify_tests(void)
{
	TCase *tests = tcase_create("verify");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, every_bit_flip);
	tcase_add_test(tests, test_tells_progress);
	tcase_add_loop_test(tests, md5_lists, 0, sizeof(md5_cases) / sizeof(md5_cases[0]));
	tcase_add_loop_test(tests, md5_list_that_repeats, 0, 2);
	tcase_add_test(tests, no_memory_is_no_verdict);
	tcase_add_test(tests, md5_list_with_endless_line);
	return tests;
}
