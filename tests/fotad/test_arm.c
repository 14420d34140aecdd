/* SPDX-License-Identifier: Apache-2.0 */
/* Package and flag: both, or neither. */
#include "fotad/step.h"
#include "misc/misc.h"
#include "scene.h"
#include "storage/internal.h"
#include "suites.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SOURCE    "usrdata/cache/ufs/update.zip"
#define TARGET    "usrdata/cache/fota/ipth_package.bin"
#define COMMAND   "usrdata/cache/recovery/command"
#define MISC_SIZE 65536

static struct scene scene;
static struct storage *base;    /* over the scene */
static struct storage *storage; /* what the step gets: the same, with some operations spoiled */
static struct storage_ops ops;
static struct step_arm arm;
static struct error error;

/* What is spoiled. */
static bool other_file_system; /* the target's folder is one */
static uint64_t free_bytes;    /* 0: as it is */
static int misc_handle;
static int misc_writes;   /* so many of misc succeed; negative: all */
static int misc_failures; /* so many fail after that */

static int spoiled_rename(void *medium, const char *from, const char *to)
{
	if (other_file_system && strstr(from, "/ufs/") && strstr(to, "/fota/"))
		return -EXDEV;
	return base->ops->rename(medium, from, to);
}

static int spoiled_free_space(void *medium, const char *path, uint64_t *bytes)
{
	int err = base->ops->free_space(medium, path, bytes);

	if (free_bytes)
		*bytes = free_bytes;
	return err;
}

static int spoiled_open(void *medium, const char *path, enum storage_open_mode mode)
{
	int handle = base->ops->open(medium, path, mode);

	if (strcmp(path, "/dev/misc") == 0)
		misc_handle = handle;
	return handle;
}

static int spoiled_write(void *medium, int handle, uint64_t offset, const void *data, size_t length)
{
	if (handle == misc_handle && misc_writes >= 0 && misc_writes-- <= 0) {
		misc_writes = --misc_failures > 0 ? 0 : -1;
		return -EIO;
	}
	return base->ops->write(medium, handle, offset, data, length);
}

static void setup(void)
{
	static const char blank[MISC_SIZE];

	scene_open(&scene);
	(void)scene_put(&scene, "dev/misc", blank, sizeof(blank));
	(void)scene_put_text(&scene, SOURCE, "the package");
	ck_assert_int_eq(storage_open_linux(scene.root, NULL, NULL, &base, NULL), 0);
	ops = *base->ops;
	ops.rename = spoiled_rename;
	ops.free_space = spoiled_free_space;
	ops.open = spoiled_open;
	ops.write = spoiled_write;
	ck_assert_int_eq(storage_open_medium(&ops, base->medium, NULL, &storage, NULL), 0);
	other_file_system = false;
	free_bytes = 0;
	misc_handle = -1;
	misc_writes = -1;
	misc_failures = 1 << 20;
	arm = (struct step_arm){.storage = storage,
	                        .source = "/" SOURCE,
	                        .target = "/" TARGET,
	                        .misc = "misc",
	                        .command_path = "/" COMMAND,
	                        .update_max = 100};
}

static void teardown(void)
{
	storage_close(storage);
	storage_close(base);
	scene_close(&scene);
}

static int run(void)
{
	error = (struct error){0};
	scene_forget(&scene);
	return step_arm(&arm, &scene.output, &error);
}

static void check_file(const char *name, const char *text)
{
	size_t size;
	char *found = scene_get(&scene, name, &size);

	ck_assert_ptr_nonnull(found);
	ck_assert_str_eq(found, text);
	free(found);
}

static struct misc_message read_message(void)
{
	struct misc_message message;
	struct misc *misc;

	ck_assert_int_eq(misc_open(base, "misc", &misc, &error), 0);
	ck_assert_int_eq(misc_read_message(misc, &message, &error), 0);
	misc_close(misc);
	return message;
}

static void check_armed(const char *arguments)
{
	struct misc_message message = read_message();

	ck_assert(misc_is_armed(&message));
	ck_assert_str_eq(message.recovery, arguments);
	check_file(TARGET, "the package");
	ck_assert_int_eq(scene.percent, 100);
}

static void check_as_before(void)
{
	struct misc_message message = read_message();

	ck_assert(!misc_is_armed(&message));
	ck_assert_str_eq(message.recovery, "");
	check_file(SOURCE, "the package");
	ck_assert(!scene_has(&scene, TARGET));
	ck_assert(!scene_has(&scene, COMMAND));
}

static void check_misc_untouched(void)
{
	size_t size;
	char *misc = scene_get(&scene, "dev/misc", &size);

	ck_assert_uint_eq(size, MISC_SIZE);
	for (size_t i = 0; i < size; i++)
		ck_assert_int_eq(misc[i], 0);
	free(misc);
}

