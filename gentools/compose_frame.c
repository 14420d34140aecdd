/* SPDX-License-Identifier: Apache-2.0 */
/* What a script begins and ends with. */
#include "gentools/compose.h"

#include "gentools/store.h"
#include "gentools/volumes.h"

/* Whether anything of the file system, or of the modem's, is touched. */
static bool uses_system(const struct plan *plan)
{
	if (plan->clearing_count > 0)
		return true;
	for (size_t i = 0; i < plan->count; i++)
		if (!step_is_image(&plan->steps[i]))
			return true;
	return false;
}

/* A root file system that is never written is not mounted, and SYSTEM/firmware's then where it would be. */
static bool has_system(const struct plan *plan)
{
	return !tree_find(plan->target, VOLUMES_SYSTEM);
}

static bool uses_firmware(const struct plan *plan)
{
	for (size_t i = 0; i < plan->clearing_count; i++)
		if (path_in(plan->clearings[i].directory, "/system/firmware"))
			return true;
	for (size_t i = 0; i < plan->count; i++)
		if (!step_is_image(&plan->steps[i]) && path_in(plan->steps[i].device, "/system/firmware"))
			return true;
	return false;
}

/* What is mounted below another one goes first. A soft failure would leave old files between the new ones. */
static void put_formats(const struct plan *plan, FILE *out)
{
	for (size_t i = plan->clearing_count; i-- > 0;)
		if (!plan->clearings[i].entry)
			(void)fprintf(out,
			              "format(\"ubifs\", \"UBI\", \"%s\", \"0\", \"%s\") || "
			              "abort(\"Failed to format %s.\");\n",
			              plan->clearings[i].volume, plan->clearings[i].directory,
			              plan->clearings[i].volume);
}

void compose_begin(const struct plan *plan, bool system, FILE *out)
{
	(void)fputs("# made by update_gen " FOTA_VERSION "\n", out);
	put_formats(plan, out);
	if (has_system(plan) && (system || uses_system(plan)))
		(void)fputs("mount(\"ubifs\", \"UBI\", \"rootfs\", \"/system\");\n", out);
	if (uses_firmware(plan))
		(void)fputs("mount(\"ubifs\", \"UBI\", \"modem\", \"/system/firmware\");\n", out);
}

/* The root directory of a file system that was made anew is of no step. */
static void put_root(const struct plan *plan, const struct plan_clearing *clearing, FILE *out)
{
	const struct object *root = tree_find(plan->target, clearing->path);

	if (!root || root->implied)
		return;
	compose_call(out, "set_metadata(", clearing->directory, "");
	(void)fprintf(out, ", \"uid\", %lld, \"gid\", %lld, \"mode\", 0%o);\n", (long long)root->uid,
	              (long long)root->gid, root->mode);
}

/*
 * The store of an upgrade whose second package never came: it takes room, and nobody else would ever look at it. Once
 * another package is armed, qfotad does not go on with that upgrade either.
 */
void compose_leftovers(const struct plan *plan, FILE *out)
{
	if (!plan->has_store && !plan->full && has_system(plan) && uses_system(plan))
		(void)fputs("delete_recursive(\"" STORE_PLACE "\");\n", out);
}

void compose_clearings(const struct plan *plan, FILE *out)
{
	for (size_t i = 0; i < plan->clearing_count; i++) {
		if (!plan->clearings[i].entry) {
			put_root(plan, &plan->clearings[i], out);
			continue;
		}
		(void)fputs("keep_only(", out);
		compose_quoted(out, plan->clearings[i].directory);
		(void)fputs(", ", out);
		compose_quoted(out, plan->clearings[i].entry);
		(void)fputs(");\n", out);
	}
}

void compose_end(const struct plan *plan, bool system, FILE *out)
{
	if (uses_firmware(plan))
		(void)fputs("unmount(\"/system/firmware\");\n", out);
	if (has_system(plan) && (system || uses_system(plan)))
		(void)fputs("unmount(\"/system\");\n", out);
}
