/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/chain.h"
#include "gentools/matrix.h"
#include "harness.h"
#include "shell.h"
#include "suites.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NONE CHAIN_IMPOSSIBLE

/* The field report's case (spec/requirements.md 94): 480 KB fit, the direct package has 550. */
START_TEST(three_in_a_chain)
{
	uint64_t bytes[] = {NONE, 300000, 550000, NONE, NONE, 400000, NONE, NONE, NONE};
	struct chain_sizes sizes = {.count = 3, .bytes = bytes};
	struct chain_way way;

	ck_assert(chain_find(&sizes, 0, 2, 480000, &way));
	ck_assert_uint_eq(way.hops, 2);
	ck_assert_uint_eq(way.version[0], 0);
	ck_assert_uint_eq(way.version[1], 1);
	ck_assert_uint_eq(way.version[2], 2);
	ck_assert_uint_eq(way.bytes, 700000);
	/* With room for it the direct one is better, though larger than each hop. */
	ck_assert(chain_find(&sizes, 0, 2, 550000, &way));
	ck_assert_uint_eq(way.hops, 1);
	ck_assert(!chain_find(&sizes, 0, 2, 399999, &way));
	ck_assert(!chain_find(&sizes, 2, 0, UINT64_MAX - 1, &way));
	ck_assert(chain_find(&sizes, 1, 1, 0, &way));
	ck_assert_uint_eq(way.hops, 0);
	ck_assert_uint_eq(way.version[0], 1);
}
END_TEST

/* Of ways with as many hops the one with the fewest bytes, whatever order they are found in. */
START_TEST(fewest_bytes)
{
	enum { COUNT = 6 };
	uint64_t bytes[COUNT * COUNT];
	struct chain_sizes sizes = {.count = COUNT, .bytes = bytes};
	struct chain_way way;

	for (unsigned i = 0; i < COUNT * COUNT; i++)
		bytes[i] = NONE;
	for (unsigned middle = 1; middle < COUNT - 1; middle++) {
		bytes[middle] = 100;
		bytes[middle * COUNT + COUNT - 1] = middle == 3 ? 50 : 90 + middle;
	}
	/* Smaller, but a hop more. */
	bytes[1 * COUNT + 2] = 1;
	ck_assert(chain_find(&sizes, 0, COUNT - 1, 1000, &way));
	ck_assert_uint_eq(way.hops, 2);
	ck_assert_uint_eq(way.version[1], 3);
	ck_assert_uint_eq(way.bytes, 150);
}
END_TEST

static char heard[131072];

static void hear(void *ctx, const char *text)
{
	size_t used = strlen(heard);

	(void)ctx;
	(void)snprintf(heard + used, sizeof(heard) - used, "%s\n", text);
}

