/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/compose.h"

#include "gentools/tree_xattr.h"

#include <sys/stat.h>

/* Whether a directory may be there before the package's files are unpacked, and be private. */
static bool is_made_by_move(const struct plan *plan, const struct step *step)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].from && path_in(plan->steps[i].path, step->path))
			return true;
	return false;
}

/*
 * A file that is patched or moved keeps owner and mode. Not so set-id bits: updaters of the lineage set the owner last,
 * which clears them.
 */
static bool keeps_metadata(const struct plan *plan, const struct step *step)
{
	const struct object *old = step->old;
	const struct object *new = step->new;

	return !plan->full && (step_is_patch(step) || step->kind == STEP_RENAME) && !new->forced &&
	       old->uid == new->uid && old->gid == new->gid && old->mode == new->mode &&
	       !(new->mode &(S_ISUID | S_ISGID)) && old->capabilities == 0 && new->capabilities == 0;
}

/* Mode and owner; links have no mode. Also for root's: in a set-group-id directory a new link gets another group. */
static void put_metadata(FILE *out, const struct plan *plan, const struct step *step)
{
	const struct object *new = step->new;

	if (!new || step_is_image(step) || step->kind == STEP_HARD_LINK || keeps_metadata(plan, step))
		return;
	if (new->implied) {
		if (step->kind == STEP_DIRECTORY && (plan->full || is_made_by_move(plan, step)))
			compose_call(out, "set_metadata(", step->device,
			             ", \"uid\", 0, \"gid\", 0, \"mode\", 0755);\n");
		return;
	}
	compose_call(out, "set_metadata(", step->device, "");
	(void)fprintf(out, ", \"uid\", %lld, \"gid\", %lld", (long long)new->uid, (long long)new->gid);
	if (new->type != OBJECT_LINK)
		(void)fprintf(out, ", \"mode\", 0%o", new->mode);
	/* A patched file has those of the old one, and one that stays the module's. */
	if ((new->type == OBJECT_FILE && plan->full && !plan->formats) ||
	    (new->has_capabilities && (new->capabilities != 0 || (step->old && step->old->capabilities != 0))))
		(void)fprintf(out, ", \"capabilities\", 0x%llx", (unsigned long long)new->capabilities);
	(void)fputs(");\n", out);
}

static void put_xattr(const struct step *step, const char *name, const uint8_t *value, size_t size, FILE *out)
{
	compose_call(out, "set_xattr(", step->device, ", ");
	compose_call(out, "", name, ", \"");
	for (size_t i = 0; i < size; i++)
		(void)fprintf(out, "%02x", value[i]);
	(void)fputs("\");\n", out);
}

/* All of them, also those that stay: a file that is patched has lost some. What is there already costs no write. */
static void put_xattrs(FILE *out, const struct step *step)
{
	const struct object *old = step->old;
	const struct object *new = step->new;

	if (!new || !new->has_xattrs || step_is_image(step) || step->kind == STEP_HARD_LINK)
		return;
	for (size_t i = 0; old && i < old->xattr_count; i++)
		if (!object_find_xattr(new, old->xattrs[i].name))
			put_xattr(step, old->xattrs[i].name, NULL, 0, out);
	for (size_t i = 0; i < new->xattr_count; i++)
		put_xattr(step, new->xattrs[i].name, new->xattrs[i].value, new->xattrs[i].size, out);
}

void compose_metadata(const struct plan *plan, const struct step *step, FILE *out)
{
	put_metadata(out, plan, step);
	put_xattrs(out, step);
}
