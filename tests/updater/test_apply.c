/* SPDX-License-Identifier: Apache-2.0 */
/* The apply state machine: what is there, in which kind of object, and what becomes of it. */
#include "world.h"

#include "updater/backup.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OLD_SIZE  30000
#define NEW_SIZE  31000
#define PART_SIZE 65536

static struct world w;
static struct versions v;
static char script[1024];
static char partition[512]; /* name with its content pairs */

static void setup(void)
{
	world_start(&w);
	versions_make(&v, OLD_SIZE, NEW_SIZE, 7);
	world_add(&w, "p", v.patch, v.patch_size, 0100644);
	versions_name_partition(&v, partition);
}

static void teardown(void)
{
	versions_free(&v);
	world_end(&w);
}

/* The object with this content, the rest of a partition filled. */
static void put_object(bool raw, const void *data, size_t size)
{
	char image[PART_SIZE];

	if (!raw) {
		world_put(&w, "/system/app", data, size);
		return;
	}
	memset(image, 0xFF, sizeof(image));
	memcpy(image, data, size);
	world_put(&w, "/dev/part", image, sizeof(image));
}

static void expect_object(bool raw, const void *data, size_t size)
{
	size_t found_size;
	char *found = world_get(&w, raw ? "/dev/part" : "/system/app", &found_size);

	ck_assert_ptr_nonnull(found);
	ck_assert_uint_eq(found_size, raw ? PART_SIZE : size);
	ck_assert_mem_eq(found, data, size);
	free(found);
}

static const char *script_for(bool raw)
{
	return versions_script(&v, raw ? partition : "/system/app", script);
}

static void put_legacy_backup(void)
{
	world_put(&w, UPDATER_BACKUP, v.old_data, v.old_size);
}

START_TEST(test_target_there)
{
	bool raw = _i;
	char *before, *after;

	put_object(raw, v.new_data, v.new_size);
	before = world_snapshot(&w);
	world_succeeds(&w, script_for(raw));
	after = world_snapshot(&w);
	ck_assert_str_eq(before, after);
	ck_assert_ptr_nonnull(strstr(w.log, "already "));
	free(before);
	free(after);
}
END_TEST

START_TEST(test_source_there)
{
	bool raw = _i;

	put_object(raw, v.old_data, v.old_size);
	world_succeeds(&w, script_for(raw));
	expect_object(raw, v.new_data, v.new_size);
	ck_assert(!world_exists(&w, UPDATER_BACKUP));
	ck_assert_uint_eq(w.renamed_backups, raw);
	ck_assert(world_told(&w, "ui_print done"));
}
END_TEST

START_TEST(test_backup_there)
{
	bool raw = _i;

	put_object(raw, "garbage", 7);
	put_legacy_backup();
	world_succeeds(&w, script_for(raw));
	expect_object(raw, v.new_data, v.new_size);
	ck_assert(!world_exists(&w, UPDATER_BACKUP));
	ck_assert_uint_eq(w.renamed_backups, 0);
	ck_assert_uint_eq(w.opened_for_writing, 0);
	ck_assert_ptr_nonnull(strstr(w.log, "source file is bad; trying copy"));
}
END_TEST

START_TEST(test_nothing_there)
{
	bool raw = _i;
	char *before, *after;

	put_object(raw, "garbage", 7);
	world_put_text(&w, UPDATER_BACKUP, "something else");
	before = world_snapshot(&w);
	world_aborts(&w, script_for(raw), raw ? "MTD:part: expected" : "/system/app: expected");
	after = world_snapshot(&w);
	ck_assert_str_eq(before, after);
	ck_assert_int_eq(w.error.code, RESULT_VERIFY);
	ck_assert_ptr_nonnull(strstr(w.error.message, v.new_sha1));
	ck_assert_ptr_nonnull(strstr(w.error.message, v.old_sha1));
	ck_assert_ptr_nonnull(strstr(w.error.message, "found "));
	ck_assert(world_told(&w, "log error: 510"));
	ck_assert(!world_told(&w, "ui_print done"));
	ck_assert_ptr_nonnull(strstr(w.log, "copy file doesn't match source SHA-1s either"));
	free(before);
	free(after);
}
END_TEST

START_TEST(test_found_digest_is_told)
{
	world_put_text(&w, "/system/app", "stranger");
	world_aborts(&w, script_for(false), sha1_of("stranger", 8));
	ck_assert_int_eq(w.error.code, RESULT_VERIFY);
}
END_TEST

