/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual module: what is on it, and how it boots. */
#include "tests/powercut/module.h"

#include "tests/powercut/boot.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BOOTS_MAX 60u

const char *loader_name(enum loader loader)
{
	return loader == LOADER_LK ? "lk" : "abl";
}

void module_violate(struct module *module, const char *format, ...)
{
	size_t used = strlen(module->violation);
	va_list args;

	module->violations++;
	if (used > 0 && used + 2 < sizeof(module->violation)) {
		memcpy(module->violation + used, "; ", 3);
		used += 2;
	}
	va_start(args, format);
	(void)vsnprintf(module->violation + used, sizeof(module->violation) - used, format, args);
	va_end(args);
}

/* ---- Power ---- */

static unsigned on_step(void *ctx, const struct cut_point *point)
{
	struct module *module = ctx;

	check_operation(module, point);
	module->operation++;
	return module->decide ? module->decide(module->decide_ctx, point) : CUT_NONE;
}

static void on_power_off(void *ctx)
{
	struct module *module = ctx;

	longjmp(module->power, 1);
}

/* What the host heard of a boot that is over now. */
static void hear(struct module *module)
{
	const char *wrong = NULL;
	char *text;
	ssize_t length;

	if (module->channel < 0)
		return;
	text = malloc(module->said + 1);
	length = text ? pread(module->channel, text, module->said, 0) : -1;
	if (length != (ssize_t)module->said)
		module_violate(module, "the channel cannot be read");
	else
		wrong = urc_hear(&module->urc, text, module->said);
	if (wrong)
		module_violate(module, "+QIND in boot %u: %s", module->boots, wrong);
	free(text);
	if (close(module->channel))
		module_violate(module, "the channel cannot be closed");
	module->channel = -1;
}

static void crash(struct module *module)
{
	module->cuts++;
	hear(module);
	/* Where the journal shares the flag's block it may go with the flag's erase, or by LK: then an ending that was
	   cut short is not known any more, and the upgrade, which finds all done, is told once more. */
	if (module_misc_blocks(module) == 1 && module->urc.ended)
		module->urc = (struct urc){.was_ended = true, .heard = true, .code = module->urc.code};
	medium_crash(module->medium, module->survival, module->seed);
	check_crash(module);
}

/* ---- What is on it ---- */

static void put_version(struct module *module, const struct place *place, const char *path,
                        const struct version *version)
{
	struct storage_stat node;

	switch (version->shape) {
	case SHAPE_FILE:
		if (version->first) {
			medium_put_name(module->medium, place->name, path, version->first);
			break;
		}
		medium_put_file(module->medium, place->name, path, version->data, version->size, version->mode);
		break;
	case SHAPE_LINK:
		medium_put_link(module->medium, place->name, path, (const char *)version->data);
		break;
	case SHAPE_RAW:
		if (place->kind == PLACE_NAND)
			medium_write_nand(module->medium, place->name, version->data, version->size);
		else
			medium_write_volume(module->medium, place->name, version->data, version->size);
		break;
	case SHAPE_DIRECTORY:
		medium_put_directory(module->medium, place->name, path);
		break;
	case SHAPE_NODE:
		node = version_node(version);
		medium_put_node(module->medium, place->name, path, &node);
		break;
	case SHAPE_NONE:
		break;
	}
	if (version->xattr)
		medium_put_xattr(module->medium, place->name, path, version->xattr, version->value);
}

static void add_place_to(struct medium *medium, const struct place *place)
{
	switch (place->kind) {
	case PLACE_NAND:
		medium_add_nand(medium, place->name, place->blocks, place->block_size, PAGE_SIZE_OF_NAND);
		if (place->factory_bad)
			medium_make_bad(medium, place->name, place->factory_bad - 1);
		break;
	case PLACE_VOLUME:
	case PLACE_STATIC_VOLUME:
		medium_add_volume(medium, place->name, place->blocks, BLOCK_SIZE_OF_NAND - 2 * PAGE_SIZE_OF_NAND,
		                  place->kind == PLACE_STATIC_VOLUME);
		break;
	case PLACE_FILES:
		medium_add_file_system(medium, place->name, place->bytes);
		break;
	}
}

