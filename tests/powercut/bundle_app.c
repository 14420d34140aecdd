/* SPDX-License-Identifier: Apache-2.0 */
/* The package that update_gen makes of a release of user files. */
#include "gentools/app.h"
#include "tests/powercut/reference.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RELEASES      "releases/"
#define NAME_MAX_SIZE 33 /* of a release, with NUL */

/* What lies behind "PATH.releases/new/"; NULL: it is not of the new release. */
static const char *below_release(const struct asset *asset)
{
	const char *found = strstr(asset->path, RELEASES NEW_RELEASE "/");

	return found ? found + strlen(RELEASES NEW_RELEASE "/") : NULL;
}

static void write_file(const char *path, const struct version *version)
{
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(version->data, 1, version->size, file) != version->size || fclose(file) != 0)
		reference_die("%s: %s", path, strerror(errno));
}

/* Directories are assets of their own, before what is in them. */
static void write_object(const char *path, const struct version *version)
{
	int err = 0;

	if (version->shape == SHAPE_LINK)
		err = symlink((const char *)version->data, path);
	else if (version->shape == SHAPE_DIRECTORY)
		err = mkdir(path, 0700);
	else
		write_file(path, version);
	if (err == 0 && version->shape != SHAPE_LINK)
		err = chmod(path, version->mode);
	if (err)
		reference_die("%s: %s", path, strerror(errno));
}

static void catch_name(void *ctx, const char *text)
{
	const char *found = strstr(text, " becomes release ");

	if (found)
		(void)sscanf(found, " becomes release %32[0-9a-f]", (char *)ctx);
}

static void name_assets(struct reference *reference, const char *name)
{
	for (unsigned i = 0; i < reference->asset_count; i++) {
		struct asset *asset = &reference->assets[i];
		const char *below = below_release(asset);
		char rest[sizeof(asset->path)];
		size_t room;
		char *at;

		if (!below)
			continue;
		(void)snprintf(rest, sizeof(rest), "%s", below);
		at = strstr(asset->path, RELEASES) + strlen(RELEASES);
		room = sizeof(asset->path) - (size_t)(at - asset->path);
		if (snprintf(at, room, "%s/%s", name, rest) >= (int)room)
			reference_die("%s: too long", rest);
	}
}

static void name_link(struct asset *link, const char *name)
{
	char *target;
	int length = asprintf(&target, "%s.releases/%s", strrchr(link->path, '/') + 1, name);

	if (length < 0)
		reference_die("no memory");
	free(link->new.data);
	link->new.data = (uint8_t *)target;
	link->new.size = (size_t)length;
}

/* The release as a folder, which is there from before the first object until after the last. */
static void each_object(const struct reference *reference, const char *folder, bool is_removed)
{
	for (unsigned i = 0; i < reference->asset_count; i++) {
		const struct asset *asset = &reference->assets[is_removed ? reference->asset_count - 1 - i : i];
		const char *below = below_release(asset);
		char path[512];

		if (!below)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, below);
		if (is_removed)
			(void)remove(path); /* what is left behind is in the folder for temporary files */
		else
			write_object(path, &asset->new);
	}
}

void bundle_generate_app(struct reference *reference, const char *mounted)
{
	const char *temporary = getenv("TMPDIR");
	char name[NAME_MAX_SIZE] = "";
	const struct log log = {.line = catch_name, .ctx = name};
	char folder[256];
	char package[288];
	struct app_options options = {.folder = folder, .path = mounted, .output = package, .has_owner = true};
	struct error error;

	(void)snprintf(folder, sizeof(folder), "%s/powercut-XXXXXX", temporary ? temporary : "/tmp");
	if (!mkdtemp(folder))
		reference_die("%s: %s", folder, strerror(errno));
	(void)snprintf(package, sizeof(package), "%s.zip", folder);
	each_object(reference, folder, false);
	if (app_make_package(&options, &log, &error))
		reference_die("%s: %s", reference->name, error.message);
	if (!*name)
		reference_die("%s: nobody says what its release is called", reference->name);
	bundle_read_file(package, &reference->package, &reference->package_size);
	each_object(reference, folder, true);
	(void)rmdir(folder);
	(void)unlink(package);
	name_assets(reference, name);
	name_link(reference_asset(reference, reference->release->place, reference->release->path), name);
}