START_TEST(test_missing_object)
{
	world_aborts(&w, script_for(false), "found missing");
	world_aborts(&w, script_for(true), "found missing");
}
END_TEST

START_TEST(test_or_abort)
{
	char text[2048];

	world_put_text(&w, "/system/app", "stranger");
	(void)snprintf(text, sizeof(text),
	               "apply_patch(\"/system/app\", \"-\", %s, %zu, %s, package_extract_file(\"p\")) ||\n"
	               "    abort(\"Failed to apply patch to /system/app\");",
	               v.new_sha1, v.new_size, v.old_sha1);
	world_aborts(&w, text, "Failed to apply patch to /system/app");
	ck_assert_ptr_nonnull(strstr(w.error.message, "/system/app: expected"));
	ck_assert_int_eq(w.error.code, RESULT_VERIFY);
}
END_TEST

START_TEST(test_mode_is_kept)
{
	char real[512];

	put_object(false, v.old_data, v.old_size);
	ck_assert_int_eq(chmod(world_path(&w, "/system/app", real), 04755), 0);
	world_succeeds(&w, script_for(false));
	ck_assert_uint_eq(world_mode(&w, "/system/app"), 04755);
}
END_TEST

START_TEST(test_other_target)
{
	char text[1024];

	put_object(false, v.old_data, v.old_size);
	(void)snprintf(text, sizeof(text),
	               "apply_patch(\"/system/app\", \"/system/new/app\", %s, %zu, %s, package_extract_file(\"p\"))",
	               v.new_sha1, v.new_size, v.old_sha1);
	world_yields(&w, text, "t");
	world_expect(&w, "/system/new/app", v.new_data, v.new_size);
	world_expect(&w, "/system/app", v.old_data, v.old_size);
	world_yields(&w, text, "t");
}
END_TEST

START_TEST(test_sha256)
{
	char text[1024];

	put_object(false, v.old_data, v.old_size);
	(void)snprintf(text, sizeof(text),
	               "apply_patch(\"/system/app\", \"-\", \"%s\", \"%zu\", \"%s\", package_extract_file(\"p\"))",
	               sha256_of(v.new_data, v.new_size), v.new_size, sha256_of(v.old_data, v.old_size));
	world_yields(&w, text, "t");
	expect_object(false, v.new_data, v.new_size);
}
END_TEST

START_TEST(test_second_patch_fits)
{
	char text[1024];

	put_object(false, v.old_data, v.old_size);
	(void)snprintf(text, sizeof(text),
	               "apply_patch(\"/system/app\", \"-\", %s, %zu, %s, package_extract_file(\"first\"), %s, "
	               "package_extract_file(\"p\"))",
	               v.new_sha1, v.new_size, sha1_of("x", 1), v.old_sha1);
	world_yields(&w, text, "t");
	expect_object(false, v.new_data, v.new_size);
}
END_TEST

/* A patch that does not yield the target must be found out before the first byte of a partition changes. */
START_TEST(test_wrong_patch)
{
	struct versions other;
	char text[1024];
	bool raw = _i;

	versions_make(&other, OLD_SIZE, NEW_SIZE, 7);
	other.new_data[5] ^= 1;
	put_object(raw, v.old_data, v.old_size);
	(void)snprintf(text, sizeof(text), "apply_patch(\"%s\", \"-\", %s, %d, %s, package_extract_file(\"p\"))",
	               raw ? partition : "/system/app", sha1_of(other.new_data, NEW_SIZE), NEW_SIZE, v.old_sha1);
	world_aborts(&w, text, "patch did not produce expected sha1");
	expect_object(raw, v.old_data, v.old_size);
	ck_assert_uint_eq(w.renamed_backups, 0);
	(void)snprintf(text, sizeof(text), "apply_patch(\"%s\", \"-\", %s, %d, %s, package_extract_file(\"p\"))",
	               raw ? partition : "/system/app", v.new_sha1, NEW_SIZE + 1, v.old_sha1);
	world_aborts(&w, text, raw ? "MTD:part" : "/system/app");
	expect_object(raw, v.old_data, v.old_size);
	versions_free(&other);
}
END_TEST

