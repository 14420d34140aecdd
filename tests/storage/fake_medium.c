/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/storage/fake_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

struct fake_medium *fake_medium_new(void)
{
	struct fake_medium *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	m->free_bytes = 1u << 20;
	if (fake_mkdir(m, "/", 0755) < 0 || fake_mkdir(m, "/res", 0755) < 0)
		abort();
	fake_clear_log(m);
	return m;
}

void fake_medium_free(struct fake_medium *medium)
{
	for (int i = 0; i < medium->nodes; i++) {
		free(medium->node[i]->data);
		free(medium->node[i]);
	}
	for (int i = 0; i < medium->nands; i++) {
		free(medium->nand[i].data);
		free(medium->nand[i].programmed);
		free(medium->nand[i].unreadable);
		free(medium->nand[i].bad);
	}
	for (int i = 0; i < medium->volumes; i++)
		free(medium->volume[i].data);
	free(medium);
}

void fake_rule(struct fake_medium *medium, const char *call, unsigned skip, unsigned count, int result)
{
	struct fake_rule *rule = &medium->rule[medium->rules++];

	if (medium->rules > COUNT_OF(medium->rule))
		abort();
	(void)snprintf(rule->call, sizeof(rule->call), "%s", call);
	rule->skip = skip;
	rule->count = count;
	rule->result = result;
}

static bool line_matches(const char *line, const char *call)
{
	size_t length = strlen(call);

	return length == 0 || (strncmp(line, call, length) == 0 &&
	                       (line[length] == ' ' || line[length] == '\n' || line[length] == '\0'));
}

int fake_call(struct fake_medium *medium, const char *format, ...)
{
	char line[512];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(line) || medium->log_length + (size_t)n + 2 > sizeof(medium->log))
		abort();
	memcpy(medium->log + medium->log_length, line, (size_t)n);
	medium->log_length += (size_t)n;
	medium->log[medium->log_length++] = '\n';
	medium->log[medium->log_length] = '\0';
	for (int i = 0; i < medium->rules; i++) {
		struct fake_rule *rule = &medium->rule[i];

		if (rule->count == 0 || !line_matches(line, rule->call))
			continue;
		if (rule->skip > 0) {
			rule->skip--;
			continue;
		}
		rule->count--;
		return rule->result;
	}
	return 0;
}

void fake_clear_log(struct fake_medium *medium)
{
	medium->log_length = 0;
	medium->log[0] = '\0';
}

bool fake_has_call(const struct fake_medium *medium, const char *call)
{
	for (const char *line = medium->log; *line != '\0'; line += strcspn(line, "\n") + 1)
		if (line_matches(line, call))
			return true;
	return false;
}

struct fake_handle *fake_handle_of(struct fake_medium *medium, int handle)
{
	if (handle < 0 || handle >= COUNT_OF(medium->handle) || medium->handle[handle].kind == FAKE_CLOSED)
		abort(); /* a handle that is closed or never was one: a bug in the code under test */
	return &medium->handle[handle];
}

int fake_handle_new(struct fake_medium *medium, int kind, int index, enum storage_open_mode mode)
{
	for (int i = 0; i < COUNT_OF(medium->handle); i++)
		if (medium->handle[i].kind == FAKE_CLOSED) {
			medium->handle[i].kind = kind;
			medium->handle[i].index = index;
			medium->handle[i].mode = mode;
			return i;
		}
	return -EMFILE;
}

int fake_open_handles(const struct fake_medium *medium)
{
	int count = 0;

	for (int i = 0; i < COUNT_OF(medium->handle); i++)
		count += medium->handle[i].kind != FAKE_CLOSED;
	return count;
}

static int fake_open(void *medium, const char *path, enum storage_open_mode mode)
{
	int handle = fake_open_flash(medium, path, mode);

	return handle == -ENOENT ? fake_open_file(medium, path, mode) : handle;
}

static int fake_close(void *medium, int handle)
{
	struct fake_handle *h = fake_handle_of(medium, handle);
	struct fake_medium *m = medium;

	if (h->kind == FAKE_VOLUME && h->mode == STORAGE_WRITE)
		m->volume[h->index].updating = false; /* the marker stays if bytes are missing */
	h->kind = FAKE_CLOSED;
	return 0;
}

static ssize_t fake_read(void *medium, int handle, uint64_t offset, void *buffer, size_t length)
{
	struct fake_handle *h = fake_handle_of(medium, handle);

	if (h->kind == FAKE_FILE)
		return fake_read_file(medium, h->index, offset, buffer, length);
	return h->kind == FAKE_VOLUME ? fake_read_volume(medium, h->index, offset, buffer, length) : -EINVAL;
}

static int fake_write(void *medium, int handle, uint64_t offset, const void *data, size_t length)
{
	struct fake_handle *h = fake_handle_of(medium, handle);

	return h->kind == FAKE_FILE ? fake_write_file(medium, h, offset, data, length) : -EINVAL;
}

