/* SPDX-License-Identifier: Apache-2.0 */
/* The dry run: everything is verified, every mismatch listed, nothing changed. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world w;
static struct versions v;

static void setup(void)
{
	world_start(&w);
	versions_make(&v, 5000, 5100, 11);
	world_add(&w, "p", v.patch, v.patch_size, 0100644);
	world_add_text(&w, "system/x", "x");
	w.dry_run = true;
}

static void teardown(void)
{
	versions_free(&v);
	world_end(&w);
}

static const char *update_script(char script[8192])
{
	int used = snprintf(script, 8192, "mount(\"ubifs\",\"UBI\",\"system\",\"/system\");\n");

	for (const char *name = "abc"; *name; name++)
		used += snprintf(script + used, 8192 - (size_t)used,
		                 "assert(apply_patch_check(\"/system/%c\",%s,%s));\n", *name, v.new_sha1, v.old_sha1);
	used += snprintf(script + used, 8192 - (size_t)used,
	                 "apply_patch_space(100) || abort(\"space\");\n"
	                 "delete(\"/system/gone\");\n"
	                 "delete_recursive(\"/system/tree\");\n"
	                 "rename(\"/system/c\",\"/system/d\");\n");
	for (const char *name = "abd"; *name; name++)
		used += snprintf(script + used, 8192 - (size_t)used,
		                 "apply_patch(\"/system/%c\",\"-\",%s,%zu,%s,package_extract_file(\"p\"));\n", *name,
		                 v.new_sha1, v.new_size, v.old_sha1);
	(void)snprintf(script + used, 8192 - (size_t)used,
	               "package_extract_dir(\"system\",\"/system\");\n"
	               "package_extract_file(\"p\",\"/system/p\");\n"
	               "symlink(\"a\",\"/system/link\");\n"
	               "set_perm(0,0,0600,\"/system/x\");\n"
	               "set_metadata_recursive(\"/system\",\"dmode\",0700);\n"
	               "write_raw_image(package_extract_file(\"p\"),\"raw\");\n"
	               "format(\"ubifs\",\"UBI\",\"raw\",\"0\",\"/x\");\n"
	               "wipe_block_device(\"/dev/raw\",1);\n"
	               "run_program(\"/bin/true\");\n"
	               "wipe_cache();\n"
	               "sha1_check(read_file(\"/system/d\"),%s) || abort(\"d is wrong\");\n"
	               "unmount(\"/system\");\n",
	               v.new_sha1);
	return script;
}

static void put_files(void)
{
	world_put(&w, "/system/a", v.old_data, v.old_size);
	world_put(&w, "/system/b", v.new_data, v.new_size);
	world_put(&w, "/system/c", v.old_data, v.old_size);
	world_put_text(&w, "/system/gone", "");
	world_put_text(&w, "/system/tree/file", "");
	world_put(&w, "/dev/raw", v.old_data, v.old_size);
}

START_TEST(test_clean_system)
{
	char script[8192];
	char *before, *after;

	put_files();
	before = world_snapshot(&w);
	world_succeeds(&w, update_script(script));
	after = world_snapshot(&w);
	ck_assert_str_eq(before, after);
	ck_assert_uint_eq(w.steps, 0);
	ck_assert(!world_told(&w, "wipe_cache"));
	free(before);
	free(after);
}
END_TEST

START_TEST(test_all_mismatches_are_listed)
{
	char script[8192];
	char line[512];
	char mismatch[sizeof(line) + 16];
	char *before, *after;

	put_files();
	world_put_text(&w, "/system/a", "stranger");
	ck_assert_int_eq(remove(world_path(&w, "/system/c", line)), 0);
	world_put_text(&w, "/system/d", "also strange");
	before = world_snapshot(&w);
	ck_assert_int_eq(world_run(&w, update_script(script)), UPDATER_ABORT);
	after = world_snapshot(&w);
	ck_assert_str_eq(before, after);
	ck_assert_uint_eq(w.steps, 0);
	ck_assert_int_eq(w.error.code, RESULT_VERIFY);
	(void)snprintf(line, sizeof(line), "/system/a: expected %s or %s, found %s", v.new_sha1, v.old_sha1,
	               sha1_of("stranger", 8));
	ck_assert_ptr_nonnull(strstr(w.log, line));
	(void)snprintf(line, sizeof(line), "/system/c: expected %s or %s, found missing", v.new_sha1, v.old_sha1);
	ck_assert_ptr_nonnull(strstr(w.log, line));
	(void)snprintf(line, sizeof(line), "/system/d: expected %s or %s, found %s", v.new_sha1, v.old_sha1,
	               sha1_of("also strange", 12));
	ck_assert_ptr_nonnull(strstr(w.log, line));
	ck_assert(world_told(&w, "log error: 510"));
	ck_assert(world_told(&w, "log object: /system/a"));
	ck_assert(world_told(&w, "log object: /system/c"));
	ck_assert(world_told(&w, "log object: /system/d"));
	(void)snprintf(mismatch, sizeof(mismatch), "log mismatch: %s", line);
	ck_assert_ptr_nonnull(strstr(w.told, mismatch));
	ck_assert_ptr_null(strstr(strstr(w.told, "log object: /system/a") + 1, "log object: /system/a\n"));
	/* a and c by their checks, d, which nobody checked, by its patch: each once */
	ck_assert_ptr_nonnull(strstr(w.error.message, "3 mismatches, the first: /system/a: "));
	ck_assert_ptr_null(strstr(strstr(w.log, "/system/a: expected") + 1, "/system/a: expected"));
	free(before);
	free(after);
}
END_TEST

