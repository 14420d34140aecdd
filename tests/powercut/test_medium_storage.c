/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/test_medium.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The storage room's own promises over these media: a cut at any of its steps leaves old or new. */

static struct storage *storage;

static void setup(void)
{
	static const char fstab[] = "/usrdata ubifs usrdata\n/misc mtd misc\n";

	bench_setup();
	medium_add_root_file(bench_get()->medium, "/res/recovery.fstab", fstab, sizeof(fstab) - 1);
	ck_assert_int_eq(storage_open_medium(&medium_ops, bench_get()->medium, NULL, &storage, NULL), 0);
}

static void teardown(void)
{
	storage_close(storage);
	bench_teardown();
}

/* What only one step of an operation meets: its index-th. */
static unsigned at_step(void *ctx, const struct cut_point *point)
{
	struct bench *bench = ctx;

	bench->tears = point->tears;
	if (bench->steps-- > 0)
		return CUT_NONE;
	bench->steps = 0;
	return bench->decision < CUT_TORN + point->tears ? bench->decision : CUT_AFTER;
}

enum outcome { WAS_OLD, WAS_NEW, WAS_BROKEN, WAS_NOT_CUT };

/* Replace a file, cut at a step; what is there after the next boot. */
static enum outcome save_cut(enum survival survival, unsigned step, unsigned decision)
{
	struct bench *bench = bench_get();

	bench->steps = step;
	bench->decision = decision;
	medium_events(bench->medium)->step = at_step;
	if (setjmp(bench->power_off) == 0)
		return storage_save(storage, "/cache/file", "new content", 11, 0644, NULL) < 0 ? WAS_BROKEN
		                                                                               : WAS_NOT_CUT;
	bench_crash(survival, step);
	if (has_text("/cache/file", "new content") && mode_of("/cache/file") == 0644)
		return WAS_NEW;
	return has_text("/cache/file", "old") && mode_of("/cache/file") == 0600 ? WAS_OLD : WAS_BROKEN;
}

/* In a process of its own: what the storage room held when the power went is lost in it, as on a module. */
static enum outcome save_cut_apart(enum survival survival, unsigned step, unsigned decision)
{
	int status = 0;
	pid_t child = fork();

	ck_assert_int_ge(child, 0);
	if (child == 0)
		_exit((int)save_cut(survival, step, decision));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	return (enum outcome)WEXITSTATUS(status);
}

START_TEST(a_saved_file_is_old_or_new)
{
	unsigned count[WAS_NOT_CUT + 1] = {0};

	medium_put_file(bench_get()->medium, "usrdata", "/cache/file", "old", 3, 0600);
	for (unsigned decision = CUT_BEFORE; decision < CUT_TORN + 2; decision++) {
		enum outcome outcome = WAS_OLD;

		for (unsigned step = 0; outcome != WAS_NOT_CUT; step++) {
			outcome = save_cut_apart((enum survival)_i, step, decision);
			ck_assert_msg(outcome != WAS_BROKEN, "step %u, decision %u", step, decision);
			count[outcome]++;
		}
	}
	ck_assert_uint_eq(count[WAS_NOT_CUT], CUT_TORN + 1);
	ck_assert_uint_eq(count[WAS_OLD] + count[WAS_NEW],
	                  UINTMAX_C(6) * (CUT_TORN + 1)); /* create ... sync of the directory */
	ck_assert_uint_ge(count[WAS_OLD], 1);
	ck_assert_uint_ge(count[WAS_NEW], CUT_TORN);
}
END_TEST

START_TEST(mounting_by_fstab)
{
	bool mounted;

	medium_crash(bench_get()->medium, SURVIVAL_NOTHING, 1);
	ck_assert_int_eq(storage_is_mounted(storage, "/usrdata", &mounted, NULL), 0);
	ck_assert(!mounted);
	ck_assert_int_eq(storage_mount_for(storage, "/cache/file", NULL), 0); /* through the link */
	ck_assert_int_eq(storage_is_mounted(storage, "/usrdata", &mounted, NULL), 0);
	ck_assert(mounted);
}
END_TEST

START_TEST(writers_of_partitions_and_volumes)
{
	static const char *const names[] = {"MTD:misc", "UBI:modem"};
	static char data[10000];
	char back[sizeof(data)];

	memset(data, 'n', sizeof(data));
	medium_wear_out(bench_get()->medium, "misc", 1, 1);
	for (size_t i = 0; i < 2; i++) {
		struct storage_writer *writer;
		struct storage_name name;

		ck_assert_int_eq(storage_name_parse(names[i], &name, NULL), 0);
		ck_assert_int_eq(storage_writer_open(storage, &name, sizeof(data), NULL, &writer, NULL), 0);
		ck_assert_int_eq(storage_writer_write(writer, data, sizeof(data), NULL), 0);
		ck_assert_int_eq(storage_writer_commit(writer, NULL, NULL), 0);
	}
	medium_crash(bench_get()->medium, SURVIVAL_NOTHING, 1);
	ck_assert(medium_read_nand(bench_get()->medium, "misc", back, sizeof(back)));
	ck_assert_mem_eq(back, data, sizeof(data));
	ck_assert(medium_read_volume(bench_get()->medium, "modem", back, sizeof(back)));
	ck_assert_mem_eq(back, data, sizeof(data));
}
END_TEST

Suite *suite_storage(void)
{
	Suite *suite = suite_create("powercut storage");
	TCase *tcase = tcase_create("storage");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, a_saved_file_is_old_or_new, 0, SURVIVAL_COUNT);
	tcase_add_test(tcase, mounting_by_fstab);
	tcase_add_test(tcase, writers_of_partitions_and_volumes);
	suite_add_tcase(suite, tcase);
	return suite;
}
