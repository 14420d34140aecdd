/* SPDX-License-Identifier: Apache-2.0 */
/* What lies on a reference package's module, in both versions. */
#include "misc/misc.h"
#include "tests/powercut/reference.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define ROOM (UINT64_C(4) << 20) /* of a file system that shall not be short of it, bytes */

void reference_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)fputs("powercut: ", stderr);
	(void)vfprintf(stderr, format, args);
	(void)fputc('\n', stderr);
	va_end(args);
	exit(2);
}

/* ---- Places ---- */

static struct place *add_place(struct reference *reference, const char *name, enum place_kind kind)
{
	struct place *place = &reference->places[reference->place_count];

	if (reference->place_count == REFERENCE_PLACES)
		reference_die("%s: more than %d places", reference->name, REFERENCE_PLACES);
	reference->place_count++;
	place->name = name;
	place->kind = kind;
	return place;
}

struct place *add_nand(struct reference *reference, const char *name, uint32_t blocks)
{
	struct place *place = add_place(reference, name, PLACE_NAND);

	place->blocks = blocks;
	place->block_size = BLOCK_SIZE_OF_NAND;
	return place;
}

struct place *add_volume(struct reference *reference, const char *name, uint32_t blocks, bool is_static)
{
	struct place *place = add_place(reference, name, is_static ? PLACE_STATIC_VOLUME : PLACE_VOLUME);

	place->blocks = blocks;
	return place;
}

struct place *add_files(struct reference *reference, const char *name, uint64_t bytes, const char *mounted)
{
	struct place *place = add_place(reference, name, PLACE_FILES);

	place->bytes = bytes;
	place->mounted = mounted;
	return place;
}

struct place *reference_place(struct reference *reference, const char *name)
{
	for (unsigned i = 0; i < reference->place_count; i++)
		if (strcmp(reference->places[i].name, name) == 0)
			return &reference->places[i];
	reference_die("%s: no place %s", reference->name, name);
}

/* ---- Content ---- */

static uint8_t *allocate(size_t size)
{
	uint8_t *data = malloc(size + 1);

	if (!data)
		reference_die("no memory for %zu bytes", size);
	data[size] = '\0';
	return data;
}

static struct version text_version(enum shape shape, const char *text)
{
	struct version version = {.shape = shape,
	                          .size = strlen(text),
	                          .mode = shape == SHAPE_LINK        ? 0777
	                                  : shape == SHAPE_DIRECTORY ? 0755
	                                                             : 0644};

	version.data = memcpy(allocate(version.size), text, version.size);
	return version;
}

static struct version noise_version(enum shape shape, size_t size, unsigned seed)
{
	struct version version = {.shape = shape, .size = size, .mode = 0644, .data = allocate(size)};
	uint32_t state = seed * 2654435761u + 1;

	for (size_t i = 0; i < size; i++) {
		state = state * 1664525u + 1013904223u;
		version.data[i] = (uint8_t)(state >> 24);
	}
	return version;
}

static struct version changed_version(const struct version *old, size_t size, unsigned seed)
{
	struct version version = noise_version(old->shape, size, seed + 1000);
	size_t common = old->size < size ? old->size : size;

	memcpy(version.data, old->data, common);
	for (size_t i = seed % 97; i < common; i += 509)
		version.data[i] ^= 0x5a;
	version.mode = old->mode;
	return version;
}

static struct version copy_version(const struct version *version)
{
	struct version copy = *version;

	copy.data = memcpy(allocate(version->size), version->data, version->size);
	return copy;
}

struct version version_of_name(const struct version *version, const char *first)
{
	struct version copy = copy_version(version);

