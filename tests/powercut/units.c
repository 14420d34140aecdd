/* SPDX-License-Identifier: Apache-2.0 */
/* A partition and a volume that are changed in place, and what must be true of their units behind each cut. */
#include "base/bytes.h"
#include "tests/powercut/module.h"

#include "updater/updater.h"
#include <stdlib.h>
#include <string.h>

#define BLOCK    ((size_t)BLOCK_SIZE_OF_NAND)
#define LEB_SIZE (BLOCK - (size_t)2 * PAGE_SIZE_OF_NAND) /* as in module.c */
#define LEBS     5u

/* Something is inserted at this place; what is before it stays, but for a byte, and what is behind it moves. */
static void insert(struct asset *asset, size_t at, size_t length)
{
	memmove(asset->new.data + at + length, asset->new.data + at, asset->new.size - at - length);
	memcpy(asset->new.data, asset->old.data, at);
	asset->new.data[at - 1] ^= 1;
}

void make_in_place(struct reference *r)
{
	struct asset *boot, *modem, *app;
	struct scripted s;

	add_module(r, 4, LONG_BLOCK);
	r->native = true;
	reference_place(r, "boot")->factory_bad = 2;
	(void)add_volume(r, "modem", LEBS, false);
	app = add_changed(r, "rootfs", "/bin/app", 6000, 6100, 170);
	boot = add_changed(r, "boot", NULL, 3 * BLOCK, 3 * BLOCK + 500, 171);
	boot->unit = BLOCK;
	insert(boot, BLOCK + 5000, 500);
	modem = add_changed(r, "modem", NULL, LEBS * LEB_SIZE, LEBS * LEB_SIZE, 172);
	modem->unit = LEB_SIZE;
	insert(modem, LEB_SIZE + 5000, 3000);
	scripted_begin(&s, r);
	scripted_add(&s, MOUNT_SYSTEM);
	scripted_check(&s, app, "assert(", ");");
	scripted_check(&s, boot, "assert(", ");");
	scripted_check(&s, modem, "assert(", ");");
	scripted_patch(&s, app, " || abort(\"app\");");
	scripted_add(&s, "unmount(\"/system\");\nset_progress(0.3);\n");
	scripted_patch(&s, boot, " || abort(\"boot\");");
	scripted_add(&s, "set_progress(0.6);\n");
	scripted_patch(&s, modem, " || abort(\"modem\");");
	scripted_end(&s);
}

/* ---- Behind a cut ---- */

static bool unit_is(struct module *module, const struct asset *asset, const struct version *version, size_t start)
{
	size_t size = version->size < start                 ? 0
	              : version->size - start < asset->unit ? version->size - start
	                                                    : asset->unit;
	uint8_t *found = malloc(start + size + 1);
	bool same;

	if (!found)
		reference_die("no memory");
	if (asset_is_nand(module->reference, asset))
		same = medium_read_nand_at(module->medium, asset->place, start, found + start, size);
	else
		same = medium_read_volume(module->medium, asset->place, found, start + size);
	same = same && memcmp(found + start, version->data + start, size) == 0;
	free(found);
	return same;
}

/* Does the journal hold the unit's new content? While blocks move up, other units than the one it names may be away. */
static bool journal_has(struct module *module, const struct asset *asset, size_t start)
{
	size_t left = asset->new.size - start;
	size_t size = left < asset->unit ? left : asset->unit;
	size_t length;
	const uint8_t *journal = medium_file(module->medium, "usrdata", UPDATER_UNIT, true, &length);

	if (!journal || length < 80)
		return false;
	return get_le64(journal + 16) != UINT64_MAX ||
	       (length > 80 + size && memcmp(journal + length - size, asset->new.data + start, size) == 0);
}

void check_units(struct module *module, const struct asset *asset)
{
	for (size_t start = 0; start < asset->new.size; start += asset->unit) {
		if (unit_is(module, asset, &asset->old, start) || unit_is(module, asset, &asset->new, start))
			continue;
		if (!asset_is_nand(module->reference, asset) || !journal_has(module, asset, start))
			module_violate(module, "cut %u: the unit at %zu of %s is neither old nor new", module->cuts,
			               start, asset->place);
	}
}
