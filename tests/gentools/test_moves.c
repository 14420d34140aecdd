/* SPDX-License-Identifier: Apache-2.0 */
/* New files that are old ones in another place. That each package yields its target was proved when it was made. */
#include "suites.h"

#include "harness.h"

#include <string.h>

static const char *const no_lists[GEN_LISTS];
static const struct gen_options native = {.native = true};

static void start(struct run *run, const struct item *source, const struct item *target)
{
	run_start(run, "a", source, target);
	ck_assert_msg(run->result == 0, "%s", run->error.message);
}

static void start_native(struct run *run, const struct item *source, const struct item *target)
{
	run_start_with(run, "a", source, target, no_lists, &native);
	ck_assert_msg(run->result == 0, "%s", run->error.message);
}

static bool says(const struct run *run, const char *text)
{
	return strstr(run->script, text) != NULL;
}

static bool logs(const struct run *run, const char *text)
{
	return strstr(run->log, text) != NULL;
}

/* The script has both, in this order. */
static void check_order(const struct run *run, const char *first, const char *second)
{
	const char *at = strstr(run->script, first);

	ck_assert_msg(at && strstr(at + 1, second), "\"%s\" and then \"%s\":\n%s", first, second, run->script);
}

START_TEST(moved)
{
	static const struct item source[] = {ITEM_STREAM("SYSTEM/usr/libx.so.1.2.3", 5000, 0, 1),
	                                     ITEM_DIR("SYSTEM/usr"), ITEM_END};
	static const struct item target[] = {ITEM_STREAM("SYSTEM/usr/libx.so.1.10", 5000, 0, 1), ITEM_DIR("SYSTEM/usr"),
	                                     ITEM_END};
	struct run run;

	start(&run, source, target);
	ck_assert(says(&run, "\nrename(\"/system/usr/libx.so.1.2.3\", \"/system/usr/libx.so.1.10\");\n"));
	check_order(&run, "assert(apply_patch_check(\"/system/usr/libx.so.1.10\", \"",
	            "\") ||\n       apply_patch_check(\"/system/usr/libx.so.1.2.3\", \"");
	ck_assert(!says(&run, "set_metadata(\"/system/usr/libx.so.1.10\"") && !says(&run, "apply_patch(") &&
	          !says(&run, "delete(") && !says(&run, "package_extract_dir"));
	ck_assert_uint_eq(package_count(run.package), 3);
	ck_assert(logs(&run, "rename SYSTEM/usr/libx.so.1.2.3 -> SYSTEM/usr/libx.so.1.10\n"));
	run_end(&run);
}
END_TEST

/* At a power cut in little room its old content may be in the backup alone: then it must not be renamed. */
START_TEST(moved_and_edited)
{
	static const struct item source[] = {ITEM_STREAM("SYSTEM/a", 5000, 0, 1), ITEM_END};
	static const struct item target[] = {ITEM_STREAM("SYSTEM/other", 5000, 77, 1), ITEM_END};
	struct run run;

	start(&run, source, target);
	check_order(&run, "\napply_patch_check(\"/system/other\", \"",
	            "\") ||\n    rename(\"/system/a\", \"/system/other\");\n");
	check_order(&run, "rename(", "delete(\"/system/a\");\n");
	check_order(&run, "delete(", "apply_patch(\"/system/other\", \"-\",\n");
	ck_assert(!says(&run, "set_metadata("));
	check_patch(&run, "/system/other,", &source[0], &target[0]);
	ck_assert(has_call(&run, "apply_patch_space(5000)"));
	ck_assert(logs(&run, "rename SYSTEM/a -> SYSTEM/other: 5000 -> 5000 bytes, patch "));
	ck_assert(!logs(&run, "delete"));
	run_end(&run);
}
END_TEST

