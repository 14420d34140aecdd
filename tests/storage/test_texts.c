/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/internal.h"
#include "storage/linux.h"
#include "tests/storage/harness.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

START_TEST(mtd_lines)
{
	char name[STORAGE_NAME_MAX];
	unsigned number = 99;

	ck_assert(linux_parse_mtd_line("mtd0: 00100000 00020000 \"sbl\"\n", &number, name));
	ck_assert_uint_eq(number, 0);
	ck_assert_str_eq(name, "sbl");
	ck_assert(linux_parse_mtd_line("mtd31: 00100000 00020000 \"NAND 256MiB 1,8V \"x\" 8-bit\"", &number, name));
	ck_assert_uint_eq(number, 31);
	ck_assert_str_eq(name, "NAND 256MiB 1,8V \"x\" 8-bit");
}
END_TEST

START_TEST(bad_mtd_lines)
{
	static const char *const lines[] = {
		"",      "dev:    size   erasesize  name",   "mtd: 00100000 00020000 \"a\"", "mtd1 00100000 \"a\"",
		"mtd1:", "mtd1: 00100000 00020000 \"\"",     "mtd1: 00100000 00020000 \"a",  "mtdx: 00100000 \"a\"",
		"\"a\"", "mtd12345678901234567890: 0 \"a\"",
	};
	char name[STORAGE_NAME_MAX];
	char line[STORAGE_NAME_MAX + 64];
	unsigned number;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		ck_assert_msg(!linux_parse_mtd_line(lines[i], &number, name), "%s", lines[i]);
	(void)snprintf(line, sizeof(line), "mtd1: 0 0 \"%0*d\"", STORAGE_NAME_MAX, 1);
	ck_assert(!linux_parse_mtd_line(line, &number, name));
}
END_TEST

START_TEST(mounts_lines)
{
	char point[STORAGE_PATH_MAX];

	ck_assert(linux_parse_mounts_line("ubi0:data /usrdata ubifs rw,relatime 0 0\n", point));
	ck_assert_str_eq(point, "/usrdata");
	ck_assert(linux_parse_mounts_line("none /a\\040b\\011c\\134d\\012 tmpfs rw 0 0\n", point));
	ck_assert_str_eq(point, "/a b\tc\\d\n");
	ck_assert(linux_parse_mounts_line("none /a\\04 tmpfs rw 0 0\n", point));
	ck_assert_str_eq(point, "/a\\04");
	ck_assert(!linux_parse_mounts_line("", point));
	ck_assert(!linux_parse_mounts_line("none", point));
	ck_assert(!linux_parse_mounts_line("none ", point));
	ck_assert(!linux_parse_mounts_line("none /a\n", point));
}
END_TEST

START_TEST(volume_names)
{
	static const char *const bad[] = {"", "ubi", "ubi0", "ubi0_", "ubi_1", "ubi0_1x", "ubi0:1", "bi0_1", "ubi0_-1"};
	unsigned device;
	unsigned volume;

	ck_assert(linux_parse_volume("ubi1_23", &device, &volume));
	ck_assert_uint_eq(device, 1);
	ck_assert_uint_eq(volume, 23);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!linux_parse_volume(bad[i], &device, &volume), "%s", bad[i]);
}
END_TEST

START_TEST(mount_options)
{
	char data[32];
	unsigned long flags;

	ck_assert_int_eq(linux_parse_options("", &flags, data, sizeof(data)), 0);
	ck_assert_uint_eq(flags, 0);
	ck_assert_str_eq(data, "");
	ck_assert_int_eq(
		linux_parse_options("ro,noatime,bulk_read,,nodev,compr=lzo,remount", &flags, data, sizeof(data)), 0);
	ck_assert_uint_eq(flags, MS_RDONLY | MS_NOATIME | MS_NODEV | MS_REMOUNT);
	ck_assert_str_eq(data, "bulk_read,compr=lzo");
	ck_assert_int_eq(linux_parse_options("ro,rw,defaults,", &flags, data, sizeof(data)), 0);
	ck_assert_uint_eq(flags, 0);
	ck_assert_int_eq(linux_parse_options("roo", &flags, data, sizeof(data)), 0);
	ck_assert_uint_eq(flags, 0);
	ck_assert_str_eq(data, "roo");
	for (size_t size = 1; size < 16; size++)
		ck_assert_int_eq(linux_parse_options("0123456,89abcde", &flags, data, size), -ENAMETOOLONG);
	ck_assert_int_eq(linux_parse_options("0123456,89abcde", &flags, data, 16), 0);
}
END_TEST

static const char fstab_text[] = "# mount point\ttype\tdevice\n"
				 "\n"
				 "/boot mtd boot\r\n"
				 "/cache\tubifs   cachefs noatime,compr=zlib\n"
				 "/data ubifs userdata\n"
				 "/ ubifs rootfs\n"
				 "/data/inner ext4 /dev/block/mmcblk0p3 /dev/block/mmcblk0 \n"
				 "/tail emmc /dev/block/mmcblk0p4 length=-16384\n"
				 "   /indented mtd x\n"
				 "relative mtd y\n"
				 "/short mtd\n"
				 "/last mtd z";

