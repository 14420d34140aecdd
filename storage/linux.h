/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORAGE_LINUX_H
#define STORAGE_LINUX_H

/* The running system as a medium. Only the linux_*.c files make system calls. */
#include "storage/storage.h"

#include <limits.h>

struct linux_medium {
	int root; /* descriptor of the directory that all paths lie in, -1: the running system */
};

/* A path made ready for the *at() calls. */
struct linux_place {
	int dir;          /* AT_FDCWD without a root */
	const char *name; /* the whole path without a root, one component with it */
	bool confined;    /* name must not be followed if it is a link, whatever the operation */
	char last[NAME_MAX + 1];
};

/*
 * Resolve path so that nothing in it leads out of the root. follow: a link in the last component too. A missing last
 * component is no error.
 */
int linux_place_open(const struct linux_medium *medium, const char *path, bool follow, struct linux_place *place);
void linux_place_close(struct linux_place *place);

/* linux_file.c: open files */
int linux_open(void *medium, const char *path, enum storage_open_mode mode);
int linux_close(void *medium, int handle);
ssize_t linux_read(void *medium, int handle, uint64_t offset, void *buffer, size_t length);
int linux_write(void *medium, int handle, uint64_t offset, const void *data, size_t length);
int linux_size(void *medium, int handle, uint64_t *bytes);
int linux_sync(void *medium, int handle);

/* linux_entry.c: names and attributes */
int linux_stat(void *medium, const char *path, struct storage_stat *stat);
ssize_t linux_read_link(void *medium, const char *path, char *target, size_t size);
int linux_list(void *medium, const char *path, int (*each)(void *ctx, const char *name), void *ctx);
int linux_rename(void *medium, const char *from, const char *to);
int linux_unlink(void *medium, const char *path);
int linux_mkdir(void *medium, const char *path, uint32_t mode);
int linux_rmdir(void *medium, const char *path);
int linux_symlink(void *medium, const char *target, const char *path);
int linux_link(void *medium, const char *first, const char *path);
int linux_mknod(void *medium, const char *path, int type, uint32_t major, uint32_t minor);
int linux_set_owner(void *medium, const char *path, uint32_t uid, uint32_t gid);
int linux_set_mode(void *medium, const char *path, uint32_t mode);
int linux_set_xattr(void *medium, const char *path, const char *name, const void *value, size_t size);
ssize_t linux_get_xattr(void *medium, const char *path, const char *name, void *value, size_t size);

/* linux_mount.c: file systems */
int linux_free_space(void *medium, const char *path, uint64_t *bytes);
int linux_is_mounted(void *medium, const char *mount_point, bool *mounted);
int linux_mount(void *medium, const char *fs_type, const char *device, const char *mount_point, const char *options);
int linux_unmount(void *medium, const char *mount_point);
int linux_sync_directory(void *medium, const char *path);
int linux_sync_all(void *medium);

/* linux_find.c */
int linux_find(void *medium, enum storage_kind kind, const char *name, struct storage_location *location);

/* linux_mtd.c */
int linux_mtd_info(void *medium, int handle, struct storage_mtd_info *info);
int linux_mtd_is_bad(void *medium, int handle, uint64_t offset, bool *bad);
int linux_mtd_mark_bad(void *medium, int handle, uint64_t offset);
int linux_mtd_erase(void *medium, int handle, uint64_t offset);
int linux_mtd_program(void *medium, int handle, uint64_t offset, const void *data, size_t length);
int linux_mtd_read(void *medium, int handle, uint64_t offset, void *buffer, size_t length);

/* linux_ubi.c */
int linux_ubi_info(void *medium, int handle, struct storage_ubi_info *info);
int linux_ubi_update(void *medium, int handle, uint64_t bytes);
int linux_ubi_write(void *medium, int handle, const void *data, size_t length);
int linux_ubi_change(void *medium, int handle, uint32_t leb, const void *data, size_t length);

/* ---- linux_parse.c: pure, over the kernel's texts ---- */

/* A decimal number below a million; *text moves behind it. */
bool linux_parse_number(const char **text, unsigned *number);

/* A line of /proc/mtd: mtd3: 00140000 00020000 "boot". False for any other line. */
bool linux_parse_mtd_line(const char *line, unsigned *number, char name[STORAGE_NAME_MAX]);

/* The mount point of a line of /proc/mounts, its octal escapes decoded. */
bool linux_parse_mounts_line(const char *line, char point[STORAGE_PATH_MAX]);

/* "ubi0_3" */
bool linux_parse_volume(const char *text, unsigned *device, unsigned *volume);

/* mount(8) options to mount(2) flags, and what is left to data, comma separated. -ENAMETOOLONG. */
int linux_parse_options(const char *options, unsigned long *flags, char *data, size_t size);

/* Not pure: the first line of a small text file of the kernel's, without its newline. */
int linux_read_line(const char *path, char *line, size_t size);

#endif
