/* SPDX-License-Identifier: Apache-2.0 */
#include "module.h"

#include "storage/linux.h"
#include "tests/package/craft.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_CUT  42
#define MISC_SIZE 65536

/* ---- The medium: storage's own Linux one, with its durable steps noted ---- */

static struct linux_medium medium_of(const struct module *module)
{
	return (struct linux_medium){.root = module->root_fd};
}

static const char *channel_path(const struct module *module)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/channel", module->root);
	return path;
}

static void note_step(struct module *module, const char *verb, const char *path, const char *more)
{
	struct step *step;
	struct stat stat_buffer;

	ck_assert_uint_lt(module->step_count, STEPS_MAX);
	if (module->cut_at && module->step_count + 1 == module->cut_at)
		_exit(EXIT_CUT);
	step = &module->steps[module->step_count++];
	(void)snprintf(step->text, sizeof(step->text), "%s %s%s%s", verb, path, *more ? " " : "", more);
	ck_assert_int_eq(stat(channel_path(module), &stat_buffer), 0);
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
		note_step(module, "create", path, "");
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
	note_step(module, "write", module->handles[handle], where);
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
	note_step(ctx, "sync", "all", "");
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

	note_step(ctx, "rename to", to, "");
	return linux_rename(&medium, from, to);
}

static int noted_unlink(void *ctx, const char *path)
{
	struct linux_medium medium = medium_of(ctx);

	note_step(ctx, "unlink", path, "");
	return linux_unlink(&medium, path);
}

static int noted_mkdir(void *ctx, const char *path, uint32_t mode)
{
	struct linux_medium medium = medium_of(ctx);

	note_step(ctx, "mkdir", path, "");
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
	note_step(module, "mount", mount_point, options);
	if (strcmp(mount_point, "/system") != 0 || module->mount_error)
		return module->mount_error ? module->mount_error : -ENODEV;
	module->system_mounted = true;
	return renameat(module->root_fd, "system_volume", module->root_fd, "system") < 0 ? -errno : 0;
}

static int noted_unmount(void *ctx, const char *mount_point)
{
	struct module *module = ctx;

	note_step(module, "unmount", mount_point, "");
	if (!module->system_mounted || module->unmount_error)
		return module->unmount_error ? module->unmount_error : -EINVAL;
	module->system_mounted = false;
	return renameat(module->root_fd, "system", module->root_fd, "system_volume") < 0 ? -errno : 0;
}

