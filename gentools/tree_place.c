/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where a version lies in a folder that is not one itself: as the tools' documents, and as releases have it. */
static const char *const places[] = {"/targetfiles.zip", "/targetfiles", "/upgrade/targetfiles.zip"};

static bool has(const char *path, const char *below)
{
	char *place;
	bool found;

	if (asprintf(&place, "%s%s", path, below) < 0)
		return false;
	found = access(place, F_OK) == 0;
	free(place);
	return found;
}

char *tree_locate(const char *path)
{
	struct stat status;
	size_t length = strlen(path);
	char *place;

	if (stat(path, &status) < 0 || !S_ISDIR(status.st_mode) || has(path, "/BOOTABLE_IMAGES"))
		return strdup(path);
	while (length > 1 && path[length - 1] == '/')
		length--;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (has(path, places[i]))
			return asprintf(&place, "%.*s%s", (int)length, path, places[i]) < 0 ? NULL : place;
	return strdup(path);
}

/* "targetfiles" of an archive that was made beside the folder instead of in it; NULL when it is not that. */
static const char *find_root(const struct tree *tree, size_t *length)
{
	static const char name[] = "/BOOTABLE_IMAGES";

	for (size_t i = 0; i < tree->count; i++) {
		const char *path = tree->objects[i].path;
		size_t below = strlen(path) < sizeof(name) ? 0 : strlen(path) - (sizeof(name) - 1);

		if (below > 0 && strcmp(path + below, name) == 0) {
			*length = below;
			return path;
		}
	}
	return NULL;
}

int tree_is_none(const struct tree *tree, struct error *error)
{
	size_t length;
	const char *root = find_root(tree, &length);

	if (root)
		return error_set(error, RESULT_FORMAT, EINVAL,
		                 "%s: SYSTEM and BOOTABLE_IMAGES lie in %.*s, not at its root: pack it in that folder, "
		                 "zip -qry0 ../targetfiles.zip ./*",
		                 tree->name, (int)length, root);
	return error_set(error, RESULT_FORMAT, EINVAL,
	                 "%s: not a targetfiles.zip, packed or not: no SYSTEM and BOOTABLE_IMAGES at its root",
	                 tree->name);
}
