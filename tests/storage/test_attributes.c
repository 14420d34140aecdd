/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/storage/harness.h"

#include <errno.h>
#include <string.h>

/* What `setcap cap_net_admin,cap_syslog=ep` leaves in security.capability. */
static const uint8_t capability[20] = {0x01, 0, 0, 0x02, 0x00, 0x10, 0, 0, 0, 0, 0, 0, 0x04, 0, 0, 0, 0, 0, 0, 0};
static const uint64_t capability_bits = UINT64_C(1) << 12 | UINT64_C(1) << 34;

static void assert_xattr(struct fixture *f, const char *path, const char *name, const void *value, size_t size)
{
	uint8_t found[64];
	ssize_t n = fake_ops.get_xattr(f->medium, path, name, found, sizeof(found));

	ck_assert_int_eq(n, (ssize_t)size);
	ck_assert_mem_eq(found, value, size);
}

START_TEST(each_attribute)
{
	struct storage_attributes all = {.has_uid = true,
	                                 .has_gid = true,
	                                 .has_mode = true,
	                                 .has_capabilities = true,
	                                 .has_selabel = true,
	                                 .uid = 10,
	                                 .gid = 20,
	                                 .mode = 04755,
	                                 .capabilities = capability_bits,
	                                 .selabel = "u:object_r:x:s0"};
	static const char *const lines[] = {"owner /file 10 20\n", "mode /file 4755\n",
	                                    "xattr /file security.selinux 16\n", "xattr /file security.capability 20\n",
	                                    NULL};
	struct storage_attributes none = {0};
	struct fake_node *node;
	struct fixture f;

	fixture_open(&f);
	node = fake_add_file(f.medium, "/file", "x", 1);
	ck_assert_int_eq(storage_set_attributes(f.storage, "/file", &all, &f.error), 0);
	assert_order(f.medium, lines);
	ck_assert_uint_eq(node->stat.uid, 10);
	ck_assert_uint_eq(node->stat.gid, 20);
	ck_assert_uint_eq(node->stat.mode, 04755);
	assert_xattr(&f, "/file", "security.capability", capability, sizeof(capability));
	assert_xattr(&f, "/file", "security.selinux", "u:object_r:x:s0", 16);
	fake_clear_log(f.medium);
	ck_assert_int_eq(storage_set_attributes(f.storage, "/file", &none, &f.error), 0);
	ck_assert_str_eq(f.medium->log, "");
	ck_assert_int_eq(storage_set_attributes(f.storage, "/file", &all, &f.error), 0);
	ck_assert_ptr_null(strstr(f.medium->log, "xattr"));
	all.capabilities = 0;
	ck_assert_int_eq(storage_set_attributes(f.storage, "/file", &all, &f.error), 0);
	ck_assert_int_eq(fake_ops.get_xattr(f.medium, "/file", "security.capability", NULL, 0), -ENODATA);
	ck_assert_int_eq(storage_set_attributes(f.storage, "/none", &all, &f.error), -ENOENT);
	fixture_close(&f);
}
END_TEST

START_TEST(unset_ones_stay)
{
	struct storage_attributes owner = {.has_uid = true, .uid = 7};
	struct fake_node *node;
	struct fixture f;

	fixture_open(&f);
	node = fake_add_file(f.medium, "/file", "x", 1);
	node->stat.mode = 06755;
	node->stat.gid = 3;
	ck_assert_int_eq(fake_ops.set_xattr(f.medium, "/file", "security.capability", capability, sizeof(capability)),
	                 0);
	ck_assert_int_eq(storage_set_attributes(f.storage, "/file", &owner, &f.error), 0);
	ck_assert_uint_eq(node->stat.uid, 7);
	ck_assert_uint_eq(node->stat.gid, 3);
	ck_assert_uint_eq(node->stat.mode, 06755);
	assert_xattr(&f, "/file", "security.capability", capability, sizeof(capability));
	fake_clear_log(f.medium);
	ck_assert_int_eq(storage_set_attributes(f.storage, "/file", &owner, &f.error), 0);
	ck_assert_str_eq(f.medium->log, "");
	fixture_close(&f);
}
END_TEST

START_TEST(of_a_link)
{
	struct storage_attributes attributes = {.has_uid = true,
	                                        .has_mode = true,
	                                        .has_capabilities = true,
	                                        .has_selabel = true,
	                                        .uid = 5,
	                                        .mode = 0600,
	                                        .capabilities = 1,
	                                        .selabel = "label"};
	struct fixture f;

	fixture_open(&f);
	ck_assert_int_eq(fake_ops.symlink(f.medium, "res", "/link"), 0);
	fake_clear_log(f.medium);
	ck_assert_int_eq(storage_set_attributes(f.storage, "/link", &attributes, &f.error), 0);
	ck_assert_str_eq(f.medium->log, "owner /link 5 0\nxattr /link security.selinux 6\n");
	fixture_close(&f);
}
END_TEST

