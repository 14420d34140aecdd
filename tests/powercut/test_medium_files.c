/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/test_medium.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct medium *medium(void)
{
	return bench_get()->medium;
}

static int make_directory(const char *path)
{
	return medium_ops.mkdir(medium(), path, 0755);
}

static int rename_to(const char *from, const char *to)
{
	return medium_ops.rename(medium(), from, to);
}

#define TEXT_SIZE 256

static void add_word(char *text, const char *word, const char *end)
{
	size_t used = strlen(text);

	(void)snprintf(text + used, TEXT_SIZE - used, "%s%s", word, end);
}

static int add_name(void *ctx, const char *name)
{
	add_word(ctx, name, " ");
	return 0;
}

START_TEST(open_modes)
{
	int handle = open_as("/usrdata/file", STORAGE_CREATE);
	char data[8];

	ck_assert_str_eq(bench_get()->verb, "create");
	ck_assert_str_eq(bench_get()->object, "/usrdata/file");
	ck_assert_uint_eq(bench_get()->tears, 0);
	ck_assert_uint_eq(mode_of("/usrdata/file"), 0600);
	ck_assert_int_eq(medium_ops.write(medium(), handle, 2, "abc", 3), 0);
	ck_assert_int_eq(medium_ops.read(medium(), handle, 0, data, sizeof(data)), 5);
	ck_assert_mem_eq(data, "\0\0abc", 5);
	ck_assert_int_eq(medium_ops.read(medium(), handle, 5, data, sizeof(data)), 0);
	shut(handle);
	append_text("/usrdata/file", "def");
	append_text("/usrdata/log", "line\n");
	ck_assert_uint_eq(mode_of("/usrdata/log"), 0644);
	handle = open_as("/usrdata/log", STORAGE_READ);
	ck_assert_int_eq(medium_ops.write(medium(), handle, 0, "x", 1), -EBADF);
	shut(handle);
	handle = open_as("/usrdata/log", STORAGE_APPEND);
	ck_assert_int_eq(medium_ops.read(medium(), handle, 0, data, 1), -EBADF);
	shut(handle);
	ck_assert_int_eq(medium_ops.set_mode(medium(), "/usrdata/log", 0755), 0);
	shut(open_as("/usrdata/log", STORAGE_CREATE));
	ck_assert(has_text("/usrdata/log", ""));
	ck_assert_uint_eq(mode_of("/usrdata/log"), 0600);
	ck_assert_int_eq(medium_ops.open(medium(), "/usrdata/none", STORAGE_READ), -ENOENT);
	ck_assert_int_eq(medium_ops.open(medium(), "/usrdata/none/x", STORAGE_CREATE), -ENOENT);
	ck_assert_int_eq(medium_ops.open(medium(), "/usrdata/log/x", STORAGE_CREATE), -ENOTDIR);
	ck_assert_int_eq(medium_ops.open(medium(), "/usrdata", STORAGE_READ), -EISDIR);
}
END_TEST

START_TEST(links)
{
	struct storage_stat stat;
	char target[64] = "";

	ck_assert_int_eq(make_directory("/usrdata/a"), 0);
	ck_assert_int_eq(medium_ops.symlink(medium(), "../cache/factory", "/usrdata/a/up"), 0);
	ck_assert_int_eq(medium_ops.symlink(medium(), "nowhere", "/usrdata/a/dangling"), 0);
	ck_assert_int_eq(medium_ops.symlink(medium(), "loop", "/usrdata/a/loop"), 0);
	ck_assert_int_eq(medium_ops.symlink(medium(), "x", "/usrdata/a/loop"), -EEXIST);
	ck_assert(has_text("/usrdata/a/up", "made"));
	ck_assert(has_text("/cache/../a/up", "made"));
	ck_assert_int_eq(medium_ops.stat(medium(), "/usrdata/a/up", &stat), 0);
	ck_assert_int_eq(stat.type, STORAGE_SYMLINK);
	ck_assert_uint_eq(stat.size, strlen("../cache/factory"));
	ck_assert_int_eq(medium_ops.read_link(medium(), "/usrdata/a/up", target, sizeof(target)), (ssize_t)stat.size);
	ck_assert_str_eq(target, "../cache/factory");
	ck_assert_int_eq(medium_ops.read_link(medium(), "/cache/factory", target, sizeof(target)), -EINVAL);
	ck_assert_int_eq(medium_ops.open(medium(), "/usrdata/a/up", STORAGE_CREATE), -ELOOP);
	ck_assert_int_eq(medium_ops.open(medium(), "/usrdata/a/dangling", STORAGE_APPEND), -ELOOP);
	ck_assert_int_eq(medium_ops.open(medium(), "/usrdata/a/dangling", STORAGE_WRITE), -ENOENT);
	ck_assert_int_eq(medium_ops.open(medium(), "/usrdata/a/loop", STORAGE_READ), -ELOOP);
	ck_assert_int_eq(medium_ops.set_mode(medium(), "/usrdata/a/up", 0600), -EOPNOTSUPP);
	ck_assert_int_eq(medium_ops.unlink(medium(), "/usrdata/a/up"), 0);
	ck_assert(has_text("/cache/factory", "made"));
}
END_TEST

