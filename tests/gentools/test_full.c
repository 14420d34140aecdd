/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const no_lists[GEN_LISTS];
static const struct gen_options full = {.full = true, .native = true};
static const struct gen_options formatting = {.full = true};

static const struct item source[] = {
	ITEM_FILE("SYSTEM/bin/other", 0755, "goes"),
	ITEM_FILE("SYSTEM/was-file", 0644, "becomes a directory"),
	ITEM_FILE("SYSTEM/firmware/old", 0644, "goes, too"),
	ITEM_NONE("SYSTEM/etc/quectel-project-version"),
	ITEM_END,
};

static const struct item target[] = {
	ITEM_FILE("SYSTEM/new", 0640, "new"),
	ITEM_DIR("SYSTEM/was-file"),
	ITEM_FILE("SYSTEM/was-file/inside", 0644, "in it"),
	ITEM_FILE("SYSTEM/firmware/modem", 0644, "modem"),
	ITEM_FILE("SYSTEM/etc/quectel-project-version", 0644, "Project Rev : two\n"),
	ITEM_FILE("SYSTEM/etc/quectel-rollback-index", 0644, "7\n"),
	ITEM_FILE("MULTIFOTA/abl.elf", 0644, "boot loader"),
	ITEM_END,
};

static char *load(const struct run *run, const char *entry, size_t *size)
{
	struct error error = {0};
	char *data;

	ck_assert_msg(package_load(run->package, entry, 1 << 20, &data, size, &error) == 0, "%s", error.message);
	return data;
}

static bool is_kept(const struct run *run, const char *list, const char *name)
{
	size_t size;
	char *data = load(run, list, &size);
	bool found = false;

	for (size_t at = 0; at < size; at += strlen(data + at) + 1)
		found = found || strcmp(data + at, name) == 0;
	free(data);
	return found;
}

START_TEST(asks_for_nothing)
{
	struct run run;

	run_start_with(&run, "a", source, target, no_lists, &full);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	ck_assert(!has_entry(&run, PACKAGE_PROJECT_VERSION));
	ck_assert(has_entry(&run, PACKAGE_TARGET_VERSION));
	ck_assert(has_entry(&run, PACKAGE_ROLLBACK_INDEX));
	ck_assert(has_entry(&run, "system/bin/same"));
	ck_assert(has_entry(&run, "images/boot.img"));
	ck_assert(has_entry(&run, "images/abl.elf"));
	ck_assert_int_eq(find_call(&run, "apply_patch"), -1);
	ck_assert_int_eq(find_call(&run, "delete"), -1);
	ck_assert_int_lt(find_call(&run, "mount(ubifs,UBI,rootfs,/system)"),
	                 find_call(&run, "keep_only(/system,keep.list)"));
	ck_assert_int_lt(find_call(&run, "mount(ubifs,UBI,modem,/system/firmware)"),
	                 find_call(&run, "keep_only(/system/firmware,keep-firmware.list)"));
	ck_assert_int_lt(find_call(&run, "keep_only(/system/firmware,keep-firmware.list)"),
	                 find_call(&run, "package_extract_dir(system,/system)"));
	ck_assert(has_call(&run, "set_metadata(/system/new,uid,0,gid,0,mode,0640,capabilities,0x0)"));
	run_end(&run);
}
END_TEST

START_TEST(lists_what_stays)
{
	struct run run;

	run_start_with(&run, "a", source, target, no_lists, &full);
	ck_assert_int_eq(run.result, 0);
	ck_assert(is_kept(&run, "keep.list", "*firmware"));
	ck_assert(is_kept(&run, "keep.list", "*dev"));
	ck_assert(is_kept(&run, "keep.list", "fbin/same"));
	ck_assert(is_kept(&run, "keep.list", "dwas-file"));
	ck_assert(is_kept(&run, "keep.list", "llib"));
	ck_assert(!is_kept(&run, "keep.list", "fbin/other"));
	ck_assert(!is_kept(&run, "keep.list", "ffirmware/modem"));
	ck_assert(is_kept(&run, "keep-firmware.list", "fmodem"));
	ck_assert(!is_kept(&run, "keep-firmware.list", "fold"));
	run_end(&run);
}
END_TEST

