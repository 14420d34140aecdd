/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/storage/harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

START_TEST(load)
{
	uint8_t big[20000];
	char *data;
	size_t size;
	struct fixture f;

	fixture_open(&f);
	fill(big, sizeof(big), 1);
	ck_assert_ptr_nonnull(fake_add_file(f.medium, "/etc/small", "abc", 3));
	ck_assert_ptr_nonnull(fake_add_file(f.medium, "/etc/big", big, sizeof(big)));
	ck_assert_ptr_nonnull(fake_add_file(f.medium, "/etc/empty", NULL, 0));
	ck_assert_int_eq(storage_load(f.storage, "etc/small", 3, &data, &size, &f.error), 0);
	ck_assert_uint_eq(size, 3);
	ck_assert_str_eq(data, "abc");
	free(data);
	ck_assert_int_eq(storage_load(f.storage, "/etc/small", 2, &data, &size, &f.error), -EFBIG);
	ck_assert_int_eq(storage_load(f.storage, "/etc/empty", 0, &data, &size, &f.error), 0);
	ck_assert_uint_eq(size, 0);
	ck_assert_str_eq(data, "");
	free(data);
	ck_assert_int_eq(storage_load(f.storage, "/etc/big", sizeof(big), &data, &size, &f.error), 0);
	ck_assert_uint_eq(size, sizeof(big));
	ck_assert_mem_eq(data, big, sizeof(big));
	free(data);
	ck_assert_int_eq(storage_load(f.storage, "/etc/big", sizeof(big) - 1, &data, &size, &f.error), -EFBIG);
	ck_assert_int_eq(storage_load(f.storage, "/etc/none", 10, &data, &size, &f.error), -ENOENT);
	ck_assert_ptr_nonnull(strstr(f.error.message, "/etc/none"));
	ck_assert_int_eq(storage_load(f.storage, "/etc/../x", 10, &data, &size, &f.error), -EINVAL);
	fake_rule(f.medium, "read /etc/big", 1, 1, -EIO);
	ck_assert_int_eq(storage_load(f.storage, "/etc/big", sizeof(big), &data, &size, &f.error), -EIO);
	fixture_close(&f);
}
END_TEST

START_TEST(save)
{
	static const char *const lines[] = {"mkdir /v 755\n",
	                                    "create /v/.fota-new\n",
	                                    "write /v/.fota-new 0 3\n",
	                                    "mode /v/.fota-new 600\n",
	                                    "sync /v/.fota-new\n",
	                                    "read /v/.fota-new",
	                                    "rename /v/.fota-new /v/status\n",
	                                    "syncdir /v\n",
	                                    NULL};
	struct fixture f;

	fixture_open(&f);
	ck_assert_int_eq(storage_save(f.storage, "/v/status", "abc", 3, 0600, &f.error), 0);
	assert_order(f.medium, lines);
	ck_assert(!fake_has_call(f.medium, "owner"));
	fake_rule(f.medium, "sync", 0, 1, -EIO);
	ck_assert_int_eq(storage_save(f.storage, "/v/status", "defg", 4, 0644, &f.error), -EIO);
	ck_assert_mem_eq(fake_find(f.medium, "/v/status")->data, "abc", 3);
	ck_assert_uint_eq(fake_find(f.medium, "/v/status")->stat.mode, 0600);
	ck_assert_ptr_null(fake_find(f.medium, "/v/.fota-new"));
	ck_assert_int_eq(storage_save(f.storage, "/v/status", "", 0, 0644, &f.error), 0);
	ck_assert_uint_eq(fake_find(f.medium, "/v/status")->stat.size, 0);
	fixture_close(&f);
}
END_TEST

START_TEST(append)
{
	struct fixture f;

	fixture_open(&f);
	ck_assert_int_eq(storage_append(f.storage, "/log/last_log", "one\n", 4, &f.error), 0);
	ck_assert_int_eq(storage_append(f.storage, "/log/last_log", "two\n", 4, &f.error), 0);
	ck_assert_uint_eq(fake_find(f.medium, "/log/last_log")->stat.size, 8);
	ck_assert_mem_eq(fake_find(f.medium, "/log/last_log")->data, "one\ntwo\n", 8);
	ck_assert(!fake_has_call(f.medium, "sync /log/last_log"));
	fake_rule(f.medium, "write", 0, 1, -ENOSPC);
	ck_assert_int_eq(storage_append(f.storage, "/log/last_log", "x", 1, &f.error), -ENOSPC);
	ck_assert_int_eq(f.error.code, RESULT_SPACE);
	fixture_close(&f);
}
END_TEST