START_TEST(like_another)
{
	static const char *const lines[] = {"write /new/.fota-new 0 1\n",
	                                    "owner /new/.fota-new 1 2\n",
	                                    "mode /new/.fota-new 4750\n",
	                                    "xattr /new/.fota-new security.selinux 6\n",
	                                    "xattr /new/.fota-new security.capability 20\n",
	                                    "sync /new/.fota-new\n",
	                                    "rename /new/.fota-new /new/file\n",
	                                    NULL};
	struct storage_name name = named(STORAGE_FILE, "/new/file");
	struct storage_writer *writer;
	struct fake_node *node;
	struct fixture f;

	fixture_open(&f);
	node = fake_add_file(f.medium, "/old", "x", 1);
	node->stat.uid = 1;
	node->stat.gid = 2;
	node->stat.mode = 04750;
	ck_assert_int_eq(fake_ops.set_xattr(f.medium, "/old", "security.selinux", "label", 6), 0);
	ck_assert_int_eq(fake_ops.set_xattr(f.medium, "/old", "security.capability", capability, 20), 0);
	ck_assert_int_eq(fake_ops.symlink(f.medium, "/old", "/link"), 0);
	ck_assert_int_eq(storage_writer_open(f.storage, &name, 1, "/link", &writer, &f.error), 0);
	ck_assert_int_eq(storage_writer_write(writer, "y", 1, &f.error), 0);
	ck_assert_int_eq(storage_writer_commit(writer, NULL, &f.error), 0);
	assert_order(f.medium, lines);
	node = fake_find(f.medium, "/new/file");
	ck_assert_uint_eq(node->stat.uid, 1);
	ck_assert_uint_eq(node->stat.gid, 2);
	ck_assert_uint_eq(node->stat.mode, 04750);
	assert_xattr(&f, "/new/file", "security.capability", capability, sizeof(capability));
	ck_assert_int_eq(storage_writer_open(f.storage, &name, 1, "/nowhere", &writer, &f.error), -ENOENT);
	fixture_close(&f);
}
END_TEST

START_TEST(attribute_fails)
{
	static const char *const calls[] = {"owner", "mode", "xattr"};
	struct storage_attributes attributes = {
		.has_uid = true, .has_mode = true, .has_selabel = true, .uid = 5, .mode = 0600, .selabel = "label"};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct fixture f;

		fixture_open(&f);
		ck_assert_ptr_nonnull(fake_add_file(f.medium, "/file", "x", 1));
		fake_rule(f.medium, calls[i], 0, 1, -EPERM);
		ck_assert_int_eq(storage_set_attributes(f.storage, "/file", &attributes, &f.error), -EPERM);
		ck_assert_ptr_nonnull(strstr(f.error.message, "/file"));
		fixture_close(&f);
	}
}
END_TEST

START_TEST(one_xattr)
{
	struct fixture f;

	fixture_open(&f);
	ck_assert_ptr_nonnull(fake_add_file(f.medium, "/file", "x", 1));
	ck_assert_int_eq(storage_set_xattr(f.storage, "file", "user.a", "value", 5, &f.error), 0);
	assert_xattr(&f, "/file", "user.a", "value", 5);
	fake_clear_log(f.medium);
	ck_assert_int_eq(storage_set_xattr(f.storage, "/file", "user.a", "value", 5, &f.error), 0);
	ck_assert_int_eq(storage_set_xattr(f.storage, "/file", "user.b", NULL, 0, &f.error), 0);
	ck_assert_str_eq(f.medium->log, "");
	ck_assert_int_eq(storage_set_xattr(f.storage, "/file", "user.a", "VALUE", 5, &f.error), 0);
	assert_xattr(&f, "/file", "user.a", "VALUE", 5);
	ck_assert_int_eq(storage_set_xattr(f.storage, "/file", "user.a", NULL, 0, &f.error), 0);
	ck_assert_int_eq(fake_ops.get_xattr(f.medium, "/file", "user.a", NULL, 0), -ENODATA);
	ck_assert_int_eq(storage_set_xattr(f.storage, "/../file", "user.a", "x", 1, &f.error), -EINVAL);
	fake_rule(f.medium, "xattr", 0, 1, -ENOSPC);
	ck_assert_int_eq(storage_set_xattr(f.storage, "/file", "user.a", "x", 1, &f.error), -ENOSPC);
	ck_assert_int_eq(f.error.code, RESULT_SPACE);
	ck_assert_ptr_nonnull(strstr(f.error.message, "/file: set user.a"));
	fixture_close(&f);
}
END_TEST

Suite *suite_attributes(void)
{
	Suite *suite = suite_create("storage attributes");
	TCase *tests = tcase_create("attributes");

	tcase_add_test(tests, each_attribute);
	tcase_add_test(tests, unset_ones_stay);
	tcase_add_test(tests, of_a_link);
	tcase_add_test(tests, like_another);
	tcase_add_test(tests, attribute_fails);
	tcase_add_test(tests, one_xattr);
	suite_add_tcase(suite, tests);
	return suite;
}
