/* SPDX-License-Identifier: Apache-2.0 */
/* Power lost at every durable operation, once and twice, and the two ways in which the lineage lost modules. */
#include "world.h"

#include "updater/backup.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OLD_SIZE  9000
#define NEW_SIZE  9100
#define PART_SIZE 16384

static struct world w;
static struct versions v;
static char script[4096];
static char partition[512];

static void setup(void)
{
	world_start(&w);
	versions_make(&v, OLD_SIZE, NEW_SIZE, 3);
	world_add(&w, "p", v.patch, v.patch_size, 0100644);
	world_add_text(&w, "system/new", "new file");
	versions_name_partition(&v, partition);
}

static void teardown(void)
{
	versions_free(&v);
	world_end(&w);
}

static void put_partition(const void *data, size_t size)
{
	char image[PART_SIZE];

	memset(image, 0xFF, sizeof(image));
	memcpy(image, data, size);
	world_put(&w, "/dev/part", image, sizeof(image));
}

static void expect_partition(void)
{
	size_t size;
	char *found = world_get(&w, "/dev/part", &size);

	ck_assert_ptr_nonnull(found);
	ck_assert_uint_eq(size, PART_SIZE);
	ck_assert_msg(memcmp(found, v.new_data, NEW_SIZE) == 0, "%s", w.log);
	free(found);
}

/* A run that dies in the middle of writing the partition. */
static void interrupt_partition_write(void)
{
	char real[512];
	size_t size;
	char *now;
	bool torn;

	w.cut_at = 0;
	do {
		w.cut_at++;
		put_partition(v.old_data, OLD_SIZE);
		(void)remove(world_path(&w, UPDATER_BACKUP, real)); /* there need not be one */
		ck_assert_int_eq(world_run(&w, versions_script(&v, partition, script)), UPDATER_ABORT);
		now = world_get(&w, "/dev/part", &size);
		torn = memcmp(now, v.old_data, OLD_SIZE) != 0;
		free(now);
	} while (!torn);
	w.cut_at = 0;
}

/* Lineage 3.4 a: without digests as arguments the check must still find the backup. */
START_TEST(test_check_after_interrupted_write)
{
	char text[1024];

	interrupt_partition_write();
	(void)snprintf(text, sizeof(text), "assert(apply_patch_check(\"%s\")); \"checked\"", partition);
	world_yields(&w, text, "checked");
	world_yields(&w, text, "checked");
	world_succeeds(&w, versions_script(&v, partition, script));
	expect_partition();
}
END_TEST

/* Lineage 3.4 b: resuming must not open the only good copy for writing, however often it is cut. */
START_TEST(test_backup_survives_resume)
{
	char *backup, *after;
	size_t size, after_size;

	interrupt_partition_write();
	backup = world_get(&w, UPDATER_BACKUP, &size);
	ck_assert_ptr_nonnull(backup);
	ck_assert_mem_eq(backup + BACKUP_HEADER_SIZE, v.old_data, OLD_SIZE);
	for (unsigned again = 0; again < 2; again++) {
		w.cut_at = 1;
		world_aborts(&w, versions_script(&v, partition, script), "");
		ck_assert_uint_eq(w.opened_for_writing, 0);
		ck_assert_uint_eq(w.renamed_backups, 0);
		after = world_get(&w, UPDATER_BACKUP, &after_size);
		ck_assert_ptr_nonnull(after);
		ck_assert_uint_eq(after_size, size);
		ck_assert_mem_eq(after, backup, size);
		free(after);
	}
	w.cut_at = 0;
	world_succeeds(&w, versions_script(&v, partition, script));
	ck_assert_uint_eq(w.renamed_backups, 0);
	expect_partition();
	ck_assert(!world_exists(&w, UPDATER_BACKUP));
	free(backup);
}
END_TEST

/* ---- A whole script ---- */

static const char *whole_script(void)
{
	(void)snprintf(script, sizeof(script),
	               "mount(\"ubifs\",\"UBI\",\"system\",\"/system\");\n"
	               "assert(apply_patch_check(\"/system/app\",%s,%s));\n"
	               "apply_patch_check(\"%s\") || abort(\"part\");\n"
	               "apply_patch_check(\"/system/build.prop\",%s,%s) || abort(\"build.prop\");\n"
	               "apply_patch_space(%d) || abort(\"space\");\n"
	               "delete(\"/system/gone\", \"/system/link\");\n"
	               "apply_patch(\"/system/app\",\"-\",%s,%d,%s,package_extract_file(\"p\"));\n"
	               "apply_patch(\"%s\",\"-\",%s,%d,%s,package_extract_file(\"p\"));\n"
	               "rename(\"/system/from\",\"/system/moved/to\");\n"
	               "package_extract_dir(\"system\",\"/system\");\n"
	               "symlink(\"app\",\"/system/link\");\n"
	               "set_perm(0,0,0750,\"/system/new\");\n"
	               "write_raw_image(package_extract_file(\"p\"),\"raw\");\n"
	               "apply_patch(\"/system/build.prop\",\"-\",%s,%d,%s,package_extract_file(\"p\"));\n"
	               "unmount(\"/system\");\n",
	               v.new_sha1, v.old_sha1, partition, v.new_sha1, v.old_sha1, NEW_SIZE, v.new_sha1, NEW_SIZE,
	               v.old_sha1, partition, v.new_sha1, NEW_SIZE, v.old_sha1, v.new_sha1, NEW_SIZE, v.old_sha1);
	return script;
}

