/* SPDX-License-Identifier: Apache-2.0 */
/* The real medium with a switch in front. */
#include "world.h"

#include "storage/internal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static void *inner(struct world *world)
{
	return world->base->medium;
}

/* 0: go on, 1: this is the operation that is torn, negative: there is no power. */
static int step(struct world *world)
{
	if (world->cut_at > 0 && world->steps >= world->cut_at)
		return -EIO;
	world->steps++;
	return world->steps == world->cut_at;
}

#define STEP(call)                                                                                                     \
	do {                                                                                                           \
		struct world *world = medium;                                                                          \
		int rc = step(world);                                                                                  \
		return rc ? -EIO : world->base->ops->call;                                                             \
	} while (0)

static int cut_write(void *medium, int handle, uint64_t offset, const void *data, size_t length)
{
	struct world *world = medium;
	int rc = step(world);

	if (rc < 0)
		return rc;
	if (rc == 1) {
		(void)world->base->ops->write(inner(world), handle, offset, data, length / 2);
		return -EIO;
	}
	return world->base->ops->write(inner(world), handle, offset, data, length);
}

/* What is read of which path, through which handle. */
static void follow_reads(struct world *world, int handle, const char *path)
{
	unsigned i = 0;

	if (handle < 0)
		return;
	while (i < world->read_count && strcmp(world->reads[i].path, path) != 0)
		i++;
	ck_assert_uint_lt(i, WORLD_PATHS);
	ck_assert_int_lt(handle, WORLD_HANDLES);
	if (i == world->read_count)
		(void)snprintf(world->reads[world->read_count++].path, sizeof(world->reads[i].path), "%s", path);
	world->read_by[handle] = i;
}

uint64_t world_bytes_read(const struct world *world, const char *path)
{
	for (unsigned i = 0; i < world->read_count; i++)
		if (strcmp(world->reads[i].path, path) == 0)
			return world->reads[i].bytes;
	return 0;
}

static int cut_open(void *medium, const char *path, enum storage_open_mode mode)
{
	struct world *world = medium;
	int handle;

	if (mode == STORAGE_APPEND && world->full_journal && strcmp(path, UPDATER_JOURNAL) == 0)
		return -ENOSPC;
	if (mode != STORAGE_READ && strcmp(path, UPDATER_BACKUP) == 0)
		world->opened_for_writing++;
	if ((mode == STORAGE_CREATE || mode == STORAGE_APPEND) && step(world))
		return -EIO;
	handle = world->base->ops->open(inner(world), path, mode);
	follow_reads(world, handle, path);
	return handle;
}

static int cut_rename(void *medium, const char *from, const char *to)
{
	if (strcmp(to, UPDATER_BACKUP) == 0)
		((struct world *)medium)->renamed_backups++;
	STEP(rename(inner(world), from, to));
}

static int cut_unlink(void *medium, const char *path)
{
	STEP(unlink(inner(world), path));
}

static int cut_mkdir(void *medium, const char *path, uint32_t mode)
{
	STEP(mkdir(inner(world), path, mode));
}

static int cut_rmdir(void *medium, const char *path)
{
	STEP(rmdir(inner(world), path));
}

static int cut_symlink(void *medium, const char *target, const char *path)
{
	STEP(symlink(inner(world), target, path));
}

static int cut_link(void *medium, const char *first, const char *path)
{
	STEP(link(inner(world), first, path));
}

static int cut_mknod(void *medium, const char *path, int type, uint32_t major, uint32_t minor)
{
	STEP(mknod(inner(world), path, type, major, minor));
}

static int cut_set_owner(void *medium, const char *path, uint32_t uid, uint32_t gid)
{
	STEP(set_owner(inner(world), path, uid, gid));
}

static int cut_set_mode(void *medium, const char *path, uint32_t mode)
{
	STEP(set_mode(inner(world), path, mode));
}

static int cut_set_xattr(void *medium, const char *path, const char *name, const void *value, size_t size)
{
	STEP(set_xattr(inner(world), path, name, value, size));
}

