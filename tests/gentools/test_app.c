/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* $gen and $upd are the programs; the folder has a release "one" and a module in "m". */
static int shell(const char *folder, const char *commands)
{
	char text[2048];
	int status;

	(void)snprintf(text, sizeof(text), "exec 2>%s/err; cd %s; gen='%s'; upd=\"${gen%%/*}/updater --root m\"; %s",
	               folder, folder, UPDATE_GEN, commands);
	status = system(text); /* NOLINT(cert-env33-c): what users type is tested */
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static char folder[] = "/tmp/test_app.XXXXXX";

static void setup(void)
{
	(void)strcpy(folder, "/tmp/test_app.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(shell(folder, "mkdir -p one/bin one/empty m/usrdata m/cache && echo 1 >one/bin/tool && "
	                               "chmod 751 one/bin/tool && ln -s bin/tool one/run && echo data >'one/a \"b'"),
	                 0);
}

static void teardown(void)
{
	ck_assert_int_eq(shell(folder, "rm -r \"$PWD\""), 0);
}

#define OWNER " --owner $(id -u):$(id -g) "
#define MAKE  "$gen app one --to /usrdata/app -o one.zip" OWNER ">log"
#define COPY  "cp -r one two && echo 2 >two/bin/tool && rm two/run && "
#define TWO   COPY "$gen app two --to /usrdata/app -o two.zip" OWNER ">log"

START_TEST(installs)
{
	ck_assert_int_eq(shell(folder, MAKE " && grep -q '^verified: ' log && $upd 3 1 one.zip >out && "
	                                    "test -L m/usrdata/app && diff -r one m/usrdata/app && "
	                                    "test $(stat -c %a m/usrdata/app/bin/tool) = 751 && "
	                                    "test -d m/usrdata/app/empty && "
	                                    "test $(readlink m/usrdata/app/run) = bin/tool"),
	                 0);
}
END_TEST

START_TEST(replaces_the_older_one)
{
	ck_assert_int_eq(shell(folder,
	                       MAKE " && " TWO " && $upd 3 1 one.zip >out && $upd 3 1 two.zip >out && "
	                            "diff -r two m/usrdata/app && test $(ls m/usrdata/app.releases | wc -l) = 1 && "
	                            "$upd 3 1 two.zip >out && diff -r two m/usrdata/app"),
	                 0);
}
END_TEST

START_TEST(same_bytes)
{
	ck_assert_int_eq(shell(folder, MAKE " && mv one.zip first.zip && " MAKE " && cmp one.zip first.zip"), 0);
}
END_TEST

START_TEST(refuses_a_directory)
{
	ck_assert_int_eq(shell(folder,
	                       MAKE " && mkdir m/usrdata/app && echo own >m/usrdata/app/own && "
	                            "! $upd 3 1 one.zip >out && grep -q 'A directory is in the place' out && "
	                            "test ! -e m/usrdata/app.releases && test $(cat m/usrdata/app/own) = own && "
	                            "! $upd --dry-run 3 1 one.zip >out"),
	                 0);
}
END_TEST

/* Killed at moments that move through the run: what is behind the link is one of the two, whole. */
START_TEST(switches_at_once)
{
	ck_assert_int_eq(shell(folder, MAKE
	                       " && " TWO " && for i in 0 1 2 3 4 5 6 7 8 9; do rm -rf m; mkdir -p m/usrdata m/cache; "
	                       "$upd 3 1 one.zip >out || exit 1; timeout -s KILL 0.0$i $upd 3 1 two.zip >out; "
	                       "diff -r one m/usrdata/app >out || diff -r two m/usrdata/app >out || exit 2; "
	                       "$upd 3 1 two.zip retry >out && diff -r two m/usrdata/app || exit 3; "
	                       "test $(ls m/usrdata/app.releases | wc -l) = 1 || exit 4; done"),
	                 0);
}
END_TEST

/* Whoever takes such a package knows these; the weaker ones that other updaters want are nowhere. */
START_TEST(digests_are_sha256)
{
	ck_assert_int_eq(shell(folder, MAKE " && unzip -p one.zip META-INF/*/updater-script >text && "
	                                    "grep -q \"$(sha256sum <one/bin/tool | cut -c -64)\" text && "
	                                    "! grep -Ew '[0-9a-f]{40}' text"),
	                 0);
}
END_TEST

START_TEST(has_an_index)
{
	ck_assert_int_eq(shell(folder, "$gen app one --to /usrdata/app -o one.zip --rollback 7 >log && "
	                               "test \"$(unzip -p one.zip quectel-rollback-index)\" = 7"),
	                 0);
}
END_TEST

START_TEST(exit_codes)
{
	static const struct {
		const char *arguments;
		int status;
	} cases[] = {
		{"--help", 0},
		{"one --to /usrdata/app", 2},
		{"one -o x.zip", 2},
		{"-t /usrdata/app -o x.zip", 2},
		{"one two -t /usrdata/app -o x.zip", 2},
		{"one -t /usrdata/app -o x.zip --owner 1", 2},
		{"one -t /usrdata/app -o x.zip --owner -1:1", 2},
		{"one -t /usrdata/app -o x.zip --owner 1:1x", 2},
		{"one -t /usrdata/app -o x.zip --rollback x", 1},
		{"one -t /usrdata -o x.zip", 1},
		{"one -t usrdata/app -o x.zip", 1},
		{"one -t /usrdata/app/ -o x.zip", 1},
		{"one -t /usrdata/../app -o x.zip", 1},
		{"one -t /system/app -o x.zip", 1},
		{"none -t /usrdata/app -o x.zip", 1},
		{"one/empty -t /usrdata/app -o x.zip", 1},
		{"one -t /usrdata/app -o x.zip -k none.pem", 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char command[256];

		(void)snprintf(command, sizeof(command), "$gen app %s >out", cases[i].arguments);
		ck_assert_msg(shell(folder, command) == cases[i].status, "%s", command);
		ck_assert_int_eq(shell(folder, "test ! -e x.zip && test ! -e x.zip.part"), 0);
	}
}
END_TEST

TCase *app_tests(void)
{
	TCase *tests = tcase_create("app");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, installs);
	tcase_add_test(tests, replaces_the_older_one);
	tcase_add_test(tests, same_bytes);
	tcase_add_test(tests, refuses_a_directory);
	tcase_add_test(tests, switches_at_once);
	tcase_add_test(tests, digests_are_sha256);
	tcase_add_test(tests, has_an_index);
	tcase_add_test(tests, exit_codes);
	return tests;
}