	copy.first = first;
	return copy;
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

bool version_equal(const struct version *a, const struct version *b)
{
	return a->shape == b->shape && a->size == b->size && a->mode == b->mode && a->uid == b->uid &&
	       a->gid == b->gid && a->node == b->node && a->major == b->major && a->minor == b->minor &&
	       same_text(a->first, b->first) && same_text(a->xattr, b->xattr) && same_text(a->value, b->value) &&
	       (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

void set_attributes(struct version *version, uint32_t mode, uint32_t uid, uint32_t gid)
{
	version->mode = mode;
	version->uid = uid;
	version->gid = gid;
}

void set_node(struct version *version, char kind, uint32_t major, uint32_t minor)
{
	version->node = kind;
	version->major = major;
	version->minor = minor;
}

/* ---- Assets ---- */

static struct asset *add_asset(struct reference *reference, const char *place, const char *path)
{
	struct asset *asset = &reference->assets[reference->asset_count];

	if (reference->asset_count == REFERENCE_ASSETS)
		reference_die("%s: more than %d assets", reference->name, REFERENCE_ASSETS);
	reference->asset_count++;
	asset->place = place;
	(void)snprintf(asset->path, sizeof(asset->path), "%s", path ? path : "");
	return asset;
}

static enum shape shape_of(const char *path)
{
	return path ? SHAPE_FILE : SHAPE_RAW;
}

struct asset *add_same(struct reference *reference, const char *place, const char *path, size_t size, unsigned seed)
{
	struct asset *asset = add_asset(reference, place, path);

	asset->old = noise_version(shape_of(path), size, seed);
	asset->new = copy_version(&asset->old);
	return asset;
}

struct asset *add_changed(struct reference *reference, const char *place, const char *path, size_t old_size,
                          size_t new_size, unsigned seed)
{
	struct asset *asset = add_asset(reference, place, path);

	asset->old = noise_version(shape_of(path), old_size, seed);
	asset->new = changed_version(&asset->old, new_size, seed);
	return asset;
}

struct asset *add_new(struct reference *reference, const char *place, const char *path, size_t size, unsigned seed)
{
	struct asset *asset = add_asset(reference, place, path);

	asset->new = noise_version(shape_of(path), size, seed);
	return asset;
}

struct asset *add_gone(struct reference *reference, const char *place, const char *path, size_t size, unsigned seed)
{
	struct asset *asset = add_asset(reference, place, path);

	asset->old = noise_version(shape_of(path), size, seed);
	return asset;
}

struct asset *add_moved(struct reference *reference, const char *place, const char *from, const char *to,
                        size_t old_size, size_t new_size, unsigned seed)
{
	struct asset *origin = add_gone(reference, place, from, old_size, seed);
	struct asset *asset = add_asset(reference, place, to);

	asset->origin = origin;
	asset->via = noise_version(SHAPE_FILE, old_size, seed);
	asset->new = old_size == new_size ? noise_version(SHAPE_FILE, old_size, seed)
	                                  : changed_version(&origin->old, new_size, seed);
	return asset;
}

struct asset *add_copied(struct reference *reference, const struct asset *asset, const char *to, size_t size,
                         unsigned seed)
{
	struct asset *copy = add_asset(reference, asset->place, to);

	copy->new = changed_version(&asset->old, size, seed);
	return copy;
}

void make_scarce(struct reference *reference)
{
	uint64_t used = 0;

	for (unsigned i = 0; i < reference->asset_count; i++)
		if (strcmp(reference->assets[i].place, "rootfs") == 0)
			used += (reference->assets[i].old.size + 4095) / 4096 * 4096;
	reference_place(reference, "rootfs")->bytes = used + 20480;
}

struct asset *add_texts(struct reference *reference, const char *place, const char *path, const char *old,
                        const char *new)
{
	struct asset *asset = add_asset(reference, place, path);

	if (old)
		asset->old = text_version(SHAPE_FILE, old);
	if (new)
		asset->new = text_version(SHAPE_FILE, new);
	return asset;
}

struct asset *add_link(struct reference *reference, const char *place, const char *path, const char *old,
                       const char *new)
{
	struct asset *asset = add_asset(reference, place, path);

	if (old)
		asset->old = text_version(SHAPE_LINK, old);
	if (new)
		asset->new = text_version(SHAPE_LINK, new);
	return asset;
}

struct asset *add_directory(struct reference *reference, const char *place, const char *path, uint32_t mode,
                            uint32_t uid)
{
	struct asset *asset = add_asset(reference, place, path);

	asset->new = text_version(SHAPE_DIRECTORY, "");
	set_attributes(&asset->new, mode, uid, uid);
	return asset;
}

struct asset *add_shapes(struct reference *reference, const char *place, const char *path, enum shape old,
                         enum shape new, const char *text)
{
	struct asset *asset = add_asset(reference, place, path);

	if (old != SHAPE_NONE)
		asset->old = text_version(old, old == SHAPE_FILE || old == SHAPE_LINK ? text : "");
	if (new != SHAPE_NONE)
		asset->new = text_version(new, new == SHAPE_FILE || new == SHAPE_LINK ? text : "");
	return asset;
}

struct asset *reference_asset(struct reference *reference, const char *place, const char *path)
{
	for (unsigned i = 0; i < reference->asset_count; i++)
		if (strcmp(reference->assets[i].place, place) == 0 &&
		    strcmp(reference->assets[i].path, path ? path : "") == 0)
			return &reference->assets[i];
	reference_die("%s: no asset %s in %s", reference->name, path ? path : "", place);
}

bool asset_needs_backup(const struct asset *asset)
{
	return asset->old.shape == SHAPE_RAW && !asset->whole && !asset->unit && !asset->stays &&
	       !version_equal(&asset->old, &asset->new);
}

bool asset_is_nand(const struct reference *reference, const struct asset *asset)
{
	for (unsigned i = 0; i < reference->place_count; i++)
		if (strcmp(reference->places[i].name, asset->place) == 0)
			return reference->places[i].kind == PLACE_NAND;
	return false;
}

const char *asset_label(const struct reference *reference, const struct asset *asset, char label[128])
{
	const char *mounted = "";

	for (unsigned i = 0; i < reference->place_count; i++)
		if (strcmp(reference->places[i].name, asset->place) == 0 && reference->places[i].mounted)
			mounted = reference->places[i].mounted;
	(void)snprintf(label, 128, "%s%s", asset->path[0] ? mounted : asset->place, asset->path);
	return label;
}

/* ---- The module that all of them have ---- */

void add_module(struct reference *reference, uint32_t misc_blocks, uint32_t misc_block_size)
{
	struct asset *asset;

	add_nand(reference, "misc", misc_blocks)->block_size = misc_block_size;
	(void)add_nand(reference, "boot", 6);
	(void)add_nand(reference, "calib", 2);
	(void)add_files(reference, "rootfs", ROOM, "/system");
	(void)add_files(reference, "usrdata", ROOM, "/usrdata");
	(void)add_volume(reference, "persist", 1, false);
	(void)add_same(reference, "calib", NULL, 20000, 900);
	(void)add_same(reference, "persist", NULL, 9000, 901);
	asset = add_same(reference, "usrdata", "/app/settings.db", 3000, 902);
	set_attributes(&asset->old, 0600, 0, 0);
	set_attributes(&asset->new, 0600, 0, 0);
	(void)add_same(reference, "rootfs", "/bin/untouched", 2500, 903);
}

struct reference *reference_new(const char *name)
{
	struct reference *reference = calloc(1, sizeof(*reference));

	if (!reference)
		reference_die("no memory");
	reference->name = name;
	reference->package_path = MISC_DEFAULT_PACKAGE;
	return reference;
}

static void version_free(struct version *version)
{
	free(version->data);
}

void reference_free(struct reference *reference)
{
	for (unsigned i = 0; i < reference->asset_count; i++) {
		version_free(&reference->assets[i].old);
		version_free(&reference->assets[i].new);
		version_free(&reference->assets[i].via);
	}
	free(reference->package);
	free(reference->second);
	free(reference);
}