/* Syncing a test's directory costs time and proves nothing. */
static int cut_sync(void *medium, int handle)
{
	(void)handle;
	return step(medium) ? -EIO : 0;
}

static int cut_sync_directory(void *medium, const char *path)
{
	(void)path;
	return step(medium) ? -EIO : 0;
}

static int cut_sync_all(void *medium)
{
	return step(medium) ? -EIO : 0;
}

/* ---- The rest of the real medium, and lies about space ---- */

static bool below(const char *path, const char *directory)
{
	return strncmp(path, directory, strlen(directory)) == 0;
}

static int pass_stat(void *medium, const char *path, struct storage_stat *stat)
{
	struct world *world = medium;
	int err = world->base->ops->stat(inner(world), path, stat);

	if (err == 0 && world->free_cache && below(path, "/cache"))
		stat->device++;
	return err;
}

static int pass_free_space(void *medium, const char *path, uint64_t *bytes)
{
	struct world *world = medium;
	int err = world->base->ops->free_space(inner(world), path, bytes);

	if (world->free_cache && below(path, "/cache"))
		*bytes = world->free_cache;
	if (world->free_system && below(path, "/system"))
		*bytes = world->free_system;
	return err;
}

#define PASS(call)                                                                                                     \
	do {                                                                                                           \
		struct world *world = medium;                                                                          \
		return world->base->ops->call;                                                                         \
	} while (0)

static ssize_t pass_read_link(void *medium, const char *path, char *target, size_t size)
{
	PASS(read_link(inner(world), path, target, size));
}

static int pass_list(void *medium, const char *path, int (*each)(void *ctx, const char *name), void *ctx)
{
	PASS(list(inner(world), path, each, ctx));
}

static int pass_is_mounted(void *medium, const char *mount_point, bool *mounted)
{
	PASS(is_mounted(inner(world), mount_point, mounted));
}

static int pass_find(void *medium, enum storage_kind kind, const char *name, struct storage_location *location)
{
	PASS(find(inner(world), kind, name, location));
}

static int pass_close(void *medium, int handle)
{
	PASS(close(inner(world), handle));
}

static ssize_t pass_read(void *medium, int handle, uint64_t offset, void *buffer, size_t length)
{
	struct world *world = medium;
	ssize_t n = world->base->ops->read(inner(world), handle, offset, buffer, length);

	if (n > 0)
		world->reads[world->read_by[handle]].bytes += (uint64_t)n;
	return n;
}

static int pass_size(void *medium, int handle, uint64_t *bytes)
{
	PASS(size(inner(world), handle, bytes));
}

static ssize_t pass_get_xattr(void *medium, const char *path, const char *name, void *value, size_t size)
{
	PASS(get_xattr(inner(world), path, name, value, size));
}

static int pass_mount(void *medium, const char *fs_type, const char *device, const char *mount_point,
                      const char *options)
{
	PASS(mount(inner(world), fs_type, device, mount_point, options));
}

static int pass_unmount(void *medium, const char *mount_point)
{
	PASS(unmount(inner(world), mount_point));
}

const struct storage_ops world_ops = {
	.stat = pass_stat,
	.read_link = pass_read_link,
	.list = pass_list,
	.free_space = pass_free_space,
	.is_mounted = pass_is_mounted,
	.find = pass_find,
	.open = cut_open,
	.close = pass_close,
	.read = pass_read,
	.write = cut_write,
	.size = pass_size,
	.sync = cut_sync,
	.rename = cut_rename,
	.unlink = cut_unlink,
	.mkdir = cut_mkdir,
	.rmdir = cut_rmdir,
	.symlink = cut_symlink,
	.link = cut_link,
	.mknod = cut_mknod,
	.set_owner = cut_set_owner,
	.set_mode = cut_set_mode,
	.set_xattr = cut_set_xattr,
	.get_xattr = pass_get_xattr,
	.sync_directory = cut_sync_directory,
	.sync_all = cut_sync_all,
	.mount = pass_mount,
	.unmount = pass_unmount,
};
