/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/boot.h"

#include "updater/updater.h"
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- The bootloader ---- */

/* Handle and offset of the first good block of misc. */
static bool open_misc_block(struct module *module, int *handle, uint64_t *offset)
{
	struct storage_location location;
	struct storage_mtd_info info;
	bool bad = true;

	if (medium_ops.find(module->medium, STORAGE_MTD, "misc", &location))
		return false;
	*handle = medium_ops.open(module->medium, location.path, STORAGE_WRITE);
	if (*handle < 0 || medium_ops.mtd_info(module->medium, *handle, &info))
		return false;
	for (*offset = 0; bad && *offset < info.size; *offset += info.erase_size)
		if (medium_ops.mtd_is_bad(module->medium, *handle, *offset, &bad))
			return false;
	*offset -= info.erase_size;
	return !bad;
}

/* LK's set_recovery_message(): two pages, whatever else the block held. */
static void take_command(struct module *module, int handle, uint64_t offset, struct misc_message *message)
{
	uint8_t pages[2 * PAGE_SIZE_OF_NAND];

	memset(pages, 0xFF, sizeof(pages));
	(void)medium_ops.mtd_read(module->medium, handle, offset, pages, PAGE_SIZE_OF_NAND); /* page 0 as it is */
	memset(message->command, 0, sizeof(message->command));
	memset(message->status, 0, sizeof(message->status));
	(void)stpcpy(message->status, "OKAY");
	memcpy(pages + PAGE_SIZE_OF_NAND, message, sizeof(*message));
	module->taken = true;
	if (medium_ops.mtd_erase(module->medium, handle, offset) ||
	    medium_ops.mtd_program(module->medium, handle, offset, pages, sizeof(pages)))
		module_violate(module, "the bootloader cannot write misc");
}

enum system boot_select(struct module *module)
{
	struct misc_message message;
	enum system next = SYSTEM_NORMAL;
	uint64_t offset = 0;
	int handle = -1;

	if (!open_misc_block(module, &handle, &offset)) {
		module_violate(module, "the bootloader finds no misc");
	} else if (medium_ops.mtd_read(module->medium, handle, offset + PAGE_SIZE_OF_NAND, &message, sizeof(message)) ==
	                   0 &&
	           strncmp(message.command, MISC_BOOT_RECOVERY, sizeof(message.command)) == 0) {
		next = SYSTEM_RECOVERY;
		module->lk_window = false;
		if (module->loader == LOADER_LK)
			take_command(module, handle, offset, &message);
	}
	if (handle >= 0)
		(void)medium_ops.close(module->medium, handle);
	return next;
}

/* ---- The normal system ---- */

struct normal {
	struct storage *storage;
	struct misc *misc;
};

static bool open_normal(struct module *module, struct normal *normal)
{
	struct error error;

	*normal = (struct normal){0};
	if (storage_open_medium(&medium_ops, module->medium, module->log, &normal->storage, &error) ||
	    storage_mount(normal->storage, "ubifs", "usrdata", "/usrdata", NULL, &error) ||
	    misc_open(normal->storage, "misc", &normal->misc, &error)) {
		module_violate(module, "the normal system: %s", error.message);
		return false;
	}
	return true;
}

static void close_normal(struct normal *normal)
{
	misc_close(normal->misc);
	if (normal->storage)
		storage_close(normal->storage);
}

void boot_arm(struct module *module)
{
	char argument[256];
	const char *arguments[] = {argument};
	struct normal normal;
	struct error error;

	(void)snprintf(argument, sizeof(argument), "--update_package=%s", module->reference->package_path);
	if (open_normal(module, &normal)) {
		if (misc_request(normal.misc, normal.storage, COMMAND_PATH, arguments, module->reference->named ? 1 : 0,
		                 &error))
			module_violate(module, "arming: %s", error.message);
		else
			module->asked = true;
	}
	close_normal(&normal);
}

/* Where the second package is brought when recovery asks for it, and armed. */
static void bring_second(struct module *module, const struct normal *normal)
{
	const char *path = module->reference->package_path;
	const char *arguments[] = {NULL};
	struct storage_stat stat;
	struct error error;

	/* The host hears another START, and percentages that begin anew. */
	module->urc = (struct urc){0};
	if ((storage_stat_path(normal->storage, SECOND_PATH, &stat) == 0 &&
	     storage_rename(normal->storage, SECOND_PATH, path, &error) < 0) ||
	    misc_request(normal->misc, normal->storage, COMMAND_PATH, arguments, 0, &error) ||
	    storage_remove(normal->storage, NEXT_PATH, &error) < 0)
		module_violate(module, "the second package: %s", error.message);
}

void boot_resume(struct module *module)
{
	struct storage_stat stat;
	struct normal normal;
	struct error error;
	bool armed = false;

	if (open_normal(module, &normal)) {
		if (misc_resume(normal.misc, normal.storage, COMMAND_PATH, &armed, &error))
			module_violate(module, "resuming: %s", error.message);
		else if (!armed && storage_stat_path(normal.storage, NEXT_PATH, &stat) == 0)
			bring_second(module, &normal);
		else
			module->resting = !armed;
	}
	close_normal(&normal);
}

/* ---- The updater, as updater/main.c runs it ---- */

struct pipe {
	void (*line)(void *line_ctx, char *text);
	void (*tick)(void *line_ctx);
	void *ctx;
};

