/* SPDX-License-Identifier: Apache-2.0 */
#include "shell.h"

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

static void run(const char *text, const char *told)
{
	ck_assert_msg(system(text) == 0, "not true: %s", told); /* NOLINT(cert-env33-c): it is a shell script */
}

void shell_check(const char *commands)
{
	static const struct item source[] = {ITEM_NOISE("SYSTEM/a", 30000, 1), ITEM_NOISE("SYSTEM/b", 90000, 1),
	                                     ITEM_NOISE("SYSTEM/c", 60000, 1), ITEM_NOISE("SYSTEM/d", 20000, 1),
	                                     ITEM_END};
	static const struct item target[] = {ITEM_NOISE("SYSTEM/a", 30000, 2),     ITEM_NOISE("SYSTEM/b", 90000, 2),
	                                     ITEM_NOISE("SYSTEM/c", 60000, 2),     ITEM_NOISE("SYSTEM/d", 20000, 2),
	                                     ITEM_FILE("SYSTEM/new", 0644, "new"), ITEM_END};
	char folder[] = "/tmp/test_gentools.XXXXXX";
	char text[2048];

	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(text, sizeof(text), "cd %s && mkdir v1 v2 && cp '%s.sh' . && ln -s '%s' .", folder, UPDATE_GEN,
	               UPDATE_GEN);
	run(text, text);
	(void)snprintf(text, sizeof(text), "%s/v1/targetfiles.zip", folder);
	write_firmware(text, source);
	(void)snprintf(text, sizeof(text), "%s/v2/targetfiles.zip", folder);
	write_firmware(text, target);
	(void)snprintf(text, sizeof(text), "cd %s && gen='%s' && { %s; }", folder, UPDATE_GEN, commands);
	run(text, commands);
	(void)snprintf(text, sizeof(text), "rm -r %s", folder);
	run(text, text);
}
