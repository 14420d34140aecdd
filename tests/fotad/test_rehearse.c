/* SPDX-License-Identifier: Apache-2.0 */
/* The dry run in normal mode: below a root, and in the view of the system that runs this test. */
#include "scene.h"
#include "suites.h"
#include "tests/package/craft.h"
#include "tests/package/signing.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define UPDATER PROGRAMS "/updater"

/* What fstab the view gets, and its SHA-1; the SHA-1 of nothing that is there. */
#define FSTAB      "# comment\n/extra tmpfs fota-probe\n/a/b mtd none\n"
#define FSTAB_SHA1 "\"5e786217eb97959a8f6a49421fc4c7cc9fd350bd\""
#define FOREIGN    "\"0123456789012345678901234567890123456789\""

static struct scene scene;
static struct error error;
static struct step_rehearse rehearse;

static void setup(void)
{
	scene_open(&scene);
	(void)scene_put_text(&scene, "root/cache/x", "");
	(void)scene_put_text(&scene, "root/system/a", "as it was");
	(void)scene_put_text(&scene, "root/system/b", "as it was");
	rehearse = (struct step_rehearse){.updater = UPDATER, .root = strdup(scene_path(&scene, "root"))};
}

static void teardown(void)
{
	free((char *)rehearse.root);
	free((char *)rehearse.package);
	scene_close(&scene);
}

static void make_package(const char *script)
{
	struct craft craft;

	craft_start(&craft);
	if (script)
		craft_add_text(&craft, PACKAGE_SCRIPT, script);
	craft_add_text(&craft, "x", "x");
	craft_finish(&craft, NULL, 0);
	free((char *)rehearse.package);
	rehearse.package = strdup(scene_put(&scene, "update.zip", craft.bytes, craft.size));
	craft_free(&craft);
}

static int run(void)
{
	scene_forget(&scene);
	error = (struct error){0};
	return step_rehearse(&rehearse, &scene.output, &error);
}

/* Fails with this code, and a message that holds the text. */
static void check_fails(int code, const char *text)
{
	ck_assert_int_lt(run(), 0);
	ck_assert_int_eq(error.code, code);
	ck_assert_msg(strstr(error.message, text) != NULL, "\"%s\" is not in \"%s\"", text, error.message);
}

static char *script_for(const char *path, const char *digest)
{
	static char script[512];

	(void)snprintf(script, sizeof(script),
	               "show_progress(0.5, 0);\nassert(apply_patch_check(\"%s\", %s));\nset_progress(0.5);\n"
	               "delete(\"/system/b\");\n",
	               path, digest);
	return script;
}

START_TEST(test_fits)
{
	make_package("apply_patch_space(1) || abort(\"space\"); delete(\"/system/b\");");
	ck_assert_int_eq(run(), 0);
	ck_assert_int_eq(scene.percent, 100);
	ck_assert_str_eq(scene.output.object, "");
	ck_assert(scene_has(&scene, "root/system/b"));
}
END_TEST

/* A file that someone pushed: named, with all others, and nothing is changed. */
START_TEST(test_foreign_files)
{
	make_package("assert(apply_patch_check(\"/system/b\", " FOREIGN "));\n"
	             "assert(apply_patch_check(\"/system/none\", " FOREIGN "));\n"
	             "assert(apply_patch_check(\"/system/a\", " FOREIGN "));\ndelete(\"/system/b\");\n");
	check_fails(RESULT_VERIFY, "3 mismatches, the first: /system/b: expected 0123456789");
	ck_assert_str_eq(scene.output.object, "/system/b");
	ck_assert_ptr_nonnull(strstr(scene.log, "/system/a: expected 0123456789"));
	ck_assert_ptr_nonnull(strstr(scene.log, "/system/b: expected 0123456789"));
	ck_assert_ptr_nonnull(strstr(scene.log, "/system/none: expected 0123456789"));
	ck_assert(scene_has(&scene, "root/system/b"));
	ck_assert_int_lt(scene.percent, 100);
}
END_TEST

START_TEST(test_no_room)
{
	make_package("apply_patch_space(1000000000000000000) || abort(\"space\"); delete(\"/system/b\");");
	check_fails(RESULT_TOO_LARGE, "need 1000000000000000000 bytes, have ");
	ck_assert_str_eq(scene.output.object, "/cache/saved.file");
}
END_TEST

START_TEST(test_bad_packages)
{
	make_package("delete(");
	check_fails(RESULT_PRECHECK, "");
	make_package(NULL);
	check_fails(RESULT_PRECHECK, PACKAGE_SCRIPT);
	(void)scene_put_text(&scene, "update.zip", "no archive at all");
	check_fails(RESULT_PRECHECK, "update.zip");
	ck_assert_int_eq(remove(rehearse.package), 0);
	check_fails(RESULT_PRECHECK, "No such file");
	make_package("abort(\"not for this module\");");
	check_fails(RESULT_VERIFY, "not for this module");
}
END_TEST

