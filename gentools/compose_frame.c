/* SPDX-License-Identifier: Apache-2.0 */
/* What a script begins and ends with. */
#include "gentools/compose.h"

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

void compose_begin(const struct plan *plan, bool system, FILE *out)
{
	(void)fputs("# made by update_gen " FOTA_VERSION "\n", out);
	if (system || uses_system(plan))
		(void)fputs("mount(\"ubifs\", \"UBI\", \"rootfs\", \"/system\");\n", out);
	if (uses_firmware(plan))
		(void)fputs("mount(\"ubifs\", \"UBI\", \"modem\", \"/system/firmware\");\n", out);
}

void compose_clearings(const struct plan *plan, FILE *out)
{
	for (size_t i = 0; i < plan->clearing_count; i++) {
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
	if (system || uses_system(plan))
		(void)fputs("unmount(\"/system\");\n", out);
}
