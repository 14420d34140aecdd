/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"
#include "storage/internal.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#define XATTR_CAPABILITY "security.capability"
#define XATTR_SELINUX    "security.selinux"

#define SET_ID_BITS 06000u

/* What may hang on a system's files; user.* is left to applications, security.ima belongs to the content. */
static const char *const copied_xattrs[] = {XATTR_SELINUX, "security.SMACK64", "system.posix_acl_access",
                                            XATTR_CAPABILITY};

static bool is_no_xattr(ssize_t err)
{
	return err == -ENODATA || err == -EOPNOTSUPP;
}

static int set_owner(struct storage *storage, const char *path, const struct storage_stat *now, uint32_t uid,
                     uint32_t gid, struct error *error)
{
	int err;

	if (now->uid == uid && now->gid == gid)
		return 0;
	err = storage->ops->set_owner(storage->medium, path, uid, gid);
	return err < 0 ? storage_fail(error, err, "%s: set owner %u:%u", path, uid, gid) : 0;
}

static int set_mode(struct storage *storage, const char *path, uint32_t mode, struct error *error)
{
	int err = storage->ops->set_mode(storage->medium, path, mode & 07777);

	return err < 0 ? storage_fail(error, err, "%s: set mode 0%o", path, mode & 07777) : 0;
}

static int set_xattr(struct storage *storage, const char *path, const char *name, const void *value, size_t size,
                     struct error *error)
{
	int err = storage->ops->set_xattr(storage->medium, path, name, value, size);

	if (size == 0 && is_no_xattr(err))
		return 0;
	return err < 0 ? storage_fail(error, err, "%s: set %s", path, name) : 0;
}

/* What is there already is not written again: a rerun costs the flash nothing. */
static int change_xattr(struct storage *storage, const char *path, const char *name, const void *value, size_t size,
                        struct error *error)
{
	char now[STORAGE_XATTR_MAX];
	ssize_t length = storage->ops->get_xattr(storage->medium, path, name, now, sizeof(now));

	if (size == 0 ? is_no_xattr(length) : length == (ssize_t)size && memcmp(now, value, size) == 0)
		return 0;
	return set_xattr(storage, path, name, value, size, error);
}

int attributes_copy(struct storage *storage, const char *from, const char *path, struct error *error)
{
	struct storage_stat wanted = {0};
	struct storage_stat now = {0};
	char value[STORAGE_XATTR_MAX];
	int err = storage->ops->stat(storage->medium, from, &wanted);

	if (err == 0)
		err = storage->ops->stat(storage->medium, path, &now);
	if (err < 0)
		return storage_fail(error, err, "%s: attributes", from);
	err = set_owner(storage, path, &now, wanted.uid, wanted.gid, error);
	if (err == 0)
		err = set_mode(storage, path, wanted.mode, error);
	for (size_t i = 0; err == 0 && i < sizeof(copied_xattrs) / sizeof(copied_xattrs[0]); i++) {
		ssize_t size = storage->ops->get_xattr(storage->medium, from, copied_xattrs[i], value, sizeof(value));

		if (is_no_xattr(size))
			continue;
		err = size < 0 ? storage_fail(error, (int)size, "%s: read %s", from, copied_xattrs[i])
		               : set_xattr(storage, path, copied_xattrs[i], value, (size_t)size, error);
	}
	return err;
}

int attributes_apply_look(struct storage *storage, const char *path, const struct writer_look *look,
                          struct error *error)
{
	struct storage_stat now;
	int err = storage->ops->stat(storage->medium, path, &now);

	if (err < 0)
		return storage_fail(error, err, "%s: attributes", path);
	if (look->as_root)
		err = set_owner(storage, path, &now, 0, 0, error);
	return err < 0 ? err : set_mode(storage, path, look->mode, error);
}

/* struct vfs_cap_data of <linux/capability.h>, revision 2, effective: what a permitted set means for a program. */
static void make_capability(uint8_t value[XATTR_CAPS_SZ_2], uint64_t permitted)
{
	memset(value, 0, XATTR_CAPS_SZ_2);
	put_le32(value, VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE);
	put_le32(value + 4, (uint32_t)permitted);
	put_le32(value + 12, (uint32_t)(permitted >> 32));
}

/*
 * A change of owner clears the set-id bits and the capabilities. Those that the caller does not set are put back, as
 * "the unset ones stay" demands.
 */
static int change_owner(struct storage *storage, const char *path, const struct storage_attributes *attributes,
                        const struct storage_stat *now, struct error *error)
{
	uint32_t uid = attributes->has_uid ? attributes->uid : now->uid;
	uint32_t gid = attributes->has_gid ? attributes->gid : now->gid;
	uint8_t old[STORAGE_XATTR_MAX];
	ssize_t size = -ENODATA;
	int err;

	if (uid == now->uid && gid == now->gid)
		return 0;
	if (now->type == STORAGE_REGULAR && !attributes->has_capabilities) {
		size = storage->ops->get_xattr(storage->medium, path, XATTR_CAPABILITY, old, sizeof(old));
		if (size < 0 && !is_no_xattr(size))
			return storage_fail(error, (int)size, "%s: read %s", path, XATTR_CAPABILITY);
	}
	err = set_owner(storage, path, now, uid, gid, error);
	if (err == 0 && now->type == STORAGE_REGULAR && !attributes->has_mode && (now->mode & SET_ID_BITS) != 0)
		err = set_mode(storage, path, now->mode, error);
	if (err == 0 && size > 0)
		err = set_xattr(storage, path, XATTR_CAPABILITY, old, (size_t)size, error);
	return err;
}

int storage_set_attributes(struct storage *storage, const char *path, const struct storage_attributes *attributes,
                           struct error *error)
{
	uint8_t capability[XATTR_CAPS_SZ_2];
	char at[STORAGE_PATH_MAX];
	struct storage_stat now;
	int err = path_make(at, path, error);

	if (err < 0)
		return err;
	err = storage->ops->stat(storage->medium, at, &now);
	if (err < 0)
		return storage_fail(error, err, "%s: attributes", at);
	err = change_owner(storage, at, attributes, &now, error);
	/* Not skipped when the mode looks right already: the owner's change may just have cleared a part of it. */
	if (err == 0 && attributes->has_mode && now.type != STORAGE_SYMLINK)
		err = set_mode(storage, at, attributes->mode, error);
	if (err == 0 && attributes->has_selabel)
		err = change_xattr(storage, at, XATTR_SELINUX, attributes->selabel, strlen(attributes->selabel) + 1,
		                   error);
	if (err == 0 && attributes->has_capabilities && now.type == STORAGE_REGULAR) {
		make_capability(capability, attributes->capabilities);
		err = change_xattr(storage, at, XATTR_CAPABILITY, capability,
		                   attributes->capabilities == 0 ? 0 : sizeof(capability), error);
	}
	return err;
}

int storage_set_xattr(struct storage *storage, const char *path, const char *name, const void *value, size_t size,
                      struct error *error)
{
	char at[STORAGE_PATH_MAX];
	int err = path_make(at, path, error);

	return err < 0 ? err : change_xattr(storage, at, name, value, size, error);
}
