/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/test_medium.h"

#include <errno.h>
#include <string.h>

/* What syncs promise, whatever the rule of survival. */
#define SEEDS 200

static struct medium *medium(void)
{
	return bench_get()->medium;
}

static int rename_to(const char *from, const char *to)
{
	return medium_ops.rename(medium(), from, to);
}

static int make_directory(const char *path)
{
	return medium_ops.mkdir(medium(), path, 0755);
}

START_TEST(unsynced_file)
{
	write_text("/usrdata/f", "some text");
	bench_crash(SURVIVAL_NOTHING, 1);
	ck_assert(is_missing("/usrdata/f"));
	write_text("/usrdata/f", "some text");
	bench_crash(SURVIVAL_EMPTY, 1);
	ck_assert(has_text("/usrdata/f", ""));
	ck_assert_int_eq(medium_ops.unlink(medium(), "/usrdata/f"), 0);
	write_text("/usrdata/f", "some text");
	bench_crash(SURVIVAL_EVERYTHING, 1);
	ck_assert(has_text("/usrdata/f", "some text"));
}
END_TEST

START_TEST(unsynced_file_is_torn)
{
	uint8_t data[3000];
	const uint8_t *left;
	size_t length = 0;
	int handle = open_as("/usrdata/f", STORAGE_CREATE);

	memset(data, 'x', sizeof(data));
	ck_assert_int_eq(medium_ops.write(medium(), handle, 0, data, 2000), 0);
	ck_assert_int_eq(medium_ops.write(medium(), handle, 2000, data, 1000), 0);
	bench_crash(SURVIVAL_TORN, 1);
	left = medium_file(medium(), "usrdata", "/f", false, &length);
	ck_assert_uint_eq(length, 3000);
	for (size_t i = 0; i < length; i++)
		ck_assert_uint_eq(left[i], i < 1536 ? 'x' : 0);
}
END_TEST

START_TEST(change_in_place_is_torn)
{
	char data[4096];
	const uint8_t *left;
	size_t length = 0;
	size_t old = 0;
	int handle = open_as("/usrdata/f", STORAGE_CREATE);

	memset(data, 'o', sizeof(data));
	ck_assert_int_eq(medium_ops.write(medium(), handle, 0, data, sizeof(data)), 0);
	ck_assert_int_eq(medium_ops.sync_all(medium()), 0);
	memset(data, 'n', sizeof(data));
	ck_assert_int_eq(medium_ops.write(medium(), handle, 0, data, sizeof(data)), 0);
	bench_crash(SURVIVAL_TORN, 1);
	left = medium_file(medium(), "usrdata", "/f", false, &length);
	ck_assert_uint_eq(length, sizeof(data));
	for (size_t i = 0; i < length; i++) {
		ck_assert_uint_eq(left[i], left[i / 512 * 512]);
		ck_assert(left[i] == 'o' || left[i] == 'n');
		old += left[i] == 'o';
	}
	ck_assert_uint_eq(old, sizeof(data) / 2);
}
END_TEST

START_TEST(what_was_synced_stays_without_the_rest)
{
	put_text("/usrdata/f", "old");
	append_text("/usrdata/f", " new");
	bench_crash(SURVIVAL_EMPTY, 1);
	ck_assert(has_text("/usrdata/f", "old"));
	write_text("/usrdata/f", "else"); /* truncated before */
	bench_crash(SURVIVAL_NOTHING, 1);
	ck_assert(has_text("/usrdata/f", "old"));
	write_text("/usrdata/f", "else");
	bench_crash(SURVIVAL_EMPTY, 1);
	ck_assert(has_text("/usrdata/f", ""));
}
END_TEST

START_TEST(rename_without_sync)
{
	put_text("/usrdata/app", "old");
	write_text("/usrdata/temp", "new");
	ck_assert_int_eq(rename_to("/usrdata/temp", "/usrdata/app"), 0);
	sync_directory("/usrdata");
	bench_crash(SURVIVAL_EMPTY, 1);
	ck_assert(has_text("/usrdata/app", ""));
	ck_assert(is_missing("/usrdata/temp"));
}
END_TEST

