/* SPDX-License-Identifier: Apache-2.0 */
/* Files that have several names: hard_link(), separate(), and what else must know of them. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct world w;

static void setup(void)
{
	world_start(&w);
}

static void teardown(void)
{
	world_end(&w);
}

static ino_t inode_of(const char *path)
{
	return world_stat(&w, path).st_ino;
}

static void link_files(const char *first, const char *path)
{
	char from[512];
	char to[512];

	ck_assert_int_eq(link(world_path(&w, first, from), world_path(&w, path, to)), 0);
}

/* Two names, and a patch for one of them. */
static void make_versions(struct versions *v, size_t old_size, size_t new_size)
{
	versions_make(v, old_size, new_size, 3);
	world_add(&w, "p", v->patch, v->patch_size, 0100644);
	world_put(&w, "/system/a", v->old_data, v->old_size);
	link_files("/system/a", "/system/b");
}

START_TEST(test_hard_link)
{
	ino_t inode;

	world_put_text(&w, "/system/a", "content");
	world_put_text(&w, "/system/b", "another");
	inode = inode_of("/system/a");
	(void)world_run_with_cuts(&w, "hard_link(\"/system/a\", \"/system/b\", \"/system/new/c\");");
	ck_assert_uint_eq(inode_of("/system/a"), inode);
	ck_assert_uint_eq(inode_of("/system/b"), inode);
	ck_assert_uint_eq(inode_of("/system/new/c"), inode);
	ck_assert_uint_eq(world_stat(&w, "/system/a").st_nlink, 3);
	ck_assert(!world_exists(&w, "/system/.fota-new"));
	ck_assert(!world_exists(&w, "/system/new/.fota-new"));
	world_expect_text(&w, "/system/b", "content");
	world_yields(&w, "hard_link(\"/system/a\", \"/system/b\")", "");
	world_aborts(&w, "hard_link(\"/system/none\", \"/system/b\")", "/system/b: hard link to /system/none");
	world_aborts(&w, "hard_link(\"/system/a\", \"/system/new\")", "/system/new");
	world_aborts(&w, "hard_link(\"/system/new\", \"/system/x\")", "/system/x: hard link to /system/new");
	world_aborts(&w, "hard_link(\"/system/a\", \"/system/../x\")", "..");
	world_aborts(&w, "hard_link(\"/system/a\", \"\")", "empty");
	ck_assert_int_eq(world_run(&w, "hard_link(\"/system/a\")"), UPDATER_PARSE);
	w.dry_run = true;
	world_yields(&w, "hard_link(\"/system/a\", \"/system/x\")", "");
	ck_assert(!world_exists(&w, "/system/x"));
}
END_TEST

START_TEST(test_separate)
{
	char real[512];
	char *before;
	char *after;
	ino_t inode;

	world_put_text(&w, "/system/a", "content");
	ck_assert_int_eq(chmod(world_path(&w, "/system/a", real), 04750), 0);
	world_put_text(&w, "/system/other", "content");
	link_files("/system/a", "/system/b");
	link_files("/system/a", "/system/c");
	link_files("/system/a", "/system/d");
	inode = inode_of("/system/a");
	(void)world_run_with_cuts(&w, "separate(\"/system/a\", \"/system/b\", \"/system/other\", \"/system/c\");");
	ck_assert_uint_eq(inode_of("/system/a"), inode);
	ck_assert_uint_eq(inode_of("/system/d"), inode);
	ck_assert_uint_ne(inode_of("/system/b"), inode);
	ck_assert_uint_ne(inode_of("/system/c"), inode);
	ck_assert_uint_ne(inode_of("/system/b"), inode_of("/system/c"));
	ck_assert_uint_eq(world_mode(&w, "/system/b"), 04750);
	world_expect_text(&w, "/system/b", "content");
	ck_assert(!world_exists(&w, "/system/.fota-new"));
	before = world_snapshot(&w);
	world_yields(&w, "separate(\"/system/a\", \"/system/b\", \"/system/c\")", "");
	after = world_snapshot(&w);
	ck_assert_str_eq(after, before);
	free(before);
	free(after);
	world_aborts(&w, "separate(\"/system/a\", \"/system/none\")", "/system/none");
	world_aborts(&w, "separate(\"/system/a\", \"/system\")", "/system");
	ck_assert_int_eq(world_run(&w, "separate(\"/system/a\")"), UPDATER_PARSE);
}
END_TEST

/* What the other name leads to keeps the old content, and its mode. */
START_TEST(test_patch_leaves_the_other_name)
{
	struct versions v;
	char script[1024];

	make_versions(&v, 5000, 5100);
	(void)world_run_with_cuts(&w, versions_script(&v, "/system/a", script));
	world_expect(&w, "/system/a", v.new_data, v.new_size);
	world_expect(&w, "/system/b", v.old_data, v.old_size);
	world_yields(&w, "set_metadata(\"/system/a\", \"mode\", 0700)", "");
	ck_assert_uint_eq(world_mode(&w, "/system/b"), 0644);
	versions_free(&v);
}
END_TEST

/* The way out of little space, the source into the backup, is none when another name holds the content. */
START_TEST(test_little_space)
{
	struct versions v;
	char script[1024];

	make_versions(&v, 300000, 300100);
	world_put_text(&w, "/cache/x", "");
	w.free_system = 1000;
	w.free_cache = 10000000;
	world_aborts(&w, versions_script(&v, "/system/a", script), "another name");
	world_expect(&w, "/system/a", v.old_data, v.old_size);
	ck_assert_int_eq(w.error.code, RESULT_SPACE);
	world_yields(&w, "delete(\"/system/b\")", "1");
	world_succeeds(&w, script);
	world_expect(&w, "/system/a", v.new_data, v.new_size);
	versions_free(&v);
}
END_TEST

START_TEST(test_rehearsed_room)
{
	static const char both[] = "separate(\"/system/a\", \"/system/b\", \"/system/c\");";
	static char content[100000];

	world_put(&w, "/system/a", content, sizeof(content));
	link_files("/system/a", "/system/b");
	link_files("/system/a", "/system/c");
	w.dry_run = true;
	w.free_system = 2 * sizeof(content);
	world_succeeds(&w, both);
	w.free_system = 2 * sizeof(content) - 1;
	world_aborts(&w, both, "/system/c: not enough space");
	/* What one of several names frees is nothing. */
	world_aborts(&w, "delete(\"/system/b\"); separate(\"/system/b\", \"/system/a\", \"/system/c\");",
	             "/system/c: not enough space");
	world_succeeds(&w, "separate(\"/system/made/by/the/script\", \"/system/a\", \"/system\");");
	ck_assert_uint_eq(inode_of("/system/a"), inode_of("/system/c"));
}
END_TEST

Suite *suite_links(void)
{
	Suite *suite = suite_create("updater: names of one file");
	TCase *tests = tcase_create("links");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_hard_link);
	tcase_add_test(tests, test_separate);
	tcase_add_test(tests, test_patch_leaves_the_other_name);
	tcase_add_test(tests, test_little_space);
	tcase_add_test(tests, test_rehearsed_room);
	suite_add_tcase(suite, tests);
	return suite;
}