/* A patch that is damaged shows in the dry run, not in the field. */
START_TEST(test_wrong_patch)
{
	char script[8192];

	put_files();
	((char *)w.entries[0].data)[v.patch_size / 2] ^= 1;
	ck_assert_int_eq(world_run(&w, update_script(script)), UPDATER_ABORT);
	ck_assert_ptr_nonnull(strstr(w.error.message, "/system/a"));
}
END_TEST

/* Room for the backup is asked for as well: need and have, and what for. */
START_TEST(test_space)
{
	char script[8192];

	put_files();
	w.free_cache = 50 + 66048;
	ck_assert_int_eq(world_run(&w, update_script(script)), UPDATER_ABORT);
	ck_assert_int_eq(w.error.code, RESULT_SPACE);
	ck_assert_ptr_nonnull(strstr(w.error.message, "need 100 bytes, have 50"));
	ck_assert(world_told(&w, "log object: " UPDATER_BACKUP));
}
END_TEST

/* What earlier changes take is not free for later ones, and what they give is. */
START_TEST(test_room_adds_up)
{
	static const struct {
		const char *script;
		const char *mismatch; /* NULL: there is room */
	} cases[] = {
		{"package_extract_file(\"big\", \"/system/1\");", NULL},
		{"package_extract_dir(\"tree\", \"/system/new/place\");", NULL},
		{"package_extract_file(\"big\", \"/system/1\"); package_extract_file(\"big\", \"/system/2\");",
	         "/system/2: not enough space: need 3000 bytes, have 2000"},
		{"package_extract_file(\"big\", \"/cache/1\"); package_extract_file(\"big\", \"/system/2\");", NULL},
		{"package_extract_dir(\"tree\", \"/system/new\"); package_extract_dir(\"tree\", \"/system/newer\");",
	         "/system/newer/one: not enough space: need 2000 bytes, have 1000"},
		{"delete(\"/system/gone\"); package_extract_file(\"big\", \"/system/1\");"
	         "package_extract_file(\"big\", \"/system/2\");",
	         NULL},
		{"delete_recursive(\"/system/tree\"); package_extract_file(\"big\", \"/system/1\");"
	         "package_extract_file(\"big\", \"/system/2\");",
	         NULL},
		/* in place of itself it grows by nothing, but both are there for a moment */
		{"package_extract_file(\"big\", \"/system/gone\"); package_extract_file(\"big\", \"/system/2\");"
	         "delete(\"/system/tree/file\"); package_extract_file(\"big\", \"/system/3\");",
	         NULL},
		{"write_raw_image(package_extract_file(\"big\"), \"raw\");",
	         "raw: not enough space: need 3000 bytes, have 100"},
	};
	uint8_t bytes[3000] = {0};

	world_add(&w, "big", bytes, 3000, 0100644);
	world_add(&w, "tree/one", bytes, 2000, 0100644);
	world_add(&w, "tree/two", bytes, 2000, 0100644);
	world_put(&w, "/system/gone", bytes, 3000);
	world_put(&w, "/system/tree/file", bytes, 3000);
	world_put(&w, "/dev/raw", bytes, 100);
	w.free_system = 5000;
	w.free_cache = 5000;
	if (!cases[_i].mismatch) {
		world_succeeds(&w, cases[_i].script);
		return;
	}
	world_aborts(&w, cases[_i].script, cases[_i].mismatch);
	ck_assert_int_eq(w.error.code, RESULT_SPACE);
}
END_TEST

static int all_is_mounted(void *medium, const char *mount_point, bool *mounted)
{
	(void)medium;
	(void)mount_point;
	*mounted = true;
	return 0;
}

/* All that was there makes room, once: what has an old file's path takes no less than any other. */
START_TEST(test_room_by_formatting)
{
	static const char fits[] = "format(\"ubifs\", \"UBI\", \"rootfs\", \"0\", \"/system\");"
				   "package_extract_file(\"big\", \"/system/gone\");"
				   "package_extract_file(\"big\", \"/system/2\");";
	uint8_t bytes[3000] = {0};
	char script[512];

	w.ops.is_mounted = all_is_mounted;
	world_add(&w, "big", bytes, 3000, 0100644);
	world_put(&w, "/system/gone", bytes, 3000);
	world_put(&w, "/system/tree/file", bytes, 3000);
	w.free_system = 1000;
	world_succeeds(&w, fits);
	(void)snprintf(script, sizeof(script), "%spackage_extract_file(\"big\", \"/system/3\");", fits);
	world_aborts(&w, script, "/system/3: not enough space: need 3000 bytes, have 1000");
	ck_assert_uint_eq(w.steps, 0);
}
END_TEST