/* ---- Updaters that are none ---- */

static void make_updater(const char *script)
{
	rehearse.updater = scene_put_text(&scene, "updater", script);
	ck_assert_int_eq(chmod(rehearse.updater, 0755), 0);
}

START_TEST(test_bad_updaters)
{
	make_package("");
	rehearse.updater = "/no/such/updater";
	check_fails(RESULT_ABNORMAL, "/no/such/updater: cannot be started: No such file");
	rehearse.updater = rehearse.package;
	check_fails(RESULT_ABNORMAL, "status 127: ");
	make_updater("#!/bin/sh\nkill -9 $$\n");
	check_fails(RESULT_ABNORMAL, "signal 9");
	make_updater("#!/bin/sh\necho first; echo last >&2; exit 1\n");
	check_fails(RESULT_ABNORMAL, "status 1: last");
	make_updater("#!/bin/sh\necho unfinished; printf 'and more'; exit 7\n");
	check_fails(RESULT_VERIFY, "and more");
	make_updater("#!/bin/sh\nprintf 'log error: 502\\nlog cause: lost' > /proc/self/fd/$5; exit 7\n");
	check_fails(RESULT_ABNORMAL, "lost");
	make_updater("#!/bin/sh\nhead -c 100000 /dev/zero; head -c 100000 /dev/zero > /proc/self/fd/$5; exit 0\n");
	ck_assert_int_eq(run(), 0);
}
END_TEST

START_TEST(test_arguments)
{
	char expected[512];

	make_package("");
	rehearse.fstab = "/etc/other.fstab";
	make_updater("#!/bin/sh\necho \"log mismatch: $1 $2 $3 $4 $5 $6 $8 $#\" > /proc/self/fd/$7\n");
	ck_assert_int_eq(run(), 0);
	(void)snprintf(expected, sizeof(expected), "--root %s --fstab /etc/other.fstab --dry-run 3 %s 8\n",
	               rehearse.root, rehearse.package);
	ck_assert_str_eq(scene.log, expected);
}
END_TEST

/* Segments follow each other; what makes no sense is 0, and nothing falls. */
START_TEST(test_progress)
{
	make_package("");
	make_updater("#!/bin/sh\nexec > /proc/self/fd/$5\n"
	             "echo progress 0.5 0; echo set_progress 0.5; echo set_progress x; echo set_progress nan\n"
	             "echo set_progress -3; echo ui_print 99; echo progress 0.2 9; echo log error: 511; exit 7\n");
	check_fails(RESULT_TOO_LARGE, "");
	ck_assert_int_eq(scene.percent, 50);
	make_updater("#!/bin/sh\nexec > /proc/self/fd/$5\necho progress 7 0; echo progress 7 0; echo set_progress 7\n"
	             "echo log error: 511; exit 7\n");
	check_fails(RESULT_TOO_LARGE, "");
	ck_assert_int_eq(scene.percent, 100);
}
END_TEST

/* ---- The view ---- */