START_TEST(nodes)
{
	struct storage_stat stat;

	ck_assert_int_eq(medium_ops.mknod(medium(), "/usrdata/tty", STORAGE_CHARACTER, 5, 260), 0);
	ck_assert_int_eq(medium_ops.mknod(medium(), "/usrdata/tty", STORAGE_FIFO, 0, 0), -EEXIST);
	ck_assert_int_eq(medium_ops.mknod(medium(), "/usrdata/none/tty", STORAGE_FIFO, 0, 0), -ENOENT);
	ck_assert_int_eq(medium_ops.stat(medium(), "/usrdata/tty", &stat), 0);
	ck_assert_int_eq(stat.type, STORAGE_CHARACTER);
	ck_assert_uint_eq(stat.major, 5);
	ck_assert_uint_eq(stat.minor, 260);
	ck_assert_uint_eq(stat.mode, 0600);
}
END_TEST

START_TEST(hard_links)
{
	struct storage_stat first;
	struct storage_stat stat;
	uint64_t before;
	uint64_t after;

	write_text("/usrdata/f", "text");
	ck_assert_int_eq(medium_ops.free_space(medium(), "/cache", &before), 0);
	ck_assert_int_eq(medium_ops.link(medium(), "/usrdata/f", "/usrdata/g"), 0);
	ck_assert_str_eq(bench_get()->verb, "link");
	ck_assert_int_eq(medium_ops.link(medium(), "/usrdata/f", "/usrdata/g"), -EEXIST);
	ck_assert_int_eq(medium_ops.link(medium(), "/usrdata/none", "/usrdata/h"), -ENOENT);
	ck_assert_int_eq(medium_ops.link(medium(), "/usrdata", "/usrdata/h"), -EPERM);
	ck_assert_int_eq(medium_ops.link(medium(), "/usrdata/f", "/tmp/h"), -EXDEV);
	append_text("/usrdata/g", "more");
	ck_assert(has_text("/usrdata/f", "textmore"));
	ck_assert_int_eq(medium_ops.stat(medium(), "/usrdata/f", &first), 0);
	ck_assert_int_eq(medium_ops.stat(medium(), "/usrdata/g", &stat), 0);
	ck_assert(storage_same_file(&first, &stat));
	ck_assert_uint_eq(stat.links, 2);
	ck_assert_int_eq(medium_ops.free_space(medium(), "/cache", &after), 0);
	ck_assert_uint_eq(after, before);
	ck_assert_int_eq(rename_to("/usrdata/f", "/usrdata/g"), 0); /* does nothing, as POSIX has it */
	ck_assert(!is_missing("/usrdata/f"));
	ck_assert_int_eq(medium_ops.unlink(medium(), "/usrdata/f"), 0);
	ck_assert_int_eq(medium_ops.stat(medium(), "/usrdata/g", &stat), 0);
	ck_assert_uint_eq(stat.links, 1);
	ck_assert(has_text("/usrdata/g", "textmore"));
	ck_assert_int_eq(medium_ops.unlink(medium(), "/usrdata/g"), 0);
	ck_assert_int_eq(medium_ops.free_space(medium(), "/cache", &after), 0);
	ck_assert_uint_gt(after, before);
}
END_TEST

