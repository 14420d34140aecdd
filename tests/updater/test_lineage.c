/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole scripts as the lineage's generators emit them (spec/lineage.md 1.4): from a v1 tree to a v2 tree, once more,
 * and once more after a cut at every durable operation.
 */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OLD_SIZE  6000
#define NEW_SIZE  6100
#define PART_SIZE 16384
#define FULL      5000 /* bytes free below /system: neither version fits beside the other */

#define OLD_PROP "ro.build.fingerprint=quec/ag35:1/user\nro.product.device=ag35\nro.build.date.utc=1425517100\n"
#define NEW_PROP "ro.build.fingerprint=quec/ag35:2/user\nro.product.device=ag35\nro.build.date.utc=1425517200\n"

#define EMMC_BOOT "/dev/block/platform/msm_sdcc.1/by-name/boot"

static struct world w;
static struct versions app, lib, boot, prop;
static char script[16384];
static size_t used;

static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void add(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	used += (size_t)vsnprintf(script + used, sizeof(script) - used, format, args);
	va_end(args);
	ck_assert_uint_lt(used, sizeof(script));
}

/* "TYPE:name:size:sha1:size:sha1" */
static const char *boot_name(const char *device, char name[512])
{
	(void)snprintf(name, 512, "%s:%zu:%s:%zu:%s", device, boot.old_size, boot.old_sha1, boot.new_size,
	               boot.new_sha1);
	return name;
}

/* ---- The module ---- */

static void put_partition(const char *path)
{
	char image[PART_SIZE] = {0};

	memcpy(image, boot.old_data, boot.old_size);
	world_put(&w, path, image, sizeof(image));
}

static void put_v1(void)
{
	char real[512];

	world_put_text(&w, "/default.prop", "ro.product.device=ag35\nro.build.fingerprint=quec/ag35:1/user\n");
	world_put(&w, "/system/build.prop", prop.old_data, prop.old_size);
	world_put(&w, "/system/bin/app", app.old_data, app.old_size);
	world_put(&w, "/system/lib/old name.so", lib.old_data, lib.old_size);
	world_put_text(&w, "/system/etc/replaced.conf", "old");
	world_put_text(&w, "/system/etc/removed.conf", "old");
	world_put_text(&w, "/system/etc/grows", "a file where v2 has a directory");
	world_put_text(&w, "/system/bin/toolbox", "toolbox");
	ck_assert_int_eq(symlink("toolbox", world_path(&w, "/system/bin/ls", real)), 0);
	put_partition("/dev/boot");
	put_partition(EMMC_BOOT);
	world_put_text(&w, "/dev/sbl", "old second boot loader, larger than the new one");
	world_put_text(&w, "/dev/scratch", "scratch");
}

static void expect_mode(const char *path, unsigned mode)
{
	unsigned found = world_mode(&w, path);

	ck_assert_msg(found == mode, "%s: 0%o\n%s", path, found, w.log);
}

static void expect_link(const char *path, const char *target)
{
	char real[512];
	char found[64] = "";

	ck_assert_msg(readlink(world_path(&w, path, real), found, sizeof(found) - 1) > 0, "%s\n%s", path, w.log);
	ck_assert_str_eq(found, target);
}

static void expect_v2(const char *boot_path)
{
	size_t size;
	char *image = world_get(&w, boot_path, &size);

	world_expect(&w, "/system/build.prop", prop.new_data, prop.new_size);
	world_expect(&w, "/system/bin/app", app.new_data, app.new_size);
	world_expect(&w, "/system/lib/new/name.so", lib.new_data, lib.new_size);
	world_expect_text(&w, "/system/etc/replaced.conf", "new");
	world_expect_text(&w, "/system/etc/grows/inner", "inner");
	ck_assert(!world_exists(&w, "/system/lib/old name.so"));
	ck_assert(!world_exists(&w, "/system/etc/removed.conf"));
	ck_assert(!world_exists(&w, UPDATER_BACKUP));
	expect_link("/system/bin/ls", "busybox");
	expect_link("/system/bin/[", "busybox");
	expect_link("/system/usr/share/long/path/to/a/link/that/is/wrapped", "../x");
	expect_mode("/system/bin/app", 0755);
	expect_mode("/system/build.prop", 0644);
	expect_mode("/system/etc/replaced.conf", 0644);
	expect_mode("/system/etc/grows", 0755);
	ck_assert_uint_eq(size, PART_SIZE);
	ck_assert_msg(memcmp(image, boot.new_data, boot.new_size) == 0, "%s", w.log);
	free(image);
}