static bool may_unshare(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(unshare(CLONE_NEWNS) < 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (status)
		printf("rehearse: no mount namespaces here, the view is not tested\n");
	return status == 0;
}

/* The test's own namespace, with an empty directory for the view and one file system to be found by its source. */
static bool enter_view_test(void)
{
	if (!may_unshare())
		return false;
	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert_int_eq(mkdir(scene_path(&scene, "view"), 0755), 0);
	ck_assert_int_eq(mkdir(scene_path(&scene, "elsewhere"), 0755), 0);
	ck_assert_int_eq(mount("fota-probe", scene_path(&scene, "elsewhere"), "tmpfs", 0, NULL), 0);
	(void)scene_put_text(&scene, "elsewhere/file", "there");
	free((char *)rehearse.root);
	rehearse.root = NULL;
	rehearse.view = strdup(scene_path(&scene, "view"));
	rehearse.fstab = strdup(scene_put_text(&scene, "fstab", FSTAB));
	return true;
}

static void leave_view_test(void)
{
	ck_assert_int_eq(umount(scene_path(&scene, "elsewhere")), 0);
	free((char *)rehearse.view);
	free((char *)rehearse.fstab);
}

static char *mounts(void)
{
	char *text = calloc(1, 1 << 20);
	FILE *file = fopen("/proc/self/mounts", "r");

	ck_assert(text && file);
	ck_assert_uint_gt(fread(text, 1, (1 << 20) - 1, file), 0);
	(void)fclose(file); /* only read */
	return text;
}

START_TEST(test_view)
{
	char *before;
	char *after;

	if (!enter_view_test())
		return;
	make_package("the package's script");
	make_updater("#!/bin/sh\nexec > /proc/self/fd/$3 2>&1\nsay() { echo \"log mismatch: $*\"; }\n"
	             "say $1 $2 $4 $#\n"
	             "[ -s $4 ] && say package\n"
	             "touch /system/tmp/x || say /system is read-only\n"
	             "[ -e /system/proc/self ] || say no /proc in /system\n"
	             "say /cache is $(readlink /cache)\n"
	             "say extra: $(cat /extra/file)\n"
	             "touch /extra/x || say /extra is read-only\n"
	             "[ -d /a/b ] && say /a/b\n"
	             "[ -c /dev/null ] && [ -d /sys/class ] && [ -d /tmp ] && [ -d /usrdata ] && say devices\n"
	             "cat /res/recovery.fstab | while read line; do say $line; done\n"
	             "say $(ls -d /*)\n");
	before = mounts();
	ck_assert_msg(run() == 0, "%s", error.message);
	ck_assert_str_eq(scene.log,
	                 "--dry-run 3 /ipth_package.bin 4\npackage\n/system is read-only\nno /proc in /system\n"
	                 "/cache is usrdata/cache\nextra: there\n/extra is read-only\n/a/b\ndevices\n" FSTAB
	                 "/a /bin /cache /dev /extra /ipth_package.bin /lib /lib64 /proc /res /sys /system /tmp /usr "
	                 "/usrdata\n");
	after = mounts();
	ck_assert_str_eq(before, after);
	ck_assert(!scene_has(&scene, "view/system"));
	ck_assert(!scene_has(&scene, "elsewhere/x"));
	free(before);
	free(after);
	leave_view_test();
}
END_TEST

/* The updater itself: paths of the package are those of the running root file system. */
START_TEST(test_updater_in_view)
{
	char path[300];
	char keys[300];

	if (!enter_view_test())
		return;
	(void)snprintf(path, sizeof(path), "/system%s", rehearse.fstab);
	make_package(script_for(path, FOREIGN));
	check_fails(RESULT_VERIFY, "/fstab: expected 0123456789");
	ck_assert_str_eq(scene.output.object, path);
	make_package(script_for(path, FSTAB_SHA1));
	ck_assert_msg(run() == 0, "%s", error.message);
	/* Also an encrypted one, though the keys are not to be seen from there. */
	(void)snprintf(keys, sizeof(keys), "%s", scene_put_text(&scene, "keys/a.key", ""));
	(void)snprintf(path, sizeof(path), "%s", scene_put_text(&scene, "a.pub", ""));
	signing_write_crypt_pair(keys, path);
	signing_encrypt_file(path, rehearse.package);
	check_fails(RESULT_PRECHECK, "none of 0 keys");
	*strrchr(keys, '/') = '\0';
	rehearse.keys = keys;
	ck_assert_msg(run() == 0, "%s", error.message);
	leave_view_test();
}
END_TEST

START_TEST(test_no_view)
{
	if (!may_unshare())
		return;
	free((char *)rehearse.root);
	rehearse.root = NULL;
	rehearse.view = "/no/such/directory";
	make_package("");
	check_fails(RESULT_ABNORMAL, "status 127: rehearsal: /no/such/directory: No such file or directory");
}
END_TEST

/* Cancelled: the updater is gone too. */
static int run_in_child(void *ctx, struct step_output *output, struct error *cause)
{
	return step_rehearse(ctx, output, cause);
}

START_TEST(test_stop)
{
	struct step_message message = {0};
	struct step step;
	int ends[2];
	char byte;

	make_package("");
	make_updater("#!/bin/sh\necho progress 0.5 > /proc/self/fd/$5; echo set_progress 1 > /proc/self/fd/$5\n"
	             "sleep 1000\n");
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(step_start(&step, 0, ends[1], run_in_child, &rehearse, &error), 0);
	ck_assert_int_eq(close(ends[1]), 0);
	while (step_receive(&step, &message) == 0)
		(void)usleep(1000);
	ck_assert_int_eq(message.value, 50);
	step_stop(&step);
	ck_assert_int_eq(read(ends[0], &byte, 1), 0);
	ck_assert_int_eq(close(ends[0]), 0);
}
END_TEST

Suite *suite_rehearse(void)
{
	Suite *suite = suite_create("rehearse");
	TCase *tests = tcase_create("rehearse");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, test_fits);
	tcase_add_test(tests, test_foreign_files);
	tcase_add_test(tests, test_no_room);
	tcase_add_test(tests, test_bad_packages);
	tcase_add_test(tests, test_bad_updaters);
	tcase_add_test(tests, test_arguments);
	tcase_add_test(tests, test_progress);
	tcase_add_test(tests, test_view);
	tcase_add_test(tests, test_updater_in_view);
	tcase_add_test(tests, test_no_view);
	tcase_add_test(tests, test_stop);
	suite_add_tcase(suite, tests);
	return suite;
}
