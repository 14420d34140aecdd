/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that bring whole contents from the package. */
#include "updater/functions.h"

#include "updater/extract.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In a dry run: is there room for a whole content? The script goes on either way. */
static void rehearse_content(struct updater_run *run, const struct storage_name *target, uint64_t size)
{
	char label[OBJECT_LABEL_SIZE];
	struct error error;

	if (rehearsal_check_room(&run->rehearsal, run->storage, target, size, &error) < 0)
		run_mismatch(run, object_label(target, label), &error);
	if (target->kind == STORAGE_FILE)
		rehearsal_resize(&run->rehearsal, run->storage, target->name, size);
}

/* ---- package_extract_dir ---- */

static int extract_link(struct updater_run *run, const char *entry, const char *path, struct error *error)
{
	char *target;
	size_t size;
	int err = package_load(run->config->package, entry, STORAGE_PATH_MAX - 1, &target, &size, error);

	if (err < 0)
		return err;
	if (size == 0 || strlen(target) != size)
		err = error_set(error, RESULT_FORMAT, EINVAL, "%.400s: not a symbolic link's target", entry);
	else
		err = storage_make_symlink(run->storage, target, path, error);
	free(target);
	return err;
}

static int extract_file(struct updater_run *run, uint32_t index, const char *path, struct error *error)
{
	struct content content = package_content(run->config->package, index);
	struct storage_name name = {.kind = STORAGE_FILE};
	struct digest_value digest;
	const struct extract extract = {
		.storage = run->storage,
		.content = &content,
		.digest = &digest,
		.target = &name,
		.journal = run->journal,
		.log = run->log,
	};
	int err = journal_entry_digest(run->config->package, index, &digest, error);

	(void)snprintf(name.name, sizeof(name.name), "%s", path);
	return err < 0 ? err : extract_content(&extract, error);
}

static int make_parents(struct updater_run *run, char *path, struct error *error)
{
	char *slash = strrchr(path, '/');
	int err;

	if (slash == path)
		return 0;
	*slash = '\0';
	err = storage_make_directories(run->storage, path, 0755, error);
	*slash = '/';
	return err;
}

static int extract_entry(struct updater_run *run, uint32_t index, const struct package_entry *entry, char *path,
                         struct error *error)
{
	int err;

	if (run_skips(run, "extract %s to %s", entry->name, path)) {
		struct storage_name name = {.kind = STORAGE_FILE};

		(void)snprintf(name.name, sizeof(name.name), "%s", path);
		if (entry->type == PACKAGE_FILE)
			rehearse_content(run, &name, entry->size);
		return 0;
	}
	if (entry->type == PACKAGE_DIRECTORY)
		return storage_make_directories(run->storage, path, 0755, error);
	err = make_parents(run, path, error);
	if (err < 0)
		return err;
	return entry->type == PACKAGE_SYMLINK ? extract_link(run, entry->name, path, error)
	                                      : extract_file(run, index, path, error);
}

/* The part of an entry's name below the directory, "" for the directory itself; NULL: it lies elsewhere. */
static const char *below(const char *entry, const char *directory)
{
	size_t length = strlen(directory);

	if (length == 0)
		return entry;
	if (strncmp(entry, directory, length) != 0)
		return NULL;
	if (entry[length] == '\0')
		return entry + length;
	return entry[length] == '/' ? entry + length + 1 : NULL;
}

static int extract_directory(struct updater_run *run, const char *directory, const char *destination,
                             struct error *error)
{
	struct package *package = run->config->package;
	struct package_entry entry;
	char path[STORAGE_PATH_MAX];
	bool found = false;

	for (uint32_t i = 0; i < package_count(package); i++) {
		const char *rest;
		int err = package_entry(package, i, &entry, error);

		if (err < 0)
			return err;
		rest = below(entry.name, directory);
		if (!rest)
			continue;
		found = true;
		if (snprintf(path, sizeof(path), "%s%s%s", destination, *rest ? "/" : "", rest) >= (int)sizeof(path))
			return error_set(error, RESULT_FORMAT, ENAMETOOLONG, "%.200s: path too long", entry.name);
		err = extract_entry(run, i, &entry, path, error);
		if (err < 0)
			return err;
	}
	/* The lineage called that a success; nobody extracts a directory that the package does not have. */
	return found ? 0 : error_set(error, RESULT_FORMAT, ENOENT, "%.200s/: not in the package", directory);
}

