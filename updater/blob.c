/* SPDX-License-Identifier: Apache-2.0 */
#include "updater/blob.h"

#include "updater/journal.h"
#include "updater/object.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void blob_release(struct script_blob *base)
{
	struct blob *blob = (struct blob *)base;

	if (blob->file)
		storage_reader_close(blob->file);
	free(blob->origin);
	free(blob);
}

static struct blob *blob_new(const char *origin)
{
	struct blob *blob = calloc(1, sizeof(*blob));

	if (!blob)
		return NULL;
	blob->base.release = blob_release;
	blob->origin = strdup(origin);
	if (!blob->origin) {
		free(blob);
		return NULL;
	}
	return blob;
}

struct blob *blob_from_package(struct package *package, const char *entry)
{
	struct blob *blob = blob_new(entry);
	uint32_t index;

	if (!blob)
		return NULL;
	if (package_find(package, entry, &index) < 0) {
		blob->missing = true;
		(void)error_set(&blob->error, RESULT_FORMAT, ENOENT, "%s: not in the package", entry);
	} else {
		blob->content = package_content(package, index);
		blob->from_package = journal_entry_digest(package, index, &blob->digest, NULL) == 0;
	}
	return blob;
}

/* The longest content pair that holds, so that a prefix of the new content is not taken for the whole old one. */
static int narrow(struct storage *storage, const char *text, const struct storage_name *name, struct reader *io,
                  struct error *error)
{
	const struct digest_value *expected[STORAGE_CONTENT_MAX];
	struct object *object = calloc(1, sizeof(*object));
	unsigned kinds = 0;
	uint64_t size;
	int err;

	if (!object)
		return error_set(error, RESULT_ABNORMAL, ENOMEM, "out of memory");
	for (unsigned i = 0; i < name->content_count; i++) {
		expected[i] = &name->content[i].digest;
		kinds |= object_kind_bit(expected[i]);
	}
	err = object_open(storage, text, 0, kinds, object, error);
	if (err < 0)
		goto out;
	err = object_mismatch(object, expected, name->content_count, error);
	for (unsigned i = name->content_count; i > 0; i--) {
		if (!object_matches(object, expected[i - 1], &size))
			continue;
		io->size = size;
		err = 0;
		break;
	}
	object_close(object);
out:
	free(object);
	return err;
}

struct blob *blob_from_storage(struct storage *storage, const char *name)
{
	struct blob *blob = blob_new(name);
	struct storage_name parsed;
	int err;

	if (!blob)
		return NULL;
	err = storage_name_parse(name, &parsed, &blob->error);
	if (err < 0)
		goto missing;
	err = storage_reader_open(storage, &parsed, &blob->file, &blob->error);
	if (err < 0) {
		blob->file = NULL;
		goto missing;
	}
	blob->io = storage_reader_io(blob->file);
	if (parsed.content_count > 0)
		err = narrow(storage, name, &parsed, &blob->io, &blob->error);
	if (err < 0)
		goto missing;
	blob->content = content_from_reader(&blob->io);
	return blob;
missing:
	blob->missing = true;
	return blob;
}
