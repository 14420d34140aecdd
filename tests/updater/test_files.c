/* SPDX-License-Identifier: Apache-2.0 */
/* delete, rename, symlink, package_extract_*, write_raw_image, set_perm, set_metadata, set_xattr, read_file,
 * sha1_check.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
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

static void expect_link(const char *path, const char *target)
{
	char real[512];
	char found[512] = "";

	ck_assert_int_gt(readlink(world_path(&w, path, real), found, sizeof(found) - 1), 0);
	ck_assert_str_eq(found, target);
}

START_TEST(test_delete)
{
	world_put_text(&w, "/system/a", "");
	world_put_text(&w, "/system/b", "");
	world_yields(&w, "delete()", "0");
	world_yields(&w, "delete(\"/system/a\", \"system/b\", \"/system/c\", \"/no/such/dir/c\", \"/system/a/x\")",
	             "2");
	ck_assert(!world_exists(&w, "/system/a"));
	ck_assert(!world_exists(&w, "/system/b"));
	world_yields(&w, "delete(\"/system/a\", \"/system/b\")", "0");
}
END_TEST

START_TEST(test_delete_what_is_no_file)
{
	world_put_text(&w, "/system/dir/a", "");
	world_put_text(&w, "/system/b", "");
	world_yields(&w, "delete(\"/system/dir\", \"/system/b\")", "1");
	ck_assert(world_exists(&w, "/system/dir/a"));
	ck_assert(!world_exists(&w, "/system/b"));
}
END_TEST

/* Nothing happens before all paths are known. */
START_TEST(test_paths_that_are_none)
{
	char script[STORAGE_PATH_MAX + 100];

	world_put_text(&w, "/system/b", "");
	world_aborts(&w, "delete(\"/system/b\", \"\")", "delete(): a path argument is empty");
	world_aborts(&w, "symlink(\"x\", \"/system/link\", \"\")", "symlink(): a path argument is empty");
	(void)snprintf(script, sizeof(script), "delete(\"/system/b\", \"/system/%0*d\")", STORAGE_PATH_MAX, 0);
	world_aborts(&w, script, "delete(): path too long: /system/000");
	ck_assert(world_exists(&w, "/system/b"));
	ck_assert(!world_exists(&w, "/system/link"));
}
END_TEST

START_TEST(test_delete_recursive)
{
	char real[512];

	world_put_text(&w, "/system/dir/a/b", "");
	world_put_text(&w, "/system/keep", "kept");
	ck_assert_int_eq(symlink("../keep", world_path(&w, "/system/dir/link", real)), 0);
	world_yields(&w, "delete_recursive(\"/system/dir\", \"/system/none\")", "1");
	ck_assert(!world_exists(&w, "/system/dir"));
	world_expect_text(&w, "/system/keep", "kept");
}
END_TEST

START_TEST(test_rename)
{
	world_put_text(&w, "/system/a", "moved");
	world_yields(&w, "rename(\"/system/a\", \"/system/x/y/b\")", "/system/x/y/b");
	world_expect_text(&w, "/system/x/y/b", "moved");
	ck_assert_uint_eq(world_mode(&w, "/system/x/y"), 0700);
	world_yields(&w, "rename(\"system/a\", \"system/x/y/b\")", "/system/x/y/b");
	world_aborts(&w, "rename(\"/system/a\", \"/system/c\"); \"t\"", "neither /system/a nor /system/c exists");
	world_aborts(&w, "rename(\"\", \"/system/c\")", "a path argument is empty");
}
END_TEST

START_TEST(test_symlink)
{
	world_put_text(&w, "/system/bin/ls", "old file");
	world_put_text(&w, "/system/dir/file", "");
	world_yields(&w, "symlink(\"toolbox\", \"/system/bin/ls\", \"/system/new/ps\")", "");
	expect_link("/system/bin/ls", "toolbox");
	expect_link("/system/new/ps", "toolbox");
	ck_assert_uint_eq(world_mode(&w, "/system/new"), 0700);
	world_yields(&w, "symlink(\"other\", \"/system/bin/ls\")", "");
	expect_link("/system/bin/ls", "other");
	world_aborts(&w, "symlink(\"x\", \"/system/dir\", \"/system/bin/ls\")", "some symlinks failed");
	expect_link("/system/bin/ls", "x");
}
END_TEST

