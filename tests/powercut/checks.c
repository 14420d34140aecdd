/* SPDX-License-Identifier: Apache-2.0 */
/* What must be true at each operation, behind each cut, and when recovery leaves. */
#include "tests/powercut/boot.h"

#include "updater/backup.h"
#include "updater/updater.h"
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKUP_PATH "/cache/saved.file" /* in its file system */

/* ---- Figures ---- */

uint64_t module_heap(struct module *module)
{
	struct mallinfo2 heap = mallinfo2();
	uint64_t all = heap.uordblks + heap.hblkhd;
	uint64_t model = medium_figures(module->medium).allocated;

	/* A sanitizer's heap is not counted there. */
	return all > model ? all - model : 0;
}

void module_listen(struct module *module)
{
	struct stat stat;

	if (module->channel >= 0 && fstat(module->channel, &stat) == 0)
		module->said = (size_t)stat.st_size;
}

static void sample_heap(struct module *module)
{
	uint64_t heap = module_heap(module);

	if (heap > module->heap_base && heap - module->heap_base > module->heap_peak)
		module->heap_peak = heap - module->heap_base;
}

static bool is_cache(const char *path)
{
	return strncmp(path, "/cache/", 7) == 0 || strncmp(path, "/usrdata/cache/", 15) == 0;
}

/* What /cache holds beside the package, the logs and what was there before; of a unit's two copies the older one. */
static void sample_scratch(struct module *module)
{
	const struct reference *reference = module->reference;
	uint64_t bytes = medium_usage(module->medium, "usrdata", "/cache");
	uint64_t other = medium_usage(module->medium, "usrdata", "/cache/recovery");
	struct storage_stat stat;

	if (other > LOGS_BOUND)
		module_violate(module, "the logs take %llu bytes", (unsigned long long)other);
	if (medium_stat(module->medium, "usrdata", UPDATER_UNIT, false, &stat))
		other -= stat.size;
	if (medium_stat(module->medium, "usrdata", reference->package_path + strlen("/usrdata"), false, &stat))
		other += stat.size;
	for (unsigned i = 0; i < reference->asset_count; i++)
		if (strncmp(reference->assets[i].path, "/cache/", 7) == 0)
			other += reference->assets[i].old.size;
	bytes -= bytes < other ? bytes : other;
	if (bytes > module->scratch_peak)
		module->scratch_peak = bytes;
}

/* ---- Versions on the media ---- */

static enum place_kind kind_of(const struct module *module, const struct asset *asset)
{
	for (unsigned i = 0; i < module->reference->place_count; i++)
		if (strcmp(module->reference->places[i].name, asset->place) == 0)
			return module->reference->places[i].kind;
	reference_die("no place %s", asset->place);
}

static bool raw_is(struct module *module, const struct asset *asset, const struct version *version)
{
	uint8_t *found = malloc(version->size + 1);
	bool same;

	if (!found)
		reference_die("no memory");
	if (kind_of(module, asset) == PLACE_NAND)
		same = medium_read_nand(module->medium, asset->place, found, version->size);
	else
		same = medium_read_volume(module->medium, asset->place, found, version->size);
	same = same && memcmp(found, version->data, version->size) == 0;
	free(found);
	return same;
}

static bool file_is(struct module *module, const struct asset *asset, const struct version *version)
{
	size_t size;
	const uint8_t *data = medium_file(module->medium, asset->place, asset->path, true, &size);

	return data && size == version->size && memcmp(data, version->data, size) == 0;
}

static bool link_is(struct module *module, const struct asset *asset, const struct version *version)
{
	const char *target = medium_link(module->medium, asset->place, asset->path, true);

	return target && strcmp(target, (const char *)version->data) == 0;
}

struct storage_stat version_node(const struct version *version)
{
	return (struct storage_stat){.type = version->node == 'c'   ? STORAGE_CHARACTER
	                                     : version->node == 'b' ? STORAGE_BLOCKDEV
	                                                            : STORAGE_FIFO,
	                             .mode = version->mode,
	                             .major = version->major,
	                             .minor = version->minor};
}

static bool node_is(const struct storage_stat *stat, const struct version *version)
{
	struct storage_stat node = version_node(version);

	return stat->type == node.type && stat->major == node.major && stat->minor == node.minor;
}

bool asset_is(struct module *module, const struct asset *asset, const struct version *version, bool content_only)
{
	struct storage_stat stat;
	bool there;

	if (version->shape == SHAPE_RAW)
		return raw_is(module, asset, version);
	there = medium_stat(module->medium, asset->place, asset->path, true, &stat);
	if (version->shape == SHAPE_NONE)
		return !there;
	if (!there || (version->shape == SHAPE_DIRECTORY && stat.type != STORAGE_DIRECTORY) ||
	    (version->shape == SHAPE_NODE && !node_is(&stat, version)) ||
	    (version->shape == SHAPE_FILE && !file_is(module, asset, version)) ||
	    (version->shape == SHAPE_LINK && !link_is(module, asset, version)))
		return false;
	return content_only || version->shape == SHAPE_LINK ||
	       (stat.mode == version->mode && stat.uid == version->uid && stat.gid == version->gid &&
	        medium_has_xattr(module->medium, asset->place, asset->path, true, version->xattr, version->value));
}