/* Each patch alone would fit, as long as the one before has not grown its file. */
START_TEST(test_room_for_patches)
{
	char script[8192];
	size_t used;

	versions_free(&v);
	versions_make(&v, 5000, 9000, 12);
	world_add(&w, "grow", v.patch, v.patch_size, 0100644);
	world_put(&w, "/system/a", v.old_data, v.old_size);
	world_put(&w, "/system/b", v.old_data, v.old_size);
	used = versions_add_patch(&v, "/system/a", "grow", script, sizeof(script), 0);
	(void)versions_add_patch(&v, "/system/b", "grow", script, sizeof(script), used);
	w.free_system = 13000;
	world_succeeds(&w, script);
	w.free_system = 12999;
	world_aborts(&w, script, "/system/b: not enough free space: need 9000 bytes, have 8999");
	ck_assert_int_eq(w.error.code, RESULT_SPACE);
}
END_TEST

/* storage_mount() makes a missing mount point; a dry run makes nothing. */
START_TEST(test_missing_mount_point)
{
	world_aborts(&w, "mount(\"ubifs\",\"UBI\",\"data\",\"/data/deep\"); \"t\"", "/data/deep: No such file");
	ck_assert(!world_exists(&w, "/data"));
	ck_assert_uint_eq(w.steps, 0);
}
END_TEST

START_TEST(test_other_aborts_count_too)
{
	world_aborts(&w, "getprop(\"x\") == \"y\" || abort(\"wrong device\")", "wrong device");
	world_aborts(&w, "package_extract_file(\"none\",\"/system/none\"); \"t\"", "none: not in the package");
	world_aborts(&w, "rename(\"/none\",\"/other\")", "neither /none nor /other exists");
}
END_TEST

/* A file that moves and changes, and a copy of it: looked for at both places, found at the old one. */
static const char *moving_script(char script[8192])
{
	(void)snprintf(script, 8192,
	               "assert(apply_patch_check(\"/system/to\",%s,%s) || apply_patch_check(\"/system/from\",%s));\n"
	               "assert(apply_patch_check(\"/system/new/copy\",%s) || apply_patch_check(\"/system/to\",%s) ||\n"
	               "       apply_patch_check(\"/system/from\",%s));\n"
	               "apply_patch_check(\"/system/to\",%s,%s) || rename(\"/system/from\",\"/system/to\");\n"
	               "apply_patch(\"/system/to\",\"/system/new/copy\",%s,%zu,%s,package_extract_file(\"p\"));\n"
	               "apply_patch(\"/system/to\",\"-\",%s,%zu,%s,package_extract_file(\"p\"));\n",
	               v.new_sha1, v.old_sha1, v.old_sha1, v.new_sha1, v.old_sha1, v.old_sha1, v.new_sha1, v.old_sha1,
	               v.new_sha1, v.new_size, v.old_sha1, v.new_sha1, v.new_size, v.old_sha1);
	return script;
}

START_TEST(test_moved_file)
{
	char script[8192];
	char *before, *after;

	world_put(&w, "/system/from", v.old_data, v.old_size);
	before = world_snapshot(&w);
	world_succeeds(&w, moving_script(script));
	after = world_snapshot(&w);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
	w.dry_run = false;
	world_succeeds(&w, moving_script(script));
	ck_assert_ptr_null(strstr(w.log, "found missing"));
	world_expect(&w, "/system/to", v.new_data, v.new_size);
	world_expect(&w, "/system/new/copy", v.new_data, v.new_size);
	ck_assert(!world_exists(&w, "/system/from"));
	/* and on the system that has it all */
	w.dry_run = true;
	world_succeeds(&w, moving_script(script));
}
END_TEST

/* It is told once, as what it is. */
START_TEST(test_moved_file_mismatches)
{
	char script[8192];

	if (_i == 0)
		world_put_text(&w, "/system/from", "stranger");
	world_aborts(&w, moving_script(script),
	             _i == 0 ? "1 mismatches, the first: /system/from: expected"
	                     : "1 mismatches, the first: /system/from");
	ck_assert(world_told(&w, "log object: /system/from"));
	ck_assert(!world_told(&w, "log object: /system/to"));
}
END_TEST

Suite *suite_rehearsal(void)
{
	Suite *suite = suite_create("rehearsal");
	TCase *tc = tcase_create("rehearsal");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, test_clean_system);
	tcase_add_test(tc, test_all_mismatches_are_listed);
	tcase_add_test(tc, test_wrong_patch);
	tcase_add_test(tc, test_space);
	tcase_add_loop_test(tc, test_room_adds_up, 0, 9);
	tcase_add_test(tc, test_room_for_patches);
	tcase_add_test(tc, test_room_by_formatting);
	tcase_add_test(tc, test_missing_mount_point);
	tcase_add_test(tc, test_other_aborts_count_too);
	tcase_add_test(tc, test_moved_file);
	tcase_add_loop_test(tc, test_moved_file_mismatches, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}
