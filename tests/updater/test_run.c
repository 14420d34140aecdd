/* SPDX-License-Identifier: Apache-2.0 */
/* The run as a whole: parse errors, argument counts, the ways a script ends. */
#include "world.h"

#include <stdio.h>
#include <string.h>

static struct world w;

static void setup(void)
{
	world_start(&w);
}

static void teardown(void)
{
	world_end(&w);
}

static void refused(const char *script, const char *finding)
{
	ck_assert_int_eq(world_run(&w, script), UPDATER_PARSE);
	ck_assert_msg(strstr(w.log, finding) != NULL, "\"%s\" is not in: %s", finding, w.log);
	ck_assert_int_eq(w.error.code, RESULT_FORMAT);
}

START_TEST(test_no_script)
{
	ck_assert_int_eq(world_run(&w, NULL), UPDATER_NO_SCRIPT);
	ck_assert_int_eq(w.error.code, RESULT_FORMAT);
	ck_assert(world_told(&w, "log error: 504"));
}
END_TEST

START_TEST(test_all_unknown_functions_are_listed)
{
	refused("ui_print(\"a\");\nblock_image_update(\"a\");\n  get_device_compatible(\"b\");\n",
	        "script:2:1: unknown function \"block_image_update\"");
	ck_assert_ptr_nonnull(strstr(w.log, "script:3:3: unknown function \"get_device_compatible\""));
	ck_assert_ptr_nonnull(strstr(w.told, "ui_print script:3:3: "));
	ck_assert(!world_told(&w, "ui_print a"));
	ck_assert(world_told(&w, "log error: 504"));
}
END_TEST

START_TEST(test_block_and_ab_functions_are_unknown)
{
	static const char *const names[] = {"block_image_update",  "block_image_verify",        "range_sha1",
	                                    "block_image_recover", "check_first_block",         "scan_mtd_partitions",
	                                    "write_value",         "copy_boot_to_inactive_slot"};
	char script[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(script, sizeof(script), "%s(\"a\")", names[i]);
		refused(script, "unknown function");
	}
}
END_TEST

START_TEST(test_argument_counts)
{
	static const struct {
		const char *name;
		int least, most; /* most -1: any */
		int parity;      /* 0 any, 1 odd, 2 even */
	} rules[] = {
		{"apply_patch", 6, -1, 2},
		{"apply_patch_check", 1, -1, 0},
		{"apply_patch_space", 1, 1, 0},
		{"enable_reboot", 0, 0, 0},
		{"file_getprop", 2, 2, 0},
		{"format", 4, 5, 0},
		{"get_stage", 1, 1, 0},
		{"getprop", 1, 1, 0},
		{"is_mounted", 1, 1, 0},
		{"mount", 4, 5, 0},
		{"package_extract_dir", 2, 2, 0},
		{"package_extract_file", 1, 2, 0},
		{"read_file", 1, 1, 0},
		{"reboot_now", 2, 2, 0},
		{"rename", 2, 2, 0},
		{"run_program", 1, -1, 0},
		{"set_metadata", 3, -1, 1},
		{"set_metadata_recursive", 3, -1, 1},
		{"set_perm", 4, -1, 0},
		{"set_perm_recursive", 5, -1, 0},
		{"set_progress", 1, 1, 0},
		{"set_stage", 2, 2, 0},
		{"sha1_check", 1, -1, 0},
		{"show_progress", 2, 2, 0},
		{"symlink", 1, -1, 0},
		{"tune2fs", 2, -1, 0},
		{"unmount", 1, 1, 0},
		{"wipe_block_device", 2, 2, 0},
		{"wipe_cache", 0, 0, 0},
		{"write_raw_image", 2, 2, 0},
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		for (int count = 0; count < 10; count++) {
			bool good = count >= rules[i].least && (rules[i].most < 0 || count <= rules[i].most) &&
			            (rules[i].parity == 0 || count % 2 == rules[i].parity % 2);
			char script[256];
			int used = snprintf(script, sizeof(script), "abort(); %s(", rules[i].name);

			for (int k = 0; k < count; k++)
				used += snprintf(script + used, sizeof(script) - (size_t)used, "%sx", k ? "," : "");
			(void)snprintf(script + used, sizeof(script) - (size_t)used, ")");
			ck_assert_msg(world_run(&w, script) == (good ? UPDATER_ABORT : UPDATER_PARSE), "%s", script);
		}
	}
}
END_TEST

START_TEST(test_success)
{
	world_yields(&w, "\"fine\"", "fine");
	ck_assert_str_eq(w.told, "");
	world_succeeds(&w, "package_extract_file(\"first\")");
	ck_assert_ptr_nonnull(strstr(w.log, "result was [a blob]"));
}
END_TEST

START_TEST(test_abort)
{
	world_aborts(&w, "ui_print(\"a\"); abort(\"no way\"); ui_print(\"b\")", "no way");
	ck_assert(world_told(&w, "ui_print a"));
	ck_assert(!world_told(&w, "ui_print b"));
	ck_assert(world_told(&w, "ui_print no way"));
	ck_assert(world_told(&w, "log error: 510"));
	ck_assert(world_told(&w, "log cause: no way"));
	ck_assert_ptr_nonnull(strstr(w.log, "script aborted at 1:16: no way"));
	world_aborts(&w, "assert(getprop(\"x\") == \"y\")", "assert failed: getprop(\"x\") == \"y\"");
}
END_TEST

START_TEST(test_crlf_script)
{
	world_yields(&w, "ui_print(\"a\");\r\n\"end\" # no newline", "end");
}
END_TEST

Suite *suite_run(void)
{
	Suite *suite = suite_create("run");
	TCase *tc = tcase_create("run");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, test_no_script);
	tcase_add_test(tc, test_all_unknown_functions_are_listed);
	tcase_add_test(tc, test_block_and_ab_functions_are_unknown);
	tcase_add_test(tc, test_argument_counts);
	tcase_add_test(tc, test_success);
	tcase_add_test(tc, test_abort);
	tcase_add_test(tc, test_crlf_script);
	suite_add_tcase(suite, tc);
	return suite;
}
