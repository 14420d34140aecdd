/* SPDX-License-Identifier: Apache-2.0 */
/* What must be true when a module has come to rest in its normal system. */
#include "tests/powercut/boot.h"

#include "updater/backup.h"
#include <stdio.h>
#include <string.h>

#define ATTEMPTS       5u
#define ERASES_OF_MISC 5u

/* ---- Nothing may lie around that was not there before or has not been asked for ---- */

struct tour {
	struct module *module;
	const char *place;
};

static bool is_above(const char *path, const char *inner)
{
	size_t length = strlen(path);

	return strncmp(path, inner, length) == 0 && inner[length] == '/';
}

static bool is_report(const struct module *module, const char *path)
{
	static const char *const kept[] = {"/cache/fota/ipth_config_dfs.txt", "/cache/recovery/log",
	                                   "/cache/recovery/last_install", "/cache/recovery/last_locale"};

	/* A write of recovery's last boot, of one of these; the next one removes it. */
	if (module->cuts > 0 && strcmp(path, "/cache/recovery/.fota-new") == 0)
		return true;
	/* What a failed upgrade had finished: some lines that mean nothing to any other package. */
	if (module->reference->end_code && strcmp(path, "/cache/recovery/finished") == 0)
		return true;

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (strcmp(path, kept[i]) == 0 || is_above(path, kept[i]))
			return true;
	return strncmp(path, "/cache/recovery/last_log", strlen("/cache/recovery/last_log")) == 0;
}

static bool is_of_asset(const struct module *module, const char *place, const char *path)
{
	for (unsigned i = 0; i < module->reference->asset_count; i++) {
		const struct asset *asset = &module->reference->assets[i];

		if (strcmp(asset->place, place) == 0 && (strcmp(asset->path, path) == 0 || is_above(path, asset->path)))
			return true;
	}
	return false;
}

static void see(void *ctx, const char *path, const struct storage_stat *stat)
{
	const struct tour *tour = ctx;
	struct module *module = tour->module;
	bool is_last = strcmp(path, module->reference->package_path + strlen("/usrdata")) == 0 ||
	               strcmp(path, "/cache/recovery/attempts") == 0;
	/* Where the flag's block is all of misc, these go behind the flag, and power may go in between. */
	bool may_stay = module_misc_blocks(module) == 1 && module->cuts > 0;

	(void)stat;
	if (!is_of_asset(module, tour->place, path) && !(is_last && may_stay) &&
	    !(strcmp(tour->place, "usrdata") == 0 && is_report(module, path)))
		module_violate(module, "%s%s is left behind", tour->place, path);
}

static void check_remnants(struct module *module)
{
	for (unsigned i = 0; i < module->reference->place_count; i++) {
		struct tour tour = {.module = module, .place = module->reference->places[i].name};

		if (module->reference->places[i].kind == PLACE_FILES)
			medium_walk(module->medium, tour.place, true, see, &tour);
	}
}

/* ---- misc ---- */

static void check_misc(struct module *module)
{
	struct misc_message message;
	struct misc_attempts attempts = {0};
	struct storage *storage;
	struct misc *misc = NULL;
	struct error error;

	if (storage_open_medium(&medium_ops, module->medium, NULL, &storage, &error)) {
		module_violate(module, "at rest: %s", error.message);
		return;
	}
	if (misc_open(storage, "misc", &misc, &error) || misc_read_message(misc, &message, &error) ||
	    misc_attempts_read(misc, 0, &attempts, &error))
		module_violate(module, "at rest: %s", error.message);
	else if (message.command[0] || message.status[0] || message.recovery[0])
		module_violate(module, "at rest the message has command %s, status %s", message.command,
		               message.status);
	else if (attempts.pending || attempts.running)
		module_violate(module, "at rest the journal has a pending upgrade");
	misc_close(misc);
	storage_close(storage);
}

/* ---- The story ---- */

static void check_attempts(struct module *module)
{
	unsigned wanted = module->reference->end_code ? ATTEMPTS : 0;
	unsigned packages = module->reference->second ? 2 : 1;
	/* A journal of one block that is full is erased; a cut in there costs the count (misc/journal.c). */
	unsigned per_cut = module_misc_blocks(module) == 2 ? ATTEMPTS : 1;
	unsigned most = wanted ? wanted + module->cuts * per_cut : 0;

	if (module->failures_of_runs < wanted || module->failures_of_runs > most)
		module_violate(module, "%u attempts failed, %u were due", module->failures_of_runs, wanted);
	if (module->cuts == 0 && module->runs != (wanted ? wanted : packages))
		module_violate(module, "the updater ran %u times", module->runs);
	if (module->clearings > packages + module->cuts || (module->cuts == 0 && module->clearings != packages))
		module_violate(module, "the flag was cleared %u times", module->clearings);
	if (module->cuts == 0 && module->backups != module->reference->backups)
		module_violate(module, "%u backups were made, %u were due", module->backups,
		               module->reference->backups);
}

