/* SPDX-License-Identifier: Apache-2.0 */
/* What must be true of a release of user files that a link leads to. */
#include "tests/powercut/module.h"

#include <string.h>

static bool lies_in(const char *path, const char *directory)
{
	size_t length = strlen(directory);

	return path[0] == '/' && strncmp(path + 1, directory, length) == 0 && path[1 + length] == '/';
}

void check_release(struct module *module)
{
	const struct asset *release = module->reference->release;
	const char *target;
	unsigned objects = 0;

	if (!release)
		return;
	target = medium_link(module->medium, release->place, release->path, true);
	for (unsigned i = 0; target && i < module->reference->asset_count; i++) {
		const struct asset *asset = &module->reference->assets[i];
		bool is_new = asset->new.shape != SHAPE_NONE;

		if (!lies_in(asset->path, target))
			continue;
		objects++;
		if (!asset_is(module, asset, is_new ? &asset->new : &asset->old, false))
			module_violate(module, "cut %u: the link leads to %s, where %s is not as it must be",
			               module->cuts, target, asset->path);
	}
	if (objects == 0)
		module_violate(module, "cut %u: the link leads to no release", module->cuts);
}
