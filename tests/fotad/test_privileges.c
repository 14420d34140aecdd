/* SPDX-License-Identifier: Apache-2.0 */
/* The way down, and that there is none back. */
#include "fotad/privileges.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

START_TEST(test_find)
{
	uid_t uid = 1;
	gid_t gid = 1;

	ck_assert_int_eq(privileges_find_user("root", &uid, &gid), 0);
	ck_assert_uint_eq(uid, 0);
	ck_assert_uint_eq(gid, 0);
	ck_assert_int_eq(privileges_find_user("0", &uid, &gid), 0);
	ck_assert_uint_eq(uid, 0);
	ck_assert_int_eq(privileges_find_user("3999999999", &uid, &gid), 0);
	ck_assert_uint_eq(uid, 3999999999U);
	ck_assert_uint_eq(gid, 3999999999U);
	ck_assert_int_eq(privileges_find_user("", &uid, &gid), -ENOENT);
	ck_assert_int_eq(privileges_find_user("no such user", &uid, &gid), -ENOENT);
	ck_assert_int_eq(privileges_find_user("-1", &uid, &gid), -ENOENT);
	ck_assert_int_eq(privileges_find_user("4294967295", &uid, &gid), -ENOENT);
	ck_assert_int_eq(privileges_find_user("99999999999", &uid, &gid), -ENOENT);
}
END_TEST

/* In a child, because there is no way back. */
static void in_child(int (*act)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(act());
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}

static int drop(void)
{
	static const gid_t more[] = {3003, 3004};
	gid_t groups[8];
	struct error error;

	if (privileges_drop(NOBODY, NOBODY, more, 2, &error) < 0)
		return 1;
	if (getuid() != NOBODY || getgid() != NOBODY || getgroups(8, groups) != 2 || groups[0] != 3003)
		return 2;
	if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 || open("/etc/shadow", O_RDWR) >= 0)
		return 3;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 4;
	/* Once more, now as nobody in particular: nothing happens. */
	return privileges_drop(0, 0, NULL, 0, &error) == 0 && getuid() == NOBODY ? 0 : 5;
}

START_TEST(test_drop)
{
	uid_t user = geteuid();
	struct error error;

	if (user != 0) {
		ck_assert_int_eq(privileges_drop(user + 1, user + 1, NULL, 0, &error), 0);
		ck_assert_uint_eq(geteuid(), user);
		return;
	}
	ck_assert_int_eq(privileges_drop(0, 0, NULL, 0, &error), -EINVAL);
	ck_assert_str_ne(error.message, "");
	in_child(drop);
}
END_TEST

static int limit(void)
{
	char path[] = "/tmp/fota-limit-XXXXXX";
	int fd = mkstemp(path);
	int pipes[2];
	bool refused;

	if (fd < 0 || unlink(path) < 0 || pipe(pipes) < 0)
		return 1;
	if (privileges_drop(NOBODY, NOBODY, NULL, 0, NULL) < 0 || privileges_limit(NULL) < 0)
		return 2;
	refused = write(fd, "x", 1) < 0 && errno == EFBIG;
	if (!refused || write(pipes[1], "x", 1) != 1)
		return 3;
	return fork() < 0 && errno == EAGAIN ? 0 : 4;
}

START_TEST(test_limit)
{
	in_child(limit);
}
END_TEST

Suite *suite_privileges(void)
{
	Suite *suite = suite_create("privileges");
	TCase *tests = tcase_create("privileges");

	tcase_add_test(tests, test_find);
	tcase_add_test(tests, test_drop);
	tcase_add_test(tests, test_limit);
	suite_add_tcase(suite, tests);
	return suite;
}
