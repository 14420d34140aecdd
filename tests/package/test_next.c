/* SPDX-License-Identifier: Apache-2.0 */
/* The name of the package that follows. */
#include "craft.h"
#include "suites.h"

#include <check.h>
#include <errno.h>
#include <string.h>

static int next_of(const char *text, char name[PACKAGE_NEXT_SIZE], struct error *error)
{
	struct package *package;
	struct craft craft;
	int found;

	craft_start(&craft);
	craft_add_text(&craft, "system/file", "content");
	if (text)
		craft_add_text(&craft, PACKAGE_NEXT, text);
	craft_finish(&craft, NULL, 0);
	package = open_package(&craft.reader);
	found = package_next(package, name, error);
	package_close(package);
	craft_free(&craft);
	return found;
}

START_TEST(test_name)
{
	char name[PACKAGE_NEXT_SIZE] = "x";
	struct error error;

	ck_assert_int_eq(next_of(NULL, name, &error), 0);
	ck_assert_str_eq(name, "");
	ck_assert_int_eq(next_of("update-2.zip\n", name, &error), 1);
	ck_assert_str_eq(name, "update-2.zip");
	ck_assert_int_eq(next_of("~%;(2)", name, &error), 1);
	ck_assert_str_eq(name, "~%;(2)");
}
END_TEST

static const char *const wrong[] = {
	"",   "\n",      "a\nb\n",   "a\n\n", "../a", "a/b",       "/a",           ".",
	"..", ".hidden", "a\\b.zip", "a b",   "a\tb", "a\x7f.zip", "\xc3\xa4.zip",
};

START_TEST(test_wrong_names)
{
	char name[PACKAGE_NEXT_SIZE];
	struct error error = {0};

	ck_assert_int_lt(next_of(wrong[_i], name, &error), 0);
	ck_assert_int_eq(error.code, RESULT_FORMAT);
	ck_assert_ptr_nonnull(strstr(error.message, PACKAGE_NEXT));
}
END_TEST

START_TEST(test_length)
{
	char name[PACKAGE_NEXT_SIZE];
	char text[PACKAGE_NEXT_SIZE + 1];

	memset(text, 'n', sizeof(text));
	ck_assert_int_eq(package_parse_next(text, PACKAGE_NEXT_SIZE - 1, name), 0);
	ck_assert_uint_eq(strlen(name), PACKAGE_NEXT_SIZE - 1);
	ck_assert_int_eq(package_parse_next(text, PACKAGE_NEXT_SIZE, name), -EINVAL);
	ck_assert_int_eq(package_parse_next("a\0b", 3, name), -EINVAL);
}
END_TEST

TCase *next_tests(void)
{
	TCase *tcase = tcase_create("next");

	tcase_add_test(tcase, test_name);
	tcase_add_loop_test(tcase, test_wrong_names, 0, sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_test(tcase, test_length);
	return tcase;
}