START_TEST(names)
{
	char list[TEXT_SIZE] = "";

	ck_assert_int_eq(make_directory("/usrdata/a"), 0);
	ck_assert_int_eq(make_directory("/usrdata/a"), -EEXIST);
	ck_assert_int_eq(make_directory("/usrdata/none/b"), -ENOENT);
	write_text("/usrdata/a/one", "1");
	write_text("/usrdata/a/two", "2");
	ck_assert_int_eq(medium_ops.rmdir(medium(), "/usrdata/a"), -ENOTEMPTY);
	ck_assert_int_eq(medium_ops.rmdir(medium(), "/usrdata/a/one"), -ENOTDIR);
	ck_assert_int_eq(medium_ops.unlink(medium(), "/usrdata/a"), -EISDIR);
	ck_assert_int_eq(medium_ops.unlink(medium(), "/usrdata/a/none"), -ENOENT);
	ck_assert_int_eq(medium_ops.rmdir(medium(), "/usrdata"), -EBUSY);
	ck_assert_int_eq(rename_to("/usrdata/a/one", "/usrdata/a/two"), 0);
	ck_assert_str_eq(bench_get()->verb, "rename");
	ck_assert_str_eq(bench_get()->object, "/usrdata/a/two");
	ck_assert(has_text("/usrdata/a/two", "1"));
	ck_assert_int_eq(medium_ops.list(medium(), "/usrdata/a", add_name, list), 0);
	ck_assert_str_eq(list, "two ");
	ck_assert_int_eq(medium_ops.list(medium(), "/usrdata/a/two", add_name, list), -ENOTDIR);
	ck_assert_int_eq(medium_ops.unlink(medium(), "/usrdata/a/two"), 0);
	ck_assert_int_eq(medium_ops.rmdir(medium(), "/usrdata/a"), 0);
	ck_assert(is_missing("/usrdata/a"));
}
END_TEST

START_TEST(rename_rules)
{
	ck_assert_int_eq(make_directory("/usrdata/a"), 0);
	ck_assert_int_eq(make_directory("/usrdata/b"), 0);
	ck_assert_int_eq(make_directory("/usrdata/b/c"), 0);
	write_text("/usrdata/f", "text");
	ck_assert_int_eq(rename_to("/usrdata/none", "/usrdata/x"), -ENOENT);
	ck_assert_int_eq(rename_to("/usrdata/f", "/usrdata/a"), -EISDIR);
	ck_assert_int_eq(rename_to("/usrdata/a", "/usrdata/f"), -ENOTDIR);
	ck_assert_int_eq(rename_to("/usrdata/a", "/usrdata/b"), -ENOTEMPTY);
	ck_assert_int_eq(rename_to("/usrdata/b", "/usrdata/b/c/d"), -EINVAL);
	ck_assert_int_eq(rename_to("/usrdata/f", "/tmp/f"), -EXDEV);
	ck_assert_int_eq(rename_to("/usrdata", "/other"), -EBUSY);
	ck_assert_int_eq(rename_to("/usrdata/f", "/usrdata/f"), 0);
	ck_assert_int_eq(rename_to("/usrdata/b/c", "/usrdata/a"), 0);
	ck_assert_int_eq(rename_to("/usrdata/f", "/usrdata/a/f"), 0);
	ck_assert(is_missing("/usrdata/b/c"));
	ck_assert(has_text("/usrdata/a/f", "text"));
}
END_TEST

