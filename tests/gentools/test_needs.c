/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IMAGE_SIZE   50000u
#define PATCHED_SIZE 40000u
#define NEW_SIZE     30000u
#define GONE_SIZE    10000u

static const struct item source[] = {
	ITEM_NOISE("BOOTABLE_IMAGES/boot.img", IMAGE_SIZE, 1), ITEM_NOISE("SYSTEM/patched", PATCHED_SIZE, 1),
	ITEM_NOISE("SYSTEM/gone", GONE_SIZE, 1), ITEM_FILE("SYSTEM/firmware/same", 0644, "modem"), ITEM_END};

static const struct item target[] = {
	ITEM_NOISE("BOOTABLE_IMAGES/boot.img", IMAGE_SIZE, 2), ITEM_NOISE("SYSTEM/patched", PATCHED_SIZE, 2),
	ITEM_NOISE("SYSTEM/new", NEW_SIZE, 9), ITEM_FILE("SYSTEM/firmware/same", 0644, "modem"), ITEM_END};

/* The number in the log behind these words. */
static unsigned long long figure(const struct run *run, const char *words)
{
	const char *at = strstr(run->log, words);

	ck_assert_msg(at != NULL, "\"%s\" is not in: %s", words, run->log);
	return strtoull(at + strlen(words), NULL, 10);
}

START_TEST(tells_what_it_needs)
{
	unsigned long long room;
	struct run run;

	run_start(&run, "a", source, target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	ck_assert_uint_eq(figure(&run, "needs: package "), run.block.size);
	/* The old image is kept in /cache while it is overwritten, with a header and the updater's journal beside it.
	 */
	ck_assert_uint_ge(figure(&run, "in /cache "), IMAGE_SIZE);
	ck_assert_uint_lt(figure(&run, "in /cache "), IMAGE_SIZE + 8192);
	/* Both the old and the new file lie there for a moment. */
	room = figure(&run, "room of the root file system ");
	ck_assert_uint_ge(room, PATCHED_SIZE - GONE_SIZE);
	ck_assert_uint_le(room, PATCHED_SIZE + NEW_SIZE);
	ck_assert_uint_eq(figure(&run, "of the modem's "), 0);
	ck_assert_uint_ge(figure(&run, "costs: "), IMAGE_SIZE + IMAGE_SIZE + PATCHED_SIZE + NEW_SIZE);
	ck_assert_uint_gt(figure(&run, "memory "), 300000);
	ck_assert_uint_gt(figure(&run, "bytes written, about "), 0);
	run_end(&run);
}
END_TEST

/* Generate once more with this limit as needed, less a few bytes. */
static int generate_within(const struct run *run, int limit, unsigned long long bytes, struct error *error)
{
	struct gen_options options = {.parts = GEN_ALL};
	uint64_t *limits[] = {&options.limits.package, &options.limits.scratch, &options.limits.memory};
	struct log silent = {0};
	char paths[3][96];

	(void)snprintf(paths[0], sizeof(paths[0]), "%s/source.zip", run->folder);
	(void)snprintf(paths[1], sizeof(paths[1]), "%s/target.zip", run->folder);
	(void)snprintf(paths[2], sizeof(paths[2]), "%s/limited.zip", run->folder);
	options.source = paths[0];
	options.target = paths[1];
	options.output = paths[2];
	*limits[limit] = bytes;
	(void)unlink(paths[2]); /* need not be there */
	if (gen_make_package(&options, &silent, error) == 0)
		return access(paths[2], F_OK);
	ck_assert_int_ne(access(paths[2], F_OK), 0);
	return -EFBIG;
}

START_TEST(keeps_the_limits)
{
	static const char *const words[] = {"needs: package ", "in /cache "};
	static const char *const names[] = {"package: ", "/cache beside the package: "};
	unsigned long long need;
	char told[96];
	struct error error;
	struct run run;

	run_start(&run, "a", source, target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	need = figure(&run, words[_i]);
	ck_assert_int_eq(generate_within(&run, _i, need, &error), 0);
	ck_assert_int_eq(generate_within(&run, _i, need - 1, &error), -EFBIG);
	(void)snprintf(told, sizeof(told), "%s%llu bytes are needed, at most %llu are allowed", names[_i], need,
	               need - 1);
	ck_assert_msg(strstr(error.message, told) != NULL, "\"%s\" is not in: %s", told, error.message);
	run_end(&run);
}
END_TEST

/* Patches are made so that they keep it, until nothing but the updater itself is left to take memory. */
START_TEST(keeps_memory)
{
	const char *told;
	unsigned long long need, least;
	struct error error;
	struct run run;

	run_start(&run, "a", source, target);
	ck_assert_msg(run.result == 0, "%s", run.error.message);
	need = figure(&run, "memory ");
	ck_assert_int_eq(generate_within(&run, 2, need, &error), 0);
	ck_assert_int_eq(generate_within(&run, 2, need - 1, &error), 0);
	ck_assert_int_eq(generate_within(&run, 2, 1, &error), -EFBIG);
	told = strstr(error.message, "memory: ");
	ck_assert_msg(told != NULL, "%s", error.message);
	least = strtoull(told + strlen("memory: "), NULL, 10);
	ck_assert_uint_lt(least, need);
	ck_assert_int_eq(generate_within(&run, 2, least, &error), 0);
	ck_assert_int_eq(generate_within(&run, 2, least - 1, &error), -EFBIG);
	run_end(&run);
}
END_TEST

TCase *needs_tests(void)
{
	TCase *tests = tcase_create("needs");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, tells_what_it_needs);
	tcase_add_loop_test(tests, keeps_the_limits, 0, 2);
	tcase_add_test(tests, keeps_memory);
	return tests;
}