START_TEST(fstab_lines)
{
	struct fstab fstab = {0};
	const struct fstab_entry *entry;

	ck_assert_int_eq(fstab_parse(fstab_text, &fstab), 0);
	ck_assert_uint_eq(fstab.count, 8);
	entry = fstab_find_mount_point(&fstab, "/cache");
	ck_assert_ptr_nonnull(entry);
	ck_assert_str_eq(entry->type, "ubifs");
	ck_assert_str_eq(entry->device, "cachefs");
	ck_assert_str_eq(entry->options, "noatime,compr=zlib");
	ck_assert_str_eq(fstab_find_name(&fstab, "boot", false)->device, "boot");
	ck_assert_str_eq(fstab_find_name(&fstab, "userdata", false)->mount_point, "/data");
	ck_assert_str_eq(fstab_find_name(&fstab, "last", false)->device, "z");
	ck_assert_ptr_null(fstab_find_mount_point(&fstab, "/data/inner")->options);
	ck_assert_ptr_null(fstab_find_mount_point(&fstab, "/tail")->options);
	ck_assert_ptr_null(fstab_find_name(&fstab, "boot", true));
	ck_assert_ptr_nonnull(fstab_find_name(&fstab, "data", true));
	ck_assert_ptr_null(fstab_find_name(&fstab, "short", false));
	ck_assert_ptr_null(fstab_find_name(&fstab, "relative", false));
	fstab_free(&fstab);
}
END_TEST

START_TEST(fstab_paths)
{
	struct fstab fstab = {0};

	ck_assert_int_eq(fstab_parse(fstab_text, &fstab), 0);
	ck_assert_str_eq(fstab_find_path(&fstab, "/cache")->mount_point, "/cache");
	ck_assert_str_eq(fstab_find_path(&fstab, "/cache/fota/x")->mount_point, "/cache");
	ck_assert_str_eq(fstab_find_path(&fstab, "/data/x")->mount_point, "/data");
	ck_assert_str_eq(fstab_find_path(&fstab, "/data/inner/x")->mount_point, "/data/inner");
	ck_assert_ptr_null(fstab_find_path(&fstab, "/cachet/x"));
	ck_assert_ptr_null(fstab_find_path(&fstab, "/usr"));
	fstab_free(&fstab);
}
END_TEST

START_TEST(fstab_truncated)
{
	for (size_t length = 0; length < sizeof(fstab_text); length++) {
		char text[sizeof(fstab_text)];
		struct fstab fstab = {0};

		memcpy(text, fstab_text, length);
		text[length] = '\0';
		ck_assert_int_eq(fstab_parse(text, &fstab), 0);
		fstab_free(&fstab);
	}
}
END_TEST

START_TEST(links_are_resolved)
{
	static const struct {
		const char *path;
		const char *result;
	} cases[] = {
		{"/cache/fota/x", "/usrdata/cache/fota/x"},
		{"/usrdata/cache", "/usrdata/cache"},
		{"/usrdata/back/x", "/usrdata/x"},
		{"/usrdata/up/a", "/a"},
		{"/missing/x", "/missing/x"},
		{"/toroot", "/"},
		{"/toroot/x", "/x"},
		{"/", "/"},
	};
	struct fixture f;
	char out[STORAGE_PATH_MAX];

	fixture_open(&f);
	ck_assert_ptr_nonnull(fake_add_file(f.medium, "/usrdata/file", "x", 1));
	ck_assert_int_eq(fake_ops.symlink(f.medium, "/usrdata/cache", "/cache"), 0);
	ck_assert_int_eq(fake_ops.symlink(f.medium, "../usrdata/./", "/usrdata/back"), 0);
	ck_assert_int_eq(fake_ops.symlink(f.medium, "../../../..", "/usrdata/up"), 0);
	ck_assert_int_eq(fake_ops.symlink(f.medium, "/", "/toroot"), 0);
	ck_assert_int_eq(fake_ops.symlink(f.medium, "loop2", "/loop1"), 0);
	ck_assert_int_eq(fake_ops.symlink(f.medium, "loop1", "/loop2"), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(path_resolve(f.storage, out, cases[i].path), 0);
		ck_assert_str_eq(out, cases[i].result);
	}
	ck_assert_int_eq(path_resolve(f.storage, out, "/loop1/x"), -ELOOP);
	fixture_close(&f);
}
END_TEST

Suite *suite_texts(void)
{
	Suite *suite = suite_create("storage texts");
	TCase *tests = tcase_create("texts");

	tcase_add_test(tests, mtd_lines);
	tcase_add_test(tests, bad_mtd_lines);
	tcase_add_test(tests, mounts_lines);
	tcase_add_test(tests, volume_names);
	tcase_add_test(tests, mount_options);
	tcase_add_test(tests, fstab_lines);
	tcase_add_test(tests, fstab_paths);
	tcase_add_test(tests, fstab_truncated);
	tcase_add_test(tests, links_are_resolved);
	suite_add_tcase(suite, tests);
	return suite;
}