START_TEST(owners_and_powers)
{
	static const char capability[] = "power";
	struct storage_stat stat;
	char value[16];

	write_text("/usrdata/f", "text");
	ck_assert_int_eq(medium_ops.set_mode(medium(), "/usrdata/f", 06755), 0);
	ck_assert_int_eq(medium_ops.set_xattr(medium(), "/usrdata/f", "security.capability", capability, 6), 0);
	ck_assert_int_eq(medium_ops.set_xattr(medium(), "/usrdata/f", "security.selinux", "label", 6), 0);
	ck_assert_int_eq(medium_ops.get_xattr(medium(), "/usrdata/f", "security.capability", value, 16), 6);
	ck_assert_int_eq(medium_ops.get_xattr(medium(), "/usrdata/f", "security.capability", value, 0), 6);
	ck_assert_int_eq(medium_ops.get_xattr(medium(), "/usrdata/f", "security.capability", value, 5), -ERANGE);
	ck_assert_int_eq(medium_ops.set_owner(medium(), "/usrdata/f", 10, 20), 0);
	ck_assert_int_eq(medium_ops.stat(medium(), "/usrdata/f", &stat), 0);
	ck_assert_uint_eq(stat.mode, 0755);
	ck_assert_uint_eq(stat.uid, 10);
	ck_assert_uint_eq(stat.gid, 20);
	ck_assert_int_eq(medium_ops.get_xattr(medium(), "/usrdata/f", "security.capability", value, 16), -ENODATA);
	ck_assert_int_eq(medium_ops.get_xattr(medium(), "/usrdata/f", "security.selinux", value, 16), 6);
	ck_assert_int_eq(medium_ops.set_xattr(medium(), "/usrdata/f", "security.capability", NULL, 0), -ENODATA);
	ck_assert_int_eq(medium_ops.set_xattr(medium(), "/usrdata/f", "system.posix_acl_access", "x", 1), -EOPNOTSUPP);
	ck_assert_int_eq(medium_ops.set_xattr(medium(), "/usrdata/f", "security.capability", capability, 6), 0);
	append_text("/usrdata/f", "more");
	ck_assert_int_eq(medium_ops.get_xattr(medium(), "/usrdata/f", "security.capability", value, 16), -ENODATA);
	ck_assert_int_eq(medium_ops.set_owner(medium(), "/usrdata/none", 1, 1), -ENOENT);
}
END_TEST

START_TEST(space)
{
	uint8_t data[FILES_SIZE] = {0};
	uint64_t bytes;
	uint64_t all;
	int handle = open_as("/usrdata/big", STORAGE_CREATE);

	ck_assert_int_eq(medium_ops.free_space(medium(), "/cache", &all), 0);
	ck_assert_uint_eq(all, FILES_SIZE - 4096); /* the factory's file */
	ck_assert_int_eq(medium_ops.write(medium(), handle, 0, data, 4097), 0);
	ck_assert_int_eq(medium_ops.free_space(medium(), "/usrdata", &bytes), 0);
	ck_assert_uint_eq(bytes, all - 8192);
	ck_assert_int_eq(medium_ops.write(medium(), handle, 4097, data, all - 4096), -ENOSPC);
	ck_assert_int_eq(medium_ops.write(medium(), handle, 4097, data, all - 4097), 0);
	ck_assert_int_eq(medium_ops.free_space(medium(), "/usrdata", &bytes), 0);
	ck_assert_uint_eq(bytes, 0);
	ck_assert_int_eq(medium_ops.unlink(medium(), "/usrdata/big"), 0);
	ck_assert_int_eq(medium_ops.free_space(medium(), "/usrdata", &bytes), 0);
	ck_assert_uint_eq(bytes, 0); /* it is open */
	shut(handle);
	ck_assert_int_eq(medium_ops.free_space(medium(), "/usrdata", &bytes), 0);
	ck_assert_uint_eq(bytes, all);
	put_text("/usrdata/a", "x");
	write_text("/usrdata/b", "x");
	bench_crash(SURVIVAL_NOTHING, 1);
	ck_assert_int_eq(medium_ops.free_space(medium(), "/usrdata", &bytes), 0);
	ck_assert_uint_eq(bytes, all - 4096);
	ck_assert_int_eq(medium_ops.free_space(medium(), "/usrdata/none", &bytes), -ENOENT);
}
END_TEST