START_TEST(moved_folder)
{
	static const struct item source[] = {ITEM_DIR("SYSTEM/lib7"),
	                                     ITEM_STREAM("SYSTEM/lib7/a.ko", 3000, 0, 1),
	                                     ITEM_STREAM("SYSTEM/lib7/b.ko", 3000, 0, 2),
	                                     ITEM_STREAM("SYSTEM/lib7/same.ko", 3000, 0, 2),
	                                     ITEM_FILE("SYSTEM/lib7/small", 0644, "goes"),
	                                     ITEM_END};
	static const struct item target[] = {ITEM_DIR("SYSTEM/lib8"), ITEM_STREAM("SYSTEM/lib8/a.ko", 3000, 9, 1),
	                                     ITEM_STREAM("SYSTEM/lib8/b.ko", 3000, 0, 2),
	                                     ITEM_STREAM("SYSTEM/lib8/same.ko", 3000, 0, 2), ITEM_END};
	struct run run;

	start(&run, source, target);
	ck_assert(says(&run, "rename(\"/system/lib7/a.ko\", \"/system/lib8/a.ko\");\n"));
	ck_assert(says(&run, "rename(\"/system/lib7/b.ko\", \"/system/lib8/b.ko\");\n"));
	ck_assert(says(&run, "rename(\"/system/lib7/same.ko\", \"/system/lib8/same.ko\");\n"));
	check_order(&run, "rename(\"/system/lib7/same.ko\"", "delete_recursive(\"/system/lib7\");\n");
	check_order(&run, "delete_recursive(", "apply_patch(\"/system/lib8/a.ko\", \"-\"");
	ck_assert(has_call(&run, "set_metadata(/system/lib8,uid,0,gid,0,mode,0755)"));
	ck_assert(!has_entry(&run, "system/lib8")); /* it is made by the first rename */
	run_end(&run);
}
END_TEST

/* rename() makes private parents, and no archive entry tells what else this folder should be. */
START_TEST(moved_into_an_implied_folder)
{
	static const struct item source[] = {ITEM_STREAM("SYSTEM/a", 3000, 0, 1), ITEM_END};
	static const struct item target[] = {ITEM_STREAM("SYSTEM/new/a", 3000, 0, 1),
	                                     ITEM_FILE("SYSTEM/other/b", 0644, "b"), ITEM_END};
	struct run run;

	start(&run, source, target);
	ck_assert(has_call(&run, "set_metadata(/system/new,uid,0,gid,0,mode,0755)"));
	ck_assert(!says(&run, "set_metadata(\"/system/other\","));
	run_end(&run);
}
END_TEST

/* Of equals each gets one; of one that is wanted twice, updaters of the lineage can make only one. */
START_TEST(one_for_two)
{
	static const struct item source[] = {ITEM_STREAM("SYSTEM/a", 5000, 0, 1), ITEM_END};
	static const struct item target[] = {ITEM_DIR("SYSTEM/new"), ITEM_STREAM("SYSTEM/new/b", 5000, 0, 1),
	                                     ITEM_STREAM("SYSTEM/new/c", 5000, 7, 1), ITEM_END};
	struct run run;

	start(&run, source, target);
	ck_assert(says(&run, "rename(\"/system/a\", \"/system/new/b\");\n"));
	ck_assert(has_entry(&run, "system/new/c"));
	ck_assert(!says(&run, "apply_patch("));
	run_end(&run);

	start_native(&run, source, target);
	check_order(&run, "rename(\"/system/a\", \"/system/new/b\");\n",
	            "apply_patch(\"/system/new/b\", \"/system/new/c\",");
	check_order(&run, "assert(apply_patch_check(\"/system/new/c\", \"",
	            "\") ||\n       apply_patch_check(\"/system/new/b\", \"");
	check_order(&run, "\") ||\n       apply_patch_check(\"/system/new/b\", \"",
	            "\") ||\n       apply_patch_check(\"/system/a\", \"");
	check_patch(&run, "/system/new/b,/system/new/c,", &source[0], &target[2]);
	ck_assert(logs(&run, "copy SYSTEM/a -> SYSTEM/new/c: 5000 -> 5000 bytes, patch "));
	run_end(&run);
}
END_TEST