/* ---- The scripts ---- */

static void add_patch(const char *name, const struct versions *v, const char *entry, const char *end)
{
	add("apply_patch(\"%s\", \"-\",\n            %s, %zu,\n            %s, package_extract_file(\"%s\"))%s\n", name,
	    v->new_sha1, v->new_size, v->old_sha1, entry, end);
}

/* A file that moves is patched where it was, unless it has moved already. */
static void add_renamed(void)
{
	add("sha1_check(read_file(\"system/lib/new/name.so\"), %s) || ", lib.new_sha1);
	add_patch("/system/lib/old name.so", &lib, "patch/system/lib/old name.so.p", ";");
}

static void add_links(void)
{
	add("symlink(\"busybox\", \"/system/bin/[\",\n        \"/system/bin/ls\");\n"
	    "symlink(\"../x\",\n        \"/system/usr/share/long/path/to/a/link/that/is/wrapped\");\n");
}

/* AOSP 5.1, file based, incremental. */
static void make_aosp(void)
{
	static const char date[] = "Thu Mar  5 01:00:00 UTC 2015";
	char name[512];

	used = 0;
	add("mount(\"ext4\", \"EMMC\", \"/dev/block/platform/msm_sdcc.1/by-name/system\", \"/system\", "
	    "\"max_batch_time=0,commit=1,data=ordered,barrier=1,errors=panic,nodelalloc\");\n"
	    "file_getprop(\"/system/build.prop\", \"ro.build.fingerprint\") == \"quec/ag35:1/user\" ||\n"
	    "    file_getprop(\"/system/build.prop\", \"ro.build.fingerprint\") == \"quec/ag35:2/user\" ||\n"
	    "    abort(\"Package expects build fingerprint of quec/ag35:1/user or quec/ag35:2/user; this device has \" "
	    "+ getprop(\"ro.build.fingerprint\") + \".\");\n"
	    "(!less_than_int(1425517200, getprop(\"ro.build.date.utc\"))) || abort(\"Can't install this package (%s) "
	    "over newer build (\" + getprop(\"ro.build.date\") + \").\");\n"
	    "getprop(\"ro.product.device\") == \"ag35\" || abort(\"This package is for \\\"ag35\\\" devices; this is a "
	    "\\\"\" + getprop(\"ro.product.device\") + \"\\\".\");\n",
	    date);
	add("ui_print(\"Verifying current system...\");\nshow_progress(0.100000, 0);\n"
	    "apply_patch_check(\"/system/bin/app\", \"%s\", \"%s\") || "
	    "abort(\"\\\"/system/bin/app\\\" has unexpected contents.\");\nset_progress(0.300000);\n",
	    app.new_sha1, app.old_sha1);
	add("sha1_check(read_file(\"system/lib/new/name.so\"), %s) || "
	    "apply_patch_check(\"/system/lib/old name.so\", \"%s\", \"%s\") || abort(\"unexpected contents.\");\n"
	    "apply_patch_check(\"/system/build.prop\", \"%s\", \"%s\") || abort(\"unexpected contents.\");\n",
	    lib.new_sha1, lib.new_sha1, lib.old_sha1, prop.new_sha1, prop.old_sha1);
	add("apply_patch_check(\"%s\") || abort(\"\\\"EMMC\\\" has unexpected contents.\");\n"
	    "apply_patch_space(%zu) || abort(\"Not enough free space on /system to apply patches.\");\n\n"
	    "# ---- start making changes here ----\n\nui_print(\"Removing unneeded files...\");\n"
	    "delete(\"/system/etc/removed.conf\", \"/system/etc/grows\",\n       \"/system/recovery.img\");\n"
	    "show_progress(0.800000, 0);\nui_print(\"Patching system files...\");\n",
	    boot_name("EMMC:" EMMC_BOOT, name), boot.new_size);
	add_patch("/system/bin/app", &app, "patch/system/bin/app.p", ";");
	add("set_progress(0.400000);\n");
	add_patch(name, &boot, "patch/boot.img.p", ";");
	add_renamed();
	add("rename(\"/system/lib/old name.so\", \"/system/lib/new/name.so\");\n"
	    "delete(\"/system/etc/replaced.conf\",\n       \"/system/bin/ls\", \"/system/bin/[\");\n"
	    "ui_print(\"Unpacking new files...\");\npackage_extract_dir(\"system\", \"/system\");\n"
	    "ui_print(\"Symlinks and permissions...\");\n");
	add_links();
	add("set_metadata_recursive(\"/system\", \"uid\", 0, \"gid\", 0, \"dmode\", 0755, \"fmode\", 0644, "
	    "\"capabilities\", 0x0);\n"
	    "set_metadata(\"/system/bin/app\", \"uid\", 0, \"gid\", 2000, \"mode\", 0755, \"capabilities\", 0x0);\n"
	    "ui_print(\"Patching remaining system files...\");\n");
	add_patch("/system/build.prop", &prop, "patch/system/build.prop.p", ";");
	add("set_metadata(\"/system/build.prop\", \"uid\", 0, \"gid\", 0, \"mode\", 0644, \"capabilities\", 0x0);\n"
	    "unmount(\"/system\");\n");
}

