/* SPDX-License-Identifier: Apache-2.0 */
/* The zip archives of reference packages, made by update_gen's code or from a script. */
#include "gentools/gentools.h"
#include "package/package.h"
#include "patch/patch.h"
#include "tests/powercut/reference.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct buffer {
	uint8_t *data;
	size_t size;
};

struct bundle {
	struct archive *archive;
	struct buffer buffer;
};

static void buffer_append(struct buffer *buffer, const void *data, size_t length)
{
	uint8_t *grown = realloc(buffer->data, buffer->size + length + 1);

	if (!grown)
		reference_die("no memory for %zu bytes", buffer->size + length);
	memcpy(grown + buffer->size, data, length);
	buffer->data = grown;
	buffer->size += length;
}

/* ---- Zip archives ---- */

static la_ssize_t write_bundle(struct archive *archive, void *ctx, const void *data, size_t length)
{
	struct bundle *bundle = ctx;

	(void)archive;
	buffer_append(&bundle->buffer, data, length);
	return (la_ssize_t)length;
}

static void must_archive(struct archive *archive, int result)
{
	if (result != ARCHIVE_OK)
		reference_die("archive: %s", archive_error_string(archive));
}

struct bundle *bundle_new(void)
{
	struct bundle *bundle = calloc(1, sizeof(*bundle));

	if (!bundle || !(bundle->archive = archive_write_new()))
		reference_die("no memory for an archive");
	must_archive(bundle->archive, archive_write_set_format_zip(bundle->archive));
	must_archive(bundle->archive, archive_write_set_bytes_in_last_block(bundle->archive, 1));
	must_archive(bundle->archive, archive_write_open(bundle->archive, bundle, NULL, write_bundle, NULL));
	return bundle;
}

/* Content of what is no file, or raw content, is none; a link's target is the version's. */
static void add(struct bundle *bundle, const char *name, const struct version *version, const void *data, size_t size)
{
	struct archive_entry *entry = archive_entry_new();

	if (!entry)
		reference_die("no memory for an entry");
	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, version->shape == SHAPE_DIRECTORY ? AE_IFDIR
	                                  : version->shape == SHAPE_LINK    ? AE_IFLNK
	                                                                    : AE_IFREG);
	archive_entry_set_perm(entry, version->mode);
	archive_entry_set_uid(entry, version->uid);
	archive_entry_set_gid(entry, version->gid);
	if (version->shape == SHAPE_LINK)
		archive_entry_set_symlink(entry, (const char *)version->data);
	archive_entry_set_size(entry, (la_int64_t)size);
	must_archive(bundle->archive, archive_write_header(bundle->archive, entry));
	if (size > 0 && archive_write_data(bundle->archive, data, size) != (la_ssize_t)size)
		reference_die("%s: %s", name, archive_error_string(bundle->archive));
	archive_entry_free(entry);
}

void bundle_add_version(struct bundle *bundle, const char *name, const struct version *version)
{
	bool has_data = version->shape == SHAPE_FILE || version->shape == SHAPE_RAW;

	add(bundle, name, version, version->data, has_data ? version->size : 0);
}

void bundle_add(struct bundle *bundle, const char *name, const void *data, size_t size)
{
	const struct version plain = {.shape = SHAPE_FILE, .mode = 0644};

	add(bundle, name, &plain, data, size);
}

void bundle_finish(struct bundle *bundle, uint8_t **bytes, size_t *size)
{
	must_archive(bundle->archive, archive_write_close(bundle->archive));
	must_archive(bundle->archive, archive_write_free(bundle->archive));
	*bytes = bundle->buffer.data;
	*size = bundle->buffer.size;
	free(bundle);
}

/* ---- update_gen ---- */

static void firmware_name(const struct asset *asset, char name[128])
{
	if (asset->path[0])
		(void)snprintf(name, 128, "SYSTEM%s%s", strcmp(asset->place, "modem") == 0 ? "/firmware" : "",
		               asset->path);
	else
		(void)snprintf(name, 128, "%s/%s.img",
		               strcmp(asset->place, "boot") == 0 ? "BOOTABLE_IMAGES" : "MULTIFOTA", asset->place);
}

/* What a firmware of the factory has; user data, calibration, and what a mount hides, are not in it. */
static bool is_firmware(const struct asset *asset)
{
	return strcmp(asset->place, "usrdata") != 0 && strcmp(asset->place, "calib") != 0 &&
	       strcmp(asset->place, "persist") != 0 &&
	       !(strcmp(asset->place, "rootfs") == 0 &&
	         (strcmp(asset->path, "/dev") == 0 || strncmp(asset->path, "/firmware", 9) == 0));
}

