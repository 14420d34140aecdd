/* SPDX-License-Identifier: Apache-2.0 */
#include "module_medium.h"

#include "storage/linux.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct linux_medium medium_of(const struct module *module)
{
	return (struct linux_medium){.root = module->root_fd};
}

const char *module_channel_path(const struct module *module)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/channel", module->root);
	return path;
}

void module_note_step(struct module *module, const char *verb, const char *path, const char *more)
{
	struct step *step;
	struct stat stat_buffer;

	ck_assert_uint_lt(module->step_count, STEPS_MAX);
	if (module->cut_at && module->step_count + 1 == module->cut_at)
		_exit(EXIT_CUT);
	step = &module->steps[module->step_count++];
	(void)snprintf(step->text, sizeof(step->text), "%s %s%s%s", verb, path, *more ? " " : "", more);
	ck_assert_int_eq(stat(module_channel_path(module), &stat_buffer), 0);
	step->channel_bytes = (size_t)stat_buffer.st_size;
}

static int noted_open(void *ctx, const char *path, enum storage_open_mode mode)
{
	struct module *module = ctx;
	struct linux_medium medium = medium_of(module);
	int handle;

	if (module->no_open && strcmp(path, module->no_open) == 0)
		return -EIO;
	if (module->full_beside && (mode == STORAGE_CREATE || mode == STORAGE_APPEND) &&
	    module_has(module, module->full_beside))
		return -ENOSPC;
	if (mode == STORAGE_CREATE)
		module_note_step(module, "create", path, "");
	handle = linux_open(&medium, path, mode);
	if (handle >= 0 && handle < 256)
		(void)snprintf(module->handles[handle], sizeof(module->handles[handle]), "%s", path);
	return handle;
}

static int noted_close(void *ctx, int handle)
{
	struct linux_medium medium = medium_of(ctx);

	return linux_close(&medium, handle);
}

static ssize_t noted_read(void *ctx, int handle, uint64_t offset, void *buffer, size_t length)
{
	struct linux_medium medium = medium_of(ctx);

	return linux_read(&medium, handle, offset, buffer, length);
}

static int noted_write(void *ctx, int handle, uint64_t offset, const void *data, size_t length)
{
	struct module *module = ctx;
	struct linux_medium medium = medium_of(module);
	char where[32];

	(void)snprintf(where, sizeof(where), "%llu", (unsigned long long)offset);
	module_note_step(module, "write", module->handles[handle], where);
	return linux_write(&medium, handle, offset, data, length);
}

static int noted_size(void *ctx, int handle, uint64_t *bytes)
{
	struct linux_medium medium = medium_of(ctx);

	return linux_size(&medium, handle, bytes);
}

/* What a page cache holds survives here, so that nothing is gained by waiting for the disk. */
static int noted_sync(void *ctx, int handle)
{
	(void)ctx;
	(void)handle;
	return 0;
}

static int noted_sync_directory(void *ctx, const char *path)
{
	(void)ctx;
	(void)path;
	return 0;
}

static int noted_sync_all(void *ctx)
{
	module_note_step(ctx, "sync", "all", "");
	return 0;
}

static int noted_stat(void *ctx, const char *path, struct storage_stat *stat)
{
	struct linux_medium medium = medium_of(ctx);

	return linux_stat(&medium, path, stat);
}

static ssize_t noted_read_link(void *ctx, const char *path, char *target, size_t size)
{
	struct linux_medium medium = medium_of(ctx);

	return linux_read_link(&medium, path, target, size);
}

static int noted_list(void *ctx, const char *path, int (*each)(void *each_ctx, const char *name), void *each_ctx)
{
	struct linux_medium medium = medium_of(ctx);

	return linux_list(&medium, path, each, each_ctx);
}

static int noted_find(void *ctx, enum storage_kind kind, const char *name, struct storage_location *location)
{
	const struct module *module = ctx;
	struct linux_medium medium = medium_of(module);

	return module->no_misc ? -ENOENT : linux_find(&medium, kind, name, location);
}

static int noted_rename(void *ctx, const char *from, const char *to)
{
	struct linux_medium medium = medium_of(ctx);

	module_note_step(ctx, "rename to", to, "");
	return linux_rename(&medium, from, to);
}

static int noted_unlink(void *ctx, const char *path)
{
	struct linux_medium medium = medium_of(ctx);

	module_note_step(ctx, "unlink", path, "");
	return linux_unlink(&medium, path);
}

static int noted_mkdir(void *ctx, const char *path, uint32_t mode)
{
	struct linux_medium medium = medium_of(ctx);

	module_note_step(ctx, "mkdir", path, "");
	return linux_mkdir(&medium, path, mode);
}

static int noted_rmdir(void *ctx, const char *path)
{
	struct linux_medium medium = medium_of(ctx);

	return linux_rmdir(&medium, path);
}

static int noted_set_mode(void *ctx, const char *path, uint32_t mode)
{
	struct linux_medium medium = medium_of(ctx);

	return linux_set_mode(&medium, path, mode);
}

static int noted_set_owner(void *ctx, const char *path, uint32_t uid, uint32_t gid)
{
	struct linux_medium medium = medium_of(ctx);

	return linux_set_owner(&medium, path, uid, gid);
}

static ssize_t noted_get_xattr(void *ctx, const char *path, const char *name, void *value, size_t size)
{
	struct linux_medium medium = medium_of(ctx);

	return linux_get_xattr(&medium, path, name, value, size);
}

/* What lies in system_volume is at /system while that is mounted. */
static int noted_is_mounted(void *ctx, const char *mount_point, bool *mounted)
{
	const struct module *module = ctx;

	*mounted = strcmp(mount_point, "/system") == 0 && module->system_mounted;
	return 0;
}

static int noted_mount(void *ctx, const char *fs_type, const char *device, const char *mount_point, const char *options)
{
	struct module *module = ctx;

	(void)fs_type;
	(void)device;
	module_note_step(module, "mount", mount_point, options);
	if (strcmp(mount_point, "/system") != 0 || module->mount_error)
		return module->mount_error ? module->mount_error : -ENODEV;
	module->system_mounted = true;
	return renameat(module->root_fd, "system_volume", module->root_fd, "system") < 0 ? -errno : 0;
}

static int noted_unmount(void *ctx, const char *mount_point)
{
	struct module *module = ctx;

	module_note_step(module, "unmount", mount_point, "");
	if (!module->system_mounted || module->unmount_error)
		return module->unmount_error ? module->unmount_error : -EINVAL;
	module->system_mounted = false;
	return renameat(module->root_fd, "system", module->root_fd, "system_volume") < 0 ? -errno : 0;
}

const struct storage_ops module_ops = {
	.stat = noted_stat,
	.read_link = noted_read_link,
	.list = noted_list,
	.find = noted_find,
	.open = noted_open,
	.close = noted_close,
	.read = noted_read,
	.write = noted_write,
	.size = noted_size,
	.sync = noted_sync,
	.rename = noted_rename,
	.unlink = noted_unlink,
	.mkdir = noted_mkdir,
	.rmdir = noted_rmdir,
	.set_owner = noted_set_owner,
	.set_mode = noted_set_mode,
	.get_xattr = noted_get_xattr,
	.sync_directory = noted_sync_directory,
	.sync_all = noted_sync_all,
	.is_mounted = noted_is_mounted,
	.mount = noted_mount,
	.unmount = noted_unmount,
};