/* Whatever becomes of the names, they are of one file, which takes its room once. */
START_TEST(linked_names)
{
	struct storage_stat first;
	struct storage_stat stat;
	uint64_t before;
	uint64_t after;

	put_text("/usrdata/a", "one");
	put_text("/usrdata/b", "two");
	ck_assert_int_eq(medium_ops.free_space(medium(), "/cache", &before), 0);
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		ck_assert_int_eq(medium_ops.link(medium(), "/usrdata/a", "/usrdata/temp"), 0);
		ck_assert_int_eq(rename_to("/usrdata/temp", "/usrdata/b"), 0);
		bench_crash(SURVIVAL_SOME, seed);
		ck_assert(has_text("/usrdata/a", "one"));
		ck_assert(has_text("/usrdata/b", "one") || has_text("/usrdata/b", "two"));
		ck_assert_int_eq(medium_ops.stat(medium(), "/usrdata/a", &first), 0);
		ck_assert_int_eq(medium_ops.stat(medium(), "/usrdata/b", &stat), 0);
		ck_assert_int_eq(storage_same_file(&first, &stat), has_text("/usrdata/b", "one"));
		if (!is_missing("/usrdata/temp"))
			ck_assert_int_eq(medium_ops.unlink(medium(), "/usrdata/temp"), 0);
		ck_assert_int_eq(medium_ops.unlink(medium(), "/usrdata/b"), 0);
		put_text("/usrdata/b", "two");
		ck_assert_int_eq(medium_ops.free_space(medium(), "/cache", &after), 0);
		ck_assert_uint_eq(after, before);
	}
}
END_TEST

START_TEST(rename_without_directory_sync)
{
	put_text("/usrdata/app", "old");
	write_text("/usrdata/temp", "new");
	sync_file("/usrdata/temp");
	ck_assert_int_eq(rename_to("/usrdata/temp", "/usrdata/app"), 0);
	bench_crash(SURVIVAL_NOTHING, 1);
	ck_assert(has_text("/usrdata/app", "old"));
	ck_assert(is_missing("/usrdata/temp"));
}
END_TEST

/* One way of replacing files, done right; old content where that is a step of its own. */
static void replace_by_the_book(const char *temp, const char *path, const char *directory)
{
	write_text(temp, "new");
	ck_assert_int_eq(medium_ops.set_mode(medium(), temp, 0751), 0);
	sync_file(temp);
	ck_assert_int_eq(rename_to(temp, path), 0);
	sync_directory(directory);
}

START_TEST(synced_survives_whatever_comes)
{
	enum survival survival = (enum survival)_i;

	ck_assert_int_eq(make_directory("/usrdata/d"), 0);
	ck_assert_int_eq(make_directory("/usrdata/d/e"), 0);
	replace_by_the_book("/usrdata/d/e/temp", "/usrdata/d/e/app", "/usrdata/d/e");
	sync_directory("/usrdata/d");
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		write_text("/usrdata/d/other", "text");
		append_text("/usrdata/d/e/log", "line");
		ck_assert_int_eq(make_directory("/usrdata/d/e/more"), 0);
		ck_assert_int_eq(rename_to("/usrdata/d/other", "/usrdata/d/e/more/other"), 0);
		bench_crash(survival, seed);
		ck_assert(has_text("/usrdata/d/e/app", "new"));
		ck_assert_uint_eq(mode_of("/usrdata/d/e/app"), 0751);
		ck_assert(is_missing("/usrdata/d/e/temp"));
		(void)medium_ops.unlink(medium(), "/usrdata/d/other");
		(void)medium_ops.unlink(medium(), "/usrdata/d/e/more/other");
		(void)medium_ops.rmdir(medium(), "/usrdata/d/e/more");
		ck_assert_int_eq(medium_ops.sync_all(medium()), 0);
	}
}
END_TEST

