/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/medium_internal.h"

#include <errno.h>
#include <string.h>

int mount_is_mounted(void *medium, const char *mount_point, bool *mounted)
{
	struct place place;
	int err = place_find_existing(medium, mount_point, true, &place);

	*mounted = err == 0 && place.inode == place.inode->files->root;
	return err == -ENOENT || err == -ENOTDIR ? 0 : err;
}

int mount_mount(void *medium, const char *fs_type, const char *device, const char *mount_point, const char *options)
{
	const char *name = strncmp(device, "volume:", 7) == 0 ? device + 7 : device;
	struct volume *volume = volume_find(medium, name);
	struct filesystem *files = volume ? volume->files : NULL;
	struct place place;
	int err = place_find_existing(medium, mount_point, true, &place);

	if (err < 0)
		return err;
	if (place.inode->type != STORAGE_DIRECTORY)
		return -ENOTDIR;
	if (strcmp(fs_type, "ubifs") != 0 || !volume)
		return -ENODEV;
	if (!files) /* raw data, no UBIFS superblock in it */
		return -EINVAL;
	if (options && strstr(options, "remount") && place.inode == files->root)
		return 0;
	if (files->mounted_on || place.inode == place.inode->files->root || volume_has_handle(medium, volume, true))
		return -EBUSY;
	files->mounted_on = inode_hold(place.inode);
	place.inode->mounted = files;
	return 0;
}

static bool is_in_use(const struct medium *medium, const struct filesystem *files)
{
	for (size_t i = 0; i < MEDIUM_HANDLES; i++)
		if (medium->handle[i].kind == HANDLE_FILE && medium->handle[i].inode->files == files)
			return true;
	for (size_t i = 0; i < medium->volumes; i++) {
		const struct filesystem *inner = medium->volume[i].files;

		if (inner && inner->mounted_on && inner->mounted_on->files == files)
			return true;
	}
	return false;
}

void mount_forget(struct filesystem *files)
{
	if (!files->mounted_on)
		return;
	files->mounted_on->mounted = NULL;
	inode_release(files->mounted_on);
	files->mounted_on = NULL;
}

int mount_unmount(void *medium, const char *mount_point)
{
	struct filesystem *files;
	struct place place;
	int err = place_find_existing(medium, mount_point, true, &place);

	if (err < 0)
		return err;
	files = place.inode->files;
	if (place.inode != files->root)
		return -EINVAL;
	if (files->is_volatile || is_in_use(medium, files))
		return -EBUSY;
	change_sync_first(files, files->changes);
	mount_forget(files);
	return 0;
}