START_TEST(test_make_node)
{
	struct stat st;
	unsigned runs;

	world_put_text(&w, "/system/there", "a file");
	runs = world_run_with_cuts(&w, "make_node(\"/system/new/fifo\", \"p\", 0, 0);"
	                               "make_node(\"/system/there\", \"p\", 0, 0);");
	ck_assert_uint_gt(runs, 6);
	ck_assert(S_ISFIFO(world_stat(&w, "/system/new/fifo").st_mode));
	st = world_stat(&w, "/system/there");
	ck_assert(S_ISFIFO(st.st_mode));
	world_yields(&w, "make_node(\"/system/there\", \"p\", 0, 0)", "");
	ck_assert_uint_eq(world_stat(&w, "/system/there").st_ino, st.st_ino);
	ck_assert(!world_exists(&w, "/system/.fota-new"));
	world_aborts(&w, "make_node(\"/system/x\", \"s\", 0, 0)", "\"s\" is no type of node");
	world_aborts(&w, "make_node(\"/system/x\", \"p\", 1, 0)", "argument 3");
	world_aborts(&w, "make_node(\"/system/x\", \"c\", 4096, 0)", "argument 3");
	world_aborts(&w, "make_node(\"/system/x\", \"b\", 1, 1048576)", "argument 4");
	world_aborts(&w, "make_node(\"/system/new\", \"p\", 0, 0)", "/system/new");
	world_aborts(&w, "make_node(\"/system/../x\", \"p\", 0, 0)", "..");
	if (geteuid() == 0) {
		world_yields(&w, "make_node(\"/system/there\", \"c\", 1, 3)", "");
		st = world_stat(&w, "/system/there");
		ck_assert(S_ISCHR(st.st_mode));
		ck_assert_uint_eq(major(st.st_rdev), 1);
		ck_assert_uint_eq(minor(st.st_rdev), 3);
	}
	w.dry_run = true;
	world_yields(&w, "make_node(\"/system/x\", \"p\", 0, 0)", "");
	ck_assert(!world_exists(&w, "/system/x"));
}
END_TEST

START_TEST(test_extract_dir)
{
	char *before, *after;
	char real[512];

	world_add_text(&w, "system/bin/app", "app");
	world_add_text(&w, "system/etc/conf", "conf");
	world_add(&w, "system/empty/", "", 0, 040755);
	world_add(&w, "system/bin/link", "app", 3, 0120777);
	world_add_text(&w, "systematic/other", "not below system/");
	world_put_text(&w, "/system/bin/app", "old");
	ck_assert_int_eq(chmod(world_path(&w, "/system/bin/app", real), 0755), 0);
	world_yields(&w, "package_extract_dir(\"system\", \"/system\")", "t");
	world_expect_text(&w, "/system/bin/app", "app");
	world_expect_text(&w, "/system/etc/conf", "conf");
	ck_assert_uint_eq(world_mode(&w, "/system/bin/app"), 0755);
	ck_assert_uint_eq(world_mode(&w, "/system/etc/conf"), 0644);
	ck_assert_uint_eq(world_mode(&w, "/system/etc"), 0755);
	ck_assert_uint_eq(world_mode(&w, "/system/empty"), 0755);
	expect_link("/system/bin/link", "app");
	ck_assert(!world_exists(&w, "/system/other"));
	before = world_snapshot(&w);
	world_yields(&w, "package_extract_dir(\"system/\", \"system/\")", "t");
	after = world_snapshot(&w);
	ck_assert_str_eq(before, after);
	world_aborts(&w, "package_extract_dir(\"none\", \"/system\"); \"t\"", "none/: not in the package");
	world_yields(&w, "package_extract_dir(\"none\", \"/system\") || \"soft\"", "soft");
	free(before);
	free(after);
}
END_TEST