START_TEST(unsynced_replacement_is_old_or_new)
{
	enum survival survival = (enum survival)_i;

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		put_text("/usrdata/app", "old");
		write_text("/usrdata/temp", "new");
		sync_file("/usrdata/temp");
		ck_assert_int_eq(rename_to("/usrdata/temp", "/usrdata/app"), 0);
		bench_crash(survival, seed);
		ck_assert(has_text("/usrdata/app", "old") || has_text("/usrdata/app", "new"));
		(void)medium_ops.unlink(medium(), "/usrdata/temp");
	}
}
END_TEST

START_TEST(attributes_live_by_themselves)
{
	put_text("/usrdata/f", "text");
	ck_assert_int_eq(medium_ops.set_mode(medium(), "/usrdata/f", 0755), 0);
	ck_assert_int_eq(medium_ops.set_xattr(medium(), "/usrdata/f", "security.selinux", "x", 1), 0);
	append_text("/usrdata/f", "more");
	bench_crash(SURVIVAL_NOTHING, 1);
	ck_assert_uint_eq(mode_of("/usrdata/f"), 0600);
	ck_assert_int_eq(medium_ops.get_xattr(medium(), "/usrdata/f", "security.selinux", NULL, 0), -ENODATA);
	ck_assert_int_eq(medium_ops.set_mode(medium(), "/usrdata/f", 0755), 0);
	append_text("/usrdata/f", "more");
	bench_crash(SURVIVAL_EMPTY, 1);
	ck_assert_uint_eq(mode_of("/usrdata/f"), 0755);
	ck_assert(has_text("/usrdata/f", "text"));
	ck_assert_int_eq(medium_ops.set_owner(medium(), "/usrdata/f", 5, 6), 0);
	sync_file("/usrdata/f");
	bench_crash(SURVIVAL_NOTHING, 1);
	ck_assert(medium_ops.set_owner(medium(), "/usrdata/f", 5, 6) == 0);
	struct storage_stat stat;
	ck_assert(medium_stat(medium(), "usrdata", "/f", true, &stat));
	ck_assert_uint_eq(stat.uid, 5);
	ck_assert_uint_eq(stat.gid, 6);
}
END_TEST

START_TEST(directory_sync_reaches_no_further)
{
	ck_assert_int_eq(make_directory("/usrdata/a"), 0);
	ck_assert_int_eq(make_directory("/usrdata/b"), 0);
	sync_directory("/usrdata");
	write_text("/usrdata/a/f", "1");
	write_text("/usrdata/b/f", "1");
	write_text("/usrdata/b/moved", "1");
	ck_assert_int_eq(rename_to("/usrdata/b/moved", "/usrdata/a/moved"), 0);
	sync_directory("/usrdata/a");
	bench_crash(SURVIVAL_NOTHING, 1);
	ck_assert(has_text("/usrdata/a/f", ""));
	ck_assert(has_text("/usrdata/a/moved", ""));
	ck_assert(is_missing("/usrdata/b/f"));
	ck_assert(is_missing("/usrdata/b/moved"));
}
END_TEST

START_TEST(a_name_brings_its_directories)
{
	ck_assert_int_eq(make_directory("/usrdata/a"), 0);
	ck_assert_int_eq(make_directory("/usrdata/z"), 0);
	ck_assert_int_eq(rename_to("/usrdata/a", "/usrdata/b"), 0);
	ck_assert_int_eq(make_directory("/usrdata/b/c"), 0);
	write_text("/usrdata/b/c/f", "text");
	sync_file("/usrdata/b/c/f");
	sync_directory("/usrdata/b/c");
	bench_crash(SURVIVAL_NOTHING, 1);
	ck_assert(has_text("/usrdata/b/c/f", "text"));
	ck_assert(is_missing("/usrdata/a"));
	ck_assert(is_missing("/usrdata/z"));
}
END_TEST

