/* SPDX-License-Identifier: Apache-2.0 */
/* What a script begins and ends with. */
#include "gentools/compose.h"

/* Whether anything of the file system, or of the modem's, is touched. */
static bool uses_system(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (!step_is_image(&plan->steps[i]))
			return true;
	return false;
}

static bool uses_firmware(const struct plan *plan)
{
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

void compose_end(const struct plan *plan, bool system, FILE *out)
{
	if (uses_firmware(plan))
		(void)fputs("unmount(\"/system/firmware\");\n", out);
	if (system || uses_system(plan))
		(void)fputs("unmount(\"/system\");\n", out);
}