START_TEST(append_durable)
{
	static const char *const made[] = {"mkdir /log 755\n",
	                                   "syncdir /\n",
	                                   "append /log/journal\n",
	                                   "syncdir /log\n",
	                                   "write /log/journal 0 4\n",
	                                   "sync /log/journal\n",
	                                   NULL};
	struct fixture f;

	fixture_open(&f);
	ck_assert_int_eq(storage_append_durable(f.storage, "/log/journal", "one\n", 4, &f.error), 0);
	assert_order(f.medium, made);
	fake_clear_log(f.medium);
	ck_assert_int_eq(storage_append_durable(f.storage, "/log/journal", "two\n", 4, &f.error), 0);
	ck_assert_mem_eq(fake_find(f.medium, "/log/journal")->data, "one\ntwo\n", 8);
	ck_assert(fake_has_call(f.medium, "sync /log/journal"));
	ck_assert(!fake_has_call(f.medium, "syncdir"));
	fake_rule(f.medium, "sync /log/journal", 0, 1, -EIO);
	ck_assert_int_eq(storage_append_durable(f.storage, "/log/journal", "x", 1, &f.error), -EIO);
	/* No room for content: the name is durable all the same. */
	fake_clear_log(f.medium);
	fake_rule(f.medium, "write", 0, 1, -ENOSPC);
	ck_assert_int_eq(storage_append_durable(f.storage, "/log/other", "x", 1, &f.error), -ENOSPC);
	ck_assert_int_eq(f.error.code, RESULT_SPACE);
	ck_assert(fake_has_call(f.medium, "syncdir /log"));
	ck_assert_uint_eq(fake_find(f.medium, "/log/other")->stat.size, 0);
	fixture_close(&f);
}
END_TEST

START_TEST(write_durable)
{
	struct fixture f;
	struct fake_node *node;

	fixture_open(&f);
	ck_assert_int_eq(storage_write_durable(f.storage, "/v/part", 4, "x", 1, &f.error), -ENOENT);
	ck_assert_int_eq(storage_write_durable(f.storage, "/v/part", 0, "onetwo", 6, &f.error), 0);
	ck_assert(fake_has_call(f.medium, "syncdir /v"));
	ck_assert(fake_has_call(f.medium, "sync /v/part"));
	fake_clear_log(f.medium);
	/* What lies behind the offset gives way; what lies before it stays. */
	ck_assert_int_eq(storage_write_durable(f.storage, "/v/part", 3, "third", 5, &f.error), 0);
	ck_assert(fake_has_call(f.medium, "sync /v/part"));
	node = fake_find(f.medium, "/v/part");
	ck_assert_uint_eq(node->stat.size, 8);
	ck_assert_mem_eq(node->data, "onethird", 8);
	fake_rule(f.medium, "write", 0, 1, -ENOSPC);
	ck_assert_int_eq(storage_write_durable(f.storage, "/v/part", 8, "x", 1, &f.error), -ENOSPC);
	ck_assert_int_eq(f.error.code, RESULT_SPACE);
	/* A new one is begun. */
	ck_assert_int_eq(storage_write_durable(f.storage, "/v/part", 0, "z", 1, &f.error), 0);
	ck_assert_uint_eq(fake_find(f.medium, "/v/part")->stat.size, 1);
	fixture_close(&f);
}
END_TEST

START_TEST(rename_and_remove)
{
	static const char *const across[] = {"rename /a/x /b/y\n", "syncdir /b\n", "syncdir /a\n", NULL};
	struct fixture f;

	fixture_open(&f);
	ck_assert_ptr_nonnull(fake_add_file(f.medium, "/a/x", "x", 1));
	ck_assert_ptr_nonnull(fake_add_file(f.medium, "/b/z", "z", 1));
	ck_assert_int_eq(storage_rename(f.storage, "/a/x", "/b/y", &f.error), 0);
	assert_order(f.medium, across);
	fake_clear_log(f.medium);
	ck_assert_int_eq(storage_rename(f.storage, "/b/y", "/b/z", &f.error), 0);
	ck_assert_str_eq(f.medium->log, "rename /b/y /b/z\nsyncdir /b\n");
	ck_assert_int_eq(storage_rename(f.storage, "/b/y", "/b/z", &f.error), -ENOENT);
	ck_assert_int_eq(storage_remove(f.storage, "/b/z", &f.error), 0);
	ck_assert_int_eq(storage_remove(f.storage, "/b/z", &f.error), 1);
	ck_assert_int_eq(storage_remove(f.storage, "/nowhere/z", &f.error), 1);
	ck_assert_int_eq(storage_remove(f.storage, "/b", &f.error), -EISDIR);
	fixture_close(&f);
}
END_TEST

