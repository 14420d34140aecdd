/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/linux.h"
#include "storage/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const struct storage_ops linux_ops = {
	.stat = linux_stat,
	.read_link = linux_read_link,
	.list = linux_list,
	.free_space = linux_free_space,
	.is_mounted = linux_is_mounted,
	.find = linux_find,
	.open = linux_open,
	.close = linux_close,
	.read = linux_read,
	.write = linux_write,
	.size = linux_size,
	.sync = linux_sync,
	.rename = linux_rename,
	.unlink = linux_unlink,
	.mkdir = linux_mkdir,
	.rmdir = linux_rmdir,
	.symlink = linux_symlink,
	.link = linux_link,
	.mknod = linux_mknod,
	.set_owner = linux_set_owner,
	.set_mode = linux_set_mode,
	.set_xattr = linux_set_xattr,
	.get_xattr = linux_get_xattr,
	.sync_directory = linux_sync_directory,
	.sync_all = linux_sync_all,
	.mount = linux_mount,
	.unmount = linux_unmount,
	.mtd_info = linux_mtd_info,
	.mtd_is_bad = linux_mtd_is_bad,
	.mtd_mark_bad = linux_mtd_mark_bad,
	.mtd_erase = linux_mtd_erase,
	.mtd_program = linux_mtd_program,
	.mtd_read = linux_mtd_read,
	.ubi_info = linux_ubi_info,
	.ubi_update = linux_ubi_update,
	.ubi_write = linux_ubi_write,
	.ubi_change = linux_ubi_change,
};

static void linux_medium_close(void *medium)
{
	struct linux_medium *m = medium;

	if (m->root >= 0)
		(void)close(m->root); /* a directory opened for its path only */
	free(m);
}

int storage_open_linux(const char *root, const char *fstab, const struct log *log, struct storage **storage,
                       struct error *error)
{
	struct linux_medium *medium = malloc(sizeof(*medium));
	struct storage *s;
	int err;

	if (!medium)
		return storage_fail(error, -ENOMEM, "storage");
	medium->root = root ? open(root, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (root && medium->root < 0) {
		err = storage_fail(error, -errno, "%s: storage root", root);
		linux_medium_close(medium);
		return err;
	}
	s = storage_create(&linux_ops, medium, log);
	if (!s) {
		linux_medium_close(medium);
		return storage_fail(error, -ENOMEM, "storage");
	}
	s->close_medium = linux_medium_close;
	err = storage_load_fstab(s, fstab, error);
	if (err < 0) {
		storage_close(s);
		return err;
	}
	*storage = s;
	return 0;
}
