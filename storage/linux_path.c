/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/linux.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Confinement below a root: the path is walked component by component, each opened without following links. A link
 * restarts the walk with its target put into the text, where ".." cannot climb above the root. (A ".." behind a link
 * is thus taken textually; it may miss what the kernel would find, but never leaves the root.)
 */
#define LINK_LIMIT 40

/* Put the target of the link open at fd in place of the component [start, end) of text. */
static int splice_link(int fd, char text[PATH_MAX], size_t start, size_t end)
{
	char target[PATH_MAX];
	char out[PATH_MAX] = "";
	ssize_t n = readlinkat(fd, "", target, sizeof(target) - 1);
	int err;

	if (n <= 0)
		return n < 0 ? -errno : -ENOENT;
	target[n] = '\0';
	if (*target != '/' && start > 0) {
		memcpy(out, text, start - 1);
		out[start - 1] = '\0';
	}
	err = storage_append_path(out, target);
	if (err == 0)
		err = storage_append_path(out, text + end);
	if (err == 0)
		memcpy(text, out, strlen(out) + 1);
	return err;
}

/* One component, `place->last` in `place->dir`: 0 not a link (*fd is it), 1 a link that was put into text. */
static int step(struct linux_place *place, char text[PATH_MAX], size_t start, size_t end, int *fd)
{
	struct stat st;
	int err = 0;

	*fd = openat(place->dir, place->last, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0)
		return -errno;
	if (fstat(*fd, &st) < 0)
		err = -errno;
	else if (S_ISLNK(st.st_mode))
		err = splice_link(*fd, text, start, end);
	else
		return 0;
	(void)close(*fd); /* O_PATH: nothing to lose */
	return err < 0 ? err : 1;
}

static int walk(const struct linux_medium *medium, char text[PATH_MAX], bool follow, struct linux_place *place)
{
	size_t start = 0;

	place->dir = fcntl(medium->root, F_DUPFD_CLOEXEC, 0);
	if (place->dir < 0)
		return -errno;
	for (;;) {
		size_t end = start + strcspn(text + start, "/");
		bool is_last = text[end] == '\0';
		int fd;
		int err;

		if (end - start > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(place->last, text + start, end - start);
		place->last[end - start] = '\0';
		if (end == start)
			memcpy(place->last, ".", 2); /* the root itself */
		if (is_last && !follow)
			return 0;
		err = step(place, text, start, end, &fd);
		if (err != 0)
			return is_last && err == -ENOENT ? 0 : err;
		if (is_last) {
			(void)close(fd); /* O_PATH: nothing to lose */
			return 0;
		}
		(void)close(place->dir);
		place->dir = fd;
		start = end + 1;
	}
}

int linux_place_open(const struct linux_medium *medium, const char *path, bool follow, struct linux_place *place)
{
	char text[PATH_MAX] = "";
	int err;

	place->dir = AT_FDCWD;
	place->name = path;
	place->confined = false;
	if (medium->root < 0)
		return 0;
	place->confined = true;
	place->name = place->last;
	err = storage_append_path(text, path);
	if (err < 0)
		return err;
	for (int links = 0; links < LINK_LIMIT; links++) {
		err = walk(medium, text, follow, place);
		if (err == 0)
			return 0;
		linux_place_close(place);
		if (err < 0)
			return err;
	}
	return -ELOOP;
}

void linux_place_close(struct linux_place *place)
{
	if (place->dir >= 0)
		(void)close(place->dir); /* O_PATH: nothing to lose */
	place->dir = AT_FDCWD;
}