/* Whose version the rest is, nobody knows; what is no part of it stays. */
START_TEST(parts)
{
	struct run run;

	run_start_with(&run, "m", source, target, no_lists, &full);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	ck_assert(!has_entry(&run, PACKAGE_TARGET_VERSION));
	ck_assert(has_entry(&run, PACKAGE_ROLLBACK_INDEX));
	ck_assert_int_ge(find_call(&run, "keep_only(/system/firmware,"), 0);
	ck_assert_int_eq(find_call(&run, "keep_only(/system,"), -1);
	run_end(&run);
	run_start_with(&run, "o", source, target, no_lists, &full);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	ck_assert_int_eq(find_call(&run, "keep_only("), -1);
	ck_assert_int_eq(find_call(&run, "mount("), -1);
	run_end(&run);
}
END_TEST

/* Of the module it is made on, no byte comes into it. */
START_TEST(same_from_any_source)
{
	struct run runs[2];

	run_start_with(&runs[0], "a", source, target, no_lists, &full);
	run_start_with(&runs[1], "a", target, target, no_lists, &full);
	ck_assert_int_eq(runs[0].result, 0);
	ck_assert_int_eq(runs[1].result, 0);
	ck_assert_uint_eq(runs[0].block.size, runs[1].block.size);
	ck_assert_int_eq(memcmp(runs[0].bytes, runs[1].bytes, runs[0].block.size), 0);
	run_end(&runs[0]);
	run_end(&runs[1]);
}
END_TEST

START_TEST(keeps_nothing)
{
	const char *const lists[GEN_LISTS] = {[GEN_NOOTA] = "/etc/own\n"};
	struct run run;

	run_start_with(&run, "a", source, target, lists, &full);
	ck_assert_int_eq(run.result, -EINVAL);
	ck_assert_ptr_nonnull(strstr(run.error.message, "list1:1: SYSTEM/etc/own"));
	run_end(&run);
}
END_TEST

/* For updaters that know no keep_only(). */
START_TEST(formats)
{
	struct run run;

	run_start_with(&run, "a", source, target, no_lists, &formatting);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	ck_assert(!has_entry(&run, PACKAGE_PROJECT_VERSION));
	ck_assert(has_entry(&run, PACKAGE_TARGET_VERSION));
	ck_assert(has_entry(&run, "system/dev"));
	ck_assert(has_entry(&run, "system/firmware"));
	ck_assert(!has_entry(&run, "keep.list"));
	ck_assert_int_eq(find_call(&run, "keep_only("), -1);
	ck_assert_int_eq(find_call(&run, "delete"), -1);
	ck_assert_int_lt(find_call(&run, "format(ubifs,UBI,modem,0,/system/firmware)"),
	                 find_call(&run, "format(ubifs,UBI,rootfs,0,/system)"));
	ck_assert_int_lt(find_call(&run, "format(ubifs,UBI,rootfs,0,/system)"),
	                 find_call(&run, "mount(ubifs,UBI,rootfs,/system)"));
	ck_assert_int_lt(find_call(&run, "mount(ubifs,UBI,modem,/system/firmware)"),
	                 find_call(&run, "package_extract_dir(system,/system)"));
	ck_assert(has_call(&run, "set_metadata(/system/new,uid,0,gid,0,mode,0640)"));
	run_end(&run);
}
END_TEST

/* A part leaves the other parts' volumes as they are. */
START_TEST(formats_parts)
{
	struct run run;

	run_start_with(&run, "m", source, target, no_lists, &formatting);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	ck_assert_int_ge(find_call(&run, "format(ubifs,UBI,modem,"), 0);
	ck_assert_int_eq(find_call(&run, "format(ubifs,UBI,rootfs,"), -1);
	ck_assert(!has_entry(&run, "system/dev"));
	run_end(&run);
	run_start_with(&run, "l", source, target, no_lists, &formatting);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	ck_assert_int_eq(find_call(&run, "format(ubifs,UBI,modem,"), -1);
	ck_assert_int_ge(find_call(&run, "format(ubifs,UBI,rootfs,"), 0);
	run_end(&run);
	run_start_with(&run, "o", source, target, no_lists, &formatting);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	ck_assert_int_eq(find_call(&run, "format("), -1);
	run_end(&run);
}
END_TEST

TCase *full_tests(void)
{
	TCase *tests = tcase_create("full");

	tcase_add_test(tests, asks_for_nothing);
	tcase_add_test(tests, lists_what_stays);
	tcase_add_test(tests, parts);
	tcase_add_test(tests, same_from_any_source);
	tcase_add_test(tests, keeps_nothing);
	tcase_add_test(tests, formats);
	tcase_add_test(tests, formats_parts);
	return tests;
}
