/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDATER_BLOB_H
#define UPDATER_BLOB_H

/*
 * The language's blobs: where bytes can be had, never the bytes themselves. A blob of something that does not exist is
 * a value like any other; the function that wants its bytes decides what that means. Private to updater/.
 */
#include "base/io.h"
#include "package/package.h"
#include "script/script.h"
#include "storage/storage.h"

struct blob {
	struct script_blob base; /* first: a script_blob of this room is a struct blob */
	char *origin;            /* "patch/x.p" or "/system/x", for messages */
	bool missing;            /* no content, because of error */
	struct error error;
	struct content content;
	bool from_package;
	struct digest_value digest; /* from_package: what journal_entry_digest() says */

	struct storage_reader *file; /* what the content of a file or partition is read from, or NULL */
	struct reader io;
};

/* Both return NULL only when memory is out. The package or storage must outlive the blob. */
struct blob *blob_from_package(struct package *package, const char *entry);
/* Of a partition name with content pairs: as long as the pair that matches; missing when none does. */
struct blob *blob_from_storage(struct storage *storage, const char *name);

static inline struct blob *blob_of(const struct script_value *value)
{
	return (struct blob *)value->blob;
}

#endif