START_TEST(mounts)
{
	bool mounted;

	ck_assert_int_eq(medium_ops.is_mounted(medium(), "/usrdata", &mounted), 0);
	ck_assert(mounted);
	ck_assert_int_eq(medium_ops.is_mounted(medium(), "/cache", &mounted), 0);
	ck_assert(!mounted);
	ck_assert_int_eq(medium_ops.is_mounted(medium(), "/none/x", &mounted), 0);
	ck_assert(!mounted);
	ck_assert_int_eq(medium_ops.mount(medium(), "ubifs", "ubi0:usrdata", "/tmp", ""), -EBUSY);
	ck_assert_int_eq(medium_ops.mount(medium(), "ubifs", "volume:usrdata", "/usrdata", "remount,rw"), 0);
	ck_assert_int_eq(medium_ops.mount(medium(), "ubifs", "volume:modem", "/tmp", ""), -EINVAL);
	ck_assert_int_eq(medium_ops.mount(medium(), "ubifs", "other", "/tmp", ""), -ENODEV);
	ck_assert_int_eq(medium_ops.mount(medium(), "ext4", "usrdata", "/tmp", ""), -ENODEV);
	ck_assert_int_eq(medium_ops.mount(medium(), "ubifs", "usrdata", "/none", ""), -ENOENT);
	ck_assert_int_eq(medium_ops.unmount(medium(), "/tmp"), -EINVAL);
	shut(open_as("/usrdata/f", STORAGE_CREATE));
	int handle = open_as("/usrdata/f", STORAGE_READ);
	ck_assert_int_eq(medium_ops.unmount(medium(), "/usrdata"), -EBUSY);
	shut(handle);
	ck_assert_int_eq(medium_ops.unmount(medium(), "/usrdata"), 0);
	ck_assert(is_missing("/usrdata/f"));
	ck_assert_int_eq(medium_ops.mount(medium(), "ubifs", "ubi0:usrdata", "/tmp", ""), 0);
	ck_assert(!is_missing("/tmp/f"));
	medium_crash(medium(), SURVIVAL_NOTHING, 1);
	ck_assert_int_eq(medium_ops.is_mounted(medium(), "/tmp", &mounted), 0);
	ck_assert(!mounted);
	bench_mount();
	ck_assert(!is_missing("/usrdata/f")); /* the unmount synced it */
}
END_TEST

START_TEST(memory_is_no_medium)
{
	unsigned steps = bench_get()->steps;

	write_text("/tmp/f", "text");
	ck_assert_int_eq(make_directory("/tmp/d"), 0);
	sync_file("/tmp/f");
	sync_directory("/tmp");
	ck_assert_uint_eq(bench_get()->steps, steps);
	medium_add_root_file(medium(), "/res/recovery.fstab", "tab", 3);
	write_text("/res/recovery.fstab", "changed");
	bench_crash(SURVIVAL_EVERYTHING, 1);
	ck_assert(is_missing("/tmp/f"));
	ck_assert(is_missing("/tmp/d"));
	ck_assert(has_text("/res/recovery.fstab", "tab"));
}
END_TEST

START_TEST(identity)
{
	struct storage_stat first;
	struct storage_stat second;
	struct storage_stat third;

	put_text("/usrdata/f", "text");
	ck_assert_int_eq(medium_ops.stat(medium(), "/usrdata/f", &first), 0);
	ck_assert_int_eq(medium_ops.stat(medium(), "/cache/factory", &second), 0);
	ck_assert_uint_ne(first.inode, second.inode);
	ck_assert_uint_eq(first.device, second.device);
	ck_assert_int_eq(medium_ops.stat(medium(), "/tmp", &second), 0);
	ck_assert_uint_ne(first.device, second.device);
	append_text("/usrdata/f", "more");
	ck_assert_int_eq(medium_ops.stat(medium(), "/usrdata/f", &second), 0);
	ck_assert_uint_eq(first.inode, second.inode);
	ck_assert_uint_ne(first.modified, second.modified);
	bench_crash(SURVIVAL_NOTHING, 1);
	ck_assert_int_eq(medium_ops.stat(medium(), "/usrdata/f", &third), 0);
	ck_assert_uint_eq(third.modified, first.modified);
	append_text("/usrdata/f", "more");
	ck_assert_int_eq(medium_ops.stat(medium(), "/usrdata/f", &third), 0);
	ck_assert_uint_ne(third.modified, first.modified);
	ck_assert_uint_ne(third.modified, second.modified);
	first = third;
	bench_crash(SURVIVAL_EVERYTHING, 1);
	ck_assert_int_eq(medium_ops.stat(medium(), "/usrdata/f", &third), 0);
	ck_assert_uint_eq(third.modified, first.modified);
}
END_TEST