START_TEST(test_extract_file)
{
	char *before, *after;
	static const char zeros[4096];

	world_add_text(&w, "file", "content");
	world_put(&w, "/dev/part", zeros, sizeof(zeros));
	world_yields(&w, "package_extract_file(\"file\", \"/system/file\")", "t");
	world_expect_text(&w, "/system/file", "content");
	ck_assert_uint_eq(world_mode(&w, "/system/file"), 0644);
	before = world_snapshot(&w);
	world_yields(&w, "package_extract_file(\"file\", \"/system/file\")", "t");
	after = world_snapshot(&w);
	ck_assert_str_eq(before, after);
	world_yields(&w, "package_extract_file(\"file\", \"/dev/part\")", "t");
	world_yields(&w, "package_extract_file(\"file\", \"EMMC:/dev/part\")", "t");
	free(after);
	after = world_get(&w, "/dev/part", &(size_t){0});
	ck_assert_mem_eq(after, "content", 7);
	ck_assert_int_eq(after[7], 0);
	world_aborts(&w, "package_extract_file(\"none\", \"/system/none\"); \"t\"", "none: not in the package");
	ck_assert(!world_exists(&w, "/system/none"));
	free(before);
	free(after);
}
END_TEST

START_TEST(test_blobs_and_digests)
{
	char text[1024];

	world_add_text(&w, "file", "content");
	world_put_text(&w, "/system/file", "content");
	(void)snprintf(text, sizeof(text), "sha1_check(package_extract_file(\"file\"))");
	world_yields(&w, text, sha1_of("content", 7));
	world_yields(&w, "sha1_check(read_file(\"/system/file\"))", sha1_of("content", 7));
	world_yields(&w, "sha1_check(\"content\")", sha1_of("content", 7));
	world_yields(&w, "sha1_check(read_file(\"/system/none\"))", "");
	world_yields(&w, "sha1_check(package_extract_file(\"none\"))", "");
	(void)snprintf(text, sizeof(text), "sha1_check(read_file(\"system/file\"), junk, %s, %s)", sha1_of("x", 1),
	               sha1_of("content", 7));
	world_yields(&w, text, sha1_of("content", 7));
	(void)snprintf(text, sizeof(text), "sha1_check(read_file(\"/system/file\"), \"%s\")", sha1_of("x", 1));
	world_yields(&w, text, "");
	(void)snprintf(text, sizeof(text), "sha1_check(read_file(\"/system/file\"), \"%s\")", sha256_of("content", 7));
	world_yields(&w, text, sha256_of("content", 7));
	world_aborts(&w, "ui_print(read_file(\"/system/file\"))", "expecting text");
	world_put_text(&w, "/dev/part", "content and more");
	(void)snprintf(text, sizeof(text), "sha1_check(read_file(\"MTD:part:7:%s:9:%s\"))", sha1_of("content", 7),
	               sha1_of("x", 1));
	world_yields(&w, text, sha1_of("content", 7));
}
END_TEST

