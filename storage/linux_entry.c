/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/linux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static int result_of(int returned, struct linux_place *place)
{
	int err = returned < 0 ? -errno : 0;

	linux_place_close(place);
	return err;
}

int linux_stat(void *medium, const char *path, struct storage_stat *stat)
{
	struct linux_place place;
	struct stat st = {0};
	int err = linux_place_open(medium, path, false, &place);

	if (err == 0)
		err = result_of(fstatat(place.dir, place.name, &st, AT_SYMLINK_NOFOLLOW), &place);
	if (err < 0)
		return err;
	*stat = (struct storage_stat){
		.type = S_ISREG(st.st_mode)    ? STORAGE_REGULAR
	                : S_ISDIR(st.st_mode)  ? STORAGE_DIRECTORY
	                : S_ISLNK(st.st_mode)  ? STORAGE_SYMLINK
	                : S_ISCHR(st.st_mode)  ? STORAGE_CHARACTER
	                : S_ISBLK(st.st_mode)  ? STORAGE_BLOCKDEV
	                : S_ISFIFO(st.st_mode) ? STORAGE_FIFO
	                                       : STORAGE_OTHER,
		.mode = st.st_mode & 07777,
		.uid = st.st_uid,
		.gid = st.st_gid,
		.size = (uint64_t)st.st_size,
		.device = st.st_dev,
		.inode = st.st_ino,
		.links = (uint32_t)st.st_nlink,
		.major = S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) ? major(st.st_rdev) : 0,
		.minor = S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) ? minor(st.st_rdev) : 0,
		.modified = (uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec,
	};
	return 0;
}

ssize_t linux_read_link(void *medium, const char *path, char *target, size_t size)
{
	struct linux_place place;
	ssize_t n = linux_place_open(medium, path, false, &place);

	if (n < 0)
		return n;
	n = readlinkat(place.dir, place.name, target, size);
	if (n < 0)
		n = -errno;
	linux_place_close(&place);
	return n;
}

int linux_list(void *medium, const char *path, int (*each)(void *ctx, const char *name), void *ctx)
{
	struct linux_place place;
	struct dirent *entry;
	DIR *dir;
	int fd;
	int err = linux_place_open(medium, path, true, &place);

	if (err < 0)
		return err;
	fd = openat(place.dir, place.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (place.confined ? O_NOFOLLOW : 0));
	err = result_of(fd, &place);
	if (err < 0)
		return err;
	dir = fdopendir(fd);
	if (!dir) {
		err = -errno;
		(void)close(fd); /* only read: nothing to lose */
		return err;
	}
	while (err == 0) {
		errno = 0;
		entry = readdir(dir);
		if (!entry) {
			err = -errno;
			break;
		}
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			err = each(ctx, entry->d_name);
	}
	(void)closedir(dir); /* only read: nothing to lose */
	return err;
}

int linux_rename(void *medium, const char *from, const char *to)
{
	struct linux_place source;
	struct linux_place target;
	int err = linux_place_open(medium, from, false, &source);

	if (err < 0)
		return err;
	err = linux_place_open(medium, to, false, &target);
	if (err == 0)
		err = result_of(renameat(source.dir, source.name, target.dir, target.name), &target);
	linux_place_close(&source);
	return err;
}

int linux_unlink(void *medium, const char *path)
{
	struct linux_place place;
	int err = linux_place_open(medium, path, false, &place);

	return err < 0 ? err : result_of(unlinkat(place.dir, place.name, 0), &place);
}

int linux_mkdir(void *medium, const char *path, uint32_t mode)
{
	struct linux_place place;
	int err = linux_place_open(medium, path, false, &place);
	int made;

	if (err < 0)
		return err;
	made = mkdirat(place.dir, place.name, mode);
	if (made == 0) /* the umask shall not have a say */
		made = fchmodat(place.dir, place.name, mode, 0);
	return result_of(made, &place);
}

int linux_rmdir(void *medium, const char *path)
{
	struct linux_place place;
	int err = linux_place_open(medium, path, false, &place);

	return err < 0 ? err : result_of(unlinkat(place.dir, place.name, AT_REMOVEDIR), &place);
}

int linux_symlink(void *medium, const char *target, const char *path)
{
	struct linux_place place;
	int err = linux_place_open(medium, path, false, &place);

	return err < 0 ? err : result_of(symlinkat(target, place.dir, place.name), &place);
}

int linux_link(void *medium, const char *first, const char *path)
{
	struct linux_place source;
	struct linux_place target;
	int err = linux_place_open(medium, first, false, &source);

	if (err < 0)
		return err;
	err = linux_place_open(medium, path, false, &target);
	if (err == 0)
		err = result_of(linkat(source.dir, source.name, target.dir, target.name, 0), &target);
	linux_place_close(&source);
	return err;
}

int linux_mknod(void *medium, const char *path, int type, uint32_t major, uint32_t minor)
{
	mode_t kind = type == STORAGE_CHARACTER ? S_IFCHR : type == STORAGE_BLOCKDEV ? S_IFBLK : S_IFIFO;
	struct linux_place place;
	int err = linux_place_open(medium, path, false, &place);

	return err < 0 ? err : result_of(mknodat(place.dir, place.name, kind | 0600, makedev(major, minor)), &place);
}

/* Below a root, an ordinary user (a host's offline run) cannot give files away, nor label them. */
static bool is_beyond_user(const struct linux_medium *medium, int err)
{
	return err == -EPERM && medium->root >= 0 && geteuid() != 0;
}

int linux_set_owner(void *medium, const char *path, uint32_t uid, uint32_t gid)
{
	struct linux_place place;
	int err = linux_place_open(medium, path, false, &place);

	if (err == 0)
		err = result_of(fchownat(place.dir, place.name, uid, gid, AT_SYMLINK_NOFOLLOW), &place);
	return is_beyond_user(medium, err) ? 0 : err;
}

int linux_set_mode(void *medium, const char *path, uint32_t mode)
{
	struct linux_place place;
	int err = linux_place_open(medium, path, false, &place);

	return err < 0 ? err : result_of(fchmodat(place.dir, place.name, mode, AT_SYMLINK_NOFOLLOW), &place);
}

/* The l*xattr() calls take no directory descriptor; procfs gives the place a path that cannot be redirected. */
static int xattr_path(const struct linux_place *place, char path[PATH_MAX])
{
	int n;

	if (place->confined)
		n = snprintf(path, PATH_MAX, "/proc/self/fd/%d/%s", place->dir, place->name);
	else
		n = snprintf(path, PATH_MAX, "%s", place->name);
	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int linux_set_xattr(void *medium, const char *path, const char *name, const void *value, size_t size)
{
	char at[PATH_MAX];
	struct linux_place place;
	int err = linux_place_open(medium, path, false, &place);
	int set;

	if (err < 0)
		return err;
	err = xattr_path(&place, at);
	if (err < 0) {
		linux_place_close(&place);
		return err;
	}
	set = size == 0 ? lremovexattr(at, name) : lsetxattr(at, name, value, size, 0);
	err = result_of(set, &place);
	return is_beyond_user(medium, err) ? 0 : err;
}

ssize_t linux_get_xattr(void *medium, const char *path, const char *name, void *value, size_t size)
{
	char at[PATH_MAX];
	struct linux_place place;
	ssize_t n = linux_place_open(medium, path, false, &place);

	if (n < 0)
		return n;
	n = xattr_path(&place, at);
	if (n == 0) {
		n = lgetxattr(at, name, value, size);
		if (n < 0)
			n = -errno;
	}
	linux_place_close(&place);
	return n;
}