/* Qualcomm LE, LNX.LE.5.3's dialect; --verify with its relative paths. */
static void make_le(void)
{
	char name[512];

	used = 0;
	add("mount(\"ubifs\", \"UBI\", \"rootfs\", \"/system\");\n"
	    "assert(file_getprop(\"/system/build.prop\", \"ro.build.fingerprint\") == \"quec/ag35:1/user\" ||\n"
	    "       file_getprop(\"/system/build.prop\", \"ro.build.fingerprint\") == \"quec/ag35:2/user\");\n"
	    "assert(getprop(\"ro.product.device\") == \"ag35\" ||\n       getprop(\"ro.build.product\") == \"ag35\");\n"
	    "ui_print(\"Verifying current system...\");\n"
	    "assert(apply_patch_check(\"/system/bin/app\", \"%s\", \"%s\"));\nset_progress(0.250000);\n",
	    app.new_sha1, app.old_sha1);
	add("assert(sha1_check(read_file(\"system/lib/new/name.so\"), %s) ||\n"
	    "       apply_patch_check(\"/system/lib/old name.so\", %s, %s));\n"
	    "assert(apply_patch_check(\"%s\"));\nassert(apply_patch_space(%zu));\n",
	    lib.new_sha1, lib.new_sha1, lib.old_sha1, boot_name("MTD:boot", name), boot.new_size);
	add("\n# ---- start making changes here ----\n\n"
	    "delete(\"/system/etc/replaced.conf\", \"/system/etc/removed.conf\",\n       \"/system/etc/grows\");\n"
	    "show_progress(0.800000, 0);\n");
	add_patch("/system/bin/app", &app, "patch/system/bin/app.p", ";");
	add_renamed();
	add("rename(\"system/lib/old name.so\", \"system/lib/new/name.so\");\n");
	add_patch(name, &boot, "patch/boot.img.p", ";");
	add("write_raw_image(package_extract_file(\"firmware-update/sbl1.mbn\"), \"sbl\");\n"
	    "format(\"ubifs\", \"UBI\", \"scratch\", \"0\");\ndelete(\"/system/bin/ls\", \"/system/bin/[\");\n"
	    "package_extract_dir(\"system\", \"/system\");\nretouch_binaries();\n");
	add_links();
	add("set_perm_recursive(0, 0, 0755, 0644, \"/system\");\nset_perm(0, 2000, 0755, \"/system/bin/app\",\n"
	    "         \"/system/bin/toolbox\");\n"
	    "run_program(\"/bin/find\", \"/\", \"-name\", \"__emptyfile__\", \"-type\", \"f\", \"-delete\");\n");
	add_patch("/system/build.prop", &prop, "patch/system/build.prop.p", ";");
	add("set_perm(0, 0, 0644, \"/system/build.prop\");\nunmount(\"/system\");\n"
	    "mount(\"ubifs\", \"UBI\", \"rootfs\", \"/system\");\n"
	    "assert(sha1_check(read_file(\"system/bin/app\"), %s));\nunmount(\"/system\");\n",
	    app.new_sha1);
}

static const struct lineage {
	void (*make)(void);
	const char *boot;
} lineages[] = {{make_aosp, EMMC_BOOT}, {make_le, "/dev/boot"}};

/* ---- Runs ---- */

static void put_package(void)
{
	world_add(&w, "patch/system/bin/app.p", app.patch, app.patch_size, 0100644);
	world_add(&w, "patch/system/lib/old name.so.p", lib.patch, lib.patch_size, 0100644);
	world_add(&w, "patch/boot.img.p", boot.patch, boot.patch_size, 0100644);
	world_add(&w, "patch/system/build.prop.p", prop.patch, prop.patch_size, 0100644);
	world_add_text(&w, "system/etc/replaced.conf", "new");
	world_add_text(&w, "system/etc/grows/inner", "inner");
	world_add_text(&w, "system/bin/busybox", "busybox");
	world_add_text(&w, "firmware-update/sbl1.mbn", "new second boot loader");
}