/* Every copy is made while its source still is what it was. */
START_TEST(copied_and_changed)
{
	static const struct item source[] = {
		ITEM_STREAM("SYSTEM/a", 5000, 0, 1),     ITEM_STREAM("SYSTEM/b", 5000, 0, 2),
		ITEM_STREAM("SYSTEM/s", 5000, 0, 3),     ITEM_STREAM("SYSTEM/t", 5000, 0, 4),
		ITEM_STREAM("SYSTEM/stays", 5000, 0, 5), ITEM_END};
	/* a to b to c; s and t change places; stays is also as copy, with another mode */
	static const struct item target[] = {
		ITEM_STREAM("SYSTEM/b", 5000, 0, 1),
		ITEM_STREAM("SYSTEM/c", 5000, 0, 2),
		ITEM_STREAM("SYSTEM/s", 5000, 0, 4),
		ITEM_STREAM("SYSTEM/t", 5000, 0, 3),
		ITEM_STREAM("SYSTEM/stays", 5000, 0, 5),
		{.path = "SYSTEM/copy", .type = S_IFREG, .mode = 04750, .gid = 7, .noise = 5000, .stream = 5},
		ITEM_END};
	struct run run;

	start_native(&run, source, target);
	check_order(&run, "apply_patch(\"/system/b\", \"/system/c\",", "apply_patch(\"/system/b\", \"-\",");
	check_order(&run, "apply_patch(\"/system/stays\", \"/system/copy\",",
	            "set_metadata(\"/system/copy\", \"uid\", 0, \"gid\", 7, \"mode\", 04750)");
	ck_assert(!says(&run, "rename(") && !says(&run, "package_extract_dir"));
	check_patch(&run, "/system/b,/system/c,", &source[1], &target[1]);
	run_end(&run);

	start(&run, source, target);
	ck_assert(has_entry(&run, "system/c") && has_entry(&run, "system/copy"));
	ck_assert(!says(&run, "rename("));
	run_end(&run);
}
END_TEST

/* What a script that starts anew would delete, what lies on another file system, what the module may have otherwise. */
static const struct {
	struct item source[4];
	struct item target[4];
	const char *parts;
	const char *lists[GEN_LISTS];
} unfit[] = {
	{{ITEM_STREAM("SYSTEM/a", 3000, 0, 1), ITEM_FILE("SYSTEM/t", 0644, ""), ITEM_END},
         {ITEM_DIR("SYSTEM/t"), ITEM_STREAM("SYSTEM/t/new", 3000, 0, 1), ITEM_END},
         "a",
         {NULL}},
	{{ITEM_STREAM("SYSTEM/a", 3000, 0, 1), ITEM_LINK("SYSTEM/new", "x"), ITEM_END},
         {ITEM_STREAM("SYSTEM/new", 3000, 0, 1), ITEM_END},
         "a",
         {NULL}},
	{{ITEM_DIR("SYSTEM/d"), ITEM_STREAM("SYSTEM/d/a", 3000, 0, 1), ITEM_END},
         {ITEM_FILE("SYSTEM/d", 0644, ""), ITEM_STREAM("SYSTEM/new", 3000, 0, 1), ITEM_END},
         "a",
         {NULL}},
	{{ITEM_STREAM("SYSTEM/a", 3000, 0, 1), ITEM_END},
         {ITEM_LINK("SYSTEM/a", "x"), ITEM_STREAM("SYSTEM/new", 3000, 0, 1), ITEM_END},
         "a",
         {NULL}},
	{{ITEM_STREAM("SYSTEM/build.prop", 3000, 0, 1), ITEM_END},
         {ITEM_STREAM("SYSTEM/new", 3000, 0, 1), ITEM_END},
         "a",
         {NULL}},
	{{ITEM_STREAM("SYSTEM/a", 3000, 0, 1), ITEM_END},
         {ITEM_STREAM("SYSTEM/firmware/new", 3000, 0, 1), ITEM_END},
         "a",
         {NULL}},
	{{ITEM_STREAM("SYSTEM/firmware/a", 3000, 0, 1), ITEM_END},
         {ITEM_STREAM("SYSTEM/new", 3000, 0, 1), ITEM_END},
         "l",
         {NULL}},
	{{ITEM_STREAM("SYSTEM/a", 3000, 0, 1), ITEM_END},
         {ITEM_STREAM("SYSTEM/new", 3000, 0, 1), ITEM_END},
         "a",
         {[GEN_NOOTA] = "/a\n"}},
	{{ITEM_STREAM("SYSTEM/a", 3000, 0, 1), ITEM_END},
         {ITEM_STREAM("SYSTEM/new", 3000, 0, 1), ITEM_END},
         "a",
         {[GEN_FULLOTA] = "/a\n"}},
	{{ITEM_STREAM("SYSTEM/a", 3000, 0, 1), ITEM_END},
         {ITEM_STREAM("SYSTEM/new", 3000, 0, 1), ITEM_END},
         "a",
         {[GEN_FULLOTA] = "/new\n"}},
	/* not worth it */
	{{ITEM_STREAM("SYSTEM/a", 500, 0, 1), ITEM_END}, {ITEM_STREAM("SYSTEM/new", 500, 0, 1), ITEM_END}, "a", {NULL}},
	{{ITEM_STREAM("SYSTEM/x1/new", 3000, 0, 1), ITEM_END},
         {ITEM_STREAM("SYSTEM/x2/new", 3000, 0, 2), ITEM_END},
         "a",
         {NULL}},
};