static void write_firmware(const struct reference *reference, bool is_new, const char *path)
{
	struct bundle *bundle = bundle_new();
	struct buffer zip;
	FILE *file;

	for (unsigned i = 0; i < reference->asset_count; i++) {
		const struct asset *asset = &reference->assets[i];
		const struct version *version = is_new ? &asset->new : &asset->old;
		char name[128];

		firmware_name(asset, name);
		/* The first firmware does not know a partition that is written whole. */
		if (is_firmware(asset) && version->shape != SHAPE_NONE && (is_new || !asset->whole))
			bundle_add_version(bundle, name, version);
	}
	bundle_finish(bundle, &zip.data, &zip.size);
	file = fopen(path, "wb");
	if (!file || fwrite(zip.data, 1, zip.size, file) != zip.size || fclose(file) != 0)
		reference_die("%s: %s", path, strerror(errno));
	free(zip.data);
}

void bundle_read_file(const char *path, uint8_t **bytes, size_t *size)
{
	struct buffer buffer = {0};
	uint8_t chunk[4096];
	FILE *file = fopen(path, "rb");
	size_t n;

	if (!file)
		reference_die("%s: %s", path, strerror(errno));
	while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buffer_append(&buffer, chunk, n);
	if (ferror(file) || fclose(file) != 0)
		reference_die("%s cannot be read", path);
	*bytes = buffer.data;
	*size = buffer.size;
}

/* max_package: 0 for one package, of whatever size. */
static void generate(struct reference *reference, uint64_t max_package)
{
	const char *temporary = getenv("TMPDIR");
	char folder[256];
	char paths[4][288];
	struct gen_options options = {.source = reference->full ? NULL : paths[0],
	                              .target = paths[1],
	                              .output = paths[2],
	                              .parts = GEN_ALL,
	                              .native = reference->native,
	                              .full = reference->full,
	                              .minimal = max_package > 0,
	                              .limits = {.package = max_package}};
	struct error error;

	(void)snprintf(folder, sizeof(folder), "%s/powercut-XXXXXX", temporary ? temporary : "/tmp");
	if (!mkdtemp(folder))
		reference_die("%s: %s", folder, strerror(errno));
	(void)snprintf(paths[0], sizeof(paths[0]), "%s/v1.zip", folder);
	(void)snprintf(paths[1], sizeof(paths[1]), "%s/v2.zip", folder);
	(void)snprintf(paths[2], sizeof(paths[2]), "%s/update.zip", folder);
	(void)snprintf(paths[3], sizeof(paths[3]), "%s/update-2.zip", folder);
	write_firmware(reference, false, paths[0]);
	write_firmware(reference, true, paths[1]);
	if (gen_make_package(&options, NULL, &error))
		reference_die("%s: %s", reference->name, error.message);
	bundle_read_file(paths[2], &reference->package, &reference->package_size);
	if (max_package > 0)
		bundle_read_file(paths[3], &reference->second, &reference->second_size);
	for (int i = 0; i < 4; i++)
		(void)unlink(paths[i]); /* what is left behind is in the folder for temporary files */
	(void)rmdir(folder);
}

void bundle_generate(struct reference *reference)
{
	generate(reference, 0);
}

void bundle_generate_minimal(struct reference *reference, uint64_t max_package)
{
	generate(reference, max_package);
}

/* ---- Scripts ---- */

static int append_patch(void *ctx, const void *data, size_t length)
{
	buffer_append(ctx, data, length);
	return 0;
}

void scripted_begin(struct scripted *scripted, struct reference *reference)
{
	*scripted = (struct scripted){.reference = reference, .bundle = bundle_new()};
	scripted->script = open_memstream(&scripted->text, &scripted->text_size);
	if (!scripted->script)
		reference_die("no memory for a script");
}

void scripted_add(struct scripted *scripted, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (vfprintf(scripted->script, format, args) < 0)
		reference_die("no memory for a script");
	va_end(args);
}

const char *version_sha1(const struct version *version, char text[DIGEST_TEXT_SIZE])
{
	struct digest digest;
	struct digest_value value;

	digest_start(&digest, DIGEST_SHA1);
	digest_add(&digest, version->data, version->size);
	digest_finish(&digest, &value);
	return digest_format(&value, text);
}