static int remove_each(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void write_version(const char *folder, const char *name, const struct item *items)
{
	char path[200];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/%s/targetfiles.zip", folder, name);
	write_firmware(path, items);
}

/* Three versions whose noise grows: each step is small, the way over all is not. */
static void write_versions(const char *folder)
{
	static const struct item old[] = {ITEM_FILE("SYSTEM/x", 0644, "0"), ITEM_END};
	static const struct item next[] = {ITEM_NOISE("SYSTEM/a", 9000, 0), ITEM_END};
	static const struct item last[] = {ITEM_NOISE("SYSTEM/a", 9000, 0), ITEM_NOISE("SYSTEM/b", 20000, 7), ITEM_END};

	write_version(folder, "V9", old);
	write_version(folder, "V10", next);
	write_version(folder, "V11", last);
}

START_TEST(real_versions)
{
	char folder[] = "/tmp/test_gentools.XXXXXX";
	struct matrix_options options = {
		.versions = folder, .package.parts = GEN_ALL, .jobs = 2, .limit = UINT64_MAX - 1};
	struct log log = {.line = hear};
	struct matrix matrix;
	struct error error = {0};
	uint64_t direct;

	heard[0] = '\0';
	ck_assert_ptr_nonnull(mkdtemp(folder));
	write_versions(folder);
	ck_assert_msg(matrix_make(&matrix, &options, &log, &error) == 0, "%s", error.message);
	ck_assert_uint_eq(matrix.sizes.count, 3);
	ck_assert_str_eq(matrix.names[0], "V9");
	ck_assert_str_eq(matrix.names[2], "V11");
	ck_assert_ptr_nonnull(strstr(heard, "package 3 of 3"));
	ck_assert_int_eq(matrix_print(&matrix, &options, &log, &error), 0);
	ck_assert_ptr_nonnull(strstr(heard, "chain: V9 -> V11 (1 package,"));
	direct = matrix.sizes.bytes[2];
	ck_assert_uint_gt(direct, matrix.sizes.bytes[1]);
	ck_assert_uint_gt(direct, matrix.sizes.bytes[5]);
	matrix_free(&matrix);

	/* Again: nothing is made; now the direct one does not fit. */
	heard[0] = '\0';
	options.limit = direct - 1;
	ck_assert_int_eq(matrix_make(&matrix, &options, &log, &error), 0);
	ck_assert_ptr_null(strstr(heard, "package"));
	ck_assert_int_eq(matrix_print(&matrix, &options, &log, &error), 0);
	ck_assert_ptr_nonnull(strstr(heard, "chain: V9 -> V10 -> V11 (2 packages"));
	ck_assert_ptr_nonnull(strstr(heard, "V9 to V11: too large"));
	matrix_free(&matrix);
	options.from = "V11";
	options.to = "V9";
	ck_assert_int_eq(matrix_make(&matrix, &options, &log, &error), 0);
	ck_assert_int_eq(matrix_print(&matrix, &options, &log, &error), -ENOENT);
	matrix_free(&matrix);
	options.from = "V12";
	ck_assert_int_eq(matrix_make(&matrix, &options, &log, &error), -EINVAL);
	matrix_free(&matrix);
	ck_assert_int_eq(nftw(folder, remove_each, 16, FTW_DEPTH | FTW_PHYS), 0);
}
END_TEST

/* A version that cannot be read, a result that is cut off or is another pair's. */
START_TEST(trouble)
{
	char folder[] = "/tmp/test_gentools.XXXXXX";
	struct matrix_options options = {
		.versions = folder, .package.parts = GEN_ALL, .jobs = 2, .limit = UINT64_MAX - 1};
	struct log log = {.line = hear};
	struct matrix matrix;
	struct error error = {0};
	char path[200];
	FILE *file;

	heard[0] = '\0';
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(matrix_make(&matrix, &options, &log, &error), -ENOENT);
	matrix_free(&matrix);
	write_versions(folder);
	(void)snprintf(path, sizeof(path), "%s/V10/targetfiles.zip", folder);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs("no archive", file), 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_msg(matrix_make(&matrix, &options, &log, &error) == 0, "%s", error.message);
	ck_assert_int_eq(matrix_print(&matrix, &options, &log, &error), 0);
	ck_assert_ptr_nonnull(strstr(heard, "V9 to V10: impossible: "));
	ck_assert_ptr_nonnull(strstr(heard, "chain: V9 -> V11"));
	matrix_free(&matrix);
	(void)snprintf(path, sizeof(path), "%s/results/V9--V11.txt", folder);
	ck_assert_int_eq(truncate(path, 20), 0);
	heard[0] = '\0';
	ck_assert_int_eq(matrix_make(&matrix, &options, &log, &error), 0);
	ck_assert_ptr_nonnull(strstr(heard, "V9 to V11: package 1 of 1"));
	matrix_free(&matrix);
	ck_assert_int_eq(nftw(folder, remove_each, 16, FTW_DEPTH | FTW_PHYS), 0);
}
END_TEST

/* Neither the table nor the chain is cut, however long their lines. */
START_TEST(many_versions)
{
	enum { COUNT = 40 };
	static char names[COUNT][40];
	static uint64_t bytes[COUNT * COUNT];
	static char *reasons[COUNT * COUNT];
	struct matrix matrix = {.sizes = {.count = COUNT, .bytes = bytes}, .to = COUNT - 1, .reasons = reasons};
	struct matrix_options options = {.limit = UINT64_MAX - 1};
	struct log log = {.line = hear};
	struct error error;

	for (unsigned i = 0; i < COUNT; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "RG500QEAAAR11A06M4G_01.001.01.%03u", i);
		matrix.names[i] = names[i];
		for (unsigned k = 0; k < COUNT; k++)
			bytes[i * COUNT + k] = k == i + 1 ? 1000 + i : NONE;
	}
	heard[0] = '\0';
	ck_assert_int_eq(matrix_print(&matrix, &options, &log, &error), 0);
	ck_assert_ptr_nonnull(strstr(heard, "01.039  \n"));
	ck_assert_ptr_nonnull(strstr(heard, " 1038  \n"));
	ck_assert_ptr_nonnull(strstr(heard, " -> RG500QEAAAR11A06M4G_01.001.01.039 (39 packages, 39741 bytes)\n"));
}
END_TEST

#define PLAN "mkdir all && mv v1 v2 all && $gen plan --versions all "

