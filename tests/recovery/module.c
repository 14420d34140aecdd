/* SPDX-License-Identifier: Apache-2.0 */
#include "module.h"
#include "module_medium.h"

#include "storage/linux.h"
#include "tests/package/craft.h"
#include "tests/package/signing.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MISC_SIZE 65536

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

struct module *module_new_trusting(struct module_keys *keys)
{
	struct module *module = module_new();
	char public[128];

	(void)snprintf(module->keys, sizeof(module->keys), "%s/keys", module->root);
	(void)snprintf(keys->trusted, sizeof(keys->trusted), "%s/trusted.key", module->root);
	(void)snprintf(keys->foreign, sizeof(keys->foreign), "%s/foreign.key", module->root);
	(void)snprintf(keys->package, sizeof(keys->package), "%s" PACKAGE_PATH, module->root);
	(void)snprintf(public, sizeof(public), "%s/a.pem", module->keys);
	ck_assert_int_eq(mkdir(module->keys, 0755), 0);
	signing_write_pair(SIGNING_ED25519, keys->trusted, public);
	signing_write_pair(SIGNING_ED25519, keys->foreign, NULL);
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
	module_note_step(module, "effect", EFFECT_PATH, "");
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
	const char *channels[] = {module_channel_path(module)};
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
	ck_assert_int_eq(storage_open_medium(&module_ops, module, NULL, &config.storage, NULL), 0);
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

void module_boot_to_the_end(struct module *module)
{
	for (int boots = 0; module_is_armed(module); boots++) {
		ck_assert_int_eq(module_boot(module, NULL), RECOVERY_REBOOT);
		ck_assert_int_lt(boots, 3);
	}
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
