/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FAKE_INTERNAL_H
#define TESTS_FAKE_INTERNAL_H

#include "tests/storage/fake_medium.h"

struct fake_handle *fake_handle_of(struct fake_medium *medium, int handle);
int fake_handle_new(struct fake_medium *medium, int kind, int index, enum storage_open_mode mode);

/* fake_files.c */
int fake_open_file(struct fake_medium *medium, const char *path, enum storage_open_mode mode);
ssize_t fake_read_file(struct fake_medium *medium, int index, uint64_t offset, void *buffer, size_t length);
int fake_write_file(struct fake_medium *medium, const struct fake_handle *handle, uint64_t offset, const void *data,
                    size_t length);
int fake_stat(void *medium, const char *path, struct storage_stat *stat);
ssize_t fake_read_link(void *medium, const char *path, char *target, size_t size);
int fake_list(void *medium, const char *path, int (*each)(void *ctx, const char *name), void *ctx);
int fake_rename(void *medium, const char *from, const char *to);
int fake_unlink(void *medium, const char *path);
int fake_mkdir(void *medium, const char *path, uint32_t mode);
int fake_rmdir(void *medium, const char *path);
int fake_symlink(void *medium, const char *target, const char *path);
int fake_link(void *medium, const char *first, const char *path);
int fake_mknod(void *medium, const char *path, int type, uint32_t major, uint32_t minor);
int fake_set_owner(void *medium, const char *path, uint32_t uid, uint32_t gid);
int fake_set_mode(void *medium, const char *path, uint32_t mode);
int fake_set_xattr(void *medium, const char *path, const char *name, const void *value, size_t size);
ssize_t fake_get_xattr(void *medium, const char *path, const char *name, void *value, size_t size);

/* fake_flash.c */
int fake_open_flash(struct fake_medium *medium, const char *path, enum storage_open_mode mode);
ssize_t fake_read_volume(struct fake_medium *medium, int index, uint64_t offset, void *buffer, size_t length);
int fake_mtd_info(void *medium, int handle, struct storage_mtd_info *info);
int fake_mtd_is_bad(void *medium, int handle, uint64_t offset, bool *bad);
int fake_mtd_mark_bad(void *medium, int handle, uint64_t offset);
int fake_mtd_erase(void *medium, int handle, uint64_t offset);
int fake_mtd_program(void *medium, int handle, uint64_t offset, const void *data, size_t length);
int fake_mtd_read(void *medium, int handle, uint64_t offset, void *buffer, size_t length);
int fake_ubi_info(void *medium, int handle, struct storage_ubi_info *info);
int fake_ubi_update(void *medium, int handle, uint64_t bytes);
int fake_ubi_write(void *medium, int handle, const void *data, size_t length);
int fake_ubi_change(void *medium, int handle, uint32_t leb, const void *data, size_t length);

#endif
