/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/tree_folder.h"

#include "gentools/capability.h"
#include "gentools/tree_xattr.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int failed(const struct tree *tree, const char *path, int cause, struct error *error)
{
	return error_set(error, RESULT_FORMAT, cause, "%s: cannot read %s: %s", tree->name, path, strerror(cause));
}

static int read_file(struct tree *tree, const char *place, struct object *object, struct error *error)
{
	static const size_t size = 65536;
	char *buffer = malloc(size);
	struct tree_data data;
	ssize_t n = 1;
	int fd = open(place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int err = 0;

	if (fd < 0 || !buffer)
		err = failed(tree, object->path, fd < 0 ? errno : ENOMEM, error);
	tree_data_start(&data, tree, object);
	while (err == 0 && n > 0) {
		n = read(fd, buffer, size);
		if (n < 0 && errno == EINTR) {
			n = 1;
			continue;
		}
		if (n < 0) {
			err = failed(tree, object->path, errno, error);
			break;
		}
		err = tree_data_add(&data, buffer, (size_t)n);
		if (err < 0)
			err = error_set(error, 0, -err, "%s: cannot keep %s: %s", spool_folder(), object->path,
			                strerror(-err));
	}
	tree_data_finish(&data);
	if (fd >= 0)
		(void)close(fd); /* only read: nothing to lose */
	free(buffer);
	return err;
}

static int read_link(const struct tree *tree, const char *place, struct object *object, struct error *error)
{
	char target[4096];
	ssize_t n = readlink(place, target, sizeof(target));

	if (n < 0 || n == (ssize_t)sizeof(target))
		return failed(tree, object->path, n < 0 ? errno : ENAMETOOLONG, error);
	object->link = strndup(target, (size_t)n);
	return object->link ? 0 : failed(tree, object->path, ENOMEM, error);
}

static int read_entry(struct tree *tree, const FTSENT *entry, const char *path, struct error *error)
{
	const struct stat *stat = entry->fts_statp;
	struct object *object;
	int err;

	if (S_ISSOCK(stat->st_mode))
		return error_set(error, RESULT_FORMAT, EINVAL, "%s: %s is a socket, which nothing can carry",
		                 tree->name, path);
	object = tree_add(tree, path, strlen(path));
	if (!object)
		return failed(tree, path, ENOMEM, error);
	object->mode = stat->st_mode & 07777;
	object->uid = stat->st_uid;
	object->gid = stat->st_gid;
	if (!S_ISDIR(stat->st_mode) &&
	    !object_set_node(object, stat->st_mode, major(stat->st_rdev), minor(stat->st_rdev)))
		object->type = S_ISLNK(stat->st_mode) ? OBJECT_LINK : OBJECT_FILE;
	err = object_read_xattrs(object, entry->fts_accpath);
	if (err < 0)
		return failed(tree, path, -err, error);
	if (S_ISDIR(stat->st_mode) || object->type == OBJECT_NODE)
		return 0;
	if (object->type == OBJECT_LINK)
		return read_link(tree, entry->fts_accpath, object, error);
	object->has_names = true;
	if (stat->st_nlink > 1) {
		object->origin.device = stat->st_dev;
		object->origin.inode = stat->st_ino;
	}
	object->has_capabilities = true;
	err = capability_read(entry->fts_accpath, &object->capabilities);
	if (err == -EOPNOTSUPP)
		return error_set(error, RESULT_FORMAT, EINVAL, "%s: %s: " CAPABILITY_REFUSED, tree->name, path);
	return err < 0 ? failed(tree, path, -err, error) : read_file(tree, entry->fts_accpath, object, error);
}

static int visit(struct tree *tree, FTS *walk, FTSENT *entry, struct error *error)
{
	const char *path = entry->fts_path + strlen(tree->name);

	path += strspn(path, "/");
	switch (entry->fts_info) {
	case FTS_DP: /* a directory again, behind its content */
		return 0;
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		return failed(tree, *path ? path : ".", entry->fts_errno, error);
	default:
		break;
	}
	if (entry->fts_level == FTS_ROOTLEVEL)
		return 0;
	if (path_in(path, "SYSTEM/dev")) {
		(void)fts_set(walk, entry, FTS_SKIP); /* cannot fail: the instruction is one */
		return 0;
	}
	return read_entry(tree, entry, path, error);
}

int tree_read_folder(struct tree *tree, struct error *error)
{
	char *roots[] = {(char *)tree->name, NULL};
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	FTSENT *entry;
	int err = 0;

	if (!walk)
		return failed(tree, ".", errno, error);
	errno = 0;
	while (err == 0 && (entry = fts_read(walk))) {
		err = visit(tree, walk, entry, error);
		errno = 0;
	}
	if (err == 0 && errno != 0)
		err = failed(tree, ".", errno, error);
	(void)fts_close(walk); /* all that counts was read, or failed before */
	return err;
}
