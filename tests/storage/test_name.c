/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/storage/harness.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SHA1_A "da39a3ee5e6b4b0d3255bfef95601890afd80709"
#define SHA1_B "0123456789ABCDEF0123456789abcdef01234567"

START_TEST(paths)
{
	static const struct {
		const char *text;
		const char *name;
	} cases[] = {
		{"/system/bin/app", "/system/bin/app"},
		{"system/bin/app", "/system/bin/app"},
		{"//system///bin/./app/", "/system/bin/app"},
		{"/", "/"},
		{"./x", "/x"},
		{"/system/a:b", "/system/a:b"},
		{"system/MTD:x", "/system/MTD:x"},
		{"/a..b/..c", "/a..b/..c"},
	};
	struct storage_name name;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(storage_name_parse(cases[i].text, &name, NULL), 0);
		ck_assert_int_eq(name.kind, STORAGE_FILE);
		ck_assert_str_eq(name.name, cases[i].name);
		ck_assert_uint_eq(name.content_count, 0);
		ck_assert(storage_is_atomic(&name));
	}
}
END_TEST

START_TEST(partitions)
{
	struct storage_name name;

	ck_assert_int_eq(storage_name_parse("MTD:boot", &name, NULL), 0);
	ck_assert_int_eq(name.kind, STORAGE_MTD);
	ck_assert_str_eq(name.name, "boot");
	ck_assert(!storage_is_atomic(&name));
	ck_assert_int_eq(storage_name_parse("UBI:/dev/ubi0_1:7:" SHA1_A, &name, NULL), 0);
	ck_assert_int_eq(name.kind, STORAGE_UBI);
	ck_assert_str_eq(name.name, "/dev/ubi0_1");
	ck_assert_uint_eq(name.content_count, 1);
	ck_assert_int_eq(storage_name_parse("EMMC:/dev/block/mmcblk0p1", &name, NULL), 0);
	ck_assert_int_eq(name.kind, STORAGE_BLOCK);
}
END_TEST

START_TEST(pairs_are_sorted)
{
	struct storage_name name;

	ck_assert_int_eq(
		storage_name_parse("MTD:boot:18446744073709551615:" SHA1_A ":10:" SHA1_B ":500:" SHA1_A, &name, NULL),
		0);
	ck_assert_uint_eq(name.content_count, 3);
	ck_assert_uint_eq(name.content[0].size, 10);
	ck_assert_uint_eq(name.content[0].digest.bytes[0], 0x01);
	ck_assert_uint_eq(name.content[1].size, 500);
	ck_assert_uint_eq(name.content[2].size, UINT64_MAX);
	ck_assert_uint_eq(name.content[2].digest.bytes[0], 0xda);
}
END_TEST

START_TEST(bad_names)
{
	static const char *const cases[] = {
		"",
		"..",
		"/system/../etc/passwd",
		"a/..",
		":",
		"MTD:",
		"MTD::1:" SHA1_A,
		"mtd:boot",
		"NAND:boot",
		"MTD:../boot",
		"MTD:a/b",
		"MTD:.",
		"MTD:..",
		"EMMC:/dev/../etc/passwd",
		"MTD:boot:",
		"MTD:boot:1",
		"MTD:boot:1:",
		"MTD:boot:0:" SHA1_A,
		"MTD:boot::" SHA1_A,
		"MTD:boot:-1:" SHA1_A,
		"MTD:boot:+1:" SHA1_A,
		"MTD:boot: 1:" SHA1_A,
		"MTD:boot:0x10:" SHA1_A,
		"MTD:boot:1k:" SHA1_A,
		"MTD:boot:18446744073709551616:" SHA1_A,
		"MTD:boot:99999999999999999999999:" SHA1_A,
		"MTD:boot:1:" SHA1_A "0",
		"MTD:boot:1:" SHA1_A ":",
		"MTD:boot:1:" SHA1_A ":2",
		"MTD:boot:1:" SHA1_A ":2:zz",
		"MTD:boot:1:" SHA1_A SHA1_A SHA1_A,
	};
	struct storage_name name;
	struct error error;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		error.message[0] = '\0';
		ck_assert_msg(storage_name_parse(cases[i], &name, &error) == -EINVAL, "%s", cases[i]);
		ck_assert_uint_gt(strlen(error.message), 0);
	}
}
END_TEST

START_TEST(truncated_at_every_byte)
{
	static const char whole[] = "MTD:boot:100:" SHA1_A ":200:" SHA1_B;
	static const size_t first = sizeof("MTD:boot:100:" SHA1_A) - 1;
	struct storage_name name;
	char text[sizeof(whole)];

	for (size_t length = 0; length < sizeof(whole); length++) {
		bool good = length == sizeof(whole) - 1 || length == first || (length >= 5 && length <= 8) ||
		            (length >= 1 && length <= 3);

		(void)snprintf(text, length + 1, "%s", whole);
		/* An MD5-sized or SHA-256-sized cut of a digest cannot be told; SHA-1 cut to 32 digits is MD5. */
		if (length == first - 8 || length == sizeof(whole) - 1 - 8)
			good = true;
		ck_assert_msg((storage_name_parse(text, &name, NULL) == 0) == good, "%s", text);
	}
}
END_TEST

START_TEST(too_much)
{
	char text[STORAGE_PATH_MAX + 100];
	struct storage_name name;
	size_t used = (size_t)snprintf(text, sizeof(text), "MTD:boot");

	for (int i = 0; i < STORAGE_CONTENT_MAX; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, ":%d:%s", 9 - i, SHA1_A);
	ck_assert_int_eq(storage_name_parse(text, &name, NULL), 0);
	(void)snprintf(text + used, sizeof(text) - used, ":77:%s", SHA1_A);
	ck_assert_int_eq(storage_name_parse(text, &name, NULL), -EINVAL);

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "MTD:", 4);
	ck_assert_int_eq(storage_name_parse(text, &name, NULL), -EINVAL);
	text[4 + STORAGE_NAME_MAX] = '\0';
	ck_assert_int_eq(storage_name_parse(text, &name, NULL), -EINVAL);
	text[4 + STORAGE_NAME_MAX - 1] = '\0';
	ck_assert_int_eq(storage_name_parse(text, &name, NULL), 0);

	for (size_t length = STORAGE_PATH_MAX - 3; length < STORAGE_PATH_MAX + 3; length++) {
		memset(text, 'x', length);
		*text = '/';
		text[length] = '\0';
		ck_assert_int_eq(storage_name_parse(text, &name, NULL), length < STORAGE_PATH_MAX ? 0 : -ENAMETOOLONG);
	}
}
END_TEST

Suite *suite_name(void)
{
	Suite *suite = suite_create("storage name");
	TCase *tests = tcase_create("name");

	tcase_add_test(tests, paths);
	tcase_add_test(tests, partitions);
	tcase_add_test(tests, pairs_are_sorted);
	tcase_add_test(tests, bad_names);
	tcase_add_test(tests, truncated_at_every_byte);
	tcase_add_test(tests, too_much);
	suite_add_tcase(suite, tests);
	return suite;
}
