/* SPDX-License-Identifier: Apache-2.0 */
/* What a rollback index is, and which package may follow which system. */
#include "craft.h"
#include "package/rollback.h"
#include "suites.h"

#include <errno.h>
#include <string.h>

#define NONE (-1)

static const struct {
	const char *text;
	int64_t index; /* NONE: it is no index */
} texts[] = {
	{"0", 0},
	{"7\n", 7},
	{"\n \t12\r\n\v\f", 12},
	{"007", 7},
	{"4294967295", 4294967295},
	{"4294967296", NONE},
	{"99999999999999999999999999999999999999", NONE},
	{"", NONE},
	{" \n", NONE},
	{"-1", NONE},
	{"+1", NONE},
	{"0x1", NONE},
	{"1.0", NONE},
	{"1 2", NONE},
	{"1\n2\n", NONE},
	{"one", NONE},
};

START_TEST(test_parse)
{
	const char *text = texts[_i].text;
	uint32_t index = 99;
	struct error error = {0};
	int err = package_parse_rollback(text, strlen(text), &index, &error);

	ck_assert_int_eq(err, texts[_i].index == NONE ? -EINVAL : 0);
	ck_assert_int_eq(error.code, texts[_i].index == NONE ? RESULT_FORMAT : 0);
	ck_assert_int_eq(index, texts[_i].index == NONE ? 99 : texts[_i].index);
}
END_TEST

START_TEST(test_zero_byte)
{
	uint32_t index;

	ck_assert_int_eq(package_parse_rollback("1\0", 2, &index, NULL), -EINVAL);
}
END_TEST

static int read_package(const char *text, uint32_t *index, struct error *error)
{
	struct package *package;
	struct craft craft;
	int err;

	craft_start(&craft);
	craft_add_text(&craft, "x", "x");
	if (text)
		craft_add_text(&craft, PACKAGE_ROLLBACK_INDEX, text);
	craft_finish(&craft, NULL, 0);
	package = open_package(&craft.reader);
	err = package_read_rollback(package, index, error);
	package_close(package);
	craft_free(&craft);
	return err;
}

START_TEST(test_read)
{
	char large[PACKAGE_ROLLBACK_MAX + 2];
	struct error error = {0};
	uint32_t index = 99;

	ck_assert_int_eq(read_package(NULL, &index, &error), 0);
	ck_assert_uint_eq(index, 0);
	ck_assert_int_eq(read_package(" 41\n", &index, &error), 0);
	ck_assert_uint_eq(index, 41);
	ck_assert_int_eq(read_package("x", &index, &error), -EINVAL);
	ck_assert_int_eq(error.code, RESULT_FORMAT);
	memset(large, ' ', sizeof(large));
	large[0] = '5';
	large[sizeof(large) - 2] = '\0';
	ck_assert_int_eq(read_package(large, &index, &error), 0);
	ck_assert_uint_eq(index, 5);
	large[sizeof(large) - 2] = ' ';
	large[sizeof(large) - 1] = '\0';
	ck_assert_int_lt(read_package(large, &index, &error), 0);
}
END_TEST

START_TEST(test_compare)
{
	struct error error = {0};

	ck_assert_int_eq(package_compare_rollback(0, 0, &error), 0);
	ck_assert_int_eq(package_compare_rollback(UINT32_MAX, UINT32_MAX, &error), 0);
	ck_assert_int_eq(package_compare_rollback(UINT32_MAX, 0, &error), 0);
	ck_assert_int_eq(package_compare_rollback(6, 7, &error), -EPERM);
	ck_assert_int_eq(error.code, RESULT_ROLLBACK);
	ck_assert_str_eq(error.message, "the package leads back to rollback index 6, this system has 7");
	ck_assert_int_eq(package_compare_rollback(0, UINT32_MAX, &error), -EPERM);
}
END_TEST

TCase *rollback_tests(void)
{
	TCase *tests = tcase_create("rollback");

	tcase_add_loop_test(tests, test_parse, 0, sizeof(texts) / sizeof(texts[0]));
	tcase_add_test(tests, test_zero_byte);
	tcase_add_test(tests, test_read);
	tcase_add_test(tests, test_compare);
	return tests;
}