START_TEST(directories)
{
	struct fixture f;

	fixture_open(&f);
	ck_assert_ptr_nonnull(fake_add_file(f.medium, "/a/file", "x", 1));
	ck_assert_int_eq(fake_ops.symlink(f.medium, "a", "/link"), 0);
	ck_assert_int_eq(fake_ops.symlink(f.medium, "file", "/a/tofile"), 0);
	ck_assert_int_eq(fake_ops.symlink(f.medium, "gone", "/a/dangling"), 0);
	fake_clear_log(f.medium);
	ck_assert_int_eq(storage_make_directories(f.storage, "/", 0700, &f.error), 0);
	ck_assert_int_eq(storage_make_directories(f.storage, "/a/", 0700, &f.error), 0);
	ck_assert_int_eq(storage_make_directories(f.storage, "/link", 0700, &f.error), 0);
	ck_assert_str_eq(f.medium->log, "");
	ck_assert_int_eq(storage_make_directories(f.storage, "/a/b/c", 0700, &f.error), 0);
	ck_assert_str_eq(f.medium->log, "mkdir /a/b 700\nsyncdir /a\nmkdir /a/b/c 700\nsyncdir /a/b\n");
	ck_assert_int_eq(storage_make_directories(f.storage, "/a/file", 0700, &f.error), -ENOTDIR);
	ck_assert_int_eq(storage_make_directories(f.storage, "/a/file/x", 0700, &f.error), -ENOTDIR);
	ck_assert_int_eq(storage_make_directories(f.storage, "/a/tofile", 0700, &f.error), -ENOTDIR);
	ck_assert_int_lt(storage_make_directories(f.storage, "/a/dangling", 0700, &f.error), 0);
	fake_rule(f.medium, "mkdir", 0, 1, -EROFS);
	ck_assert_int_eq(storage_make_directories(f.storage, "/c/d", 0700, &f.error), -EROFS);
	fixture_close(&f);
}
END_TEST

START_TEST(symlinks)
{
	char target[STORAGE_PATH_MAX];
	struct fixture f;

	fixture_open(&f);
	ck_assert_ptr_nonnull(fake_add_file(f.medium, "/bin/busybox", "x", 1));
	ck_assert_ptr_nonnull(fake_add_file(f.medium, "/bin/sh", "old", 3));
	fake_clear_log(f.medium);
	ck_assert_int_eq(storage_make_symlink(f.storage, "busybox", "/bin/sh", &f.error), 0);
	ck_assert_str_eq(f.medium->log,
	                 "symlink /bin/.fota-new busybox\nrename /bin/.fota-new /bin/sh\nsyncdir /bin\n");
	ck_assert_int_eq(storage_read_link(f.storage, "/bin/sh", target, sizeof(target), &f.error), 0);
	ck_assert_str_eq(target, "busybox");
	ck_assert_int_eq(storage_read_link(f.storage, "/bin/sh", target, 7, &f.error), -ENAMETOOLONG);
	ck_assert_int_eq(storage_read_link(f.storage, "/bin/sh", target, 0, &f.error), -ENAMETOOLONG);
	ck_assert_int_eq(storage_read_link(f.storage, "/bin/busybox", target, 7, &f.error), -EINVAL);
	fake_clear_log(f.medium);
	ck_assert_int_eq(storage_make_symlink(f.storage, "busybox", "/bin/sh", &f.error), 0);
	ck_assert_str_eq(f.medium->log, ""); /* right already */
	ck_assert_int_eq(storage_make_symlink(f.storage, "busyboxx", "/bin/sh", &f.error), 0);
	ck_assert_int_eq(storage_make_symlink(f.storage, "x", "/bin", &f.error), -EISDIR);
	ck_assert_int_eq(storage_make_symlink(f.storage, "x", "/nowhere/y", &f.error), -ENOENT);
	fixture_close(&f);
}
END_TEST

START_TEST(space)
{
	uint64_t bytes;
	struct fixture f;

	fixture_open(&f);
	f.medium->free_bytes = 12345;
	ck_assert_int_eq(storage_free_space(f.storage, "/res", &bytes, &f.error), 0);
	ck_assert_uint_eq(bytes, 12345);
	ck_assert_int_eq(storage_free_space(f.storage, "/not/there/yet", &bytes, &f.error), 0);
	ck_assert_int_eq(storage_free_space(f.storage, "/", &bytes, &f.error), 0);
	ck_assert_int_eq(storage_sync(f.storage, &f.error), 0);
	fake_rule(f.medium, "syncall", 0, 1, -EIO);
	ck_assert_int_eq(storage_sync(f.storage, &f.error), -EIO);
	fixture_close(&f);
}
END_TEST