START_TEST(unfit_files_come_whole)
{
	for (int i = 0; i < 2; i++) {
		struct gen_options options = {.native = i == 1};
		struct run run;

		run_start_with(&run, unfit[_i].parts, unfit[_i].source, unfit[_i].target, unfit[_i].lists, &options);
		ck_assert_msg(run.result == 0, "%s", run.error.message);
		ck_assert_msg(logs(&run, "\nwhole SYSTEM/") || strncmp(run.log, "whole SYSTEM/", 13) == 0, "%s",
		              run.log);
		ck_assert_msg(!logs(&run, " -> SYSTEM/"), "%s", run.log);
		run_end(&run);
	}
}
END_TEST

/* A patch that is longer than the whole file, which repeats itself, is not taken. */
START_TEST(the_smaller_way)
{
	char plain[4000];
	char other[sizeof(plain)];
	struct item source[] = {ITEM_FILE("SYSTEM/a", 0644, plain), ITEM_END};
	struct item target[] = {ITEM_FILE("SYSTEM/b", 0644, other), ITEM_END};
	struct run run;

	memset(plain, 'x', sizeof(plain) - 1);
	plain[sizeof(plain) - 1] = '\0';
	memcpy(other, plain, sizeof(plain));
	other[1000] = 'y';
	start(&run, source, target);
	ck_assert(has_entry(&run, "system/b"));
	ck_assert(!says(&run, "rename("));
	run_end(&run);
}
END_TEST

/* ---- The order of the entries ---- */

START_TEST(entries_in_the_scripts_order)
{
	static const struct item source[] = {
		ITEM_STREAM("SYSTEM/z", 3000, 0, 1),       ITEM_STREAM("SYSTEM/b", 3000, 0, 2),
		ITEM_STREAM("SYSTEM/stays", 3000, 0, 3),   ITEM_FILE("SYSTEM/build.prop", 0644, "1"),
		ITEM_FILE("MULTIFOTA/abl.elf", 0644, "1"), ITEM_END};
	static const struct item target[] = {
		ITEM_STREAM("SYSTEM/a", 3000, 9, 1),       ITEM_STREAM("SYSTEM/b", 3000, 9, 2),
		ITEM_STREAM("SYSTEM/stays", 3000, 0, 3),   ITEM_STREAM("SYSTEM/y", 3000, 9, 3),
		ITEM_FILE("SYSTEM/new", 0644, "new"),      ITEM_FILE("SYSTEM/build.prop", 0644, "2"),
		ITEM_FILE("MULTIFOTA/abl.elf", 0644, "2"), ITEM_END};
	struct package_entry entry;
	struct run run;
	const char *at;

	start_native(&run, source, target);
	at = strstr(run.script, "start making changes");
	for (uint32_t i = 0; i < package_count(run.package); i++) {
		ck_assert_int_eq(package_entry(run.package, i, &entry, &run.error), 0);
		if (i < 3) {
			ck_assert_ptr_null(strstr(run.script, entry.name));
			continue;
		}
		at = strstr(at, strncmp(entry.name, "system/", 7) == 0 ? "package_extract_dir(" : entry.name);
		ck_assert_msg(at != NULL, "%s is asked for before the entries in front of it", entry.name);
	}
	run_end(&run);
}
END_TEST

/* A folder is made when all are, though it has the name of what comes last. */
START_TEST(folder_with_a_late_name)
{
	static const struct item source[] = {ITEM_END};
	static const struct item target[] = {ITEM_DIR("SYSTEM/build.prop"), ITEM_FILE("SYSTEM/build.prop/x", 0644, "x"),
	                                     ITEM_END};
	struct run run;

	start(&run, source, target);
	ck_assert(!says(&run, "package_extract_file("));
	run_end(&run);
}
END_TEST

/* ---- What updaters understand ---- */