START_TEST(a_synced_move_is_not_undone)
{
	ck_assert_int_eq(make_directory("/usrdata/a"), 0);
	ck_assert_int_eq(make_directory("/usrdata/b"), 0);
	ck_assert_int_eq(medium_ops.sync_all(medium()), 0);
	write_text("/usrdata/b/f", "text");
	sync_file("/usrdata/b/f");
	ck_assert_int_eq(rename_to("/usrdata/b/f", "/usrdata/a/f"), 0);
	sync_directory("/usrdata/a");
	bench_crash(SURVIVAL_EVERYTHING, 1);
	ck_assert(has_text("/usrdata/a/f", "text"));
	ck_assert(is_missing("/usrdata/b/f"));
}
END_TEST

START_TEST(what_left_a_removed_directory_is_kept)
{
	ck_assert_int_eq(make_directory("/usrdata/a"), 0);
	put_text("/usrdata/a/f", "text");
	ck_assert_int_eq(rename_to("/usrdata/a/f", "/cache/f"), 0);
	ck_assert_int_eq(medium_ops.rmdir(medium(), "/usrdata/a"), 0);
	sync_directory("/usrdata");
	bench_crash(SURVIVAL_NOTHING, 1);
	ck_assert(is_missing("/usrdata/a"));
	ck_assert(has_text("/cache/f", "text"));
}
END_TEST

START_TEST(an_open_unlinked_file_comes_back)
{
	int handle;

	put_text("/usrdata/f", "text");
	handle = open_as("/usrdata/f", STORAGE_WRITE);
	ck_assert_int_eq(medium_ops.unlink(medium(), "/usrdata/f"), 0);
	ck_assert_int_eq(medium_ops.write(medium(), handle, 0, "TEXT", 4), 0);
	ck_assert_int_eq(medium_ops.sync(medium(), handle), 0);
	bench_crash(SURVIVAL_NOTHING, 1);
	ck_assert(has_text("/usrdata/f", "TEXT"));
}
END_TEST

START_TEST(reboot_keeps_everything)
{
	write_text("/usrdata/f", "old");
	write_text("/usrdata/f", "text");
	append_text("/usrdata/f", "!");
	ck_assert_int_eq(rename_to("/usrdata/f", "/usrdata/g"), 0);
	ck_assert_int_eq(medium_ops.unlink(medium(), "/cache/factory"), 0);
	medium_reboot(medium());
	bench_mount();
	ck_assert(has_text("/usrdata/g", "text!"));
	ck_assert(is_missing("/usrdata/f"));
	ck_assert(is_missing("/cache/factory"));
}
END_TEST

Suite *suite_crash(void)
{
	Suite *suite = suite_create("powercut crash");
	TCase *tcase = tcase_create("crash");

	tcase_add_checked_fixture(tcase, bench_setup, bench_teardown);
	tcase_add_test(tcase, unsynced_file);
	tcase_add_test(tcase, unsynced_file_is_torn);
	tcase_add_test(tcase, change_in_place_is_torn);
	tcase_add_test(tcase, what_was_synced_stays_without_the_rest);
	tcase_add_test(tcase, rename_without_sync);
	tcase_add_test(tcase, rename_without_directory_sync);
	tcase_add_test(tcase, linked_names);
	tcase_add_loop_test(tcase, synced_survives_whatever_comes, 0, SURVIVAL_COUNT);
	tcase_add_loop_test(tcase, unsynced_replacement_is_old_or_new, 0, SURVIVAL_COUNT);
	tcase_add_test(tcase, attributes_live_by_themselves);
	tcase_add_test(tcase, directory_sync_reaches_no_further);
	tcase_add_test(tcase, a_name_brings_its_directories);
	tcase_add_test(tcase, a_synced_move_is_not_undone);
	tcase_add_test(tcase, what_left_a_removed_directory_is_kept);
	tcase_add_test(tcase, an_open_unlinked_file_comes_back);
	tcase_add_test(tcase, reboot_keeps_everything);
	suite_add_tcase(suite, tcase);
	return suite;
}
