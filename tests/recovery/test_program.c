/* SPDX-License-Identifier: Apache-2.0 */
/* The program as an init starts it that leaves it less than a shell would. */
#include "module.h"
#include "suites.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct module *module;

static void setup(void)
{
	module = module_new();
	module_put_package(module, PACKAGE_PATH, "ui_print(\"x\");", NULL);
	module_put(module, "/updater", "#!/bin/sh\nexit 0\n");
	module_arm(module, NULL);
}

static void teardown(void)
{
	module_free(module);
}

static void start_program(void)
{
	char updater[128];
	char channel[128];

	(void)snprintf(updater, sizeof(updater), "%s/updater", module->root);
	(void)snprintf(channel, sizeof(channel), "%s/channel", module->root);
	(void)chmod(updater, 0700); /* the test fails when it did not work */
	(void)execl(RECOVERY, RECOVERY, "--root", module->root, "--updater", updater, "--channel", channel, NULL);
	_exit(99);
}

/* prepare() runs between fork and exec. */
static void check_upgrades(void (*prepare)(void))
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		prepare();
		start_program();
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	ck_assert_ptr_nonnull(strstr(module_urcs(module), UPDATING(100) END(0)));
	ck_assert_str_eq(module_text(module, STATUS_PATH), "IP_PREVIOUS_UPDATE_SUCCESSFUL 200\n");
	ck_assert(!module_is_armed(module));
}

static void ignore_children(void)
{
	(void)signal(SIGCHLD, SIG_IGN); /* cannot fail */
}

START_TEST(test_ignored_children)
{
	check_upgrades(ignore_children);
}
END_TEST

static void close_all(void)
{
	for (int fd = 0; fd < 32; fd++)
		(void)close(fd); /* most are not open */
}

/* Whatever is opened first must not become what the log is written to. */
START_TEST(test_no_console)
{
	static char misc[65536];
	char path[128];
	FILE *file;

	check_upgrades(close_all);
	(void)snprintf(path, sizeof(path), "%s/dev/misc", module->root);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fread(misc, 1, sizeof(misc), file), sizeof(misc));
	ck_assert_int_eq(fgetc(file), EOF);
	ck_assert_int_eq(fclose(file), 0);
	for (size_t i = 0; i < 4096; i++)
		ck_assert_int_eq(misc[i], 0);
	ck_assert_ptr_null(memmem(misc, sizeof(misc), "attempt", 7));
}
END_TEST

TCase *program_tests(void)
{
	TCase *tests = tcase_create("program");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, test_ignored_children);
	tcase_add_test(tests, test_no_console);
	return tests;
}