static const char *const truths[] = {
	/* A plan's packages as jobs of their own, whatever the versions are called; what is known is not made again. */
	"mkdir -p \"all/a'b c/upgrade\" && mv v1/* \"all/a'b c/upgrade\" && mv v2 all && $gen plan --versions all "
	"--list >jobs "
	"&& test $(wc -l <jobs) = 1 && PATH=$(dirname $gen):$PATH sh ./jobs >out && grep -q \"^a'b c to v2: [0-9]* "
	"bytes$\" "
	"out && "
	"$gen plan --versions all --list >jobs && ! test -s jobs && $gen plan --versions all >out && "
	"! grep -q 'package 1' out && grep -q \"^chain: a'b c -> v2\" out",
	PLAN
	"--back --list >jobs && test $(wc -l <jobs) = 2 && $gen plan --versions all --pair --from v2 --to v1 >out && "
	"test $(wc -l <out) = 1 && $gen plan --versions all --back --list | grep -q -- \"--from 'v1' --to 'v2'$\" && "
	"! $gen plan --versions all --back --list | grep 'from .v2'",
	PLAN "--pair --from v1 2>err >out; test $? = 2 && grep -q 'needs --from and --to' err",
	PLAN "--pair --from v1 --to v2 --limit 1K >out && grep -q '^v1 to v2: too large: ' out",
	/* Results are of the packages that are asked for, and of what the modules have, in bytes. */
	PLAN
	"--max-scratch 3m --max-memory 5G >out && grep -q ' scratch 3145728 memory 5368709120 ' all/results/v1--v2.txt",
	PLAN
	">a && $gen plan --versions all --compat native --list | grep -q . && $gen plan --versions all --compat native "
	">b && grep -q 'package 1 of 1' b && ! test \"$(tail -n 1 a)\" = \"$(tail -n 1 b)\"",
	PLAN "--compat native --leb 4K --erase-block 8K >out && grep -q ' leb 4096 block 8192 ' all/results/v1--v2.txt",
	PLAN "--max-memory 1M >out 2>err; test $? = 3 && grep -q '^v1 to v2: impossible: memory: ' out && "
	     "grep -q 'no chain of packages leads from v1 to v2' err && $gen plan --versions all >out",
	PLAN "--max-scratch 1 >out; test $? = 3 && grep -q '^v1 to v2: impossible: room in /cache ' out",
	PLAN
	">a && openssl genpkey -algorithm ed25519 -out k && $gen plan --versions all --sign k >b && "
	"openssl genpkey -algorithm x25519 | openssl pkey -pubout -out p && $gen plan --versions all --encrypt p >c && "
	"n() { sed -n 's/^chain.*package, \\([0-9]*\\) bytes)/\\1/p' $1; } && test $(n b) -gt $(n a) && "
	"test $(n c) = $(($(n a) + 112))",
	PLAN
	">a && echo SYSTEM/a >quectel_noota_filelist.txt && $gen plan --versions all --lists . >b && "
	"! test \"$(tail -n 1 a)\" = \"$(tail -n 1 b)\" && echo / >quectel_noota_filelist.txt && "
	"{ $gen plan --versions all --lists . >c; test $? = 3; } && grep -q '^v1 to v2: impossible: nothing to do' c",
	"mkdir -p r/v1--v2.txt; " PLAN
	"--results r >out 2>err; test $? = 1 && grep -q 'v1--v2.txt: Is a directory' err",
	/* A failure of this machine says nothing about the versions. */
	"export TMPDIR=$PWD/none; " PLAN "2>err >out; test $? = 1 && grep -q none: err && unset TMPDIR && "
	"$gen plan --versions all >out && grep -q '^chain: v1 -> v2' out",
	/* What a module refuses is no way. */
	SHELL_UNPACK
	"for v in 1 2; do echo $v >d$v/SYSTEM/etc/quectel-rollback-index; (cd d$v && zip -qry0 ../new ./*); "
	"mv new.zip v$v/targetfiles.zip; done; " PLAN "--back --from v2 --to v1 >out; test $? = 3 && "
	"grep -q '^v2 to v1: impossible: the rollback index falls from 2 to 1' out",
};

START_TEST(options)
{
	shell_check(truths[_i]);
}
END_TEST

TCase *chain_tests(void)
{
	TCase *tests = tcase_create("chain");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, three_in_a_chain);
	tcase_add_test(tests, fewest_bytes);
	tcase_add_test(tests, real_versions);
	tcase_add_test(tests, many_versions);
	tcase_add_test(tests, trouble);
	tcase_add_loop_test(tests, options, 0, sizeof(truths) / sizeof(truths[0]));
	return tests;
}
