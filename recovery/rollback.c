/* SPDX-License-Identifier: Apache-2.0 */
/* 523: would the package lead back behind the version that is installed? */
#include "recovery/internal.h"

#include "package/rollback.h"
#include <errno.h>
#include <stdlib.h>

#define SYSTEM     "/system" /* where the fstab has the root file system of the normal one */
#define INDEX_PATH SYSTEM PACKAGE_ROLLBACK_PATH

/* A system whose index cannot be read can hardly run: an upgrade must be able to heal it. */
static uint32_t read_index(const struct boot *boot)
{
	struct error error;
	uint32_t index = 0;
	char *text = NULL;
	size_t size;
	int err = storage_load(boot->config->storage, INDEX_PATH, PACKAGE_ROLLBACK_MAX, &text, &size, &error);

	if (err == 0)
		err = package_parse_rollback(text, size, &index, &error);
	if (err < 0 && err != -ENOENT)
		log_printf(&boot->log, INDEX_PATH " counts as 0: %s", error.message);
	free(text);
	return index;
}

/* 0 stays where there is none. */
static int find_index(const struct boot *boot, uint32_t *index, struct error *error)
{
	int mounted = storage_mount_to_read(boot->config->storage, INDEX_PATH, error);

	if (mounted < 0) {
		log_printf(&boot->log, "no rollback index to compare with: %s", error->message);
		return 0;
	}
	*index = read_index(boot);
	/* Read-only it would be in the updater's way. */
	return mounted ? storage_unmount(boot->config->storage, SYSTEM, error) : 0;
}

int rollback_check(const struct boot *boot, struct package *package, struct error *error)
{
	uint32_t offered;
	uint32_t running = 0;
	int err = package_read_rollback(package, &offered, error);

	if (err == 0)
		err = find_index(boot, &running, error);
	return err < 0 ? err : package_compare_rollback(offered, running, error);
}