START_TEST(test_write_raw_image)
{
	char *found;
	size_t size;

	world_add_text(&w, "boot.img", "new image");
	world_put_text(&w, "/dev/boot", "old image, and what lies behind it");
	world_put_text(&w, "/system/boot.img", "from file");
	world_yields(&w, "write_raw_image(package_extract_file(\"boot.img\"), \"boot\")", "boot");
	found = world_get(&w, "/dev/boot", &size);
	ck_assert_mem_eq(found, "new image", 9);
	free(found);
	world_yields(&w, "write_raw_image(package_extract_file(\"boot.img\"), \"MTD:boot\")", "MTD:boot");
	ck_assert_ptr_nonnull(strstr(w.log, "already as in the package"));
	world_yields(&w, "write_raw_image(\"/system/boot.img\", \"boot\")", "boot");
	found = world_get(&w, "/dev/boot", &size);
	ck_assert_mem_eq(found, "from file", 9);
	free(found);
	world_aborts(&w, "write_raw_image(package_extract_file(\"none\"), \"boot\"); \"t\"",
	             "none: not in the package");
	world_aborts(&w, "write_raw_image(\"/none\", \"boot\"); \"t\"", "/none");
	world_aborts(&w, "write_raw_image(package_extract_file(\"boot.img\"), \"nopart\"); \"t\"", "nopart");
	world_aborts(&w, "write_raw_image(\"\", \"boot\")", "can't be empty");
	world_aborts(&w, "write_raw_image(package_extract_file(\"boot.img\"), \"\")", "can't be empty");
	world_put_text(&w, "/dev/boot", "tiny");
	world_aborts(&w, "write_raw_image(package_extract_file(\"boot.img\"), \"boot\"); \"t\"", "boot");
	ck_assert_int_eq(w.error.code, RESULT_SPACE);
	world_expect_text(&w, "/dev/boot", "tiny");
}
END_TEST

START_TEST(test_set_perm)
{
	char text[256];

	world_put_text(&w, "/system/a", "");
	world_put_text(&w, "/system/dir/b", "");
	(void)snprintf(text, sizeof(text), "set_perm(%u, %u, 0755, \"/system/a\", \"/system/dir/b\")", getuid(),
	               getgid());
	world_yields(&w, text, "");
	ck_assert_uint_eq(world_mode(&w, "/system/a"), 0755);
	ck_assert_uint_eq(world_mode(&w, "/system/dir/b"), 0755);
	(void)snprintf(text, sizeof(text), "set_perm(%u, %u, 0x1a4, \"/system/a\")", getuid(), getgid());
	world_yields(&w, text, "");
	ck_assert_uint_eq(world_mode(&w, "/system/a"), 0644);
	(void)snprintf(text, sizeof(text), "set_perm_recursive(%u, %u, 0750, 0640, \"/system\")", getuid(), getgid());
	world_yields(&w, text, "");
	ck_assert_uint_eq(world_mode(&w, "/system"), 0750);
	ck_assert_uint_eq(world_mode(&w, "/system/dir"), 0750);
	ck_assert_uint_eq(world_mode(&w, "/system/dir/b"), 0640);
	world_aborts(&w, "set_perm(0, 0, 0755, \"/system/none\")", "some changes failed: /system/none");
	world_aborts(&w, "set_perm(root, 0, 0755, \"/system/a\")", "argument 1, \"root\"");
	world_aborts(&w, "set_perm(0, 0, 0899, \"/system/a\")", "argument 3");
	world_aborts(&w, "set_perm(0, 0, 017777, \"/system/a\")", "argument 3");
}
END_TEST

/* The owner of a link itself, where it can be changed. */
static void check_link_owner(const char *link)
{
	struct stat before;
	struct stat after;

	ck_assert_int_eq(lstat(link, &before), 0);
	world_yields(&w, "set_metadata_recursive(\"/system\", \"uid\", 7)", "");
	ck_assert_int_eq(lstat(link, &after), 0);
	ck_assert_uint_eq(after.st_uid, before.st_uid);
	world_yields(&w, "set_metadata(\"/system/dir/link\", \"uid\", 7, \"gid\", 8, \"mode\", 0600)", "");
	ck_assert_int_eq(lstat(link, &after), 0);
	ck_assert_uint_eq(after.st_mode, before.st_mode);
	if (geteuid() == 0) {
		ck_assert_uint_eq(after.st_uid, 7);
		ck_assert_uint_eq(after.st_gid, 8);
	}
}