START_TEST(test_patch_of_no_known_format)
{
	char text[1024];
	bool raw = _i;

	put_object(raw, v.old_data, v.old_size);
	world_add_text(&w, "odd", "ENDSLEY/BSDIFF43 and so on, long enough for a header");
	(void)snprintf(text, sizeof(text), "apply_patch(\"%s\", \"-\", %s, %d, %s, package_extract_file(\"odd\"))",
	               raw ? partition : "/system/app", v.new_sha1, NEW_SIZE, v.old_sha1);
	world_aborts(&w, text, raw ? "MTD:part" : "/system/app");
	expect_object(raw, v.old_data, v.old_size);
}
END_TEST

START_TEST(test_missing_patch)
{
	char text[1024];

	put_object(false, v.old_data, v.old_size);
	(void)snprintf(text, sizeof(text),
	               "apply_patch(\"/system/app\", \"-\", %s, %d, %s, package_extract_file(\"no/such\"))", v.new_sha1,
	               NEW_SIZE, v.old_sha1);
	world_aborts(&w, text, "no/such: not in the package");
	expect_object(false, v.old_data, v.old_size);
}
END_TEST

START_TEST(test_partition_too_small)
{
	char text[1024];

	world_put(&w, "/dev/small", v.old_data, v.old_size);
	(void)snprintf(text, sizeof(text), "apply_patch(\"MTD:small\", \"-\", %s, %d, %s, package_extract_file(\"p\"))",
	               v.new_sha1, NEW_SIZE, v.old_sha1);
	world_aborts(&w, text, "MTD:small: holds 30000 bytes, the target has 31000");
	ck_assert_int_eq(w.error.code, RESULT_SPACE);
	world_expect(&w, "/dev/small", v.old_data, v.old_size);
}
END_TEST

START_TEST(test_no_room_for_backup)
{
	put_object(true, v.old_data, v.old_size);
	w.free_cache = 20000;
	world_aborts(&w, script_for(true), "not enough free space on /cache");
	ck_assert_int_eq(w.error.code, RESULT_SPACE);
	ck_assert(world_told(&w, "log error: 511"));
	expect_object(true, v.old_data, v.old_size);
}
END_TEST

/* ---- Little space for a file: the lineage's way through /cache ---- */

START_TEST(test_low_space)
{
	char real[512];

	put_object(false, v.old_data, v.old_size);
	ck_assert_int_eq(chmod(world_path(&w, "/system/app", real), 0711), 0);
	w.free_system = 5000;
	w.free_cache = 1 << 20;
	world_succeeds(&w, script_for(false));
	expect_object(false, v.new_data, v.new_size);
	ck_assert_uint_eq(world_mode(&w, "/system/app"), 0711);
	ck_assert_uint_eq(w.renamed_backups, 1);
	ck_assert(!world_exists(&w, UPDATER_BACKUP));
}
END_TEST

START_TEST(test_low_space_impossible)
{
	char *before, *after;

	put_object(false, v.old_data, v.old_size);
	before = world_snapshot(&w);
	w.free_system = 500; /* with the source gone still too little */
	w.free_cache = 1 << 20;
	world_aborts(&w, script_for(false), "/system/app: not enough free space");
	ck_assert_int_eq(w.error.code, RESULT_SPACE);
	w.free_system = 5000; /* enough, but nowhere to put the source */
	w.free_cache = 100;
	world_aborts(&w, script_for(false), "not enough free space on /cache");
	ck_assert_int_eq(w.error.code, RESULT_SPACE);
	w.free_cache = 0; /* on the same file system */
	world_aborts(&w, script_for(false), "/cache is on the same file system");
	after = world_snapshot(&w);
	ck_assert_str_eq(before, after);
	free(before);
	free(after);
}
END_TEST

/* ---- The backup's own rules ---- */

