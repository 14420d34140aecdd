/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/app.h"

#include "gentools/app_check.h"
#include "gentools/compose.h"
#include "gentools/hardlinks.h"
#include "gentools/output.h"
#include "gentools/place.h"
#include "gentools/sign.h"
#include "gentools/tree_folder.h"
#include "package/package.h"
#include "package/rollback.h"
#include "storage/storage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_objects(const void *a, const void *b)
{
	return tree_compare_paths(((const struct object *)a)->path, ((const struct object *)b)->path);
}

/* Of names of one file the first is the one that the others follow. */
static int lead(struct tree *tree)
{
	const struct object **first = calloc(tree->linked_files + 1, sizeof(struct object *));

	if (!first)
		return -ENOMEM;
	for (size_t i = 0; i < tree->count; i++) {
		struct object *object = &tree->objects[i];

		if (object->file == 0)
			continue;
		object->first = first[object->file];
		if (!object->first)
			first[object->file] = object;
	}
	free(first);
	return 0;
}

static int read_folder(struct tree *tree, const struct app_options *options, struct error *error)
{
	int err = spool_open(&tree->spool);

	tree->name = options->folder;
	tree->digests = DIGEST_SHA256;
	if (err < 0)
		return error_set(error, 0, -err, "%s: cannot make a temporary file: %s", spool_folder(),
		                 strerror(-err));
	err = tree_read_folder(tree, error);
	if (err < 0)
		return err;
	if (tree->count == 0)
		return error_set(error, 0, EINVAL, "%s: nothing in it", options->folder);
	qsort(tree->objects, tree->count, sizeof(tree->objects[0]), compare_objects);
	for (size_t i = 0; i < tree->count; i++) {
		struct object *object = &tree->objects[i];

		if (object->type == OBJECT_NODE)
			return error_set(error, 0, EINVAL, "%s: %s is a device node or FIFO", tree->name, object->path);
		if (options->has_owner) {
			object->uid = options->uid;
			object->gid = options->gid;
		}
	}
	err = hardlinks_number(tree, false);
	if (err == 0)
		err = lead(tree);
	return err < 0 ? error_set(error, 0, -err, "out of memory") : 0;
}

/* Whatever makes two releases differ. */
static void name_release(const struct tree *tree, char name[APP_RELEASE_SIZE])
{
	struct digest_value value;
	char text[DIGEST_TEXT_SIZE];
	struct digest digest;

	digest_start(&digest, DIGEST_SHA256);
	for (size_t i = 0; i < tree->count; i++) {
		const struct object *object = &tree->objects[i];
		char numbers[128];
		int n = snprintf(numbers, sizeof(numbers), "%d %o %lld %lld %llx ", object->type,
		                 object->type == OBJECT_LINK ? 0 : object->mode, (long long)object->uid,
		                 (long long)object->gid, (unsigned long long)object->capabilities);

		digest_add(&digest, numbers, (size_t)n);
		digest_add(&digest, object->path, strlen(object->path) + 1);
		if (object->type == OBJECT_LINK)
			digest_add(&digest, object->link, strlen(object->link) + 1);
		if (object->type == OBJECT_FILE)
			digest_add(&digest, digest_format(&object->digest, text), strlen(text));
		if (object->first)
			digest_add(&digest, object->first->path, strlen(object->first->path) + 1);
	}
	digest_finish(&digest, &value);
	(void)snprintf(name, APP_RELEASE_SIZE, "%s", digest_format(&value, text));
}

/* ---- The script ---- */

static void put_place(FILE *out, const struct app *app, const char *below)
{
	char place[2 * STORAGE_PATH_MAX];

	(void)snprintf(place, sizeof(place), "%s.releases/%s%s%s", app->options->path, app->release, *below ? "/" : "",
	               below);
	compose_quoted(out, place);
}

static void put_object(FILE *out, const struct app *app, const struct object *object)
{
	char text[DIGEST_TEXT_SIZE];

	if (object->first) {
		(void)fputs("hard_link(", out);
		put_place(out, app, object->first->path);
		(void)fputs(", ", out);
		put_place(out, app, object->path);
		(void)fputs(");\n", out);
		return;
	}
	if (object->type == OBJECT_LINK) {
		(void)fputs("symlink(", out);
		compose_quoted(out, object->link);
		(void)fputs(", ", out);
		put_place(out, app, object->path);
		(void)fputs(");\n", out);
	}
	(void)fputs("set_metadata(", out);
	put_place(out, app, object->path);
	(void)fprintf(out, ", \"uid\", %lld, \"gid\", %lld", (long long)object->uid, (long long)object->gid);
	if (object->type != OBJECT_LINK)
		(void)fprintf(out, ", \"mode\", 0%o", object->mode);
	if (object->type == OBJECT_FILE)
		(void)fprintf(out, ", \"capabilities\", 0x%llx", (unsigned long long)object->capabilities);
	(void)fputs(");\n", out);
	if (object->type != OBJECT_FILE)
		return;
	(void)fputs("sha1_check(read_file(", out);
	put_place(out, app, object->path);
	(void)fprintf(out, "), \"%s\") || abort(\"A file is not as in the package.\");\n",
	              digest_format(&object->digest, text));
}