static void count_paths(void *ctx, const char *path, const struct storage_stat *stat)
{
	add_word(ctx, path, stat->type == STORAGE_DIRECTORY ? "/ " : " ");
}

START_TEST(look_from_outside)
{
	struct storage_stat stat;
	char paths[TEXT_SIZE] = "";
	size_t length;

	medium_put_link(medium(), "usrdata", "/bin/sh", "busybox");
	medium_put_file(medium(), "usrdata", "/bin/busybox", "elf", 3, 0755);
	append_text("/usrdata/bin/busybox", "+");
	write_text("/usrdata/new", "");
	ck_assert_mem_eq(medium_file(medium(), "usrdata", "/bin/busybox", false, &length), "elf+", 4);
	ck_assert_uint_eq(length, 4);
	ck_assert_mem_eq(medium_file(medium(), "usrdata", "/bin/busybox", true, &length), "elf", 3);
	ck_assert_uint_eq(length, 3);
	ck_assert_ptr_nonnull(medium_file(medium(), "usrdata", "/new", false, &length));
	ck_assert_ptr_null(medium_file(medium(), "usrdata", "/new", true, &length));
	ck_assert_str_eq(medium_link(medium(), "usrdata", "/bin/sh", true), "busybox");
	ck_assert_ptr_null(medium_link(medium(), "usrdata", "/bin/busybox", true));
	ck_assert(medium_stat(medium(), "usrdata", "/bin/busybox", true, &stat));
	ck_assert_uint_eq(stat.mode, 0755);
	ck_assert_uint_eq(stat.size, 3);
	medium_walk(medium(), "usrdata", true, count_paths, paths);
	ck_assert_str_eq(paths, "/cache/ /cache/factory /bin/ /bin/sh /bin/busybox ");
	ck_assert_uint_eq(medium_usage(medium(), "usrdata", "/"), 8);
	ck_assert_uint_eq(medium_usage(medium(), "usrdata", "/bin"), 4);
	ck_assert_uint_eq(medium_usage(medium(), "usrdata", "/none"), 0);
}
END_TEST

START_TEST(figures)
{
	struct medium_figures before = medium_figures(medium());
	struct medium_figures after;

	write_text("/usrdata/f", "text");
	ck_assert(has_text("/usrdata/f", "text"));
	sync_file("/usrdata/f");
	after = medium_figures(medium());
	ck_assert_uint_eq(after.operations - before.operations, 3);
	ck_assert_uint_eq(after.bytes_written - before.bytes_written, 4);
	ck_assert_uint_eq(after.bytes_read - before.bytes_read, 4);
	ck_assert_uint_eq(medium_files_read(medium(), "usrdata"), after.bytes_read);
	ck_assert_uint_gt(after.allocated, before.allocated);
	for (int i = 0; i < 50; i++) {
		write_text("/usrdata/g", "some longer text");
		ck_assert_int_eq(medium_ops.unlink(medium(), "/usrdata/g"), 0);
		bench_crash(SURVIVAL_SOME, (uint64_t)i);
	}
	ck_assert_uint_lt(medium_figures(medium()).allocated, after.allocated + 8192);
}
END_TEST

Suite *suite_files(void)
{
	Suite *suite = suite_create("powercut files");
	TCase *tcase = tcase_create("files");

	tcase_add_checked_fixture(tcase, bench_setup, bench_teardown);
	tcase_add_test(tcase, open_modes);
	tcase_add_test(tcase, links);
	tcase_add_test(tcase, nodes);
	tcase_add_test(tcase, hard_links);
	tcase_add_test(tcase, names);
	tcase_add_test(tcase, rename_rules);
	tcase_add_test(tcase, owners_and_powers);
	tcase_add_test(tcase, space);
	tcase_add_test(tcase, mounts);
	tcase_add_test(tcase, memory_is_no_medium);
	tcase_add_test(tcase, identity);
	tcase_add_test(tcase, look_from_outside);
	tcase_add_test(tcase, figures);
	suite_add_tcase(suite, tcase);
	return suite;
}