int function_package_extract_dir(struct script_call *call, struct script_value *result)
{
	struct updater_run *run = run_of(call);
	char destination[STORAGE_PATH_MAX];
	struct error error;
	char *directory;
	size_t length;
	int err = script_argument_text(call, 0, &directory);

	if (err < 0)
		return err;
	err = argument_path(call, 1, destination);
	if (err < 0)
		goto out;
	for (length = strlen(directory); length > 0 && directory[length - 1] == '/'; length--)
		directory[length - 1] = '\0';
	if (strcmp(destination, "/") == 0)
		destination[0] = '\0';
	if (extract_directory(run, directory, destination, &error) < 0)
		err = call_fail(call, result, "", &error);
	else
		err = script_result_text(result, "t");
out:
	free(directory);
	return err;
}

/* ---- package_extract_file, write_raw_image ---- */

/* Devices are written in place, whatever the way a script names them; everything else is a file. */
static int destination_name(const char *text, struct storage_name *name, struct error *error)
{
	if (strncmp(text, "/dev/", strlen("/dev/")) == 0)
		return extract_partition_name(text, name, error);
	return storage_name_parse(text, name, error);
}

static int put(struct script_call *call, struct script_value *result, const struct blob *blob,
               const struct storage_name *target, const char *success)
{
	struct updater_run *run = run_of(call);
	const struct extract extract = {
		.storage = run->storage,
		.content = &blob->content,
		.digest = blob->from_package ? &blob->digest : NULL,
		.target = target,
		.journal = run->journal,
		.log = run->log,
	};
	struct error error;

	if (blob->missing)
		return call_fail(call, result, "", &blob->error);
	if (run_skips(run, "write %s to %s", blob->origin, target->name)) {
		rehearse_content(run, target, blob->content.size);
		return script_result_text(result, success);
	}
	if (extract_content(&extract, &error) < 0)
		return call_fail(call, result, "", &error);
	return script_result_text(result, success);
}

static int extract_to(struct script_call *call, struct script_value *result, const struct blob *blob)
{
	struct storage_name name;
	struct error error;
	char *text;
	int err = script_argument_text(call, 1, &text);

	if (err < 0)
		return err;
	if (destination_name(text, &name, &error) < 0)
		err = call_abort(call, &error);
	else
		err = put(call, result, blob, &name, "t");
	free(text);
	return err;
}

int function_package_extract_file(struct script_call *call, struct script_value *result)
{
	struct updater_run *run = run_of(call);
	struct blob *blob;
	char *entry;
	int err = script_argument_text(call, 0, &entry);

	if (err < 0)
		return err;
	blob = blob_from_package(run->config->package, entry);
	free(entry);
	if (!blob)
		return -ENOMEM;
	if (script_argument_count(call) == 1)
		return script_result_blob(result, &blob->base);
	err = extract_to(call, result, blob);
	blob->base.release(&blob->base);
	return err;
}

/* The first argument: a blob, or the path of a file that holds the image. */
static int image_blob(struct script_call *call, struct blob **blob)
{
	struct updater_run *run = run_of(call);
	struct script_value value;
	int err = script_argument(call, 0, &value);

	if (err < 0)
		return err;
	if (value.type == SCRIPT_BLOB) {
		*blob = blob_of(&value);
		return 0;
	}
	if (!value.text[0])
		err = script_abort(call, 0, "write_raw_image(): file argument can't be empty");
	else
		*blob = blob_from_storage(run->storage, rehearsal_path(&run->rehearsal, value.text));
	script_value_clear(&value);
	return err;
}

int function_write_raw_image(struct script_call *call, struct script_value *result)
{
	struct storage_name name;
	struct blob *blob = NULL;
	struct error error;
	char *partition;
	int err = image_blob(call, &blob);

	if (err < 0 || !blob)
		return err < 0 ? err : -ENOMEM;
	err = script_argument_text(call, 1, &partition);
	if (err < 0)
		goto out;
	if (!*partition)
		err = script_abort(call, 0, "write_raw_image(): partition argument can't be empty");
	else if (extract_partition_name(partition, &name, &error) < 0)
		err = call_abort(call, &error);
	else
		err = put(call, result, blob, &name, partition);
	free(partition);
out:
	blob->base.release(&blob->base);
	return err;
}