START_TEST(hard_links)
{
	static const char *const lines[] = {"unlink /.fota-new\n", "link /.fota-new /res/file\n",
	                                    "rename /.fota-new /other\n", "syncdir /\n", NULL};
	struct storage_stat first;
	struct storage_stat now;
	struct fixture f;

	fixture_open(&f);
	ck_assert_ptr_nonnull(fake_add_file(f.medium, "/res/file", "content", 7));
	ck_assert_ptr_nonnull(fake_add_file(f.medium, "/other", "x", 1));
	ck_assert_ptr_nonnull(fake_add_file(f.medium, "/.fota-new", "left", 4));
	ck_assert_int_eq(storage_make_hard_link(f.storage, "/res/file", "other", &f.error), 0);
	assert_order(f.medium, lines);
	ck_assert_int_eq(storage_stat_path(f.storage, "/res/file", &first), 0);
	ck_assert_int_eq(storage_stat_path(f.storage, "/other", &now), 0);
	ck_assert(storage_same_file(&first, &now));
	ck_assert_uint_eq(now.links, 2);
	ck_assert_ptr_null(fake_find(f.medium, "/.fota-new"));
	fake_clear_log(f.medium);
	ck_assert_int_eq(storage_make_hard_link(f.storage, "/res/file", "/other", &f.error), 0);
	ck_assert_str_eq(f.medium->log, "");
	ck_assert_int_eq(storage_make_hard_link(f.storage, "/none", "/other", &f.error), -ENOENT);
	ck_assert_ptr_nonnull(strstr(f.error.message, "/other: hard link to /none"));
	ck_assert_int_eq(storage_make_hard_link(f.storage, "/res/file", "/res", &f.error), -EISDIR);
	ck_assert_int_eq(storage_make_hard_link(f.storage, "/res", "/third", &f.error), -EPERM);
	ck_assert_int_eq(storage_make_hard_link(f.storage, "/res/../x", "/third", &f.error), -EINVAL);
	ck_assert_ptr_null(fake_find(f.medium, "/third"));
	fixture_close(&f);
}
END_TEST

START_TEST(nodes)
{
	static const char *const lines[] = {"mknod /.fota-new 5 1\n", "rename /.fota-new /node\n", "syncdir /\n", NULL};
	struct storage_stat node = {.type = STORAGE_CHARACTER, .major = 5, .minor = 1};
	struct storage_stat now;
	struct fixture f;

	fixture_open(&f);
	ck_assert_ptr_nonnull(fake_add_file(f.medium, "/node", "x", 1));
	ck_assert_ptr_nonnull(fake_add_file(f.medium, "/.fota-new", "left", 4));
	for (unsigned i = 0; i < 3; i++) {
		node.minor = i;
		node.type = i == 2 ? STORAGE_FIFO : STORAGE_CHARACTER;
		ck_assert_int_eq(storage_make_node(f.storage, "node", &node, &f.error), 0);
		ck_assert_int_eq(storage_stat_path(f.storage, "/node", &now), 0);
		ck_assert_int_eq((int)now.type, (int)node.type);
		ck_assert_uint_eq(now.major, 5);
		ck_assert_uint_eq(now.minor, i);
		ck_assert_uint_eq(now.mode, 0600);
		if (i == 1)
			assert_order(f.medium, lines);
		fake_clear_log(f.medium);
		ck_assert_int_eq(storage_make_node(f.storage, "/node", &node, &f.error), 0);
		ck_assert_str_eq(f.medium->log, "");
	}
	ck_assert_ptr_null(fake_find(f.medium, "/.fota-new"));
	ck_assert_int_eq(storage_make_node(f.storage, "/res", &node, &f.error), -EISDIR);
	ck_assert_int_eq(storage_make_node(f.storage, "/../node", &node, &f.error), -EINVAL);
	fake_rule(f.medium, "mknod", 0, 1, -ENOSPC);
	ck_assert_int_eq(storage_make_node(f.storage, "/other", &node, &f.error), -ENOSPC);
	ck_assert_ptr_nonnull(strstr(f.error.message, "/other: make node"));
	fixture_close(&f);
}
END_TEST

Suite *suite_files(void)
{
	Suite *suite = suite_create("storage files");
	TCase *tests = tcase_create("files");

	tcase_add_test(tests, load);
	tcase_add_test(tests, save);
	tcase_add_test(tests, append);
	tcase_add_test(tests, append_durable);
	tcase_add_test(tests, write_durable);
	tcase_add_test(tests, rename_and_remove);
	tcase_add_test(tests, directories);
	tcase_add_test(tests, symlinks);
	tcase_add_test(tests, hard_links);
	tcase_add_test(tests, nodes);
	tcase_add_test(tests, space);
	suite_add_tcase(suite, tests);
	return suite;
}
