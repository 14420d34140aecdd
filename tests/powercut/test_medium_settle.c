/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/test_medium.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Cuts within an operation on files, and what the drawn rules of survival can do. */
#define SEEDS 400

static struct medium *medium(void)
{
	return bench_get()->medium;
}

static int rename_to(const char *from, const char *to)
{
	return medium_ops.rename(medium(), from, to);
}

START_TEST(cuts_of_whole_operations)
{
	put_text("/usrdata/f", "text");
	CUT(CUT_BEFORE, rename_to("/usrdata/f", "/usrdata/g"));
	bench_crash(SURVIVAL_EVERYTHING, 1);
	ck_assert(has_text("/usrdata/f", "text"));
	CUT(CUT_AFTER, rename_to("/usrdata/f", "/usrdata/g"));
	bench_crash(SURVIVAL_EVERYTHING, 1);
	ck_assert(has_text("/usrdata/g", "text"));
	ck_assert(is_missing("/usrdata/f"));
	CUT(CUT_AFTER, medium_ops.unlink(medium(), "/usrdata/g"));
	bench_crash(SURVIVAL_NOTHING, 1);
	ck_assert(has_text("/usrdata/g", "text"));
	CUT(CUT_AFTER, medium_ops.mkdir(medium(), "/usrdata/d", 0755));
	CUT(CUT_AFTER, medium_ops.sync_directory(medium(), "/usrdata"));
	bench_crash(SURVIVAL_NOTHING, 1);
	ck_assert(!is_missing("/usrdata/d"));
}
END_TEST

START_TEST(torn_write)
{
	int handle;

	for (unsigned tear = 0; tear < 2; tear++) {
		put_text("/usrdata/f", "old");
		handle = open_as("/usrdata/f", STORAGE_WRITE);
		CUT(CUT_TORN + tear, medium_ops.write(medium(), handle, 2, "1234", 4));
		ck_assert_uint_eq(bench_get()->tears, 2);
		bench_crash(SURVIVAL_EVERYTHING, 1);
		if (tear == 1) {
			ck_assert(has_text("/usrdata/f", "ol12"));
		} else {
			size_t length;
			const uint8_t *data = medium_file(medium(), "usrdata", "/f", true, &length);

			ck_assert_uint_eq(length, 6);
			ck_assert_mem_eq(data, "old\0\0\0", 6);
		}
	}
	put_text("/usrdata/f", "old");
	handle = open_as("/usrdata/f", STORAGE_WRITE);
	CUT(CUT_TORN + 1, medium_ops.write(medium(), handle, 0, "1234", 4));
	bench_crash(SURVIVAL_NOTHING, 1);
	ck_assert(has_text("/usrdata/f", "old"));
}
END_TEST

START_TEST(torn_sync)
{
	int handle;

	put_text("/usrdata/f", "");
	handle = open_as("/usrdata/f", STORAGE_CREATE);
	ck_assert_int_eq(medium_ops.write(medium(), handle, 0, "12", 2), 0);
	ck_assert_int_eq(medium_ops.write(medium(), handle, 2, "345678", 6), 0);
	CUT(CUT_TORN, medium_ops.sync(medium(), handle));
	ck_assert_uint_eq(bench_get()->tears, 1);
	bench_crash(SURVIVAL_NOTHING, 1);
	ck_assert(has_text("/usrdata/f", "1234"));
	handle = open_as("/usrdata/f", STORAGE_CREATE);
	ck_assert_int_eq(medium_ops.write(medium(), handle, 0, "abcdef", 6), 0);
	CUT(CUT_TORN, medium_ops.sync(medium(), handle));
	bench_crash(SURVIVAL_EVERYTHING, 1);
	ck_assert(has_text("/usrdata/f", "abcdef"));
}
END_TEST