/* The recovery image's root file system, and the normal system's as far as it matters here. */
static void add_root(struct module *module)
{
	char *fstab = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&fstab, &size);

	if (!file)
		reference_die("no memory");
	for (unsigned i = 0; i < module->reference->place_count; i++) {
		const struct place *place = &module->reference->places[i];

		if (place->kind == PLACE_FILES)
			(void)fprintf(file, "%s ubifs %s\n", place->mounted, place->name); /* fclose() knows */
	}
	if (fclose(file) != 0)
		reference_die("no memory");
	medium_add_root_file(module->medium, "/res/recovery.fstab", fstab, size);
	medium_add_root_directory(module->medium, "/usrdata");
	medium_add_root_directory(module->medium, "/system");
	medium_add_root_link(module->medium, "/cache", "/usrdata/cache");
	free(fstab);
}

struct module *module_new(const struct reference *reference, enum loader loader)
{
	struct module *module = calloc(1, sizeof(*module));
	const struct medium_events events = {.step = on_step, .power_off = on_power_off, .ctx = module};

	if (!module)
		reference_die("no memory");
	module->reference = reference;
	module->loader = loader;
	module->channel = -1;
	module->medium = medium_new(&events);
	for (unsigned i = 0; i < reference->place_count; i++)
		add_place_to(module->medium, &reference->places[i]);
	for (unsigned i = 0; i < reference->asset_count; i++) {
		const struct asset *asset = &reference->assets[i];

		for (unsigned k = 0; k < reference->place_count; k++)
			if (strcmp(reference->places[k].name, asset->place) == 0)
				put_version(module, &reference->places[k], asset->path, &asset->old);
	}
	medium_put_file(module->medium, "usrdata", reference->package_path + strlen("/usrdata"), reference->package,
	                reference->package_size, 0644);
	if (reference->second)
		medium_put_file(module->medium, "usrdata", SECOND_PATH + strlen("/usrdata"), reference->second,
		                reference->second_size, 0644);
	medium_put_file(module->medium, "usrdata", "/cache/recovery/last_locale", "en", 2, 0644);
	add_root(module);
	return module;
}

void module_free(struct module *module)
{
	medium_free(module->medium);
	free(module);
}

/* ---- Booting ---- */

bool asset_is_boot(const struct asset *asset)
{
	return strcmp(asset->place, "boot") == 0;
}

/* The kernel of the normal system must be one or the other. */
static bool normal_system_starts(struct module *module)
{
	for (unsigned i = 0; i < module->reference->asset_count; i++) {
		const struct asset *asset = &module->reference->assets[i];

		if (asset_is_boot(asset) && asset_is_third(module, asset))
			return false;
	}
	return true;
}

static void boot_normal(struct module *module)
{
	if (!normal_system_starts(module)) {
		module->beyond_help = module->lk_window && module->cuts > 1;
		if (!module->beyond_help)
			module_violate(module, "boot %u: the normal system is broken, and nothing leads to recovery",
			               module->boots);
		return;
	}
	module->system = SYSTEM_NORMAL;
	if (module->boots == 1)
		boot_arm(module);
	else
		boot_resume(module);
}

static void boot(struct module *module)
{
	enum system next = SYSTEM_NORMAL;

	module->boots++;
	module->erases_flag = false;
	module->system = SYSTEM_LOADER;
	log_printf(module->log, "---- boot %u, operation %u", module->boots, module->operation);
	if (module->boots > 1)
		next = boot_select(module);
	if (next == SYSTEM_NORMAL) {
		boot_normal(module);
	} else {
		module->system = SYSTEM_RECOVERY;
		boot_recovery(module);
		hear(module);
		check_recovery(module);
	}
	/* reboot(2) syncs nothing. */
	medium_crash(module->medium, SURVIVAL_NOTHING, 0);
}

void module_run(struct module *module)
{
	if (setjmp(module->power))
		crash(module);
	while (!module->resting && !module->beyond_help && module->violations == 0) {
		if (module->boots >= BOOTS_MAX + 2 * module->cuts) {
			module_violate(module, "no rest after %u boots", module->boots);
			break;
		}
		boot(module);
	}
	if (module->resting)
		check_rest(module);
}
