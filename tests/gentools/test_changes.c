/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct item no_items[] = {ITEM_END};

/* SHA-1 of "abc", "abcd" and nothing. */
#define ABC   "a9993e364706816aba3e25717850c26c9cd0d89d"
#define ABCD  "81fe8bfe87576c3ecb22426f8e57847382917acf"
#define EMPTY "da39a3ee5e6b4b0d3255bfef95601890afd80709"
/* Of what attributes_only() has. */
#define TOOL   "7f666633e926af4e9c7c73508225c427c4f722b5"
#define LETTER "7a81af3e591ac713f81ea1efe93dcf36157d8376"

#define LEFTOVERS "delete_recursive(/system/.fota-store)"

/* Every call that changes something, in order; leftovers, ui_print, progress and unmount left out. */
static void check_changes(const struct run *run, const char *expected)
{
	static const char *const ignored[] = {"ui_print(", "set_progress(", "show_progress(",
	                                      "unmount(",  "mount(",        LEFTOVERS};
	char *found = calloc(1, strlen(run->calls) + 1);

	for (const char *line = run->calls; *line;) {
		const char *end = strchr(line, '\n') + 1;
		bool skip = false;

		for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
			skip = skip || strncmp(line, ignored[i], strlen(ignored[i])) == 0;
		if (!skip)
			strncat(found, line, (size_t)(end - line));
		line = end;
	}
	ck_assert_str_eq(found, expected);
	free(found);
}

