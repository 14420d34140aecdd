/* SPDX-License-Identifier: Apache-2.0 */
/* The updater as a process: shell scripts in its place. */
#include "recovery/child.h"
#include "suites.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct seen {
	char text[64 * 1024]; /* the lines, each with a newline */
	size_t used;
	unsigned ticks;
};

static void on_line(void *ctx, char *text)
{
	struct seen *seen = ctx;
	int n = snprintf(seen->text + seen->used, sizeof(seen->text) - seen->used, "%s\n", text);

	ck_assert_int_gt(n, 0);
	seen->used += (size_t)n;
	ck_assert_uint_lt(seen->used, sizeof(seen->text));
}

static void on_tick(void *ctx)
{
	struct seen *seen = ctx;

	seen->ticks++;
}

static const char *keys; /* of the next updater */

/* Runs a shell script as updater. */
static struct recovery_child run(const char *script, struct seen *seen, const char *root, const char *fstab, bool retry)
{
	char path[] = "/tmp/child-test-XXXXXX";
	struct child_config config = {.program = path, .root = root, .fstab = fstab, .keys = keys};
	struct recovery_child child = {0};
	int fd = mkstemp(path);

	memset(seen, 0, sizeof(*seen));
	ck_assert_int_ge(fd, 0);
	ck_assert_int_gt(dprintf(fd, "#!/bin/sh\n%s\n", script), 0);
	ck_assert_int_eq(fchmod(fd, 0700), 0);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(child_run(&config, "/a/package.zip", retry, on_line, on_tick, seen, &child, NULL), 0);
	ck_assert_int_eq(unlink(path), 0);
	return child;
}

static struct seen seen;

START_TEST(test_arguments)
{
	static const char script[] = "echo \"$@\" | sed 's/3 [0-9]* /3 FD /'; pwd";
	struct recovery_child child = run(script, &seen, NULL, NULL, false);

	ck_assert(child.exited);
	ck_assert_int_eq(child.status, 0);
	ck_assert_str_eq(seen.text, "ui_print 3 FD /a/package.zip\nui_print /\n");
	keys = "/tmp";
	(void)run(script, &seen, NULL, NULL, true);
	ck_assert_str_eq(seen.text, "ui_print --keys /tmp 3 FD /a/package.zip retry\nui_print /\n");
	keys = "/no/such/folder";
	(void)run(script, &seen, "/r", "/f", true);
	ck_assert_str_eq(seen.text, "ui_print --root /r --fstab /f 3 FD /r/a/package.zip retry\nui_print /\n");
}
END_TEST

START_TEST(test_protocol)
{
	struct recovery_child child =
		run("eval \"exec 9>&$2\"; echo progress 0.5 0 >&9; echo set_progress 0.1 >&9; exit 7", &seen, NULL,
	            NULL, false);

	ck_assert(child.exited);
	ck_assert_int_eq(child.status, 7);
	ck_assert_str_eq(seen.text, "progress 0.5 0\nset_progress 0.1\n");
	ck_assert_uint_gt(seen.ticks, 0);
}
END_TEST

START_TEST(test_last_words)
{
	struct recovery_child child =
		run("eval \"exec 9>&$2\"; printf 'log error: 511' >&9; kill -9 $$", &seen, NULL, NULL, false);

	ck_assert(!child.exited);
	ck_assert_int_eq(child.status, SIGKILL);
	ck_assert_str_eq(seen.text, "log error: 511\n");
}
END_TEST

/* Long lines lose their end and nothing else; NUL bytes do no harm. */
START_TEST(test_long_line)
{
	size_t length;

	(void)run("eval \"exec 9>&$2\"; head -c 20000 /dev/zero | tr '\\0' x >&9; echo >&9; echo after >&9; "
	          "printf 'a\\0b\\n' >&9",
	          &seen, NULL, NULL, false);
	length = strspn(seen.text, "x");
	ck_assert_uint_gt(length, 1000);
	ck_assert_uint_lt(length, 5000);
	ck_assert_str_eq(seen.text + length, "\nafter\na b\n");
}
END_TEST

START_TEST(test_much_output)
{
	struct recovery_child child =
		run("i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done", &seen, NULL, NULL, false);

	ck_assert(child.exited);
	ck_assert_ptr_nonnull(strstr(seen.text, "ui_print 0\nui_print 1\n"));
	ck_assert_ptr_nonnull(strstr(seen.text, "ui_print 2998\nui_print 2999\n"));
}
END_TEST

/* It closes everything and works on: it is waited for. */
START_TEST(test_closed_pipes)
{
	struct recovery_child child =
		run("eval \"exec $2>&-\"; exec >&- 2>&-; sleep 0.5; exit 5", &seen, NULL, NULL, false);

	ck_assert(child.exited);
	ck_assert_int_eq(child.status, 5);
	ck_assert_uint_gt(seen.ticks, 1);
}
END_TEST

/* It ends and leaves someone behind who holds the pipes open: that one is not waited for. */
START_TEST(test_grandchild)
{
	struct recovery_child child = run("sleep 30 & exit 6", &seen, NULL, NULL, false);

	ck_assert(child.exited);
	ck_assert_int_eq(child.status, 6);
}
END_TEST

START_TEST(test_not_executable)
{
	struct child_config config = {.program = "/nonexistent/updater"};
	struct recovery_child child;

	ck_assert_int_eq(child_run(&config, "/p", false, on_line, on_tick, &seen, &child, NULL), 0);
	ck_assert(child.exited);
	ck_assert_int_eq(child.status, 127);
	ck_assert_ptr_nonnull(strstr(seen.text, "/nonexistent/updater: "));
}
END_TEST

TCase *child_tests(void)
{
	TCase *tests = tcase_create("child");

	tcase_add_test(tests, test_arguments);
	tcase_add_test(tests, test_protocol);
	tcase_add_test(tests, test_last_words);
	tcase_add_test(tests, test_long_line);
	tcase_add_test(tests, test_much_output);
	tcase_add_test(tests, test_closed_pipes);
	tcase_add_test(tests, test_grandchild);
	tcase_add_test(tests, test_not_executable);
	return tests;
}
