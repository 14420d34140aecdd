/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments of apply_patch, and the checks: apply_patch_check, apply_patch_space. */
#include "world.h"

#include <stdio.h>
#include <string.h>

#define OLD_SIZE 5000
#define NEW_SIZE 5200

static struct world w;
static struct versions v;
static char partition[512];

static void setup(void)
{
	world_start(&w);
	versions_make(&v, OLD_SIZE, NEW_SIZE, 17);
	world_add(&w, "p", v.patch, v.patch_size, 0100644);
	versions_name_partition(&v, partition);
}

static void teardown(void)
{
	versions_free(&v);
	world_end(&w);
}

START_TEST(test_argument_rules)
{
#define HEX "0123456789012345678901234567890123456789"
	static const struct {
		const char *script, *cause;
	} cases[] = {
		{"apply_patch(\"/a\",\"-\",zz,1," HEX ",package_extract_file(\"p\"))", "can't parse target digest"},
		{"apply_patch(\"/a\",\"-\"," HEX ",\"-1\"," HEX ",package_extract_file(\"p\"))",
	         "can't parse \"-1\" as byte count"},
		{"apply_patch(\"/a\",\"-\"," HEX ",12x," HEX ",package_extract_file(\"p\"))",
	         "can't parse \"12x\" as byte count"},
		{"apply_patch(\"/a\",\"-\"," HEX ",1,read_file(\"/a\"),package_extract_file(\"p\"))",
	         "sha-1 #1 is not string"},
		{"apply_patch(\"/a\",\"-\"," HEX ",1," HEX ",\"p\")", "patch #1 is not blob"},
		{"apply_patch(\"/a\",\"-\"," HEX ",1,nodigest,package_extract_file(\"p\"))", "is not a digest"},
		{"apply_patch(\"MTD:a:0:" HEX "\",\"-\"," HEX ",1," HEX ",package_extract_file(\"p\"))", "MTD:a"},
		{"apply_patch(package_extract_file(\"p\"),\"-\"," HEX ",1," HEX ",package_extract_file(\"p\"))",
	         "expecting text"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		world_aborts(&w, cases[i].script, cases[i].cause);
#undef HEX
}
END_TEST

START_TEST(test_check)
{
	char text[2048];

	world_put(&w, "/system/app", v.old_data, v.old_size);
	world_put(&w, "/dev/part", v.old_data, v.old_size);
	(void)snprintf(text, sizeof(text), "apply_patch_check(\"/system/app\", %s, %s)", v.new_sha1, v.old_sha1);
	world_yields(&w, text, "t");
	(void)snprintf(text, sizeof(text), "apply_patch_check(\"/system/app\", \"%s\")", v.new_sha1);
	world_yields(&w, text, "");
	world_yields(&w, "apply_patch_check(\"/system/app\")", "t");
	world_yields(&w, "apply_patch_check(\"system/app\")", "t");
	world_yields(&w, "apply_patch_check(\"/system/none\")", "");
	world_yields(&w, "apply_patch_check(\"/system/app\", nodigest)", "");
	(void)snprintf(text, sizeof(text), "apply_patch_check(\"%s\")", partition);
	world_yields(&w, text, "t");
	(void)snprintf(text, sizeof(text), "apply_patch_check(\"EMMC:/dev/part:%d:%s\")", OLD_SIZE, v.new_sha1);
	world_yields(&w, text, "");
	world_yields(&w, "apply_patch_check(\"MTD:part\")", "");
}
END_TEST

START_TEST(test_failed_check_is_the_cause)
{
	char text[2048];

	world_put(&w, "/system/app", "stranger", 8);
	(void)snprintf(text, sizeof(text), "assert(apply_patch_check(\"/system/app\", \"%s\", \"%s\"));", v.new_sha1,
	               v.old_sha1);
	world_aborts(&w, text, "/system/app: expected");
	ck_assert_ptr_nonnull(strstr(w.error.message, "assert failed"));
	ck_assert_ptr_nonnull(strstr(w.error.message, sha1_of("stranger", 8)));
	ck_assert(world_told(&w, "log error: 510"));
	ck_assert_ptr_nonnull(strstr(w.told, "log cause: /system/app: expected "));
	ck_assert_ptr_nonnull(strstr(w.log, "/system/app: expected "));
}
END_TEST

START_TEST(test_space_check)
{
	w.free_cache = 1000 + 66048; /* what a backup takes beside its content is no room for content */
	world_yields(&w, "apply_patch_space(1000)", "t");
	world_yields(&w, "apply_patch_space(\"1001\")", "");
	world_put_text(&w, UPDATER_BACKUP, "x"); /* an interrupted run's backup is not missing space */
	world_yields(&w, "apply_patch_space(1001)", "t");
	world_aborts(&w, "apply_patch_space(5000) || abort(\"Not enough free space on /cache.\")",
	             "not enough free space on /cache: need 5000");
	ck_assert_int_eq(w.error.code, RESULT_SPACE);
	world_aborts(&w, "apply_patch_space(lots)", "as byte count");
	ck_assert(world_exists(&w, UPDATER_BACKUP));
}
END_TEST

Suite *suite_check(void)
{
	Suite *suite = suite_create("check");
	TCase *tc = tcase_create("check");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_argument_rules);
	tcase_add_test(tc, test_check);
	tcase_add_test(tc, test_failed_check_is_the_cause);
	tcase_add_test(tc, test_space_check);
	suite_add_tcase(suite, tc);
	return suite;
}
