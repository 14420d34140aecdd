/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/storage/harness.h"

#include <errno.h>
#include <string.h>

static const uint8_t old_content[] = "the old content";

static void open_with_file(struct fixture *f, const char *path)
{
	fixture_open(f);
	ck_assert_ptr_nonnull(fake_add_file(f->medium, path, old_content, sizeof(old_content)));
}

static void assert_untouched(struct fixture *f, const char *path)
{
	struct fake_node *node = fake_find(f->medium, path);

	ck_assert_ptr_nonnull(node);
	ck_assert_uint_eq(node->stat.size, sizeof(old_content));
	ck_assert_mem_eq(node->data, old_content, sizeof(old_content));
	for (int i = 0; i < f->medium->nodes; i++)
		ck_assert_ptr_null(strstr(f->medium->node[i]->path, ".fota-new"));
}

START_TEST(order_of_a_file)
{
	static const char *const lines[] = {
		"create /a/.fota-new\n",
		"write /a/.fota-new 0 65536\n",
		"write /a/.fota-new 65536 4464\n",
		"mode /a/.fota-new 644\n",
		"sync /a/.fota-new\n",
		"read /a/.fota-new 0 65536\n",
		"read /a/.fota-new 65536",
		"rename /a/.fota-new /a/file\n",
		"syncdir /a\n",
		NULL,
	};
	struct storage_name name = named(STORAGE_FILE, "/a/file");
	uint8_t data[70000];
	struct fixture f;

	open_with_file(&f, "/a/file");
	fill(data, sizeof(data), 1);
	ck_assert_int_eq(replace(f.storage, &name, data, sizeof(data), sizeof(data), 1000, NULL, &f.error), 0);
	assert_order(f.medium, lines);
	/* Nothing may follow the directory's sync. */
	ck_assert_str_eq(f.medium->log + f.medium->log_length - strlen("syncdir /a\n"), "syncdir /a\n");
	assert_content(f.storage, &name, data, sizeof(data));
	fixture_close(&f);
}
END_TEST

START_TEST(pieces_of_any_size)
{
	static const size_t pieces[] = {1, 7, 65535, 65536, 65537, 200000};
	struct storage_name name = named(STORAGE_FILE, "/file");
	static uint8_t data[140000];
	struct fixture f;

	fixture_open(&f);
	fill(data, sizeof(data), 2);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct digest_value md5 = digest_of(data, sizeof(data) - i, DIGEST_MD5);

		ck_assert_int_eq(
			replace(f.storage, &name, data, sizeof(data) - i, sizeof(data) - i, pieces[i], &md5, NULL), 0);
		assert_content(f.storage, &name, data, sizeof(data) - i);
	}
	fixture_close(&f);
}
END_TEST

START_TEST(empty_file)
{
	struct storage_name name = named(STORAGE_FILE, "/empty");
	struct fixture f;

	fixture_open(&f);
	ck_assert_int_eq(replace(f.storage, &name, NULL, 0, 0, 1, NULL, &f.error), 0);
	ck_assert_uint_eq(fake_find(f.medium, "/empty")->stat.size, 0);
	fixture_close(&f);
}
END_TEST

START_TEST(wrong_expectation)
{
	static const enum digest_kind kinds[] = {DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256};
	struct storage_name name = named(STORAGE_FILE, "/a/file");
	uint8_t data[100];
	struct fixture f;

	open_with_file(&f, "/a/file");
	fill(data, sizeof(data), 3);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct digest_value wrong = digest_of(data, sizeof(data) - 1, kinds[i]);
		char text[DIGEST_TEXT_SIZE];

		ck_assert_int_eq(replace(f.storage, &name, data, sizeof(data), sizeof(data), 10, &wrong, &f.error),
		                 -EBADMSG);
		ck_assert_int_eq(f.error.code, RESULT_VERIFY);
		ck_assert_ptr_nonnull(strstr(f.error.message, "/a/file"));
		ck_assert_ptr_nonnull(strstr(f.error.message, digest_format(&wrong, text)));
		assert_untouched(&f, "/a/file");
	}
	ck_assert(!fake_has_call(f.medium, "rename"));
	fixture_close(&f);
}
END_TEST

START_TEST(medium_lies)
{
	struct storage_name name = named(STORAGE_FILE, "/a/file");
	uint8_t data[70000];
	struct fixture f;

	open_with_file(&f, "/a/file");
	fill(data, sizeof(data), 4);
	fake_rule(f.medium, "write /a/.fota-new 65536", 0, 1, FAKE_CORRUPT);
	ck_assert_int_eq(replace(f.storage, &name, data, sizeof(data), sizeof(data), 5000, NULL, &f.error), -EBADMSG);
	ck_assert_int_eq(f.error.code, RESULT_VERIFY);
	assert_untouched(&f, "/a/file");
	fixture_close(&f);
}
END_TEST