static void put_script(FILE *out, const struct app *app)
{
	const char *path = app->options->path;
	size_t volume = strcspn(path + 1, "/");
	char text[2 * STORAGE_PATH_MAX];

	(void)fprintf(out, "# made by update_gen " FOTA_VERSION "\nmount(\"ubifs\", \"UBI\", \"%.*s\", \"/%.*s\");\n",
	              (int)volume, path + 1, (int)volume, path + 1);
	(void)fputs("is_directory(", out);
	compose_quoted(out, path);
	(void)fputs(") && abort(\"A directory is in the place of the link to the release: move it away.\");\n"
	            "ui_print(\"Updating...\");\nshow_progress(1.0, 0);\npackage_extract_dir(\"app\", ",
	            out);
	put_place(out, app, "");
	(void)fputs(") || abort(\"Failed to extract files.\");\nset_progress(0.5);\n", out);
	for (size_t i = 0; i < app->tree->count; i++)
		put_object(out, app, &app->tree->objects[i]);
	(void)snprintf(text, sizeof(text), "%s.releases/%s", strrchr(path, '/') + 1, app->release);
	/* Also owners and modes are there before the release is in use. */
	(void)fputs("sync();\nsymlink(", out);
	compose_quoted(out, text);
	(void)fputs(", ", out);
	compose_quoted(out, path);
	(void)snprintf(text, sizeof(text), "%s.releases", path);
	(void)fputs(");\nkeep_only(", out);
	compose_quoted(out, text);
	(void)fputs(", \"keep.list\");\nset_progress(1.0);\nui_print(\"Update complete.\");\n", out);
}

/* ---- The package ---- */

static int spool_bytes(struct tree *tree, struct extent *data, const void *bytes, size_t size)
{
	spool_start(&tree->spool, data);
	return spool_append(&tree->spool, data, bytes, size);
}

static int spool_script(const struct app *app, struct tree *tree, struct extent *data)
{
	struct spool_text text;
	int err = spool_text_open(&text);

	if (err < 0)
		return err;
	put_script(text.out, app);
	return spool_text_close(&text, &tree->spool, data);
}

static int write_package(const struct app *app, struct tree *tree, const char *path, struct error *error)
{
	const char *rollback = app->options->rollback;
	struct output_entry *entries = calloc(tree->count + 3, sizeof(*entries));
	char kept[APP_RELEASE_SIZE + 1];
	char **names = calloc(tree->count, sizeof(*names));
	size_t count = 2;
	int err = entries && names ? 0 : -ENOMEM;

	if (err < 0)
		goto out;
	entries[0] = (struct output_entry){.name = PACKAGE_SCRIPT};
	entries[1] = (struct output_entry){.name = "keep.list"};
	err = spool_script(app, tree, &entries[0].data);
	(void)snprintf(kept, sizeof(kept), "*%s", app->release);
	if (err == 0)
		err = spool_bytes(tree, &entries[1].data, kept, sizeof(kept));
	if (err == 0 && rollback) {
		entries[count] = (struct output_entry){.name = PACKAGE_ROLLBACK_INDEX};
		err = spool_bytes(tree, &entries[count++].data, rollback, strlen(rollback));
	}
	for (size_t i = 0; err == 0 && i < tree->count; i++) {
		const struct object *object = &tree->objects[i];

		if (object->type == OBJECT_LINK || object->first)
			continue;
		if (asprintf(&names[i], "app/%s", object->path) < 0) {
			names[i] = NULL;
			err = -ENOMEM;
		}
		entries[count++] = (struct output_entry){
			.name = names[i], .directory = object->type == OBJECT_DIRECTORY, .data = object->data};
	}
out:
	err = err < 0 ? error_set(error, 0, -err, "cannot write the package: %s", strerror(-err))
	              : output_write(path, entries, count, app->options->time, error);
	for (size_t i = 0; names && i < tree->count; i++)
		free(names[i]);
	free(names);
	free(entries);
	return err;
}

static int finish(const struct app *app, struct tree *tree, const struct signer *signer, const struct log *log,
                  struct error *error)
{
	char *part;
	int err = place_begin(app->options->output, &part, error);

	if (err == 0)
		err = write_package(app, tree, part, error);
	if (err == 0 && signer)
		err = signer_sign(signer, part, part, error);
	if (err == 0)
		err = app_check(app, part, log, error);
	return place_end(part, app->options->output, err, error);
}

/* "/usrdata/app": the first name is that of the volume, too. */
static bool is_place(const char *path)
{
	size_t volume = *path == '/' ? strspn(path + 1, TREE_PARTITION_CHARACTERS) : 0;
	size_t length = strlen(path);

	return volume > 0 && path[volume + 1] == '/' && path[length - 1] != '/' && length < STORAGE_PATH_MAX / 4 &&
	       !strstr(path, "//") && !strstr(path, "/./") && !strstr(path, "..") && strncmp(path, "/system/", 8) != 0;
}

int app_make_package(const struct app_options *options, const struct log *log, struct error *error)
{
	struct tree tree = {.spool = {.fd = -1}};
	struct app app = {.options = options, .tree = &tree};
	struct signer *signer = NULL;
	uint32_t index;
	int err = 0;

	if (!is_place(options->path))
		return error_set(error, 0, EINVAL,
		                 "%s: not a place for user files: like /usrdata/app, on a volume of the first name",
		                 options->path);
	err = place_check(options->output, error);
	if (err == 0 && options->rollback)
		err = package_parse_rollback(options->rollback, strlen(options->rollback), &index, error);
	if (err == 0 && options->sign)
		err = signer_open(options->sign, &signer, error);
	if (err == 0)
		err = read_folder(&tree, options, error);
	if (err == 0) {
		name_release(&tree, app.release);
		err = finish(&app, &tree, signer, log, error);
	}
	signer_close(signer);
	tree_free(&tree);
	return err;
}