/* Every word of hex digits that is as long as a digest has this length. */
static void check_digests(const char *script, size_t length)
{
	unsigned digests = 0;

	for (const char *at = script; *at;) {
		size_t digits = strspn(at, "0123456789abcdef");

		ck_assert_msg(digits < 40 || digits == length, "%.*s", (int)digits, at);
		digests += digits == length;
		at += digits ? digits : 1;
	}
	ck_assert_uint_gt(digests, 10);
}

static const struct item everything_old[] = {ITEM_STREAM("SYSTEM/moved1", 3000, 0, 1),
                                             ITEM_STREAM("SYSTEM/changed", 3000, 0, 2),
                                             ITEM_STREAM("SYSTEM/stays", 3000, 0, 3),
                                             ITEM_FILE("SYSTEM/build.prop", 0644, "1"),
                                             ITEM_STREAM("SYSTEM/attributes", 3000, 0, 4),
                                             ITEM_FILE("MULTIFOTA/abl.elf", 0644, "1"),
                                             ITEM_FILE("SYSTEM/gone", 0644, "1"),
                                             ITEM_DIR("SYSTEM/tree"),
                                             ITEM_LINK("SYSTEM/link", "1"),
                                             ITEM_END};
static const struct item everything_new[] = {
	ITEM_STREAM("SYSTEM/moved2", 3000, 9, 1),
	ITEM_STREAM("SYSTEM/changed", 3000, 9, 2),
	ITEM_STREAM("SYSTEM/stays", 3000, 0, 3),
	ITEM_STREAM("SYSTEM/copy", 3000, 9, 3),
	ITEM_FILE("SYSTEM/build.prop", 0644, "2"),
	{.path = "SYSTEM/attributes", .type = S_IFREG, .mode = 0600, .noise = 3000, .stream = 4},
	ITEM_FILE("MULTIFOTA/abl.elf", 0644, "2"),
	ITEM_FILE("MULTIFOTA/tz.mbn", 0644, "2"),
	ITEM_FILE("SYSTEM/new", 0644, "2"),
	ITEM_LINK("SYSTEM/link", "2"),
	ITEM_END};

/* The harness knows what updaters since Android 4.4 do, and would not have parsed another function. */
START_TEST(lineage_form)
{
	struct run run;

	start(&run, everything_old, everything_new);
	check_digests(run.script, 40);
	for (const char *at = run.calls; (at = strstr(at, "apply_patch(")); at++)
		ck_assert_int_eq(strncmp(strchr(at, ','), ",-,", 3), 0);
	ck_assert(says(&run, "rename(") && says(&run, "MTD:abl:1:"));
	run_end(&run);
}
END_TEST

START_TEST(native_form)
{
	struct run run;

	start_native(&run, everything_old, everything_new);
	check_digests(run.script, 64);
	ck_assert(says(&run, "rename(") && says(&run, "apply_patch(\"/system/stays\", \"/system/copy\",") &&
	          says(&run, "MTD:abl:1:"));
	run_end(&run);
}
END_TEST

START_TEST(any_number_of_jobs)
{
	static const struct gen_options options[] = {{.native = true, .jobs = 1}, {.native = true, .jobs = 5}};
	struct run run[2];

	for (int i = 0; i < 2; i++)
		run_start_with(&run[i], "a", everything_old, everything_new, no_lists, &options[i]);
	ck_assert_uint_eq(run[0].block.size, run[1].block.size);
	ck_assert_mem_eq(run[0].bytes, run[1].bytes, run[0].block.size);
	run_end(&run[0]);
	run_end(&run[1]);
}
END_TEST

TCase *move_tests(void)
{
	TCase *tests = tcase_create("moves");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, moved);
	tcase_add_test(tests, moved_and_edited);
	tcase_add_test(tests, moved_folder);
	tcase_add_test(tests, moved_into_an_implied_folder);
	tcase_add_test(tests, one_for_two);
	tcase_add_test(tests, copied_and_changed);
	tcase_add_loop_test(tests, unfit_files_come_whole, 0, sizeof(unfit) / sizeof(unfit[0]));
	tcase_add_test(tests, the_smaller_way);
	tcase_add_test(tests, entries_in_the_scripts_order);
	tcase_add_test(tests, folder_with_a_late_name);
	tcase_add_test(tests, lineage_form);
	tcase_add_test(tests, native_form);
	tcase_add_test(tests, any_number_of_jobs);
	return tests;
}