START_TEST(test_set_metadata)
{
	char real[512];

	world_put_text(&w, "/system/a", "");
	world_put_text(&w, "/system/dir/b", "");
	ck_assert_int_eq(symlink("/nowhere", world_path(&w, "/system/dir/link", real)), 0);
	world_yields(&w, "set_metadata(\"/system/a\", \"mode\", 0600, \"flavour\", \"sweet\")", "");
	ck_assert_uint_eq(world_mode(&w, "/system/a"), 0600);
	ck_assert_ptr_nonnull(strstr(w.log, "ignoring unknown key \"flavour\""));
	world_yields(&w, "set_metadata_recursive(\"/system\", \"dmode\", 0711, \"fmode\", 0604)", "");
	ck_assert_uint_eq(world_mode(&w, "/system/dir"), 0711);
	ck_assert_uint_eq(world_mode(&w, "/system/dir/b"), 0604);
	check_link_owner(real);
	world_aborts(&w, "set_metadata(\"/system/a\", \"mode\", rwx)", "couldn't parse mode value \"rwx\"");
	world_aborts(&w, "set_metadata(\"/system/a\", \"capabilities\", \"-1\")", "couldn't parse capabilities");
	world_aborts(&w, "set_metadata(\"/system/none\", \"mode\", 0600)", "some changes failed: /system/none");
	world_aborts(&w, "set_metadata_recursive(\"/none\", \"fmode\", 0600)", "some changes failed: /none");
}
END_TEST

START_TEST(test_set_xattr)
{
	const size_t digits = (size_t)2 * STORAGE_XATTR_MAX + 2; /* two too many */
	char text[2 * STORAGE_XATTR_MAX + 64] = "set_xattr(\"/system/a\", \"user.x\", \"";
	char real[512];
	char value[8];
	size_t used = strlen(text);

	world_put_text(&w, "/system/a", "");
	world_aborts(&w, "set_xattr(\"/system/a\", \"user.x\", \"012\")", "no value in hexadecimal");
	world_aborts(&w, "set_xattr(\"/system/a\", \"user.x\", \"0g\")", "no value in hexadecimal");
	world_aborts(&w, "set_xattr(\"/system/a\", \"\", \"00\")", "/system/a: no name");
	world_aborts(&w, "set_xattr(\"/system/none\", \"user.x\", \"00\")", "/system/none: set user.x");
	world_aborts(&w, "set_xattr(\"/system/../a\", \"user.x\", \"00\")", "..");
	memset(text + used, '0', digits);
	memcpy(text + used + digits, "\")", 3);
	world_aborts(&w, text, "no value in hexadecimal");
	(void)world_path(&w, "/system/a", real);
	if (setxattr(real, "user.old", "x", 1, 0) < 0)
		return; /* nor could a script */
	world_yields(&w, "set_xattr(\"/system/a\", \"user.x\", \"00fF7a\")", "");
	ck_assert_int_eq(getxattr(real, "user.x", value, sizeof(value)), 3);
	ck_assert_mem_eq(value, "\0\xffz", 3);
	world_yields(&w, "set_xattr(\"/system/a\", \"user.old\", \"\"); set_xattr(\"/system/a\", \"user.old\", \"\")",
	             "");
	ck_assert_int_lt(getxattr(real, "user.old", value, sizeof(value)), 0);
	w.dry_run = true;
	world_yields(&w, "set_xattr(\"/system/a\", \"user.x\", \"\")", "");
	ck_assert_int_eq(getxattr(real, "user.x", value, sizeof(value)), 3);
}
END_TEST

Suite *suite_files(void)
{
	Suite *suite = suite_create("files");
	TCase *tc = tcase_create("files");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_delete);
	tcase_add_test(tc, test_delete_what_is_no_file);
	tcase_add_test(tc, test_paths_that_are_none);
	tcase_add_test(tc, test_delete_recursive);
	tcase_add_test(tc, test_rename);
	tcase_add_test(tc, test_symlink);
	tcase_add_test(tc, test_make_node);
	tcase_add_test(tc, test_extract_dir);
	tcase_add_test(tc, test_extract_file);
	tcase_add_test(tc, test_blobs_and_digests);
	tcase_add_test(tc, test_write_raw_image);
	tcase_add_test(tc, test_set_perm);
	tcase_add_test(tc, test_set_metadata);
	tcase_add_test(tc, test_set_xattr);
	suite_add_tcase(suite, tc);
	return suite;
}
