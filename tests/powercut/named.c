/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/named.h"

#include "tests/powercut/walker.h"
#include "updater/updater.h"
#include <stdio.h>
#include <string.h>

static bool run_filtered(struct engine *engine, const char *package, engine_filter *filter)
{
	struct reference *reference = reference_make((unsigned)reference_find(package));
	unsigned schedules = 0;
	unsigned boots = 0;
	unsigned failures = 0;

	for (int loader = 0; loader < LOADERS; loader++) {
		engine_singles(engine, reference, (enum loader)loader, filter);
		schedules += atomic_load(&engine->tally->schedules);
		boots += atomic_load(&engine->tally->boots);
		failures += atomic_load(&engine->tally->failures);
	}
	reference_free(reference);
	atomic_store(&engine->tally->schedules, schedules);
	atomic_store(&engine->tally->boots, boots);
	atomic_store(&engine->tally->failures, failures);
	return failures == 0 && schedules > LOADERS;
}

/* While the kernel's partition is being written. */
static bool is_in_kernel(const struct module *module, const struct cut_point *point)
{
	return module->system == SYSTEM_RECOVERY && strcmp(point->object, "boot") == 0;
}

/*
 * spec/lineage.md 3.4 a. The script's assert(apply_patch_check("MTD:boot:...")) has no digests but those in the name; a
 * verify phase that did not accept the backup would fail an attempt, and no attempt may fail (rest.c).
 */
static bool run_verify(struct engine *engine)
{
	return run_filtered(engine, "lineage-assert", is_in_kernel);
}

/*
 * spec/lineage.md 3.4 b. That no operation but reading touches the backup while the kernel's partition is half written
 * is checked before each operation (checks.c).
 */
static bool run_backup(struct engine *engine)
{
	return run_filtered(engine, "lineage-bare", is_in_kernel);
}

/* ---- What a resumed run reads ---- */

#define LARGE_FILES 16u
#define LARGE_SIZE  150000u

/* Enough files that what the journal holds back is little of them. */
static struct reference *make_large(void)
{
	struct reference *r = reference_new("large");
	struct asset *asset;
	char path[32];

	add_module(r, 4, LONG_BLOCK);
	reference_place(r, "rootfs")->bytes = UINT64_C(16) << 20;
	(void)add_same(r, "boot", NULL, 20000, 100);
	for (unsigned i = 0; i < LARGE_FILES; i++) {
		(void)snprintf(path, sizeof(path), "/lib/file%02u", i);
		asset = add_changed(r, "rootfs", path, LARGE_SIZE, LARGE_SIZE, 101 + i);
		set_attributes(&asset->old, 0755, 0, 0);
		set_attributes(&asset->new, 0755, 0, 0);
	}
	(void)add_texts(r, "rootfs", "/etc/quectel-project-version", "one\n", "two\n");
	bundle_generate(r);
	return r;
}

/* The version's file, which comes last, is about to be written. */
static unsigned decide_last(void *ctx, const struct cut_point *point)
{
	struct walker *walker = ctx;
	bool is_last = strcmp(point->verb, "create") == 0 && strcmp(point->object, "/system/etc/.fota-new") == 0;

	if (walker->module->cuts > 0 || !is_last)
		return CUT_NONE;
	walker->module->survival = SURVIVAL_NOTHING;
	return CUT_BEFORE;
}

static bool run_resume(struct engine *engine)
{
	struct reference *reference = make_large();
	struct walker *walker = walker_new(engine, reference, LOADER_ABL);
	struct module *module = walker->module;
	uint64_t finished = UINT64_C(1) * LARGE_FILES * LARGE_SIZE;
	bool good;

	module->decide = decide_last;
	module_run(module);
	good = module->violations == 0 && module->cuts == 1 && module->bytes_read < finished / 10;
	(void)printf("a run that was cut before the last object read %llu of %llu finished bytes%s%s\n",
	             (unsigned long long)module->bytes_read, (unsigned long long)finished,
	             module->violations ? ": " : "", module->violation);
	memset((void *)engine->tally, 0, sizeof(*engine->tally));
	atomic_store(&engine->tally->schedules, 1);
	atomic_store(&engine->tally->boots, module->boots);
	atomic_store(&engine->tally->failures, !good);
	walker_free(walker);
	reference_free(reference);
	return good;
}

/* ---- The list ---- */

static const struct {
	const char *name;
	bool (*run)(struct engine *engine);
} list[] = {
	{"resumed verify phase accepts the backup", run_verify},
	{"backup is never opened for writing when it is the source", run_backup},
	{"resumed run reads less than a tenth of what is finished", run_resume},
};

const char *named_name(unsigned index)
{
	return index < sizeof(list) / sizeof(list[0]) ? list[index].name : NULL;
}

bool named_run(unsigned index, struct engine *engine)
{
	return list[index].run(engine);
}