static void setup(void)
{
	versions_make(&app, OLD_SIZE, NEW_SIZE, 3);
	versions_make(&lib, OLD_SIZE, NEW_SIZE, 4);
	versions_make(&boot, OLD_SIZE, NEW_SIZE, 5);
	versions_between(&prop, OLD_PROP, strlen(OLD_PROP), NEW_PROP, strlen(NEW_PROP));
	world_start(&w);
	put_package();
	put_v1();
}

static void teardown(void)
{
	world_end(&w);
	versions_free(&app);
	versions_free(&lib);
	versions_free(&boot);
	versions_free(&prop);
}

static void start_again(void)
{
	world_end(&w);
	world_start(&w);
	put_package();
	put_v1();
}

struct written {
	ino_t inode;
	struct timespec when;
};

static struct written written_of(const char *path)
{
	struct stat st = world_stat(&w, path);

	return (struct written){st.st_ino, st.st_mtim};
}

/* What is patched stays as it is in a second run. */
START_TEST(test_rerun)
{
	const struct lineage *lineage = &lineages[_i];
	const char *paths[] = {"/system/bin/app", "/system/lib/new/name.so", "/system/build.prop", "/dev/sbl",
	                       lineage->boot};
	enum { PATHS = sizeof(paths) / sizeof(paths[0]) };
	struct written before[PATHS];

	lineage->make();
	world_succeeds(&w, script);
	expect_v2(lineage->boot);
	for (int i = 0; i < PATHS; i++)
		before[i] = written_of(paths[i]);
	world_succeeds(&w, script);
	expect_v2(lineage->boot);
	for (int i = 0; i < PATHS; i++) {
		struct written after = written_of(paths[i]);

		ck_assert_msg(before[i].inode == after.inode && before[i].when.tv_sec == after.when.tv_sec &&
		                      before[i].when.tv_nsec == after.when.tv_nsec,
		              "%s was written again\n%s", paths[i], w.log);
	}
}
END_TEST

static void set_space(bool low)
{
	w.free_cache = low ? 1 << 20 : 0;
	w.free_system = low ? FULL : 0;
}

START_TEST(test_cut)
{
	const struct lineage *lineage = &lineages[_i % 2];
	bool low_space = _i >= 2;
	unsigned total = 1;

	lineage->make();
	for (unsigned cut = 0; cut <= total; cut++) {
		start_again();
		set_space(low_space);
		w.cut_at = cut;
		ck_assert(world_run(&w, script) == (cut ? UPDATER_ABORT : UPDATER_OK));
		if (cut == 0)
			total = w.steps;
		w.cut_at = 0;
		world_succeeds(&w, script);
		expect_v2(lineage->boot);
	}
	ck_assert_uint_gt(total, 60);
}
END_TEST

/* A dry run of the same scripts, before and after. */
START_TEST(test_dry_run)
{
	const struct lineage *lineage = &lineages[_i];

	lineage->make();
	w.dry_run = true;
	world_succeeds(&w, script);
	ck_assert_uint_eq(w.steps, 0);
	w.dry_run = false;
	world_succeeds(&w, script);
	w.dry_run = true;
	world_succeeds(&w, script);
	ck_assert_uint_eq(w.steps, 0);
	expect_v2(lineage->boot);
}
END_TEST

/* The cause that is told is that of the check that failed, not of one before it whose alternative held. */
START_TEST(test_cause_is_not_stale)
{
	world_aborts(&w,
	             "apply_patch_check(\"/system/none\", \"0000000000000000000000000000000000000000\") || "
	             "apply_patch_check(\"/system/bin/app\"); getprop(\"x\") == \"y\" || abort(\"wrong device\")",
	             "wrong device");
	ck_assert_ptr_null(strstr(w.error.message, "none"));
}
END_TEST

Suite *suite_lineage(void)
{
	Suite *suite = suite_create("lineage");
	TCase *tc = tcase_create("lineage");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, test_rerun, 0, 2);
	tcase_add_loop_test(tc, test_cut, 0, 4);
	tcase_add_loop_test(tc, test_dry_run, 0, 2);
	tcase_add_test(tc, test_cause_is_not_stale);
	suite_add_tcase(suite, tc);
	return suite;
}