/* Every call of a replacement may fail; the target stays until the rename, and no temporary file is left. */
START_TEST(any_call_fails)
{
	static const char *const calls[] = {"create", "write", "mode", "sync", "read", "rename"};
	struct storage_name name = named(STORAGE_FILE, "/a/file");
	uint8_t data[100];
	struct fixture f;

	fill(data, sizeof(data), 5);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		open_with_file(&f, "/a/file");
		fake_rule(f.medium, calls[i], 0, 1, -EIO);
		ck_assert_int_eq(replace(f.storage, &name, data, sizeof(data), sizeof(data), 10, NULL, &f.error), -EIO);
		assert_untouched(&f, "/a/file");
		/* The next try finds nothing in its way. */
		ck_assert_int_eq(replace(f.storage, &name, data, sizeof(data), sizeof(data), 10, NULL, &f.error), 0);
		fixture_close(&f);
	}
}
END_TEST

START_TEST(no_space)
{
	struct storage_name name = named(STORAGE_FILE, "/a/file");
	uint8_t data[100] = {0};
	struct fixture f;

	open_with_file(&f, "/a/file");
	fake_rule(f.medium, "write", 0, 1, -ENOSPC);
	ck_assert_int_eq(replace(f.storage, &name, data, sizeof(data), sizeof(data), 10, NULL, &f.error), -ENOSPC);
	ck_assert_int_eq(f.error.code, RESULT_SPACE);
	assert_untouched(&f, "/a/file");
	fixture_close(&f);
}
END_TEST

START_TEST(announced_size)
{
	struct storage_name name = named(STORAGE_FILE, "/a/file");
	uint8_t data[100] = {0};
	struct storage_writer *writer;
	struct fixture f;

	open_with_file(&f, "/a/file");
	ck_assert_int_eq(replace(f.storage, &name, data, 99, 100, 10, NULL, &f.error), -EINVAL);
	ck_assert_int_eq(replace(f.storage, &name, data, 0, 100, 10, NULL, &f.error), -EINVAL);
	ck_assert_int_eq(replace(f.storage, &name, data, 100, 99, 10, NULL, &f.error), -EFBIG);
	ck_assert_int_eq(replace(f.storage, &name, data, 1, 0, 10, NULL, &f.error), -EFBIG);
	assert_untouched(&f, "/a/file");

	/* Too much once, and what came before does not count either. */
	ck_assert_int_eq(storage_writer_open(f.storage, &name, 10, NULL, &writer, NULL), 0);
	ck_assert_int_eq(storage_writer_write(writer, data, 10, NULL), 0);
	ck_assert_int_eq(storage_writer_write(writer, data, 1, NULL), -EFBIG);
	ck_assert_int_lt(storage_writer_write(writer, data, 0, NULL), 0);
	ck_assert_int_lt(storage_writer_commit(writer, NULL, NULL), 0);
	assert_untouched(&f, "/a/file");
	fixture_close(&f);
}
END_TEST

START_TEST(abort_and_sink)
{
	struct storage_name name = named(STORAGE_FILE, "/a/file");
	struct storage_writer *writer;
	struct sink sink;
	struct fixture f;

	open_with_file(&f, "/a/file");
	ck_assert_int_eq(storage_writer_open(f.storage, &name, 3, NULL, &writer, NULL), 0);
	sink = storage_writer_io(writer);
	ck_assert_int_eq(sink.write(sink.ctx, "abc", 3), 0);
	ck_assert_int_eq(sink.write(sink.ctx, "d", 1), -EFBIG);
	storage_writer_abort(writer);
	storage_writer_abort(NULL);
	assert_untouched(&f, "/a/file");
	fixture_close(&f);
}
END_TEST

START_TEST(left_over_goes)
{
	struct storage_name name = named(STORAGE_FILE, "/a/file");
	struct fixture f;

	open_with_file(&f, "/a/file");
	ck_assert_ptr_nonnull(fake_add_file(f.medium, "/a/victim", "precious", 8));
	ck_assert_int_eq(fake_ops.symlink(f.medium, "/a/victim", "/a/.fota-new"), 0);
	ck_assert_int_eq(replace(f.storage, &name, old_content, 3, 3, 3, NULL, &f.error), 0);
	ck_assert_mem_eq(fake_find(f.medium, "/a/victim")->data, "precious", 8);
	ck_assert_int_eq(fake_find(f.medium, "/a/file")->stat.type, STORAGE_REGULAR);
	fixture_close(&f);
}
END_TEST

START_TEST(parents_are_made)
{
	static const char *const lines[] = {
		"mkdir /x 755\n", "syncdir /\n", "mkdir /x/y 755\n", "syncdir /x\n", "create /x/y/.fota-new\n", NULL};
	struct storage_name name = named(STORAGE_FILE, "x/y/file");
	struct fixture f;

	fixture_open(&f);
	ck_assert_int_eq(replace(f.storage, &name, old_content, 3, 3, 3, NULL, &f.error), 0);
	assert_order(f.medium, lines);
	ck_assert_ptr_nonnull(fake_find(f.medium, "/x/y/file"));
	fixture_close(&f);
}
END_TEST

