/* SPDX-License-Identifier: Apache-2.0 */
/* mount, format, properties, programs, and what is told to recovery. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
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

START_TEST(test_mount)
{
	world_yields(&w, "mount(\"ubifs\", \"UBI\", \"system\", \"/system\")", "/system");
	world_yields(&w, "mount(\"ubifs\", \"UBI\", \"system\", \"/system\", \"\")", "/system");
	world_yields(&w, "mount(\"ext4\", \"EMMC\", \"/dev/sys\", \"/system\", \"max_batch_time=0\")", "/system");
	world_yields(&w, "is_mounted(\"/system\")", "/system");
	world_yields(&w, "is_mounted(\"/nothing\")", "");
	world_yields(&w, "unmount(\"/nothing\")", "");
	world_yields(&w, "unmount(\"/system\")", "/system");
	world_aborts(&w, "mount(\"\", \"UBI\", \"system\", \"/system\")", "fs_type argument to mount() can't be empty");
	world_aborts(&w, "mount(\"ubifs\", \"\", \"system\", \"/system\")", "partition_type argument to mount()");
	world_aborts(&w, "mount(\"ubifs\", \"UBI\", \"\", \"/system\")", "location argument to mount()");
	world_aborts(&w, "mount(\"ubifs\", \"UBI\", \"system\", \"\")", "mount_point argument to mount()");
}
END_TEST

START_TEST(test_failed_mount_ends_the_script)
{
	world_put_text(&w, "/file", "");
	world_aborts(&w, "mount(\"ubifs\", \"UBI\", \"system\", \"/file\"); ui_print(\"on\")", "mount(): ");
	ck_assert(!world_told(&w, "ui_print on"));
}
END_TEST

START_TEST(test_format)
{
	char *data;
	size_t size;

	world_put_text(&w, "/dev/part", "content");
	world_yields(&w, "format(\"yaffs2\", \"MTD\", \"part\", \"0\", \"/part\")", "part");
	data = world_get(&w, "/dev/part", &size);
	ck_assert_uint_eq(size, 7);
	ck_assert_mem_eq(data, "\xff\xff\xff\xff\xff\xff\xff", 7);
	free(data);
	world_yields(&w, "format(\"ubifs\", \"UBI\", \"part\", \"0\")", "part"); /* the older dialect */
	world_aborts(&w, "format(\"ext4\", \"EMMC\", \"/dev/part\", \"0\", \"/part\"); \"t\"",
	             "cannot make file system ext4 on partition type EMMC");
	world_yields(&w, "format(\"ext4\", \"EMMC\", \"/dev/part\", \"0\", \"/part\") || \"soft\"", "soft");
	world_aborts(&w, "format(\"yaffs2\", \"MTD\", \"none\", \"0\"); \"t\"", "none");
	world_aborts(&w, "format(\"\", \"MTD\", \"part\", \"0\")", "can't be empty");
}
END_TEST

START_TEST(test_wipe_block_device)
{
	char *data;
	size_t size;

	world_put_text(&w, "/dev/part", "content");
	world_yields(&w, "wipe_block_device(\"/dev/part\", 3)", "t");
	data = world_get(&w, "/dev/part", &size);
	ck_assert_uint_eq(size, 7);
	ck_assert_mem_eq(data, "\0\0\0tent", 7);
	free(data);
	world_aborts(&w, "wipe_block_device(\"/dev/part\", 8); \"t\"", "wipe_block_device(): ");
	world_aborts(&w, "wipe_block_device(\"/dev/part\", all)", "is not a number");
	world_aborts(&w, "wipe_block_device(\"/dev/none\", 1); \"t\"", "/dev/none");
}
END_TEST

START_TEST(test_properties)
{
	static char large[65537];

	memset(large, 'x', sizeof(large));
	world_put_text(&w, "/system/build.prop", "# a=comment\n  a = first \na=second\n\nb=\nro.x=y=z\nnonsense\n");
	world_put_text(&w, "/default.prop", "a=default\n");
	world_put(&w, "/large", large, sizeof(large));
	world_yields(&w, "file_getprop(\"/system/build.prop\", \"a\")", "first");
	world_yields(&w, "file_getprop(\"system/build.prop\", \"ro.x\")", "y=z");
	world_yields(&w, "file_getprop(\"/system/build.prop\", \"b\")", "");
	world_yields(&w, "file_getprop(\"/system/build.prop\", \"none\")", "");
	world_aborts(&w, "file_getprop(\"/none\", \"a\")", "/none");
	world_aborts(&w, "file_getprop(\"/large\", \"a\")", "/large");
	world_yields(&w, "getprop(\"a\")", "default");
	world_yields(&w, "getprop(\"ro.x\")", "y=z");
	world_yields(&w, "getprop(\"none\")", "");
}
END_TEST

