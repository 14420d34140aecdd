/* SPDX-License-Identifier: Apache-2.0 */
/* Files of several names: a reference package about them, and what is checked of them at the end. */
#include "tests/powercut/boot.h"

#include <string.h>

/* A name that is one of `old`'s file in the old version, and of `new`'s in the new one; NULL: it is not there. */
static struct asset *add_name(struct reference *r, const char *path, const struct asset *old, const struct asset *new)
{
	struct asset *asset = add_texts(r, "rootfs", path, NULL, NULL);

	if (old)
		asset->old = version_of_name(&old->old, old->path);
	if (new)
		asset->new = version_of_name(&new->new, new->path);
	return asset;
}

/* As update_gen --compat native writes it for folders with such files. */
void make_hard_links(struct reference *r)
{
	const struct asset *tool;
	const struct asset *kept;
	struct asset *own;
	struct scripted s;

	add_module(r, 4, LONG_BLOCK);
	r->native = true;
	tool = add_changed(r, "rootfs", "/bin/tool", 6000, 6100, 160);
	kept = add_same(r, "rootfs", "/bin/kept", 3000, 161);
	(void)add_name(r, "/bin/second", tool, tool);
	(void)add_name(r, "/bin/third", NULL, tool);
	(void)add_name(r, "/bin/gone", tool, NULL);
	(void)add_name(r, "/bin/kept-too", kept, kept);
	(void)add_name(r, "/bin/other", kept, tool);
	own = add_name(r, "/bin/own", kept, kept);
	own->new.first = NULL;
	set_attributes(&own->new, 0700, 0, 10);
	own = add_texts(r, "rootfs", "/bin/joins", "of its own\n", NULL);
	own->new = version_of_name(&kept->new, kept->path);
	scripted_begin(&s, r);
	scripted_add(&s, MOUNT_SYSTEM);
	scripted_check(&s, tool, "assert(", ");");
	scripted_add(&s, "delete(\"/system/bin/gone\");\n");
	scripted_patch(&s, tool, " || abort(\"tool\");");
	scripted_add(&s, "separate(\"/system/bin/kept\", \"/system/bin/own\");\n"
	                 "set_metadata(\"/system/bin/own\", \"uid\", 0, \"gid\", 10, \"mode\", 0700);\n"
	                 "hard_link(\"/system/bin/kept\", \"/system/bin/joins\");\n"
	                 "hard_link(\"/system/bin/tool\", \"/system/bin/other\", \"/system/bin/second\",\n"
	                 "       \"/system/bin/third\");\n"
	                 "unmount(\"/system\");\n");
	scripted_end(&s);
}

/* ---- The check ---- */

static const char *file_of(const struct asset *asset, bool upgraded)
{
	const struct version *version = upgraded ? &asset->new : &asset->old;

	return version->first ? version->first : asset->path;
}

static bool is_file(struct module *module, const struct asset *asset, struct storage_stat *stat)
{
	return asset->path[0] && medium_stat(module->medium, asset->place, asset->path, true, stat) &&
	       stat->type == STORAGE_REGULAR;
}

static void check_pair(struct module *module, const struct asset *a, const struct asset *b, bool upgraded)
{
	bool wanted = strcmp(a->place, b->place) == 0 && strcmp(file_of(a, upgraded), file_of(b, upgraded)) == 0;
	struct storage_stat first;
	struct storage_stat second;

	if (is_file(module, a, &first) && is_file(module, b, &second) && storage_same_file(&first, &second) != wanted)
		module_violate(module, "%s and %s are %snames of one file", a->path, b->path, wanted ? "no " : "");
}

void check_hard_links(struct module *module, bool upgraded)
{
	const struct reference *reference = module->reference;

	for (unsigned i = 0; i < reference->asset_count; i++)
		for (unsigned k = 0; k < i; k++)
			check_pair(module, &reference->assets[k], &reference->assets[i], upgraded);
}