static bool log_names(struct module *module, const char *text)
{
	size_t size;
	const uint8_t *data = medium_file(module->medium, "usrdata", "/cache/recovery/last_log", true, &size);

	return data && memmem(data, size, text, strlen(text)) != NULL;
}

static void check_report(struct module *module)
{
	const struct reference *reference = module->reference;

	if (!module->urc.ended && !module->urc.was_ended)
		module_violate(module, "nobody heard END");
	else if (module->urc.code != reference->end_code)
		module_violate(module, "END %d, %d was due", module->urc.code, reference->end_code);
	if (!status_is_final(module))
		module_violate(module, "the status file does not have the result");
	if (reference->blamed && !log_names(module, reference->blamed))
		module_violate(module, "last_log does not name %s", reference->blamed);
}

/* ---- Costs ---- */

static uint64_t largest_backup(const struct reference *reference)
{
	uint64_t largest = 0;

	for (unsigned i = 0; i < reference->asset_count; i++)
		if (reference->assets[i].old.size > largest)
			largest = reference->assets[i].old.size;
	return reference->backups ? largest + BACKUP_HEADER_SIZE : 0;
}

/* Of partitions that are changed in place: what the journal of one unit takes, its header included. */
static uint64_t largest_unit(const struct reference *reference)
{
	uint64_t largest = 0;

	for (unsigned i = 0; i < reference->asset_count; i++)
		if (asset_is_nand(reference, &reference->assets[i]) && reference->assets[i].unit > largest)
			largest = reference->assets[i].unit;
	return largest ? largest + 128 : 0;
}

static uint32_t largest_partition(const struct reference *reference)
{
	uint32_t largest = 0;

	for (unsigned i = 0; i < reference->place_count; i++)
		if (reference->places[i].kind == PLACE_NAND && reference->places[i].blocks > largest)
			largest = reference->places[i].blocks;
	return largest;
}

/*
 * What an upgrade without cuts may erase: each partition that is rewritten once, and of misc what arming, clearing and
 * each boot of recovery take (behind LK its own write and the arming again).
 */
static uint64_t allowed_erases(const struct module *module)
{
	const struct reference *reference = module->reference;
	uint64_t blocks = (reference->second ? 2 : 1) * (uint64_t)ERASES_OF_MISC +
	                  (uint64_t)module->recoveries * (module->loader == LOADER_LK ? 3 : 1);

	for (unsigned i = 0; i < reference->asset_count; i++) {
		const struct asset *asset = &reference->assets[i];

		for (unsigned k = 0; k < reference->place_count; k++)
			if (strcmp(reference->places[k].name, asset->place) == 0 && asset_is_nand(reference, asset) &&
			    !asset->stays && !version_equal(&asset->old, &asset->new))
				blocks += reference->places[k].blocks;
	}
	return blocks;
}

static void check_costs(struct module *module)
{
	uint64_t erases = medium_figures(module->medium).erases;
	uint64_t per_cut = ERASES_PER_CUT + largest_partition(module->reference);
	uint64_t scratch = largest_backup(module->reference) + largest_unit(module->reference) + SMALL_FILES_BOUND;

	if (module->planned_erases != UINT64_MAX && erases > module->planned_erases + module->cuts * per_cut)
		module_violate(module, "%llu blocks were erased, planned were %llu", (unsigned long long)erases,
		               (unsigned long long)module->planned_erases);
	if (module->cuts == 0 && module->planned_erases == UINT64_MAX && erases > allowed_erases(module))
		module_violate(module, "%llu blocks were erased, %llu were due", (unsigned long long)erases,
		               (unsigned long long)allowed_erases(module));
	if (module->heap_peak > HEAP_BOUND)
		module_violate(module, "%llu bytes of heap", (unsigned long long)module->heap_peak);
	if (module->scratch_peak > scratch)
		module_violate(module, "%llu bytes in /cache, %llu were due", (unsigned long long)module->scratch_peak,
		               (unsigned long long)scratch);
}

void check_rest(struct module *module)
{
	bool upgraded = module->urc.ended || module->urc.was_ended;

	check_assets(module, upgraded);
	if (!upgraded) {
		/* Power went while it was being armed: whoever armed it does so again, over whatever that left. */
		if (module->asked || module->cuts == 0)
			module_violate(module, "it was armed, and nothing came of it");
		return;
	}
	check_remnants(module);
	check_misc(module);
	check_attempts(module);
	check_report(module);
	check_costs(module);
}