START_TEST(torn_sync_all)
{
	put_text("/usrdata/a", "old");
	put_text("/usrdata/b", "old");
	append_text("/usrdata/a", "1");
	append_text("/usrdata/b", "1");
	CUT(CUT_TORN, medium_ops.sync_all(medium()));
	bench_crash(SURVIVAL_NOTHING, 1);
	ck_assert(has_text("/usrdata/a", "old1"));
	ck_assert(has_text("/usrdata/b", "old"));
}
END_TEST

/* A few un-synced changes of many kinds, then the power goes; what is there then, in words. */
static void live_and_die(enum survival survival, uint64_t seed, char *words, size_t size)
{
	static const char *const paths[] = {"/first", "/second", "/moved", "/kept", "/directory", "/directory/in"};

	put_text("/usrdata/kept", "kept");
	put_text("/usrdata/moved", "old content");
	write_text("/usrdata/first", "first");
	write_text("/usrdata/second", "second content");
	ck_assert_int_eq(rename_to("/usrdata/second", "/usrdata/moved"), 0);
	ck_assert_int_eq(medium_ops.unlink(medium(), "/usrdata/kept"), 0);
	ck_assert_int_eq(medium_ops.mkdir(medium(), "/usrdata/directory", 0755), 0);
	ck_assert_int_eq(rename_to("/usrdata/first", "/usrdata/directory/in"), 0);
	bench_crash(survival, seed);
	*words = '\0';
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		size_t length = 0;
		size_t used = strlen(words);
		const uint8_t *data = medium_file(medium(), "usrdata", paths[i], false, &length);
		struct storage_stat stat;

		if (!medium_stat(medium(), "usrdata", paths[i], false, &stat))
			continue;
		/* bytes, and whether the last of them is not a zero */
		(void)snprintf(words + used, size - used, "%s %zu %d\n", paths[i], length,
		               length > 0 && data[length - 1] != 0);
	}
}

static void clean_up(void)
{
	static const char *const paths[] = {"/usrdata/first", "/usrdata/second", "/usrdata/directory/in"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		(void)medium_ops.unlink(medium(), paths[i]);
	(void)medium_ops.rmdir(medium(), "/usrdata/directory");
	ck_assert_int_eq(medium_ops.sync_all(medium()), 0);
}

START_TEST(one_seed_one_result)
{
	char first[512];
	char second[512];

	for (uint64_t seed = 0; seed < 50; seed++) {
		live_and_die((enum survival)_i, seed, first, sizeof(first));
		clean_up();
		live_and_die((enum survival)_i, seed, second, sizeof(second));
		clean_up();
		ck_assert_str_eq(first, second);
	}
}
END_TEST

START_TEST(some_does_everything)
{
	static const char *const wanted[] = {
		"/second 14 1\n/moved 11 1\n", /* only its rename lost */
		"/moved 0 0\n",                /* renamed, its content lost */
		"/moved 14 0\n",               /* the same, but with its size, or the half of it */
		"/moved 14 1\n",
		"/moved 11 1\n/kept 4 1\n",
		"/moved 11 1\n/directory 0 0\n",
		"/moved 14 1\n/kept 4 1\n/directory 0 0\n/directory/in 5 1\n",
	};
	unsigned found = 0;
	char words[512];

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		live_and_die(SURVIVAL_SOME, seed, words, sizeof(words));
		clean_up();
		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
			if (strstr(words, wanted[i]))
				found |= 1u << i;
		/* A file has one name. */
		ck_assert(!strstr(words, "/first") || !strstr(words, "/directory/in"));
	}
	ck_assert_uint_eq(found, (1u << (sizeof(wanted) / sizeof(wanted[0]))) - 1);
}
END_TEST

START_TEST(prefix_keeps_the_order)
{
	bool seen[4] = {false};

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		unsigned there = 0;

		put_text("/usrdata/f", "");
		append_text("/usrdata/f", "1");
		append_text("/usrdata/f", "2");
		append_text("/usrdata/f", "3");
		bench_crash(SURVIVAL_PREFIX, seed);
		there = has_text("/usrdata/f", "")      ? 0
		        : has_text("/usrdata/f", "1")   ? 1
		        : has_text("/usrdata/f", "12")  ? 2
		        : has_text("/usrdata/f", "123") ? 3
		                                        : 4;
		ck_assert_uint_lt(there, 4);
		seen[there] = true;
	}
	ck_assert(seen[0] && seen[1] && seen[2] && seen[3]);
}
END_TEST