static void put_all(void)
{
	static const char raw[PART_SIZE];

	world_put(&w, "/system/app", v.old_data, OLD_SIZE);
	world_put(&w, "/system/build.prop", v.old_data, OLD_SIZE);
	world_put_text(&w, "/system/gone", "gone");
	world_put_text(&w, "/system/from", "moved");
	put_partition(v.old_data, OLD_SIZE);
	world_put(&w, "/dev/raw", raw, sizeof(raw));
}

static void expect_all(void)
{
	char *raw;
	size_t size;

	world_expect(&w, "/system/app", v.new_data, NEW_SIZE);
	world_expect(&w, "/system/build.prop", v.new_data, NEW_SIZE);
	world_expect(&w, "/system/link", v.new_data, NEW_SIZE);
	world_expect_text(&w, "/system/moved/to", "moved");
	world_expect_text(&w, "/system/new", "new file");
	ck_assert(!world_exists(&w, "/system/gone"));
	ck_assert(!world_exists(&w, "/system/from"));
	ck_assert(!world_exists(&w, UPDATER_BACKUP));
	expect_partition();
	raw = world_get(&w, "/dev/raw", &size);
	ck_assert_uint_eq(size, PART_SIZE);
	ck_assert_mem_eq(raw, v.patch, v.patch_size);
	free(raw);
}

static void clear_all(void)
{
	world_end(&w);
	versions_free(&v);
	setup();
	put_all();
}

START_TEST(test_cut_everywhere)
{
	bool low_space = _i;
	unsigned total;

	put_all();
	if (low_space)
		w.free_cache = 1 << 20;
	if (low_space)
		w.free_system = 5000;
	world_succeeds(&w, whole_script());
	expect_all();
	total = w.steps;
	ck_assert_uint_gt(total, 40);
	for (unsigned cut = 1; cut <= total; cut++) {
		clear_all();
		w.free_cache = low_space ? 1 << 20 : 0;
		w.free_system = low_space ? 5000 : 0;
		w.cut_at = cut;
		ck_assert_int_ne(world_run(&w, whole_script()), UPDATER_OK);
		/* The next attempt is cut as well, at a place that moves. */
		w.cut_at = 1 + cut * 7 % 23;
		(void)world_run(&w, whole_script());
		w.cut_at = 0;
		world_succeeds(&w, whole_script());
		expect_all();
	}
}
END_TEST

/*
 * A file that was renamed and then had to leave for the backup is at neither of its paths when power comes back; the
 * rename must not take that for a loss.
 */
START_TEST(test_renamed_file_in_low_space)
{
	unsigned total;

	(void)snprintf(script, sizeof(script),
	               "assert(apply_patch_check(\"/system/from\",%s,%s) || apply_patch_check(\"/system/to\",%s,%s));\n"
	               "rename(\"/system/from\",\"/system/to\");\n"
	               "apply_patch(\"/system/to\",\"-\",%s,%d,%s,package_extract_file(\"p\"));\n"
	               "apply_patch(\"%s\",\"-\",%s,%d,%s,package_extract_file(\"p\"));\n",
	               v.new_sha1, v.old_sha1, v.new_sha1, v.old_sha1, v.new_sha1, NEW_SIZE, v.old_sha1, partition,
	               v.new_sha1, NEW_SIZE, v.old_sha1);
	total = 1000;
	for (unsigned cut = 0; cut <= total; cut++) {
		(void)world_run(&w, "delete(\"/system/to\", \"/cache/saved.file\")");
		world_put(&w, "/system/from", v.old_data, OLD_SIZE);
		put_partition(v.old_data, OLD_SIZE);
		w.free_system = 5000;
		w.free_cache = 1 << 20;
		w.cut_at = cut;
		ck_assert(world_run(&w, script) == UPDATER_OK || cut > 0);
		if (cut == 0)
			total = w.steps;
		w.cut_at = 0;
		world_succeeds(&w, script);
		world_expect(&w, "/system/to", v.new_data, NEW_SIZE);
		expect_partition();
		ck_assert(!world_exists(&w, UPDATER_BACKUP));
	}
}
END_TEST