START_TEST(links_and_directories_as_targets)
{
	struct storage_name link = named(STORAGE_FILE, "/a/link");
	struct storage_name directory = named(STORAGE_FILE, "/a");
	struct storage_name root = named(STORAGE_FILE, "/");
	struct storage_name below = named(STORAGE_FILE, "/a/file/below");
	struct storage_name device = named(STORAGE_FILE, "/a/device");
	struct fixture f;

	open_with_file(&f, "/a/file");
	ck_assert_int_eq(fake_ops.symlink(f.medium, "file", "/a/link"), 0);
	ck_assert_int_eq(replace(f.storage, &link, old_content, 3, 3, 3, NULL, &f.error), 0);
	ck_assert_int_eq(fake_find(f.medium, "/a/link")->stat.type, STORAGE_REGULAR);
	assert_untouched(&f, "/a/file");
	ck_assert_int_eq(replace(f.storage, &directory, old_content, 3, 3, 3, NULL, &f.error), -EISDIR);
	ck_assert_int_eq(replace(f.storage, &root, old_content, 3, 3, 3, NULL, &f.error), -EISDIR);
	ck_assert_int_eq(replace(f.storage, &below, old_content, 3, 3, 3, NULL, &f.error), -ENOTDIR);
	fake_add_file(f.medium, "/a/disk", NULL, 0)->stat.type = STORAGE_BLOCKDEV;
	ck_assert_int_eq(fake_ops.symlink(f.medium, "disk", "/a/device"), 0);
	ck_assert_int_eq(replace(f.storage, &device, old_content, 3, 3, 3, NULL, &f.error), -EINVAL);
	fixture_close(&f);
}
END_TEST

START_TEST(block_partition)
{
	static const char *const lines[] = {"write /dev/boot 0 65536\n", "write /dev/boot 65536 4464\n",
	                                    "sync /dev/boot\n", "read /dev/boot 0 65536\n", NULL};
	struct storage_name name = named(STORAGE_BLOCK, "boot");
	uint8_t old[80000];
	uint8_t data[70000];
	uint64_t capacity;
	struct fixture f;

	fixture_open(&f);
	fill(old, sizeof(old), 6);
	fill(data, sizeof(data), 7);
	ck_assert_ptr_nonnull(fake_add_file(f.medium, "/dev/boot", old, sizeof(old)));
	ck_assert_int_eq(storage_capacity(f.storage, &name, &capacity, NULL), 0);
	ck_assert_uint_eq(capacity, sizeof(old));
	ck_assert_int_eq(replace(f.storage, &name, data, sizeof(data), sizeof(data), 999, NULL, &f.error), 0);
	assert_order(f.medium, lines);
	assert_content(f.storage, &name, data, sizeof(data));
	ck_assert_mem_eq(fake_find(f.medium, "/dev/boot")->data + sizeof(data), old + sizeof(data),
	                 sizeof(old) - sizeof(data));
	fake_clear_log(f.medium);
	ck_assert_int_eq(replace(f.storage, &name, old, sizeof(old), sizeof(old) + 1, 999, NULL, &f.error), -ENOSPC);
	ck_assert_int_eq(f.error.code, RESULT_SPACE);
	ck_assert(!fake_has_call(f.medium, "write"));
	fake_rule(f.medium, "write /dev/boot 65536", 0, 1, FAKE_CORRUPT);
	ck_assert_int_eq(replace(f.storage, &name, data, sizeof(data), sizeof(data), 999, NULL, &f.error), -EBADMSG);
	ck_assert_int_eq(f.error.code, RESULT_VERIFY);
	ck_assert_int_eq(storage_erase(f.storage, &name, &f.error), 0);
	memset(old, 0xff, sizeof(old));
	assert_content(f.storage, &name, old, sizeof(old));
	fixture_close(&f);
}
END_TEST

Suite *suite_writer(void)
{
	Suite *suite = suite_create("storage writer");
	TCase *tests = tcase_create("writer");

	tcase_add_test(tests, order_of_a_file);
	tcase_add_test(tests, pieces_of_any_size);
	tcase_add_test(tests, empty_file);
	tcase_add_test(tests, wrong_expectation);
	tcase_add_test(tests, medium_lies);
	tcase_add_test(tests, any_call_fails);
	tcase_add_test(tests, no_space);
	tcase_add_test(tests, announced_size);
	tcase_add_test(tests, abort_and_sink);
	tcase_add_test(tests, left_over_goes);
	tcase_add_test(tests, parents_are_made);
	tcase_add_test(tests, links_and_directories_as_targets);
	tcase_add_test(tests, block_partition);
	suite_add_tcase(suite, tests);
	return suite;
}
