/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/storage/harness.h"

#include <errno.h>
#include <string.h>

static const char fstab[] = "/boot mtd boot\n"
			    "/data ubifs userdata compr=zlib\n"
			    "/usrdata ubifs usrfs\n"
			    "/system ubifs rootfs\n";

static void open_with_fstab(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->medium = fake_medium_new();
	ck_assert_ptr_nonnull(fake_add_file(f->medium, "/res/recovery.fstab", fstab, sizeof(fstab) - 1));
	(void)fake_add_volume(f->medium, "userdata", 4, 4096, false);
	(void)fake_add_volume(f->medium, "usrfs", 4, 4096, false);
	(void)fake_add_volume(f->medium, "rootfs", 4, 4096, false);
	(void)fake_add_nand(f->medium, "boot", 4, 4096, 512);
	ck_assert_int_eq(storage_open_medium(&fake_ops, f->medium, NULL, &f->storage, &f->error), 0);
	fake_clear_log(f->medium);
}

START_TEST(by_location_and_fstab)
{
	bool mounted;
	struct fixture f;

	open_with_fstab(&f);
	ck_assert_int_eq(storage_mount(f.storage, "ubifs", "nonsense", "/system", NULL, &f.error), 0);
	ck_assert_str_eq(f.medium->log, "mkdir /system 755\nsyncdir /\n"
	                                "mount /system ubifs volume:rootfs noatime,nodiratime,nodev\n");
	ck_assert_int_eq(storage_is_mounted(f.storage, "/system/", &mounted, &f.error), 0);
	ck_assert(mounted);
	fake_clear_log(f.medium);
	ck_assert_int_eq(storage_mount(f.storage, "ubifs", "usrfs", "/elsewhere", "ro", &f.error), 0);
	ck_assert(fake_has_call(f.medium, "mount /elsewhere ubifs volume:usrfs ro"));
	ck_assert_int_eq(storage_mount(f.storage, "yaffs2", "boot", "/y", "ro", &f.error), 0);
	ck_assert(fake_has_call(f.medium, "mount /y yaffs2 nand:boot ro"));
	ck_assert_int_eq(storage_mount(f.storage, "tmpfs", "none", "/tmp", "size=1m", &f.error), 0);
	ck_assert(fake_has_call(f.medium, "mount /tmp tmpfs none size=1m"));
	fixture_close(&f);
}
END_TEST

START_TEST(mounted_already)
{
	struct fixture f;

	open_with_fstab(&f);
	ck_assert_int_eq(storage_mount(f.storage, "ubifs", "x", "/data", NULL, &f.error), 0);
	ck_assert_int_eq(storage_mount(f.storage, "ubifs", "x", "/data", "ro", &f.error), 0);
	ck_assert(!fake_has_call(f.medium, "mount /data ubifs volume:userdata ro"));
	ck_assert_int_eq(storage_mount(f.storage, "ubifs", "x", "/data", "ro,remount", &f.error), 0);
	ck_assert(fake_has_call(f.medium, "mount /data ubifs volume:userdata ro,remount"));
	ck_assert_int_eq(storage_unmount(f.storage, "/data", &f.error), 0);
	ck_assert(fake_has_call(f.medium, "unmount /data"));
	fixture_close(&f);
}
END_TEST

START_TEST(mount_fails)
{
	struct fixture f;

	open_with_fstab(&f);
	fake_rule(f.medium, "mount /data", 0, 1, -EROFS);
	ck_assert_int_eq(storage_mount(f.storage, "ubifs", "x", "/data", NULL, &f.error), -EROFS);
	ck_assert_ptr_nonnull(strstr(f.error.message, "/data"));
	ck_assert_ptr_nonnull(strstr(f.error.message, "userdata"));
	fake_rule(f.medium, "unmount /data", 0, 1, -EBUSY);
	ck_assert_int_eq(storage_unmount(f.storage, "/data", &f.error), -EBUSY);
	ck_assert_int_eq(storage_mount(f.storage, "ubifs", "x", "../x", NULL, &f.error), -EINVAL);
	fixture_close(&f);
}
END_TEST

START_TEST(for_a_path)
{
	struct fixture f;

	open_with_fstab(&f);
	ck_assert_int_eq(fake_ops.symlink(f.medium, "usrdata/cache", "/cache"), 0);
	fake_clear_log(f.medium);
	ck_assert_int_eq(storage_mount_for(f.storage, "/elsewhere/x", &f.error), 0);
	ck_assert_int_eq(storage_mount_for(f.storage, "/boot/x", &f.error), 0);
	ck_assert_str_eq(f.medium->log, "");
	ck_assert_int_eq(storage_mount_for(f.storage, "/data/x/y", &f.error), 0);
	ck_assert(fake_has_call(f.medium, "mount /data ubifs volume:userdata compr=zlib"));
	ck_assert_int_eq(storage_mount_for(f.storage, "/cache/fota/package", &f.error), 0);
	ck_assert(fake_has_call(f.medium, "mount /usrdata ubifs volume:usrfs"));
	fixture_close(&f);
}
END_TEST