static void tell(void *ctx, const char *line)
{
	const struct pipe *pipe = ctx;
	char text[1024];

	(void)snprintf(text, sizeof(text), "%s", line);
	pipe->line(pipe->ctx, text);
	pipe->tick(pipe->ctx);
}

/* What it prints comes back as ui_print. */
static void print_line(void *ctx, const char *text)
{
	char line[1024];

	(void)snprintf(line, sizeof(line), "ui_print %s", text);
	tell(ctx, line);
}

static int run_package(struct module *module, const char *path, const struct reader *zip, bool retry, struct pipe *pipe)
{
	struct package_limits limits = package_default_limits();
	struct log log = {.line = print_line, .ctx = pipe};
	struct updater_config config = {
		.package_path = path, .tell = tell, .tell_ctx = pipe, .log = &log, .resume = retry};
	int status = UPDATER_PACKAGE;
	struct error error;

	if (package_open(zip, &limits, &config.package, &error)) {
		log_printf(&log, "%s: %s", path, error.message);
		return status;
	}
	if (storage_open_medium(&medium_ops, module->medium, &log, &config.storage, &error)) {
		log_printf(&log, "%s", error.message);
		status = UPDATER_ABORT;
	} else {
		status = (int)updater_run(&config, &error);
		if (status != UPDATER_OK)
			log_printf(&log, "%s: %s", path, error.message);
		storage_close(config.storage);
	}
	package_close(config.package);
	return status;
}

/* Of the objects that are upgraded: without package, backup and journals. */
static uint64_t system_bytes_read(struct module *module)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < module->reference->place_count; i++) {
		const struct place *place = &module->reference->places[i];

		if (place->kind == PLACE_FILES && strcmp(place->name, "usrdata") != 0)
			bytes += medium_files_read(module->medium, place->name);
	}
	return bytes;
}

static int run_updater(void *ctx, const char *package, bool retry, void (*line)(void *line_ctx, char *text),
                       void (*tick)(void *line_ctx), void *line_ctx, struct recovery_child *child, struct error *error)
{
	struct module *module = ctx;
	struct pipe pipe = {.line = line, .tick = tick, .ctx = line_ctx};
	struct storage_name name = {.kind = STORAGE_FILE};
	uint64_t before = system_bytes_read(module);
	struct storage_reader *reader;
	struct storage *storage;
	struct reader zip;
	int err = storage_open_medium(&medium_ops, module->medium, module->log, &storage, error);

	if (err)
		return err;
	module->runs++;
	*child = (struct recovery_child){.exited = true, .status = UPDATER_PACKAGE};
	(void)snprintf(name.name, sizeof(name.name), "%s", package);
	if (storage_reader_open(storage, &name, &reader, error) == 0) {
		zip = storage_reader_io(reader);
		child->status = run_package(module, package, &zip, retry, &pipe);
		storage_reader_close(reader);
	}
	storage_close(storage);
	if (child->status != UPDATER_OK)
		module->failures_of_runs++;
	module->bytes_read = system_bytes_read(module) - before;
	return 0;
}

/* ---- Recovery, as recovery/main.c and the image's init run it ---- */

static uint64_t now_ms(void *ctx)
{
	struct module *module = ctx;

	return ++module->clock_ms;
}

static void run_recovery(struct module *module, const struct recovery_config *config)
{
	char name[] = "recovery";
	char *argv[] = {name, NULL};
	struct error error;

	if (storage_mount(config->storage, "ubifs", "usrdata", "/usrdata", NULL, &error) ||
	    storage_make_directories(config->storage, "/usrdata/cache/fota", 0755, &error) ||
	    storage_make_directories(config->storage, "/usrdata/cache/recovery", 0755, &error))
		module_violate(module, "init: %s", error.message);
	if (recovery_run(config, 1, argv) == RECOVERY_IDLE)
		module_violate(module, "boot %u: recovery finds nothing to do", module->boots);
	if (storage_sync(config->storage, &error))
		module_violate(module, "recovery's last sync: %s", error.message);
}

void boot_recovery(struct module *module)
{
	char path[64];
	const char *channels[] = {path};
	struct report_config report_config = {
		.channels = channels, .channel_count = 1, .percent_path = "/usrdata/cache/fota/ipth_percent.txt"};
	struct recovery_config config = {.log = module->log,
	                                 .misc_partition = "misc",
	                                 .cache = "/cache",
	                                 .status_path = STATUS_PATH,
	                                 .package_path = MISC_DEFAULT_PACKAGE,
	                                 .next_path = NEXT_PATH,
	                                 .run_updater = run_updater,
	                                 .run_updater_ctx = module,
	                                 .now_ms = now_ms,
	                                 .now_ctx = module};
	struct error error;

	module->recoveries++;
	module->channel = memfd_create("channel", MFD_CLOEXEC);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", module->channel);
	module->said = 0;
	module->heap_base = module_heap(module);
	if (storage_open_medium(&medium_ops, module->medium, module->log, &config.storage, &error)) {
		module_violate(module, "recovery: %s", error.message);
		return;
	}
	if (report_open(config.storage, &report_config, module->log, &config.report, &error))
		module_violate(module, "recovery: %s", error.message);
	else
		run_recovery(module, &config);
	report_close(config.report);
	storage_close(config.storage);
	module_listen(module);
}
