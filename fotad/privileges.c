/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define ENTRY_SIZE 1024 /* a line of /etc/passwd */

static bool parse_number(const char *text, uid_t *uid)
{
	unsigned long long value = strtoull(text, NULL, 10);

	/* The highest one means "leave it as it is" to the system calls. */
	if (*text == '\0' || strspn(text, "0123456789") != strlen(text) || strlen(text) > 10 || value >= (uid_t)-1)
		return false;
	*uid = (uid_t)value;
	return true;
}

int privileges_find_user(const char *name, uid_t *uid, gid_t *gid)
{
	FILE *file = fopen("/etc/passwd", "re");
	bool is_number = parse_number(name, uid);
	char buffer[ENTRY_SIZE];
	struct passwd entry;
	struct passwd *found = NULL;
	int err = -ENOENT;

	if (is_number) {
		*gid = (gid_t)*uid;
		err = 0;
	}
	if (!file)
		return is_number ? 0 : -errno;
	while (fgetpwent_r(file, &entry, buffer, sizeof(buffer), &found) == 0) {
		if (is_number ? entry.pw_uid != *uid : strcmp(entry.pw_name, name) != 0)
			continue;
		*uid = entry.pw_uid;
		*gid = entry.pw_gid;
		err = 0;
		break;
	}
	(void)fclose(file); /* only read */
	return err;
}

/* Did it work, for real, effective and saved ids, and is there no way back? */
static bool is_dropped(uid_t uid, gid_t gid)
{
	uid_t uids[3];
	gid_t gids[3];

	if (getresuid(&uids[0], &uids[1], &uids[2]) < 0 || getresgid(&gids[0], &gids[1], &gids[2]) < 0)
		return false;
	for (unsigned i = 0; i < 3; i++)
		if (uids[i] != uid || gids[i] != gid)
			return false;
	return setresuid((uid_t)-1, 0, (uid_t)-1) < 0 && setgroups(0, NULL) < 0;
}

int privileges_drop(uid_t uid, gid_t gid, const gid_t *groups, size_t group_count, struct error *error)
{
	if (geteuid() != 0)
		return 0;
	if (uid == 0)
		return error_set(error, 0, EINVAL, "root is no user to give up privileges for");
	if (setgroups(group_count, groups) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return error_set(error, 0, errno, "becoming user %u, group %u: %s", (unsigned)uid, (unsigned)gid,
		                 strerror(errno));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_set(error, 0, errno, "giving up privileges: %s", strerror(errno));
	if (!is_dropped(uid, gid))
		return error_set(error, 0, EPERM, "user %u still has privileges", (unsigned)uid);
	return 0;
}

int privileges_limit(struct error *error)
{
	static const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};

	/* A log that turns out to be a regular file then fails with EFBIG instead of killing us. */
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || setrlimit(RLIMIT_NPROC, &none) < 0 ||
	    setrlimit(RLIMIT_FSIZE, &none) < 0 || setrlimit(RLIMIT_CORE, &none) < 0)
		return error_set(error, 0, errno, "limiting the process: %s", strerror(errno));
	return 0;
}
