/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/opening.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#define PTY_PREFIX  "pty:"
#define UNIX_PREFIX "unix:"

static bool has_prefix(const char *channel, const char *prefix)
{
	return strncmp(channel, prefix, strlen(prefix)) == 0;
}

/* Bytes as they are: no echo, no signals, no translation of line ends. */
static void set_raw(int fd)
{
	struct termios settings;

	if (tcgetattr(fd, &settings) < 0)
		return; /* no tty: an smd channel knows nothing of this */
	cfmakeraw(&settings);
	(void)tcsetattr(fd, TCSANOW, &settings); /* at worst it echoes, which the parser knows */
}

static int fail(int fd, const char *path, int err, struct error *error)
{
	if (fd >= 0)
		(void)close(fd); /* not used yet */
	return error_set(error, 0, err, "%s: %s", path, strerror(err));
}

static int open_device(const char *path, struct error *error)
{
	struct stat stat;
	int fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &stat) < 0)
		return fail(fd, path, errno, error);
	if (!S_ISCHR(stat.st_mode))
		return fail(fd, path, ENODEV, error);
	set_raw(fd);
	return fd;
}

/* What an earlier run left gives way; anything else that lies there stays. */
static int make_way(const char *path, mode_t type)
{
	struct stat stat;

	if (lstat(path, &stat) < 0)
		return errno == ENOENT ? 0 : -errno;
	if ((stat.st_mode & S_IFMT) != type)
		return -EEXIST;
	return unlink(path) < 0 ? -errno : 0;
}

static int open_pty(const char *path, struct error *error)
{
	char name[64];
	int err;
	int slave;
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || grantpt(fd) < 0 || unlockpt(fd) < 0 || ptsname_r(fd, name, sizeof(name)) != 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return fail(fd, path, errno, error);
	slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return fail(fd, name, errno, error);
	set_raw(slave); /* stays so when it is closed */
	(void)close(slave);
	err = make_way(path, S_IFLNK);
	if (err == 0 && symlink(name, path) < 0)
		err = -errno;
	return err < 0 ? fail(fd, path, -err, error) : fd;
}

static int open_socket(const char *path, struct error *error)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int err;
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return fail(-1, path, ENAMETOOLONG, error);
	memcpy(address.sun_path, path, strlen(path));
	err = make_way(path, S_IFSOCK);
	if (err < 0)
		return fail(-1, path, -err, error);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* Nobody can connect before listen(), so the mode is right from the start. */
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || chmod(path, 0600) < 0 ||
	    listen(fd, 4) < 0)
		return fail(fd, path, errno, error);
	return fd;
}

int opening_open(const char *channel, enum link_channel_type *type, struct error *error)
{
	if (has_prefix(channel, PTY_PREFIX)) {
		*type = LINK_PTY;
		return open_pty(channel + strlen(PTY_PREFIX), error);
	}
	if (has_prefix(channel, UNIX_PREFIX)) {
		*type = LINK_LISTENER;
		return open_socket(channel + strlen(UNIX_PREFIX), error);
	}
	*type = LINK_DEVICE;
	return open_device(channel, error);
}

void opening_remove(const char *channel)
{
	if (has_prefix(channel, PTY_PREFIX))
		(void)make_way(channel + strlen(PTY_PREFIX), S_IFLNK); /* a stale link is replaced at the next start */
	else if (has_prefix(channel, UNIX_PREFIX))
		(void)make_way(channel + strlen(UNIX_PREFIX), S_IFSOCK);
}
