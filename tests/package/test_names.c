/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include "craft.h"

#include <string.h>

static const char *const hostile_names[] = {
	"/abs", "/", "..", "../x", "x/..", "x/../y", "x//y", "x//", "./x", "x/./y", ".", "a\\b", "a\nb", "\x7f", "",
};

START_TEST(refuses_hostile_names)
{
	struct craft craft;

	craft_start(&craft);
	craft_add_text(&craft, "good", "");
	craft_add(&craft, hostile_names[_i], CRAFT_STORED, "", 0, 0);
	craft_finish(&craft, NULL, 0);
	check_refused(&craft.reader, RESULT_FORMAT);
	craft_free(&craft);
}
END_TEST

START_TEST(accepts_odd_names)
{
	static const char *const names[] = {"...",        "..a",      "a..",  ".a",   "a b",
	                                    "\"quoted\"", "\xc3\xa9", "\xff", "a/b/c"};
	struct craft craft;

	craft_start(&craft);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		craft_add_text(&craft, names[i], names[i]);
	craft_finish(&craft, NULL, 0);
	check_accepted(&craft.reader);
	craft_free(&craft);
}
END_TEST

START_TEST(name_length_limit)
{
	char name[PACKAGE_NAME_MAX + 1];

	for (size_t length = PACKAGE_NAME_MAX - 1; length <= PACKAGE_NAME_MAX; length++) {
		struct craft craft;

		memset(name, 'n', length);
		name[length] = '\0';
		craft_start(&craft);
		craft_add_text(&craft, name, "x");
		craft_finish(&craft, NULL, 0);
		if (length < PACKAGE_NAME_MAX)
			check_accepted(&craft.reader);
		else
			check_refused(&craft.reader, RESULT_FORMAT);
		craft_free(&craft);
	}
}
END_TEST

START_TEST(nul_in_name)
{
	struct craft craft;

	craft_start(&craft);
	craft_add_text(&craft, "aXb", "x");
	craft_finish(&craft, NULL, 0);
	craft.bytes[craft.local[0] + 31] = '\0';
	craft.bytes[craft.record[0] + 47] = '\0';
	check_refused(&craft.reader, RESULT_FORMAT);
	craft_free(&craft);
}
END_TEST

/* Pairs that are two views of one path, or that lead out of the tree. */
static const struct {
	const char *first;
	const char *second;
	uint32_t first_mode;
	bool accepted;
} pairs[] = {
	{"x", "x", 0100644, false},    {"x/", "x", 040755, false},         {"x", "x/y", 0120777, false},
	{"x", "x/y", 0100644, false},  {"x/", "x/y", 040755, true},        {"x/y", "x/y/z/u", 0120777, false},
	{"x", "x.y/z", 0100644, true}, {"x/y/z", "x/y/zz", 0100644, true}, {"x", "x/y", 0, false},
};

START_TEST(pairs_of_names)
{
	for (int swapped = 0; swapped < 2; swapped++) {
		struct craft craft;

		craft_start(&craft);
		if (swapped)
			craft_add_text(&craft, pairs[_i].second, "");
		craft_add(&craft, pairs[_i].first, CRAFT_STORED, "", 0, pairs[_i].first_mode);
		if (!swapped)
			craft_add_text(&craft, pairs[_i].second, "");
		craft_finish(&craft, NULL, 0);
		if (pairs[_i].accepted)
			check_accepted(&craft.reader);
		else
			check_refused(&craft.reader, RESULT_FORMAT);
		craft_free(&craft);
	}
}
END_TEST

TCase *name_tests(void)
{
	TCase *tests = tcase_create("names");

	tcase_add_loop_test(tests, refuses_hostile_names, 0, sizeof(hostile_names) / sizeof(hostile_names[0]));
	tcase_add_test(tests, accepts_odd_names);
	tcase_add_test(tests, name_length_limit);
	tcase_add_test(tests, nul_in_name);
	tcase_add_loop_test(tests, pairs_of_names, 0, sizeof(pairs) / sizeof(pairs[0]));
	return tests;
}