START_TEST(test_damaged_backup_is_no_source)
{
	char *backup;
	size_t size;

	/* A backup of the partition, as an interrupted run leaves it. */
	put_object(true, v.old_data, v.old_size);
	w.cut_at = 0;
	world_succeeds(&w, script_for(true));
	put_object(true, v.old_data, v.old_size);
	for (w.cut_at = 1; !world_exists(&w, UPDATER_BACKUP); w.cut_at++)
		(void)world_run(&w, script_for(true));
	w.cut_at = 0;
	backup = world_get(&w, UPDATER_BACKUP, &size);
	ck_assert_uint_eq(size, BACKUP_HEADER_SIZE + OLD_SIZE);
	put_object(true, "garbage", 7);
	for (size_t length = 0; length < size; length += length < 600 ? 1 : 997) {
		world_put(&w, UPDATER_BACKUP, backup, length);
		world_aborts(&w, script_for(true), "MTD:part: expected");
	}
	for (size_t i = 0; i < size; i += i < 600 ? 1 : 997) {
		backup[i] ^= 0x10;
		world_put(&w, UPDATER_BACKUP, backup, size);
		world_aborts(&w, script_for(true), "MTD:part: expected");
		backup[i] ^= 0x10;
	}
	world_put(&w, UPDATER_BACKUP, backup, size);
	world_succeeds(&w, script_for(true));
	expect_object(true, v.new_data, v.new_size);
	free(backup);
}
END_TEST

/* Lineage 3.4 c: a backup that survived its success is removed by the next run; another object's is not. */
START_TEST(test_stale_backup)
{
	char *backup;
	size_t size;

	put_object(true, v.old_data, v.old_size);
	for (w.cut_at = 1; !world_exists(&w, UPDATER_BACKUP); w.cut_at++)
		(void)world_run(&w, script_for(true));
	w.cut_at = 0;
	backup = world_get(&w, UPDATER_BACKUP, &size);
	put_object(true, v.new_data, v.new_size);
	put_object(false, v.new_data, v.new_size);
	world_succeeds(&w, script_for(false));
	world_expect(&w, UPDATER_BACKUP, backup, size);
	world_succeeds(&w, script_for(true));
	ck_assert(!world_exists(&w, UPDATER_BACKUP));
	/* Whoever made it may have begun to write: what reads well now may not the next time. */
	ck_assert_ptr_nonnull(strstr(w.log, "MTD:part: is written again"));
	put_legacy_backup(); /* nobody knows whose it is */
	world_succeeds(&w, script_for(true));
	ck_assert(world_exists(&w, UPDATER_BACKUP));
	free(backup);
}
END_TEST

/* What only the backup can restore keeps the slot until it has been restored. */
START_TEST(test_backup_is_claimed)
{
	char text[4096];
	char real[512];

	put_object(true, "garbage", 7);
	put_legacy_backup();
	world_put(&w, "/dev/other", v.old_data, OLD_SIZE);
	ck_assert_int_eq(truncate(world_path(&w, "/dev/other", real), PART_SIZE), 0);
	(void)snprintf(text, sizeof(text),
	               "assert(apply_patch_check(\"%s\"));"
	               "apply_patch(\"MTD:other:%d:%s\",\"-\",%s,%d,%s,package_extract_file(\"p\"))",
	               partition, OLD_SIZE, v.old_sha1, v.new_sha1, NEW_SIZE, v.old_sha1);
	world_aborts(&w, text, "no backup possible, the present one is needed by MTD:part");
	world_expect(&w, UPDATER_BACKUP, v.old_data, v.old_size);
}
END_TEST

Suite *suite_apply(void)
{
	Suite *suite = suite_create("apply");
	TCase *tc = tcase_create("apply");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_target_there, 0, 2);
	tcase_add_loop_test(tc, test_source_there, 0, 2);
	tcase_add_loop_test(tc, test_backup_there, 0, 2);
	tcase_add_loop_test(tc, test_nothing_there, 0, 2);
	tcase_add_test(tc, test_found_digest_is_told);
	tcase_add_test(tc, test_missing_object);
	tcase_add_test(tc, test_or_abort);
	tcase_add_test(tc, test_mode_is_kept);
	tcase_add_test(tc, test_other_target);
	tcase_add_test(tc, test_sha256);
	tcase_add_test(tc, test_second_patch_fits);
	tcase_add_loop_test(tc, test_wrong_patch, 0, 2);
	tcase_add_loop_test(tc, test_patch_of_no_known_format, 0, 2);
	tcase_add_test(tc, test_missing_patch);
	tcase_add_test(tc, test_partition_too_small);
	tcase_add_test(tc, test_no_room_for_backup);
	tcase_add_test(tc, test_low_space);
	tcase_add_test(tc, test_low_space_impossible);
	tcase_add_test(tc, test_damaged_backup_is_no_source);
	tcase_add_test(tc, test_stale_backup);
	tcase_add_test(tc, test_backup_is_claimed);
	suite_add_tcase(suite, tc);
	return suite;
}