static const struct storage_ops noted_ops = {
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

/* ---- The module ---- */

struct storage *module_storage(struct module *module)
{
	struct storage *storage;

	ck_assert_int_eq(storage_open_linux(module->root, NULL, NULL, &storage, NULL), 0);
	return storage;
}

void module_put(struct module *module, const char *path, const char *text)
{
	struct storage *storage = module_storage(module);

	ck_assert_int_eq(storage_save(storage, path, text, strlen(text), 0644, NULL), 0);
	storage_close(storage);
}

struct module *module_new(void)
{
	return module_new_sized(MISC_SIZE);
}

struct module *module_new_sized(size_t misc_size)
{
	/* Memory, where there is some: these tests write thousands of small files. */
	const char *place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	struct module *module = calloc(1, sizeof(*module));
	static char blank[MISC_SIZE];
	struct storage *storage;

	ck_assert_ptr_nonnull(module);
	ck_assert_uint_le(misc_size, sizeof(blank));
	(void)snprintf(module->root, sizeof(module->root), "%s/recovery-test-XXXXXX", place);
	ck_assert_ptr_nonnull(mkdtemp(module->root));
	module->root_fd = open(module->root, O_PATH | O_DIRECTORY);
	ck_assert_int_ge(module->root_fd, 0);
	storage = module_storage(module);
	ck_assert_int_eq(storage_save(storage, "/dev/misc", blank, misc_size, 0644, NULL), 0);
	ck_assert_int_eq(storage_save(storage, "/channel", "", 0, 0644, NULL), 0);
	storage_close(storage);
	module->end.exited = true;
	return module;
}

void module_free(struct module *module)
{
	struct storage *storage;

	ck_assert_int_eq(close(module->root_fd), 0);
	ck_assert_int_eq(storage_open_linux(NULL, NULL, NULL, &storage, NULL), 0);
	ck_assert_int_eq(storage_remove_tree(storage, module->root, NULL), 0);
	storage_close(storage);
	free(module);
}

bool module_has(struct module *module, const char *path)
{
	char full[256];

	(void)snprintf(full, sizeof(full), "%s%s", module->root, path);
	return access(full, F_OK) == 0;
}

const char *module_text(struct module *module, const char *path)
{
	static char text[512 * 1024];
	char full[256];
	size_t size = 0;
	FILE *file;

	(void)snprintf(full, sizeof(full), "%s%s", module->root, path);
	file = fopen(full, "r");
	if (file) {
		size = fread(text, 1, sizeof(text) - 1, file);
		ck_assert_int_eq(fclose(file), 0);
	}
	text[size] = '\0';
	return text;
}

const char *module_status(struct module *module)
{
	static char line[128];
	const char *text = module_text(module, STATUS_PATH);

	(void)snprintf(line, sizeof(line), "%.*s", (int)strcspn(text, "\n") + 1, text);
	return line;
}

const char *module_urcs(struct module *module)
{
	static char lines[512 * 1024];
	const char *text = module_text(module, "/channel");
	size_t used = 0;

	while (*text) {
		const char *end;

		ck_assert_int_eq(strncmp(text, "\r\n", 2), 0);
		text += 2;
		end = strstr(text, "\r\n");
		ck_assert_ptr_nonnull(end);
		memcpy(lines + used, text, (size_t)(end - text));
		used += (size_t)(end - text);
		lines[used++] = '\n';
		text = end + 2;
	}
	lines[used] = '\0';
	return lines;
}

/* name: of one more entry with this text; NULL: none. */
static void put_package(struct module *module, const char *path, const char *script, const char *md5_list,
                        const char *name, const char *text)
{
	struct storage *storage = module_storage(module);
	struct craft craft;

	craft_start(&craft);
	if (script)
		craft_add_text(&craft, "META-INF/com/google/android/updater-script", script);
	craft_add_text(&craft, "system/file", "content");
	if (md5_list)
		craft_add_text(&craft, "md5.txt", md5_list);
	if (name)
		craft_add_text(&craft, name, text);
	craft_finish(&craft, NULL, 0);
	ck_assert_int_eq(storage_save(storage, path, craft.bytes, craft.size, 0644, NULL), 0);
	craft_free(&craft);
	storage_close(storage);
}

void module_put_package(struct module *module, const char *path, const char *script, const char *md5_list)
{
	put_package(module, path, script, md5_list, NULL, NULL);
}

void module_put_part(struct module *module, const char *path, const char *script, const char *next)
{
	put_package(module, path, script, NULL, next ? PACKAGE_NEXT : NULL, next);
}

void module_put_indexed(struct module *module, const char *path, const char *script, const char *index)
{
	put_package(module, path, script, NULL, index ? PACKAGE_ROLLBACK_INDEX : NULL, index);
}

/* ---- misc ---- */

struct opened {
	struct storage *storage;
	struct misc *misc;
};

static struct opened open_misc(struct module *module)
{
	struct opened opened = {.storage = module_storage(module)};

	ck_assert_int_eq(misc_open(opened.storage, "misc", &opened.misc, NULL), 0);
	return opened;
}

static void close_misc(struct opened *opened)
{
	misc_close(opened->misc);
	storage_close(opened->storage);
}

void module_arm(struct module *module, const char *const *arguments)
{
	struct opened opened = open_misc(module);
	unsigned count = 0;

	while (arguments && arguments[count])
		count++;
	ck_assert_int_eq(misc_arm(opened.misc, arguments, count, NULL), 0);
	close_misc(&opened);
}

void module_set_message(struct module *module, const struct misc_message *message)
{
	struct opened opened = open_misc(module);

	ck_assert_int_eq(misc_write_message(opened.misc, message, NULL), 0);
	close_misc(&opened);
}

struct misc_message module_message(struct module *module)
{
	struct opened opened = open_misc(module);
	struct misc_message message;

	ck_assert_int_eq(misc_read_message(opened.misc, &message, NULL), 0);
	close_misc(&opened);
	return message;
}

struct misc_attempts module_attempts(struct module *module)
{
	struct opened opened = open_misc(module);
	struct misc_attempts attempts;

	ck_assert_int_eq(misc_attempts_read(opened.misc, 0, &attempts, NULL), 0);
	close_misc(&opened);
	return attempts;
}

bool module_is_armed(struct module *module)
{
	struct misc_message message = module_message(module);

	return misc_is_armed(&message);
}

/* ---- Booting ---- */

static int fake_updater(void *ctx, const char *package, bool retry, void (*line)(void *line_ctx, char *text),
                        void (*tick)(void *line_ctx), void *line_ctx, struct recovery_child *child, struct error *error)
{
	struct module *module = ctx;

	module->runs++;
	module->retry = retry;
	module->armed_when_run = !module->no_misc && module_is_armed(module);
	module->command_when_run = module_has(module, COMMAND_PATH);
	(void)snprintf(module->package, sizeof(module->package), "%s", package);
	if (module->start_error)
		return error_set(error, RESULT_ABNORMAL, -module->start_error, "no updater");
	for (const char *const *text = module->lines; text && *text; text++) {
		char copy[2048];

		(void)snprintf(copy, sizeof(copy), "%s", *text);
		line(line_ctx, copy);
		module->now += module->ms_per_line;
		tick(line_ctx);
	}
	note_step(module, "effect", EFFECT_PATH, "");
	*child = module->end;
	if (child->exited && child->status == 0 && !module->no_effect)
		module_put(module, EFFECT_PATH, "done");
	return 0;
}

static uint64_t now_ms(void *ctx)
{
	const struct module *module = ctx;

	return module->now;
}

enum recovery_outcome module_boot(struct module *module, const char *const *arguments)
{
	const char *channels[] = {channel_path(module)};
	struct report_config report_config = {.channels = channels, .channel_count = 1, .percent_path = PERCENT_PATH};
	struct recovery_config config = {.misc_partition = "misc",
	                                 .cache = "/cache",
	                                 .status_path = STATUS_PATH,
	                                 .package_path = PACKAGE_PATH,
	                                 .next_path = NEXT_PATH,
	                                 .keys = module->keys[0] ? module->keys : NULL,
	                                 .run_updater = fake_updater,
	                                 .run_updater_ctx = module,
	                                 .now_ms = now_ms,
	                                 .now_ctx = module};
	char *argv[16] = {"recovery"};
	enum recovery_outcome outcome;
	int argc = 1;

	while (arguments && arguments[argc - 1]) {
		argv[argc] = strdup(arguments[argc - 1]);
		argc++;
	}
	module->step_count = 0;
	ck_assert_int_eq(storage_open_medium(&noted_ops, module, NULL, &config.storage, NULL), 0);
	ck_assert_int_eq(report_open(config.storage, &report_config, NULL, &config.report, NULL), 0);
	outcome = recovery_run(&config, argc, argv);
	report_close(config.report);
	storage_close(config.storage);
	while (argc > 1)
		free(argv[--argc]);
	return outcome;
}

bool module_boot_cut(struct module *module, unsigned step)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		module->cut_at = step;
		(void)module_boot(module, NULL);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == EXIT_CUT),
	              "the boot that was cut at step %u crashed before", step);
	return WEXITSTATUS(status) == EXIT_CUT;
}

unsigned module_step(const struct module *module, const char *text)
{
	for (unsigned i = module->step_count; i > 0; i--) {
		if (strcmp(module->steps[i - 1].text, text) == 0)
			return i - 1;
	}
	ck_abort_msg("no step %s", text);
	return 0;
}