/* Of an upgrade that was given up: not before this one is known to fit, and not by who does not look at that place. */
START_TEST(leftovers_go)
{
	static const struct item source[] = {ITEM_NOISE("SYSTEM/bin/a", 5000, 1), ITEM_END};
	static const struct item target[] = {ITEM_NOISE("SYSTEM/bin/a", 5000, 9), ITEM_END};
	static const struct item boot[] = {ITEM_NOISE("SYSTEM/bin/a", 5000, 1),
	                                   ITEM_NOISE("BOOTABLE_IMAGES/boot.img", 5000, 1), ITEM_END};
	struct run run;

	run_start(&run, "a", source, target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	ck_assert_int_ge(find_call(&run, "apply_patch_check("), 0);
	ck_assert_int_gt(find_call(&run, LEFTOVERS), find_call(&run, "apply_patch_check("));
	ck_assert_int_lt(find_call(&run, LEFTOVERS), find_call(&run, "apply_patch(/system/bin/a"));
	run_end(&run);
	run_start(&run, "a", source, boot);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	ck_assert_int_eq(find_call(&run, LEFTOVERS), -1);
	run_end(&run);
}
END_TEST

START_TEST(patches_what_differs)
{
	static const struct item source[] = {ITEM_NOISE("SYSTEM/bin/a", 5000, 1), ITEM_NOISE("SYSTEM/bin/b", 5000, 0),
	                                     ITEM_END};
	static const struct item target[] = {ITEM_NOISE("SYSTEM/bin/a", 5000, 9), ITEM_NOISE("SYSTEM/bin/b", 5000, 0),
	                                     ITEM_END};
	struct run run;

	run_start(&run, "a", source, target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	ck_assert_uint_eq(package_count(run.package), 4);
	check_patch(&run, "/system/bin/a,", &source[0], &target[0]);
	ck_assert(has_entry(&run, PACKAGE_PROJECT_VERSION));
	ck_assert_int_eq(find_call(&run, "apply_patch(/system/bin/b"), -1);
	ck_assert(has_call(&run, "mount(ubifs,UBI,rootfs,/system)"));
	ck_assert(has_call(&run, "unmount(/system)"));
	ck_assert_int_eq(find_call(&run, "mount(ubifs,UBI,modem"), -1);
	ck_assert(has_call(&run, "apply_patch_space(5000)"));
	ck_assert_int_eq(find_call(&run, "set_metadata("), -1);
	ck_assert(has_call(&run, "set_progress(1.000)"));
	ck_assert_ptr_nonnull(strstr(run.calls, "\nunmount(/system)\nui_print(Update complete.)\n"));
	run_end(&run);
}
END_TEST

/* The backup of a partition holds its old content. */
START_TEST(room_for_the_larger_version)
{
	static const struct item source[] = {ITEM_NOISE("BOOTABLE_IMAGES/boot.img", 5000, 1), ITEM_END};
	static const struct item target[] = {ITEM_NOISE("BOOTABLE_IMAGES/boot.img", 3000, 1), ITEM_END};
	struct run run;

	run_start(&run, "o", source, target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	ck_assert(has_call(&run, "apply_patch_space(5000)"));
	run_end(&run);
}
END_TEST

/* What a patch leaves as it was is not set; but it leaves no set-id bits, and a list may ask for what is there. */
START_TEST(attributes_of_what_is_patched)
{
	static const char *const lists[GEN_LISTS] = {[GEN_CHMOD] = "/asked 644 0 0\n"};
	static const struct gen_options more;
	static const struct item source[] = {{.path = "SYSTEM/id", .type = S_IFREG, .mode = 04755, .noise = 5000},
	                                     {.path = "SYSTEM/mode", .type = S_IFREG, .mode = 0644, .noise = 5000},
	                                     {.path = "SYSTEM/owner", .type = S_IFREG, .mode = 0644, .noise = 5000},
	                                     {.path = "SYSTEM/same", .type = S_IFREG, .mode = 0600, .noise = 5000},
	                                     ITEM_NOISE("SYSTEM/asked", 5000, 0),
	                                     ITEM_END};
	static const struct item target[] = {
		{.path = "SYSTEM/id", .type = S_IFREG, .mode = 04755, .noise = 5000, .seed = 5},
		{.path = "SYSTEM/mode", .type = S_IFREG, .mode = 0755, .noise = 5000, .seed = 5},
		{.path = "SYSTEM/owner", .type = S_IFREG, .mode = 0644, .uid = 3, .noise = 5000, .seed = 5},
		{.path = "SYSTEM/same", .type = S_IFREG, .mode = 0600, .noise = 5000, .seed = 5},
		ITEM_NOISE("SYSTEM/asked", 5000, 5),
		ITEM_END};
	struct run run;

	run_start_with(&run, "a", source, target, lists, &more);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	ck_assert(has_call(&run, "set_metadata(/system/id,uid,0,gid,0,mode,04755)"));
	ck_assert(has_call(&run, "set_metadata(/system/mode,uid,0,gid,0,mode,0755)"));
	ck_assert(has_call(&run, "set_metadata(/system/owner,uid,3,gid,0,mode,0644)"));
	ck_assert(has_call(&run, "set_metadata(/system/asked,uid,0,gid,0,mode,0644)"));
	ck_assert_int_eq(find_call(&run, "set_metadata(/system/same,"), -1);
	run_end(&run);
}
END_TEST

START_TEST(digests_in_the_seeds_order)
{
	static const struct item source[] = {ITEM_FILE("BOOTABLE_IMAGES/boot.img", 0644, "abc"), ITEM_END};
	static const struct item target[] = {ITEM_FILE("BOOTABLE_IMAGES/boot.img", 0644, "abcd"), ITEM_END};
	struct run run;

	run_start(&run, "o", source, target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	check_changes(&run, "apply_patch_check(MTD:boot:3:" ABC ":4:" ABCD "," ABCD "," ABC ")\n"
	                    "apply_patch_space(4)\n"
	                    "apply_patch(MTD:boot:3:" ABC ":4:" ABCD ",-," ABCD ",4," ABC ",0)\n");
	ck_assert_int_eq(find_call(&run, "mount("), -1);
	check_patch(&run, "MTD:boot:", &source[0], &target[0]);
	run_end(&run);
}
END_TEST

START_TEST(new_and_deleted)
{
	static const struct item source[] = {ITEM_DIR("SYSTEM/old"),
	                                     ITEM_FILE("SYSTEM/old/a", 0644, "1"),
	                                     ITEM_DIR("SYSTEM/old/sub"),
	                                     ITEM_FILE("SYSTEM/old/sub/b", 0644, "2"),
	                                     ITEM_FILE("SYSTEM/old-not", 0644, "3"),
	                                     ITEM_LINK("SYSTEM/ln", "x"),
	                                     ITEM_END};
	static const struct item target[] = {ITEM_DIR("SYSTEM/new"), ITEM_DIR("SYSTEM/new/empty"),
	                                     ITEM_FILE("SYSTEM/new/tool", 04750, "#!"), ITEM_END};
	struct run run;

	run_start(&run, "l", source, target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	check_changes(&run, "delete_recursive(/system/old)\n"
	                    "delete(/system/ln,/system/old-not)\n"
	                    "package_extract_dir(system,/system)\n"
	                    "set_metadata(/system/new,uid,0,gid,0,mode,0755)\n"
	                    "set_metadata(/system/new/empty,uid,0,gid,0,mode,0755)\n"
	                    "set_metadata(/system/new/tool,uid,0,gid,0,mode,04750)\n");
	ck_assert(has_entry(&run, "system/new/empty"));
	ck_assert(has_entry(&run, "system/new/tool"));
	ck_assert_int_eq(find_call(&run, "apply_patch"), -1);
	run_end(&run);
}
END_TEST

/* A foreign file must be found before anything changes, however small it is. */
START_TEST(small_changes_are_checked)
{
	static const struct item source[] = {ITEM_FILE("SYSTEM/etc/x", 0640, "abc"),
	                                     ITEM_FILE("SYSTEM/etc/y", 0644, ""), ITEM_END};
	static const struct item target[] = {ITEM_FILE("SYSTEM/etc/x", 0640, "abcd"),
	                                     ITEM_FILE("SYSTEM/etc/y", 0644, "abc"), ITEM_END};
	struct run run;

	run_start(&run, "a", source, target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	ck_assert(has_call(&run, "apply_patch_check(/system/etc/x," ABCD "," ABC ")"));
	ck_assert(has_call(&run, "apply_patch_check(/system/etc/y," ABC "," EMPTY ")"));
	ck_assert_int_eq(find_call(&run, "package_extract_dir("), -1);
	check_patch(&run, "/system/etc/x,", &source[0], &target[0]);
	check_patch(&run, "/system/etc/y,", &source[1], &target[1]);
	run_end(&run);
}
END_TEST

/* Names that would be refused among the entries of a package; contents that change alike share a patch. */
START_TEST(entries_of_patches)
{
	char name[1021] = "SYSTEM/";
	struct item source[] = {ITEM_FILE("SYSTEM/x", 0644, "1"),
	                        ITEM_DIR("SYSTEM/x.p"),
	                        ITEM_FILE("SYSTEM/x.p/y", 0644, "1"),
	                        ITEM_FILE("SYSTEM/x.p/y.p", 0644, "1"),
	                        ITEM_FILE("SYSTEM/a\\b", 0644, "1"),
	                        ITEM_FILE(name, 0644, "1"),
	                        ITEM_END};
	struct item target[sizeof(source) / sizeof(source[0])];
	struct run run;

	for (size_t i = strlen(name); i < sizeof(name) - 1; i++)
		name[i] = i % 200 ? 'n' : '/';
	memcpy(target, source, sizeof(target));
	for (size_t i = 0; target[i].path; i++)
		target[i].text = target[i].type != S_IFREG ? "" : i == 0 ? "3" : "2";
	run_start(&run, "a", source, target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	check_patch(&run, "/system/x.p/y,", &source[2], &target[2]);
	check_patch(&run, "/system/x.p/y.p,", &source[3], &target[3]);
	check_patch(&run, "/system/x,", &source[0], &target[0]);
	ck_assert(has_entry(&run, "0") && has_entry(&run, "1") && !has_entry(&run, "2"));
	ck_assert_ptr_nonnull(strstr(run.log, "patch SYSTEM/x.p/y: 1 -> 1 bytes, the patch of SYSTEM/a"));
	run_end(&run);
}
END_TEST

/* Byte 92 of streams 1 and 4 is the same, so that its change is, too; that of stream 2 is another one. */
START_TEST(equal_patches_of_different_files)
{
	static const struct item source[] = {ITEM_STREAM("SYSTEM/a", 4000, 0, 1), ITEM_STREAM("SYSTEM/b", 4000, 0, 4),
	                                     ITEM_STREAM("SYSTEM/c", 4000, 0, 2), ITEM_STREAM("SYSTEM/d", 4000, 0, 4),
	                                     ITEM_STREAM("SYSTEM/e", 4001, 0, 1), ITEM_END};
	static const struct item target[] = {ITEM_STREAM("SYSTEM/a", 4000, 92, 1), ITEM_STREAM("SYSTEM/b", 4000, 92, 4),
	                                     ITEM_STREAM("SYSTEM/c", 4000, 92, 2), ITEM_STREAM("SYSTEM/d", 4000, 92, 4),
	                                     ITEM_STREAM("SYSTEM/e", 4001, 92, 1), ITEM_END};
	struct run run;

	run_start(&run, "a", source, target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	ck_assert(has_entry(&run, "0") && has_entry(&run, "1") && has_entry(&run, "2") && !has_entry(&run, "3"));
	for (size_t i = 0; source[i].path; i++) {
		char *device;

		ck_assert_int_gt(asprintf(&device, "/system/%s,", source[i].path + strlen("SYSTEM/")), 0);
		check_patch(&run, device, &source[i], &target[i]);
		free(device);
	}
	/* Those that share one stand together: the package is read from its start to its end. */
	ck_assert_int_lt(find_call(&run, "apply_patch(/system/d,"), find_call(&run, "apply_patch(/system/c,"));
	run_end(&run);
}
END_TEST

/* What tells the version is the last file to change, and is always checked, however small it is. */
START_TEST(version_comes_last)
{
	static const struct item source[] = {ITEM_FILE("SYSTEM/build.prop", 0644, "v=1"),
	                                     ITEM_NOISE("SYSTEM/zzz", 5000, 1),
	                                     ITEM_NOISE("MULTIFOTA/abl.elf", 4000, 1), ITEM_END};
	static const struct item target[] = {
		ITEM_FILE("SYSTEM/build.prop", 0644, "v=2"),
		ITEM_FILE("SYSTEM/etc/quectel-project-version", 0644, "Project Rev : two\n"),
		ITEM_NOISE("SYSTEM/zzz", 5000, 2),
		ITEM_FILE("SYSTEM/zzzz", 0644, "n"),
		ITEM_NOISE("MULTIFOTA/abl.elf", 4000, 2),
		ITEM_END};
	static const struct item modem[] = {ITEM_FILE("SYSTEM/firmware/mba.mbn", 0644, "m"), ITEM_END};
	struct run run;
	size_t size;
	char *text;

	run_start(&run, "a", source, target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	ck_assert_int_ge(find_call(&run, "apply_patch_check(/system/build.prop,"), 0);
	ck_assert_int_lt(find_call(&run, "apply_patch_check(/system/build.prop,"), find_call(&run, "apply_patch("));
	ck_assert_int_lt(find_call(&run, "apply_patch(/system/zzz,"),
	                 find_call(&run, "apply_patch(/system/build.prop,"));
	ck_assert_int_lt(find_call(&run, "set_metadata(/system/zzzz,"),
	                 find_call(&run, "apply_patch(/system/build.prop,"));
	ck_assert_int_lt(find_call(&run, "apply_patch(/system/build.prop,"),
	                 find_call(&run, "apply_patch(/system/etc/quectel-project-version,"));
	ck_assert_int_lt(find_call(&run, "apply_patch(/system/etc/quectel-project-version,"),
	                 find_call(&run, "apply_patch(MTD:abl:4000:"));
	ck_assert_int_eq(package_load(run.package, PACKAGE_PROJECT_VERSION, 100, &text, &size, NULL), 0);
	ck_assert_str_eq(text, "Project Rev : one\n");
	free(text);
	ck_assert_int_eq(package_load(run.package, PACKAGE_TARGET_VERSION, 100, &text, &size, NULL), 0);
	ck_assert_str_eq(text, "Project Rev : two\n");
	free(text);
	run_end(&run);
	/* Without the Linux part the version stays what it is. */
	run_start(&run, "m", modem, target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	ck_assert_int_eq(package_load(run.package, PACKAGE_TARGET_VERSION, 100, &text, &size, NULL), 0);
	ck_assert_str_eq(text, "Project Rev : one\n");
	free(text);
	run_end(&run);
}
END_TEST

START_TEST(attributes_only)
{
	static const struct item source[] = {ITEM_NOISE("SYSTEM/bin/tool", 100, 0), ITEM_DIR("SYSTEM/var"),
	                                     ITEM_FILE("SYSTEM/o", 0600, "o"), ITEM_LINK("SYSTEM/ln", "o"), ITEM_END};
	static const struct item target[] = {
		{.path = "SYSTEM/bin/tool", .type = S_IFREG, .mode = 0755, .noise = 100},
		{.path = "SYSTEM/var", .type = S_IFDIR, .mode = 01777, .text = ""},
		{.path = "SYSTEM/o", .type = S_IFREG, .mode = 0600, .uid = 1000, .gid = 3003, .text = "o"},
		{.path = "SYSTEM/ln", .type = S_IFLNK, .mode = 0755, .uid = 7, .gid = 8, .text = "o"},
		ITEM_END};
	struct run run;

	run_start(&run, "a", source, target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	check_changes(&run, "apply_patch_check(/system/bin/tool," TOOL ")\n"
	                    "apply_patch_check(/system/o," LETTER ")\n"
	                    "set_metadata(/system/bin/tool,uid,0,gid,0,mode,0755)\n"
	                    "set_metadata(/system/ln,uid,7,gid,8)\n"
	                    "set_metadata(/system/o,uid,1000,gid,3003,mode,0600)\n"
	                    "set_metadata(/system/var,uid,0,gid,0,mode,01777)\n");
	ck_assert_uint_eq(package_count(run.package), 3);
	ck_assert(has_call(&run, "set_progress(1.0)"));
	run_end(&run);
}
END_TEST

START_TEST(links)
{
	static const struct item source[] = {ITEM_LINK("SYSTEM/a", "one"), ITEM_LINK("SYSTEM/same", "s"), ITEM_END};
	static const struct item target[] = {ITEM_LINK("SYSTEM/a", "two \"2\"\\"), ITEM_LINK("SYSTEM/same", "s"),
	                                     ITEM_LINK("SYSTEM/new", "/usrdata/x"), ITEM_END};
	struct run run;

	run_start(&run, "a", source, target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	check_changes(&run, "symlink(two \"2\"\\,/system/a)\nsymlink(/usrdata/x,/system/new)\n"
	                    "set_metadata(/system/a,uid,0,gid,0)\nset_metadata(/system/new,uid,0,gid,0)\n");
	run_end(&run);
}
END_TEST

START_TEST(changes_of_type)
{
	static const struct item source[] = {ITEM_FILE("SYSTEM/f-d", 0644, "x"),
	                                     ITEM_FILE("SYSTEM/f-l", 0644, "x"),
	                                     ITEM_DIR("SYSTEM/d-f"),
	                                     ITEM_FILE("SYSTEM/d-f/x", 0644, ""),
	                                     ITEM_DIR("SYSTEM/d-l"),
	                                     ITEM_FILE("SYSTEM/d-l/x", 0644, ""),
	                                     ITEM_LINK("SYSTEM/l-f", "bin"),
	                                     ITEM_LINK("SYSTEM/l-d", "bin"),
	                                     ITEM_END};
	static const struct item target[] = {ITEM_DIR("SYSTEM/f-d"),
	                                     ITEM_FILE("SYSTEM/f-d/y", 0644, "y"),
	                                     ITEM_LINK("SYSTEM/f-l", "bin"),
	                                     ITEM_FILE("SYSTEM/d-f", 0644, "f"),
	                                     ITEM_LINK("SYSTEM/d-l", "bin"),
	                                     ITEM_FILE("SYSTEM/l-f", 0644, "f"),
	                                     ITEM_DIR("SYSTEM/l-d"),
	                                     ITEM_FILE("SYSTEM/l-d/same", 0644, "z"),
	                                     ITEM_END};
	struct run run;

	run_start(&run, "a", source, target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	check_changes(&run, "delete_recursive(/system/d-f,/system/d-l,/system/f-d,/system/l-d)\n"
	                    "delete(/system/f-l,/system/l-f)\n"
	                    "package_extract_dir(system,/system)\n"
	                    "symlink(bin,/system/d-l)\n"
	                    "symlink(bin,/system/f-l)\n"
	                    "set_metadata(/system/d-f,uid,0,gid,0,mode,0644)\n"
	                    "set_metadata(/system/d-l,uid,0,gid,0)\n"
	                    "set_metadata(/system/f-d,uid,0,gid,0,mode,0755)\n"
	                    "set_metadata(/system/f-d/y,uid,0,gid,0,mode,0644)\n"
	                    "set_metadata(/system/f-l,uid,0,gid,0)\n"
	                    "set_metadata(/system/l-d,uid,0,gid,0,mode,0755)\n"
	                    "set_metadata(/system/l-d/same,uid,0,gid,0,mode,0644)\n"
	                    "set_metadata(/system/l-f,uid,0,gid,0,mode,0644)\n");
	run_end(&run);
}
END_TEST

START_TEST(odd_names)
{
	static const struct item source[] = {ITEM_NOISE("SYSTEM/a b\"c", 5000, 1),
	                                     ITEM_NOISE("SYSTEM/caf\xc3\xa9/e\xcc\x81", 5000, 1),
	                                     ITEM_FILE("SYSTEM/back\\slash\n", 0644, ""), ITEM_END};
	static const struct item target[] = {ITEM_NOISE("SYSTEM/a b\"c", 5000, 2),
	                                     ITEM_NOISE("SYSTEM/caf\xc3\xa9/e\xcc\x81", 5000, 2), ITEM_END};
	struct run run;

	run_start(&run, "a", source, target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	check_patch(&run, "/system/a b\"c,", &source[0], &target[0]);
	check_patch(&run, "/system/caf\xc3\xa9/e\xcc\x81,", &source[1], &target[1]);
	ck_assert_int_ge(find_call(&run, "apply_patch(/system/a b\"c,-,"), 0);
	ck_assert_int_ge(find_call(&run, "apply_patch(/system/caf\xc3\xa9/e\xcc\x81,-,"), 0);
	ck_assert_int_ge(find_call(&run, "delete(/system/back\\slash\n)"), 0);
	run_end(&run);
}
END_TEST

/* Which objects of a firmware with changes everywhere each choice of parts touches. */
static const struct {
	const char *parts;
	bool modem, linux_files, kernel, multi;
} choices[] = {
	{"a", true, true, true, true},    {"m", true, false, false, false}, {"l", false, true, false, false},
	{"o", false, false, true, false}, {"ml", true, true, false, false}, {"mlo", true, true, true, false},
	{"lo", false, true, true, false},
};

START_TEST(parts)
{
	static const struct item source[] = {ITEM_NOISE("SYSTEM/firmware/image/modem.b00", 5000, 1),
	                                     ITEM_NOISE("SYSTEM/bin/tool", 5000, 1),
	                                     ITEM_NOISE("SYSTEM/dev/node", 5000, 1),
	                                     ITEM_NOISE("BOOTABLE_IMAGES/boot.img", 5000, 1),
	                                     ITEM_NOISE("MULTIFOTA/abl.elf", 5000, 1),
	                                     ITEM_NOISE("RADIO/other", 5000, 1),
	                                     ITEM_END};
	static const struct item target[] = {{.path = "SYSTEM/firmware", .type = S_IFDIR, .mode = 0700, .text = ""},
	                                     ITEM_NOISE("SYSTEM/firmware/image/modem.b00", 5000, 2),
	                                     ITEM_NOISE("SYSTEM/bin/tool", 5000, 2),
	                                     ITEM_NOISE("BOOTABLE_IMAGES/boot.img", 5000, 2),
	                                     ITEM_NOISE("MULTIFOTA/abl.elf", 5000, 2),
	                                     ITEM_NONE("SYSTEM/dev"),
	                                     ITEM_END};
	struct run run;

	run_start(&run, choices[_i].parts, source, target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	ck_assert_int_eq(find_call(&run, "apply_patch(/system/firmware/image/modem.b00,") >= 0, choices[_i].modem);
	ck_assert_int_eq(has_call(&run, "mount(ubifs,UBI,modem,/system/firmware)"), choices[_i].modem);
	ck_assert_int_eq(find_call(&run, "apply_patch(/system/bin/tool,") >= 0, choices[_i].linux_files);
	ck_assert_int_eq(find_call(&run, "apply_patch(MTD:boot:") >= 0, choices[_i].kernel);
	ck_assert_int_eq(find_call(&run, "apply_patch(MTD:abl:") >= 0, choices[_i].multi);
	ck_assert_ptr_null(strstr(run.calls, "/system/dev"));
	ck_assert_ptr_null(strstr(run.calls, "(/system/firmware,"));
	ck_assert_ptr_null(strstr(run.calls, "other"));
	run_end(&run);
}
END_TEST

START_TEST(unknown_partition_content)
{
	static const struct item target[] = {ITEM_FILE("MULTIFOTA/tz.mbn", 0644, "trust"), ITEM_END};
	struct run run;

	run_start(&run, "a", no_items, target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	check_changes(&run, "write_raw_image(images/tz.mbn,tz)\n");
	run_end(&run);
	run_start(&run, "a", target, no_items);
	ck_assert_int_lt(run.result, 0); /* nothing is done about a partition without an image */
	run_end(&run);
}
END_TEST

START_TEST(many_deletions_in_bounded_calls)
{
	struct item source[121] = {ITEM_END};
	char names[120][32];
	struct run run;
	unsigned calls = 0;

	for (unsigned i = 0; i < 120; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "SYSTEM/file%u", i);
		source[i] = (struct item)ITEM_FILE(names[i], 0644, "");
	}
	source[120].path = NULL;
	run_start(&run, "l", source, no_items);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	for (const char *p = run.calls; (p = strstr(p, "delete(")); p++)
		calls++;
	ck_assert_uint_eq(calls, 3); /* of at most 50 paths, which the parser checked */
	ck_assert_ptr_nonnull(strstr(run.calls, "/system/file119"));
	run_end(&run);
}
END_TEST

TCase *change_tests(void)
{
	TCase *tests = tcase_create("changes");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, leftovers_go);
	tcase_add_test(tests, patches_what_differs);
	tcase_add_test(tests, attributes_of_what_is_patched);
	tcase_add_test(tests, digests_in_the_seeds_order);
	tcase_add_test(tests, room_for_the_larger_version);
	tcase_add_test(tests, new_and_deleted);
	tcase_add_test(tests, small_changes_are_checked);
	tcase_add_test(tests, entries_of_patches);
	tcase_add_test(tests, equal_patches_of_different_files);
	tcase_add_test(tests, version_comes_last);
	tcase_add_test(tests, attributes_only);
	tcase_add_test(tests, links);
	tcase_add_test(tests, changes_of_type);
	tcase_add_test(tests, odd_names);
	tcase_add_loop_test(tests, parts, 0, sizeof(choices) / sizeof(choices[0]));
	tcase_add_test(tests, unknown_partition_content);
	tcase_add_test(tests, many_deletions_in_bounded_calls);
	return tests;
}