/* A path, or the partition with what it may hold: "MTD:boot:size:sha1:size:sha1". */
const char *asset_script_name(const struct reference *reference, const struct asset *asset, char text[256])
{
	char old[DIGEST_TEXT_SIZE];
	char new[DIGEST_TEXT_SIZE];
	char label[128];

	(void)asset_label(reference, asset, label);
	if (asset->path[0])
		(void)snprintf(text, 256, "%s", label);
	else
		(void)snprintf(text, 256, "%s:%s:%zu:%s:%zu:%s", strcmp(label, "modem") == 0 ? "UBI" : "MTD", label,
		               asset->old.size, version_sha1(&asset->old, old), asset->new.size,
		               version_sha1(&asset->new, new));
	return text;
}

static const char *entry_name(const struct reference *reference, const struct asset *asset, char entry[160])
{
	char label[128];

	(void)snprintf(entry, 160, "patch%s%s.p", asset->path[0] ? "" : "/", asset_label(reference, asset, label));
	return entry;
}

void scripted_check(struct scripted *scripted, const struct asset *asset, const char *before, const char *after)
{
	char name[256];
	char entry[160];
	char old[DIGEST_TEXT_SIZE];
	char new[DIGEST_TEXT_SIZE];

	scripted_add(scripted, "%sapply_patch_check(\"%s\"", before,
	             asset_script_name(scripted->reference, asset, name));
	if (asset->path[0])
		scripted_add(scripted, ", \"%s\", \"%s\"", version_sha1(&asset->new, new),
		             version_sha1(&asset->old, old));
	if (asset->unit)
		scripted_add(scripted, ", package_extract_file(\"%s\")", entry_name(scripted->reference, asset, entry));
	scripted_add(scripted, ")%s\n", after);
}

static void add_patch(struct scripted *scripted, const struct version *old, const struct asset *asset)
{
	struct buffer patch = {0};
	struct sink sink = {.write = append_patch, .ctx = &patch};
	char entry[160];
	const struct version *new = &asset->new;
	const struct patch_native_options options = {.unit = asset->unit};
	struct error error;
	int err;

	if (asset->unit)
		err = patch_make_native(old->data, old->size, new->data, new->size, &options, &sink, &error);
	else
		err = patch_make_bsdiff40(old->data, old->size, new->data, new->size, 0, &sink, &error);
	if (err < 0)
		reference_die("%s: %s", asset->path, error.message);
	bundle_add(scripted->bundle, entry_name(scripted->reference, asset, entry), patch.data, patch.size);
	free(patch.data);
}

void scripted_entry(struct scripted *scripted, const struct asset *asset)
{
	add_patch(scripted, &asset->old, asset);
}

void scripted_apply(struct scripted *scripted, const struct asset *asset, const char *after)
{
	char name[256];
	char entry[160];
	char old[DIGEST_TEXT_SIZE];
	char new[DIGEST_TEXT_SIZE];

	scripted_add(
		scripted,
		"apply_patch(\"%s\", \"-\",\n            %s, %zu,\n            %s, package_extract_file(\"%s\"))%s\n",
		asset_script_name(scripted->reference, asset, name), version_sha1(&asset->new, new), asset->new.size,
		version_sha1(&asset->old, old), entry_name(scripted->reference, asset, entry), after);
}

void scripted_patch(struct scripted *scripted, const struct asset *asset, const char *after)
{
	scripted_entry(scripted, asset);
	scripted_apply(scripted, asset, after);
}

void scripted_copy(struct scripted *scripted, const struct asset *from, const struct asset *copy, const char *after)
{
	char labels[2][128];
	char entry[160];
	char old[DIGEST_TEXT_SIZE];
	char new[DIGEST_TEXT_SIZE];

	add_patch(scripted, &from->old, copy);
	scripted_add(scripted,
	             "apply_patch(\"%s\", \"%s\",\n            %s, %zu,\n            %s, "
	             "package_extract_file(\"%s\"))%s\n",
	             asset_label(scripted->reference, from, labels[0]),
	             asset_label(scripted->reference, copy, labels[1]), version_sha1(&copy->new, new), copy->new.size,
	             version_sha1(&from->old, old), entry_name(scripted->reference, copy, entry), after);
}

void scripted_end(struct scripted *scripted)
{
	if (fclose(scripted->script) != 0)
		reference_die("no memory for a script");
	bundle_add(scripted->bundle, PACKAGE_SCRIPT, scripted->text, scripted->text_size);
	bundle_finish(scripted->bundle, &scripted->reference->package, &scripted->reference->package_size);
	free(scripted->text);
}