static int fake_size(void *medium, int handle, uint64_t *bytes)
{
	struct fake_handle *h = fake_handle_of(medium, handle);
	struct fake_medium *m = medium;

	if (h->kind != FAKE_FILE)
		return -EINVAL;
	*bytes = m->node[h->index]->stat.size;
	return 0;
}

static int fake_sync(void *medium, int handle)
{
	struct fake_handle *h = fake_handle_of(medium, handle);
	struct fake_medium *m = medium;

	if (h->kind == FAKE_NAND)
		return -EINVAL; /* as fsync(2) of the character device */
	return fake_call(medium, "sync %s", h->kind == FAKE_FILE ? m->node[h->index]->path : m->volume[h->index].name);
}

static int fake_free_space(void *medium, const char *path, uint64_t *bytes)
{
	struct fake_medium *m = medium;

	if (!fake_find(m, path))
		return -ENOENT;
	*bytes = m->free_bytes;
	return 0;
}

/* Whatever the log says was mounted last and not unmounted since. */
static int fake_is_mounted(void *medium, const char *mount_point, bool *mounted)
{
	struct fake_medium *m = medium;
	char mount[300];
	char unmount[300];

	(void)snprintf(mount, sizeof(mount), "mount %s", mount_point);
	(void)snprintf(unmount, sizeof(unmount), "unmount %s", mount_point);
	*mounted = false;
	for (const char *line = m->log; *line != '\0'; line += strcspn(line, "\n") + 1)
		*mounted = line_matches(line, mount) || (*mounted && !line_matches(line, unmount));
	return 0;
}

static int fake_find_location(void *medium, enum storage_kind kind, const char *name, struct storage_location *location)
{
	struct fake_medium *m = medium;
	char path[300];

	for (int i = 0; kind == STORAGE_MTD && i < m->nands; i++)
		if (strcmp(m->nand[i].name, name) == 0) {
			location->kind = STORAGE_MTD;
			(void)snprintf(location->path, sizeof(location->path), "nand:%s", name);
			return 0;
		}
	for (int i = 0; i < m->volumes; i++)
		if (strcmp(m->volume[i].name, name) == 0) {
			location->kind = STORAGE_UBI;
			(void)snprintf(location->path, sizeof(location->path), "volume:%s", name);
			return 0;
		}
	(void)snprintf(path, sizeof(path), "%s%s", *name == '/' ? "" : "/dev/", name);
	if (!fake_find(m, path))
		return -ENOENT;
	location->kind = STORAGE_BLOCK;
	(void)snprintf(location->path, sizeof(location->path), "%s", path);
	return 0;
}

static int fake_sync_directory(void *medium, const char *path)
{
	struct fake_node *node = fake_find(medium, path);
	int err = fake_call(medium, "syncdir %s", path);

	if (err < 0)
		return err;
	return node && node->stat.type == STORAGE_DIRECTORY ? 0 : -ENOENT;
}

static int fake_sync_all(void *medium)
{
	return fake_call(medium, "syncall");
}

static int fake_mount(void *medium, const char *fs_type, const char *device, const char *mount_point,
                      const char *options)
{
	return fake_call(medium, "mount %s %s %s %s", mount_point, fs_type, device, options);
}

static int fake_unmount(void *medium, const char *mount_point)
{
	return fake_call(medium, "unmount %s", mount_point);
}

const struct storage_ops fake_ops = {
	.stat = fake_stat,
	.read_link = fake_read_link,
	.list = fake_list,
	.free_space = fake_free_space,
	.is_mounted = fake_is_mounted,
	.find = fake_find_location,
	.open = fake_open,
	.close = fake_close,
	.read = fake_read,
	.write = fake_write,
	.size = fake_size,
	.sync = fake_sync,
	.rename = fake_rename,
	.unlink = fake_unlink,
	.mkdir = fake_mkdir,
	.rmdir = fake_rmdir,
	.symlink = fake_symlink,
	.link = fake_link,
	.mknod = fake_mknod,
	.set_owner = fake_set_owner,
	.set_mode = fake_set_mode,
	.set_xattr = fake_set_xattr,
	.get_xattr = fake_get_xattr,
	.sync_directory = fake_sync_directory,
	.sync_all = fake_sync_all,
	.mount = fake_mount,
	.unmount = fake_unmount,
	.mtd_info = fake_mtd_info,
	.mtd_is_bad = fake_mtd_is_bad,
	.mtd_mark_bad = fake_mtd_mark_bad,
	.mtd_erase = fake_mtd_erase,
	.mtd_program = fake_mtd_program,
	.mtd_read = fake_mtd_read,
	.ubi_info = fake_ubi_info,
	.ubi_update = fake_ubi_update,
	.ubi_write = fake_ubi_write,
	.ubi_change = fake_ubi_change,
};