/* What is mounted already stays as it is, and is not to be unmounted. */
START_TEST(to_read)
{
	struct fixture f;

	open_with_fstab(&f);
	ck_assert_int_eq(storage_mount_to_read(f.storage, "/elsewhere/x", &f.error), 0);
	ck_assert_int_eq(storage_mount_to_read(f.storage, "/boot/x", &f.error), 0);
	ck_assert_str_eq(f.medium->log, "");
	ck_assert_int_eq(storage_mount_to_read(f.storage, "/data/x/y", &f.error), 1);
	ck_assert(fake_has_call(f.medium, "mount /data ubifs volume:userdata compr=zlib,ro"));
	ck_assert_int_eq(storage_mount_to_read(f.storage, "/data/x/y", &f.error), 0);
	fake_rule(f.medium, "mount /usrdata", 0, 1, -EUCLEAN);
	ck_assert_int_eq(storage_mount_to_read(f.storage, "/usrdata", &f.error), -EUCLEAN);
	ck_assert_int_eq(storage_mount_to_read(f.storage, "/system", &f.error), 1);
	ck_assert(fake_has_call(f.medium, "mount /system ubifs volume:rootfs noatime,nodiratime,nodev,ro"));
	fixture_close(&f);
}
END_TEST

START_TEST(names_of_the_fstab)
{
	struct storage_name by_point = named(STORAGE_UBI, "data");
	struct storage_name by_device = named(STORAGE_UBI, "userdata");
	struct storage_name boot = named(STORAGE_MTD, "boot");
	uint64_t capacity;
	struct fixture f;

	open_with_fstab(&f);
	ck_assert_int_eq(storage_capacity(f.storage, &by_point, &capacity, &f.error), 0);
	ck_assert_uint_eq(capacity, 16384);
	ck_assert_int_eq(storage_capacity(f.storage, &by_device, &capacity, &f.error), 0);
	ck_assert_int_eq(storage_capacity(f.storage, &boot, &capacity, &f.error), 0);
	fixture_close(&f);
}
END_TEST

/* A modem's NAND partition often carries one UBI volume of the same name. */
START_TEST(volume_named_like_its_partition)
{
	static const char both[] = "/modem mtd modem\n/firmware ubifs modem\n";
	struct storage_name partition = named(STORAGE_MTD, "modem");
	struct storage_name volume = named(STORAGE_UBI, "modem");
	uint64_t capacity;
	struct fixture f = {0};

	f.medium = fake_medium_new();
	ck_assert_ptr_nonnull(fake_add_file(f.medium, "/res/recovery.fstab", both, sizeof(both) - 1));
	(void)fake_add_volume(f.medium, "modem", 3, 4096, false);
	(void)fake_add_nand(f.medium, "modem", 8, 4096, 512);
	ck_assert_int_eq(storage_open_medium(&fake_ops, f.medium, NULL, &f.storage, &f.error), 0);
	ck_assert_int_eq(storage_mount(f.storage, "ubifs", "modem", "/firmware", "ro", &f.error), 0);
	ck_assert(fake_has_call(f.medium, "mount /firmware ubifs volume:modem ro"));
	ck_assert_int_eq(storage_mount(f.storage, "ubifs", "modem", "/elsewhere", "ro", &f.error), 0);
	ck_assert(fake_has_call(f.medium, "mount /elsewhere ubifs volume:modem ro"));
	ck_assert_int_eq(storage_capacity(f.storage, &volume, &capacity, &f.error), 0);
	ck_assert_uint_eq(capacity, UINT64_C(3) * 4096);
	ck_assert_int_eq(storage_capacity(f.storage, &partition, &capacity, &f.error), 0);
	ck_assert_uint_eq(capacity, UINT64_C(8) * 4096);
	fixture_close(&f);
}
END_TEST

Suite *suite_mount(void)
{
	Suite *suite = suite_create("storage mount");
	TCase *tests = tcase_create("mount");

	tcase_add_test(tests, by_location_and_fstab);
	tcase_add_test(tests, mounted_already);
	tcase_add_test(tests, mount_fails);
	tcase_add_test(tests, for_a_path);
	tcase_add_test(tests, to_read);
	tcase_add_test(tests, names_of_the_fstab);
	tcase_add_test(tests, volume_named_like_its_partition);
	suite_add_tcase(suite, tests);
	return suite;
}