START_TEST(test_programs)
{
	world_put_text(&w, "/system/file", "");
	/* Not below a root directory: it would run on the host. */
	world_yields(&w, "run_program(\"/bin/false\", \"argument\")", "0");
	/* The wait status as it is, in decimal: that is what scripts of the lineage compare. */
	w.unconfined = true;
	world_yields(&w, "run_program(\"/bin/true\", \"argument\")", "0");
	world_yields(&w, "run_program(\"/bin/false\")", "256");
	world_yields(&w, "run_program(\"/bin/sh\", \"-c\", \"exit 3\")", "768");
	world_yields(&w, "run_program(\"/no/such/program\")", "256");
}
END_TEST

static void expect_command(const char *command)
{
	size_t size;
	char *misc = world_get(&w, "/dev/misc", &size);

	ck_assert_ptr_nonnull(misc);
	ck_assert_str_eq(misc, command);
	free(misc);
}

/* Confined as all tests are: below a root directory reboot_now() does not reboot. */
START_TEST(test_stages)
{
	static const char fresh[65536];

	world_put(&w, "/dev/misc", fresh, sizeof(fresh));
	world_yields(&w, "get_stage(\"/dev/misc\")", "");
	world_yields(&w, "set_stage(\"/dev/misc\", \"2/3\")", "2/3");
	world_yields(&w, "get_stage(\"misc\")", "2/3");
	world_yields(&w, "if get_stage(\"misc\") == \"2/3\" then concat(\"second\") else \"first\" endif", "second");
	world_aborts(&w, "set_stage(\"misc\", \"12345678901234567890123456789012\")", "set_stage(): ");
	world_yields(&w, "reboot_now(\"/dev/misc\", \"recovery\")", "");
	expect_command("boot-recovery");
	world_yields(&w, "reboot_now(\"/dev/misc\", \"\")", "");
	expect_command("");
	world_yields(&w, "get_stage(\"/dev/misc\")", "2/3");
	world_aborts(&w, "get_stage(\"/dev/none\")", "/dev/none");
}
END_TEST

START_TEST(test_strangers)
{
	world_aborts(&w, "tune2fs(\"-j\", \"/dev/part\"); \"t\"", "tune2fs(): not supported");
	world_yields(&w, "retouch_binaries()", "t");
}
END_TEST

START_TEST(test_ui_print)
{
	char long_text[2501] = "";
	char text[3000];

	world_yields(&w, "ui_print(\"one\", \" and \", \"two\")", "one and two");
	ck_assert_str_eq(w.told, "ui_print one and two\nui_print\n");
	world_succeeds(&w, "ui_print(\"first\nsecond\")");
	ck_assert_str_eq(w.told, "ui_print first\nui_print\nui_print second\nui_print\n");
	world_yields(&w, "ui_print()", "");
	ck_assert_str_eq(w.told, "");
	/* Longer than a line of the pipe: cut, not split into words that recovery takes for commands. */
	memset(long_text, 'x', sizeof(long_text) - 1);
	(void)snprintf(text, sizeof(text), "ui_print(\"%s\")", long_text);
	world_succeeds(&w, text);
	for (char *line = strtok(w.told, "\n"); line; line = strtok(NULL, "\n"))
		ck_assert_int_eq(strncmp(line, "ui_print", 8), 0);
}
END_TEST

START_TEST(test_progress_and_requests)
{
	world_yields(&w, "show_progress(0.75, 20)", "0.75");
	ck_assert(world_told(&w, "progress 0.750000 20"));
	world_yields(&w, "set_progress(0.5)", "0.5");
	ck_assert(world_told(&w, "set_progress 0.500000"));
	world_yields(&w, "wipe_cache()", "t");
	ck_assert(world_told(&w, "wipe_cache"));
	world_yields(&w, "enable_reboot()", "t");
	ck_assert(world_told(&w, "enable_reboot"));
}
END_TEST

START_TEST(test_stdout_goes_to_the_log)
{
	world_succeeds(&w, "stdout(\"first\n\", \"second\")");
	ck_assert_ptr_nonnull(strstr(w.log, "first\n"));
	ck_assert_ptr_nonnull(strstr(w.log, "second\n"));
}
END_TEST

Suite *suite_system(void)
{
	Suite *suite = suite_create("system");
	TCase *tc = tcase_create("system");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_mount);
	tcase_add_test(tc, test_failed_mount_ends_the_script);
	tcase_add_test(tc, test_format);
	tcase_add_test(tc, test_wipe_block_device);
	tcase_add_test(tc, test_properties);
	tcase_add_test(tc, test_programs);
	tcase_add_test(tc, test_stages);
	tcase_add_test(tc, test_strangers);
	tcase_add_test(tc, test_ui_print);
	tcase_add_test(tc, test_progress_and_requests);
	tcase_add_test(tc, test_stdout_goes_to_the_log);
	suite_add_tcase(suite, tc);
	return suite;
}