START_TEST(test_renamed)
{
	struct stat before;
	struct stat after;

	ck_assert_int_eq(stat(scene_path(&scene, SOURCE), &before), 0);
	ck_assert_int_eq(run(), 0);
	check_armed("recovery\n--update_package=/" TARGET "\n");
	ck_assert(!scene_has(&scene, SOURCE));
	ck_assert_int_eq(stat(scene_path(&scene, TARGET), &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
}
END_TEST

START_TEST(test_limited_urcs)
{
	arm.update_max = (unsigned)_i * 5;
	ck_assert_int_eq(run(), 0);
	check_armed(_i ? "recovery\n--update_package=/" TARGET "\n--update_urc_max=5\n"
	               : "recovery\n--update_package=/" TARGET "\n--update_urc_max=0\n");
}
END_TEST

START_TEST(test_in_place_already)
{
	(void)scene_put_text(&scene, TARGET, "the package");
	arm.source = arm.target;
	ck_assert_int_eq(run(), 0);
	check_armed("recovery\n--update_package=/" TARGET "\n");
	check_file(SOURCE, "the package");
}
END_TEST

/* An older package gives way. */
START_TEST(test_replaced)
{
	(void)scene_put_text(&scene, TARGET, "of old");
	ck_assert_int_eq(run(), 0);
	check_armed("recovery\n--update_package=/" TARGET "\n");
}
END_TEST

START_TEST(test_copied)
{
	other_file_system = true;
	ck_assert_int_eq(run(), 0);
	check_armed("recovery\n--update_package=/" TARGET "\n");
	check_file(SOURCE, "the package");
}
END_TEST

START_TEST(test_no_room_for_a_copy)
{
	other_file_system = true;
	free_bytes = 10;
	ck_assert_int_lt(run(), 0);
	ck_assert_int_eq(error.code, RESULT_TOO_LARGE);
	ck_assert_ptr_nonnull(strstr(error.message, "need 11 bytes, have 10"));
	ck_assert_str_eq(scene.output.object, "/" TARGET);
	check_as_before();
	check_misc_untouched();
}
END_TEST

START_TEST(test_no_package)
{
	ck_assert_int_eq(remove(scene_path(&scene, SOURCE)), 0);
	ck_assert_int_lt(run(), 0);
	ck_assert_int_eq(error.code, RESULT_ABNORMAL);
	ck_assert_ptr_nonnull(strstr(error.message, "/" SOURCE));
	check_misc_untouched();
}
END_TEST

START_TEST(test_no_misc)
{
	other_file_system = _i != 0;
	arm.misc = "nothing";
	ck_assert_int_lt(run(), 0);
	ck_assert_int_eq(error.code, RESULT_ABNORMAL);
	ck_assert_str_eq(scene.output.object, "nothing");
	check_as_before();
	check_misc_untouched();
}
END_TEST

/* The partition fails at its first write, its second one ...: never is anything armed without a package. */
START_TEST(test_failing_misc)
{
	int failed = 0;

	other_file_system = _i != 0;
	for (int writes = 0;; writes++) {
		misc_writes = writes;
		if (run() == 0)
			break;
		failed++;
		ck_assert_int_eq(error.code, RESULT_ABNORMAL);
		check_file(SOURCE, "the package");
		ck_assert(!scene_has(&scene, TARGET));
	}
	ck_assert_int_gt(failed, 0);
	misc_writes = -1;
	check_armed("recovery\n--update_package=/" TARGET "\n");
}
END_TEST

static void setup_again(void)
{
	teardown();
	setup();
}

/* Whatever failed, the next start of the system finds no upgrade that it would have to arm again. */
START_TEST(test_withdrawn)
{
	int failed = 0;

	for (int i = 0; i < 8 * 8; i++) {
		struct misc *misc;
		bool armed;

		setup_again();
		misc_writes = i / 8;
		misc_failures = 1 + i % 8;
		if (run() == 0)
			continue;
		failed++;
		check_as_before();
		ck_assert_int_eq(misc_open(base, "misc", &misc, &error), 0);
		ck_assert_int_eq(misc_resume(misc, base, "/" COMMAND, &armed, &error), 0);
		ck_assert(!armed);
		misc_close(misc);
	}
	ck_assert_int_gt(failed, 0);
}
END_TEST

START_TEST(test_arguments_too_long)
{
	static char target[900];

	memset(target, 'x', sizeof(target) - 1);
	for (size_t i = 0; i < sizeof(target) - 1; i += 100)
		target[i] = '/';
	arm.target = target;
	ck_assert_int_lt(run(), 0);
	check_as_before();
	check_misc_untouched();
}
END_TEST

Suite *suite_arm(void)
{
	Suite *suite = suite_create("arm");
	TCase *tests = tcase_create("arm");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_renamed);
	tcase_add_loop_test(tests, test_limited_urcs, 0, 2);
	tcase_add_test(tests, test_in_place_already);
	tcase_add_test(tests, test_replaced);
	tcase_add_test(tests, test_copied);
	tcase_add_test(tests, test_no_room_for_a_copy);
	tcase_add_test(tests, test_no_package);
	tcase_add_loop_test(tests, test_no_misc, 0, 2);
	tcase_add_loop_test(tests, test_failing_misc, 0, 2);
	tcase_add_test(tests, test_withdrawn);
	tcase_add_test(tests, test_arguments_too_long);
	suite_add_tcase(suite, tests);
	return suite;
}