START_TEST(some_keeps_an_unlink_without_its_create)
{
	bool old = false;
	bool gone = false;

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		put_text("/usrdata/f", "old");
		ck_assert_int_eq(medium_ops.unlink(medium(), "/usrdata/f"), 0);
		write_text("/usrdata/f", "new");
		sync_file("/usrdata/f");
		bench_crash(SURVIVAL_SOME, seed);
		if (is_missing("/usrdata/f")) {
			gone = true;
		} else {
			ck_assert(has_text("/usrdata/f", "old") || has_text("/usrdata/f", "new"));
			old |= has_text("/usrdata/f", "old");
		}
	}
	ck_assert(old && gone);
}
END_TEST

/* However much of a few renames is kept, the file itself is what was synced, and at one place. */
START_TEST(some_never_loses_or_doubles_a_file)
{
	static const char *const paths[] = {"/usrdata/a/f", "/usrdata/b/f", "/usrdata/c", "/usrdata/d"};
	bool seen[4] = {false};

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		int places = 0;

		ck_assert_int_eq(medium_ops.mkdir(medium(), "/usrdata/a", 0755), 0);
		put_text("/usrdata/a/f", "text");
		ck_assert_int_eq(medium_ops.mkdir(medium(), "/usrdata/b", 0755), 0);
		ck_assert_int_eq(rename_to("/usrdata/a/f", "/usrdata/b/f"), 0);
		ck_assert_int_eq(medium_ops.rmdir(medium(), "/usrdata/a"), 0);
		ck_assert_int_eq(rename_to("/usrdata/b/f", "/usrdata/c"), 0);
		ck_assert_int_eq(rename_to("/usrdata/c", "/usrdata/d"), 0);
		bench_crash(SURVIVAL_SOME, seed);
		for (size_t i = 0; i < 4; i++)
			if (!is_missing(paths[i])) {
				ck_assert(has_text(paths[i], "text"));
				ck_assert_int_eq(medium_ops.unlink(medium(), paths[i]), 0);
				seen[i] = true;
				places++;
			}
		ck_assert_int_eq(places, 1);
		(void)medium_ops.rmdir(medium(), "/usrdata/a");
		(void)medium_ops.rmdir(medium(), "/usrdata/b");
		ck_assert_int_eq(medium_ops.sync_all(medium()), 0);
	}
	ck_assert(seen[0] && seen[1] && seen[2] && seen[3]);
}
END_TEST

START_TEST(without_events_nothing_is_cut)
{
	struct medium_events *events = medium_events(medium());

	events->step = NULL;
	write_text("/usrdata/f", "text"); /* nobody asks: nothing is cut */
	ck_assert_uint_eq(bench_get()->steps, 0);
	ck_assert(has_text("/usrdata/f", "text"));
}
END_TEST

Suite *suite_settle(void)
{
	Suite *suite = suite_create("powercut survival");
	TCase *tcase = tcase_create("survival");

	tcase_add_checked_fixture(tcase, bench_setup, bench_teardown);
	tcase_add_test(tcase, cuts_of_whole_operations);
	tcase_add_test(tcase, torn_write);
	tcase_add_test(tcase, torn_sync);
	tcase_add_test(tcase, torn_sync_all);
	tcase_add_loop_test(tcase, one_seed_one_result, 0, SURVIVAL_COUNT);
	tcase_add_test(tcase, some_does_everything);
	tcase_add_test(tcase, prefix_keeps_the_order);
	tcase_add_test(tcase, some_keeps_an_unlink_without_its_create);
	tcase_add_test(tcase, some_never_loses_or_doubles_a_file);
	tcase_add_test(tcase, without_events_nothing_is_cut);
	suite_add_tcase(suite, tcase);
	return suite;
}