bool asset_is_third(struct module *module, const struct asset *asset)
{
	return asset->old.shape == SHAPE_RAW && !raw_is(module, asset, &asset->old) &&
	       (asset->stays || !raw_is(module, asset, &asset->new));
}

/* A file that left to make room for its new version. */
static bool is_away(struct module *module, const struct asset *asset, bool durable)
{
	const struct asset *origin = asset->origin;
	struct storage_stat stat;

	return (asset->old.shape == SHAPE_FILE || origin) && asset->new.shape == SHAPE_FILE && !asset->gap &&
	       !medium_stat(module->medium, asset->place, asset->path, durable, &stat) &&
	       (!origin || !medium_stat(module->medium, origin->place, origin->path, durable, &stat));
}

/* What it was then. */
static const struct version *version_away(const struct asset *asset)
{
	return asset->origin ? &asset->via : &asset->old;
}

static bool backup_has(struct module *module, const struct version *version)
{
	size_t size;
	const uint8_t *data = medium_file(module->medium, "usrdata", BACKUP_PATH, true, &size);

	return data && size == version->size + BACKUP_HEADER_SIZE && memcmp(data, "FOTASAVE", 8) == 0 &&
	       memcmp(data + BACKUP_HEADER_SIZE, version->data, version->size) == 0;
}

/* ---- At each operation ---- */

bool module_read_message(struct module *module, struct misc_message *message)
{
	uint8_t pages[2 * PAGE_SIZE_OF_NAND];

	memset(message, 0, sizeof(*message));
	/* Only its own page counts: the first one may be anything. */
	(void)medium_read_nand(module->medium, "misc", pages, sizeof(pages));
	memcpy(message, pages + PAGE_SIZE_OF_NAND, sizeof(*message));
	return medium_read_nand(module->medium, "misc", pages, sizeof(pages));
}

static void look_at_misc(struct module *module)
{
	struct misc_message message;

	if (module->unchecked && module->taken && module_read_message(module, &message) && misc_is_armed(&message))
		module->taken = false;
	module->unchecked = false;
}

/* The one copy of what is gone must not be touched before the new content is there. */
static void check_backup(struct module *module, const struct cut_point *point)
{
	bool is_backup =
		strcmp(point->object, UPDATER_BACKUP) == 0 || strcmp(point->object, "/usrdata" UPDATER_BACKUP) == 0;

	if (!is_backup || strncmp(point->verb, "sync", 4) == 0)
		return;
	for (unsigned i = 0; i < module->reference->asset_count; i++) {
		const struct asset *asset = &module->reference->assets[i];

		if ((asset_needs_backup(asset) && asset_is_third(module, asset)) || is_away(module, asset, false))
			module_violate(module, "%s of the backup while %s%s needs it", point->verb, asset->place,
			               asset->path);
	}
	if (strcmp(point->verb, "rename") == 0)
		module->backups++;
}

static bool has_said_end(struct module *module)
{
	char *text = malloc(module->said + 1);
	bool found = false;

	if (text && pread(module->channel, text, module->said, 0) == (ssize_t)module->said) {
		text[module->said] = '\0';
		found = strstr(text, "\"END\"") != NULL;
	}
	free(text);
	return found;
}

bool status_is_final(struct module *module)
{
	const struct reference *reference = module->reference;
	size_t size;
	const uint8_t *data = medium_file(module->medium, "usrdata", STATUS_PATH + strlen("/usrdata"), true, &size);
	char wanted[64];

	(void)snprintf(wanted, sizeof(wanted), "IP_PREVIOUS_UPDATE_%s %d\n",
	               reference->end_code ? "CHECK_FILE_FAILED" : "SUCCESSFUL",
	               reference->end_code ? reference->end_code : 200);
	return data && size >= strlen(wanted) && memcmp(data, wanted, strlen(wanted)) == 0;
}

void check_assets(struct module *module, bool upgraded)
{
	for (unsigned i = 0; i < module->reference->asset_count; i++) {
		const struct asset *asset = &module->reference->assets[i];
		bool old = !upgraded || asset->stays;

		if (!asset_is(module, asset, old ? &asset->old : &asset->new, false))
			module_violate(module, "%s%s is not the %s one", asset->place, asset->path,
			               old ? "old" : "new");
	}
	check_hard_links(module, upgraded);
}