/* A file moves and changes, and there is a copy of it: with room for both, or through the backup. */
START_TEST(test_moved_and_copied)
{
	static const uint64_t rooms[] = {1 << 20, 5000};
	unsigned total = 1000;

	(void)snprintf(script, sizeof(script),
	               "assert(apply_patch_check(\"/system/to\",%s,%s) || apply_patch_check(\"/system/from\",%s));\n"
	               "apply_patch_check(\"/system/to\",%s,%s) || rename(\"/system/from\",\"/system/to\");\n"
	               "delete(\"/system/from\");\n"
	               "%sapply_patch(\"/system/to\",\"/system/new/copy\",%s,%d,%s,package_extract_file(\"p\"));\n"
	               "apply_patch(\"/system/to\",\"-\",%s,%d,%s,package_extract_file(\"p\"));\n",
	               v.new_sha1, v.old_sha1, v.old_sha1, v.new_sha1, v.old_sha1, _i == 0 ? "" : "#", v.new_sha1,
	               NEW_SIZE, v.old_sha1, v.new_sha1, NEW_SIZE, v.old_sha1);
	for (unsigned cut = 0; cut <= total; cut++) {
		(void)world_run(&w, "delete_recursive(\"/system\", \"/cache/saved.file\")");
		world_put(&w, "/system/from", v.old_data, OLD_SIZE);
		w.free_system = rooms[_i];
		w.free_cache = 1 << 20;
		w.cut_at = cut;
		ck_assert(world_run(&w, script) == UPDATER_OK || cut > 0);
		if (cut == 0)
			total = w.steps;
		w.cut_at = 0;
		world_succeeds(&w, script);
		world_expect(&w, "/system/to", v.new_data, NEW_SIZE);
		if (_i == 0)
			world_expect(&w, "/system/new/copy", v.new_data, NEW_SIZE);
		ck_assert(!world_exists(&w, "/system/from"));
		ck_assert(!world_exists(&w, UPDATER_BACKUP));
	}
}
END_TEST

/* Power was lost while low space kept the file in the backup alone, and the patch turns out to be of no use. */
START_TEST(test_file_in_backup_comes_back)
{
	char real[512];

	w.free_system = 5000;
	w.free_cache = 1 << 20;
	world_put(&w, "/system/app", v.old_data, OLD_SIZE);
	for (w.cut_at = 1; world_exists(&w, "/system/app"); w.cut_at++) {
		(void)remove(world_path(&w, UPDATER_BACKUP, real)); /* there need not be one */
		ck_assert_int_eq(world_run(&w, versions_script(&v, "/system/app", script)), UPDATER_ABORT);
	}
	w.cut_at = 0;
	((char *)w.entries[0].data)[v.patch_size / 2] ^= 1;
	world_aborts(&w, versions_script(&v, "/system/app", script), "/system/app");
	world_expect(&w, "/system/app", v.old_data, OLD_SIZE);
	((char *)w.entries[0].data)[v.patch_size / 2] ^= 1;
	world_succeeds(&w, versions_script(&v, "/system/app", script));
	world_expect(&w, "/system/app", v.new_data, NEW_SIZE);
	ck_assert(!world_exists(&w, UPDATER_BACKUP));
}
END_TEST

/* Cut between backup and first erase: the backup that is there is good enough. */
START_TEST(test_backup_is_not_made_twice)
{
	put_partition(v.old_data, OLD_SIZE);
	for (w.cut_at = 1; !world_exists(&w, UPDATER_BACKUP); w.cut_at++)
		(void)world_run(&w, versions_script(&v, partition, script));
	w.cut_at = 0;
	world_succeeds(&w, versions_script(&v, partition, script));
	ck_assert_uint_eq(w.renamed_backups, 0);
	expect_partition();
	ck_assert(!world_exists(&w, UPDATER_BACKUP));
}
END_TEST

/* What is done is not done again: not one write, not even of attributes' time stamps. */
START_TEST(test_finished_script_is_a_no_op)
{
	char *before, *after;

	put_all();
	world_succeeds(&w, whole_script());
	/* The deletion of a link that the script makes again is the one thing that repeats itself. */
	memcpy(strstr(script, "delete("), (char[]){'c', 'o', 'n', 'c', 'a', 't'}, 6);
	world_succeeds(&w, script);
	before = world_snapshot(&w);
	world_succeeds(&w, script);
	after = world_snapshot(&w);
	ck_assert_str_eq(before, after);
	expect_all();
	free(before);
	free(after);
}
END_TEST

Suite *suite_power(void)
{
	Suite *suite = suite_create("power");
	TCase *tc = tcase_create("power");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_check_after_interrupted_write);
	tcase_add_test(tc, test_backup_survives_resume);
	tcase_add_loop_test(tc, test_cut_everywhere, 0, 2);
	tcase_add_test(tc, test_renamed_file_in_low_space);
	tcase_add_loop_test(tc, test_moved_and_copied, 0, 2);
	tcase_add_test(tc, test_file_in_backup_comes_back);
	tcase_add_test(tc, test_backup_is_not_made_twice);
	tcase_add_test(tc, test_finished_script_is_a_no_op);
	suite_add_tcase(suite, tc);
	return suite;
}
