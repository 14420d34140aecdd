/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct world w;

static void setup(void)
{
	world_start(&w);
}

static void teardown(void)
{
	world_end(&w);
}

/* A list of what keep_only() leaves; its NULs are between the letters and paths. */
#define KEEP(text) text, sizeof(text)

static void put_mixed_tree(void)
{
	char real[512];

	world_put_text(&w, "/system/bin/kept", "kept");
	world_put_text(&w, "/system/bin/other", "goes");
	world_put_text(&w, "/system/now-file/deep/x", "goes with its directories");
	world_put_text(&w, "/system/now-directory", "goes");
	world_put_text(&w, "/system/now-link", "goes");
	world_put_text(&w, "/system/firmware/image/modem", "another part's");
	world_put_text(&w, "/system/not/listed/tree/x", "listed");
	world_put_text(&w, "/system/kept-not/x", "goes");
	ck_assert_int_eq(symlink("../data", world_path(&w, "/system/link", real)), 0);
	ck_assert_int_eq(symlink("../data", world_path(&w, "/system/now-plain", real)), 0);
	ck_assert_int_eq(mkfifo(world_path(&w, "/system/fifo", real), 0600), 0);
	ck_assert_int_eq(mkfifo(world_path(&w, "/system/now-no-fifo", real), 0600), 0);
	world_put_text(&w, "/data/x", "not below");
}

static void expect_kept_tree(void)
{
	char real[512];
	char target[16];
	static const char *const gone[] = {"/system/bin/other",   "/system/now-file", "/system/now-directory",
	                                   "/system/now-link",    "/system/kept-not", "/system/now-plain",
	                                   "/system/now-no-fifo", "/system/not/empty"};

	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		ck_assert_msg(!world_exists(&w, gone[i]), "%s", gone[i]);
	world_expect_text(&w, "/system/bin/kept", "kept");
	world_expect_text(&w, "/system/firmware/image/modem", "another part's");
	world_expect_text(&w, "/system/not/listed/tree/x", "listed");
	world_expect_text(&w, "/data/x", "not below");
	ck_assert_int_eq(readlink(world_path(&w, "/system/link", real), target, sizeof(target)), 7);
	ck_assert(world_exists(&w, "/system/fifo"));
}

static const char kept_list[] =
	"d.\0dbin\0fbin/kept\0fnow-file\0dnow-directory\0lnow-link\0*firmware\0*not/listed/tree\0"
	"llink\0fnow-plain\0nfifo\0fnow-no-fifo\0fnot-there";

/* Power goes at each operation, each run gets one further than the one before. */
START_TEST(test_keep_only)
{
	char *before;
	char *after;

	world_add(&w, "keep.list", kept_list, sizeof(kept_list), 0644);
	put_mixed_tree();
	before = world_snapshot(&w);
	w.dry_run = true;
	world_yields(&w, "keep_only(\"/system\", \"keep.list\")", "t");
	after = world_snapshot(&w);
	ck_assert_str_eq(after, before);
	free(before);
	free(after);
	w.dry_run = false;
	ck_assert_uint_gt(world_run_with_cuts(&w, "keep_only(\"/system\", \"keep.list\")"), 5);
	expect_kept_tree();
	before = world_snapshot(&w);
	world_yields(&w, "keep_only(\"/system/\", \"keep.list\")", "t");
	after = world_snapshot(&w);
	ck_assert_str_eq(after, before);
	free(before);
	free(after);
}
END_TEST

START_TEST(test_keep_only_refuses)
{
	world_put_text(&w, "/system/bin/x", "stays");
	world_add(&w, "good", KEEP("fother"), 0644);
	world_add(&w, "empty", "", 0, 0644);
	world_add(&w, "open", "fother", 6, 0644);
	world_add(&w, "letter", KEEP("xother"), 0644);
	world_add(&w, "nameless", KEEP("f"), 0644);
	world_add(&w, "hole", KEEP("fother\0"), 0644);
	world_add(&w, "absolute", KEEP("f/other"), 0644);
	world_aborts(&w, "keep_only(\"/system\", \"none\")", "none");
	world_aborts(&w, "keep_only(\"/system\", \"empty\")", "not a list");
	world_aborts(&w, "keep_only(\"/system\", \"open\")", "not a list");
	world_aborts(&w, "keep_only(\"/system\", \"letter\")", "not a list");
	world_aborts(&w, "keep_only(\"/system\", \"nameless\")", "not a list");
	world_aborts(&w, "keep_only(\"/system\", \"hole\")", "not a list");
	world_aborts(&w, "keep_only(\"/system\", \"absolute\")", "not a list");
	world_aborts(&w, "keep_only(\"/\", \"good\")", "root directory");
	world_aborts(&w, "keep_only(\"/none\", \"good\")", "/none");
	world_aborts(&w, "keep_only(\"/system/bin/x\", \"good\")", "/system/bin/x");
	world_aborts(&w, "keep_only(\"/system/../system\", \"good\")", "..");
	world_expect_text(&w, "/system/bin/x", "stays");
}
END_TEST

START_TEST(test_is_directory)
{
	char real[512];

	world_put_text(&w, "/system/dir/x", "");
	ck_assert_int_eq(symlink("dir", world_path(&w, "/system/link", real)), 0);
	world_yields(&w, "is_directory(\"/system/dir\")", "t");
	world_yields(&w, "is_directory(\"/system/dir/x\")", "");
	world_yields(&w, "is_directory(\"/system/link\")", "");
	world_yields(&w, "is_directory(\"/system/none\")", "");
}
END_TEST

/* Seen by the operation that it costs. The first run of all has one more than the others, for the journal. */
START_TEST(test_sync)
{
	unsigned without;

	world_yields(&w, "t", "t");
	world_yields(&w, "t", "t");
	without = w.steps;
	world_yields(&w, "sync()", "t");
	ck_assert_uint_eq(w.steps, without + 1);
	w.cut_at = 1;
	world_aborts(&w, "sync()", "sync");
	w.cut_at = 0;
	w.dry_run = true;
	world_yields(&w, "sync()", "t");
	ck_assert_uint_eq(w.steps, 0);
}
END_TEST

Suite *suite_keep(void)
{
	Suite *suite = suite_create("keep");
	TCase *tc = tcase_create("keep");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_keep_only);
	tcase_add_test(tc, test_keep_only_refuses);
	tcase_add_test(tc, test_is_directory);
	tcase_add_test(tc, test_sync);
	suite_add_tcase(suite, tc);
	return suite;
}