/* Effects, then result file and logs, then the flag: the flag is about to go. */
static void check_ending(struct module *module)
{
	size_t size;

	check_assets(module, true);
	if (!status_is_final(module))
		module_violate(module, "the flag is cleared before the status file has the result");
	if (!medium_file(module->medium, "usrdata", "/cache/recovery/last_log", true, &size))
		module_violate(module, "the flag is cleared before there is a last_log");
}

uint32_t module_misc_blocks(const struct module *module)
{
	return module->reference->places[0].blocks;
}

static uint64_t flag_offset(const struct module *module)
{
	const struct place *misc = &module->reference->places[0];

	return misc->factory_bad == 1 ? misc->block_size : 0;
}

static void check_order(struct module *module, const struct cut_point *point)
{
	bool is_misc = strcmp(point->object, "misc") == 0;
	/* A misc of one block loses the result with the flag, so that what leads to it must not go before it. */
	bool is_last = module_misc_blocks(module) == 1 && strcmp(point->verb, "unlink") == 0 &&
	               (strcmp(point->object, module->reference->package_path) == 0 ||
	                strcmp(point->object, "/cache/recovery/attempts") == 0);

	if (module->erases_flag) {
		if (!is_misc && !is_last && strncmp(point->verb, "sync", 4) != 0)
			module_violate(module, "%s %s after the flag was cleared", point->verb, point->object);
	} else if (is_misc && strcmp(point->verb, "erase") == 0 && point->offset == flag_offset(module) &&
	           has_said_end(module)) {
		module->erases_flag = true;
		check_ending(module);
	}
}

void check_operation(struct module *module, const struct cut_point *point)
{
	look_at_misc(module);
	module->unchecked = strcmp(point->object, "misc") == 0;
	check_backup(module, point);
	if (module->system != SYSTEM_RECOVERY)
		return;
	module_listen(module);
	sample_heap(module);
	if (is_cache(point->object))
		sample_scratch(module);
	check_order(module, point);
}

/* ---- Behind a cut ---- */

static void check_raw(struct module *module, const struct asset *asset)
{
	size_t size;
	const uint8_t *package;

	if (!asset_is_third(module, asset))
		return;
	if (version_equal(&asset->old, &asset->new) || asset->stays) {
		module_violate(module, "cut %u: %s was touched", module->cuts, asset->place);
	} else if (asset->unit) {
		check_units(module, asset);
	} else if (!asset->whole) {
		if (!backup_has(module, &asset->old))
			module_violate(module, "cut %u: %s is half written, and no backup has its old content",
			               module->cuts, asset->place);
	} else {
		package = medium_file(module->medium, "usrdata", module->reference->package_path + strlen("/usrdata"),
		                      true, &size);
		if (!package || size != module->reference->package_size ||
		    memcmp(package, module->reference->package, size) != 0)
			module_violate(module, "cut %u: %s is half written, and the package is gone", module->cuts,
			               asset->place);
	}
}

static void check_path(struct module *module, const struct asset *asset)
{
	struct storage_stat stat;

	if (is_away(module, asset, true) && backup_has(module, version_away(asset)))
		return;
	if ((asset_is(module, asset, &asset->old, true) && !(asset->origin && is_away(module, asset, true))) ||
	    (!asset->stays && asset_is(module, asset, &asset->new, true)) ||
	    (asset->via.shape != SHAPE_NONE && asset_is(module, asset, &asset->via, true)))
		return;
	if (asset->gap && !medium_stat(module->medium, asset->place, asset->path, true, &stat))
		return;
	module_violate(module, "cut %u: %s%s is neither old nor new", module->cuts, asset->place, asset->path);
}

void check_crash(struct module *module)
{
	look_at_misc(module);
	if (module->taken)
		module->lk_window = true;
	if (module->urc.has_end && !status_is_final(module))
		module_violate(module, "cut %u: END was said, and the status file does not have the result",
		               module->cuts);
	for (unsigned i = 0; i < module->reference->asset_count; i++) {
		const struct asset *asset = &module->reference->assets[i];

		if (asset->old.shape == SHAPE_RAW)
			check_raw(module, asset);
		else
			check_path(module, asset);
	}
	check_release(module);
}

/* ---- When recovery leaves ---- */

static bool next_is_asked(struct module *module)
{
	size_t size;

	return module->reference->second &&
	       medium_file(module->medium, "usrdata", NEXT_PATH + strlen("/usrdata"), true, &size);
}

void check_recovery(struct module *module)
{
	struct misc_message message;
	bool armed = module_read_message(module, &message) && misc_is_armed(&message);

	look_at_misc(module);
	if (!armed && !module->urc.ended && next_is_asked(module)) {
		check_assets(module, false); /* what the first package of two leaves as it was: everything */
		module->clearings++;
		return;
	}
	if (module->urc.has_end && armed)
		module_violate(module, "boot %u: END, and still armed", module->boots);
	else if (module->asked && !armed && !module->urc.ended && !module->urc.was_ended)
		module_violate(module, "boot %u: no END, and nothing is armed", module->boots);
	module->clearings += !armed;
}
