/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/output.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

static int write_data(struct archive *archive, const struct extent *data)
{
	struct mapping mapping;
	const char *at;
	size_t left;
	int err;

	err = extent_map(data, &mapping);
	if (err < 0)
		return err;
	for (at = mapping.data, left = mapping.size; left > 0;) {
		la_ssize_t n = archive_write_data(archive, at, left);

		if (n <= 0) {
			err = -EIO;
			break;
		}
		at += n;
		left -= (size_t)n;
	}
	extent_unmap(&mapping);
	return err;
}

/* Where no time is set libarchive writes the same constant everywhere. */
static int write_entry(struct archive *archive, const struct output_entry *item, const int64_t *time)
{
	struct archive_entry *entry = archive_entry_new();
	int err = 0;

	if (!entry)
		return -ENOMEM;
	archive_entry_set_pathname(entry, item->name);
	archive_entry_set_filetype(entry, item->directory ? AE_IFDIR : AE_IFREG);
	archive_entry_set_perm(entry, item->directory ? 0755 : 0644);
	archive_entry_set_size(entry, (la_int64_t)item->data.size);
	if (time)
		archive_entry_set_mtime(entry, (time_t)*time, 0);
	if ((item->packed ? archive_write_zip_set_compression_store(archive)
	                  : archive_write_zip_set_compression_deflate(archive)) != ARCHIVE_OK ||
	    archive_write_header(archive, entry) != ARCHIVE_OK)
		err = -EIO;
	archive_entry_free(entry);
	return err < 0 || item->directory ? err : write_data(archive, &item->data);
}

static int write_archive(const char *path, const struct output_entry *entries, size_t count, const int64_t *time,
                         struct error *error)
{
	struct archive *archive = archive_write_new();
	const char *text;
	int err = 0;

	if (!archive)
		return error_set(error, 0, ENOMEM, "out of memory");
	if (archive_write_set_format_zip(archive) != ARCHIVE_OK ||
	    archive_write_set_options(archive, "zip:compression-level=9") != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(archive, 1) != ARCHIVE_OK ||
	    archive_write_open_filename(archive, path) != ARCHIVE_OK)
		err = -EIO;
	for (size_t i = 0; i < count && err == 0; i++)
		err = write_entry(archive, &entries[i], time);
	if (err == 0 && archive_write_close(archive) != ARCHIVE_OK)
		err = -EIO;
	if (err < 0) {
		/* libarchive's text does not tell why a system call failed. */
		if (archive_errno(archive) > 0)
			err = -archive_errno(archive);
		text = archive_error_string(archive);
		err = error_set(error, 0, -err, "cannot write %s: %s: %s", path, text ? text : "unknown cause",
		                strerror(-err));
	}
	(void)archive_write_free(archive); /* closed above, or worthless */
	return err;
}

int output_write(const char *path, const struct output_entry *entries, size_t count, const int64_t *time,
                 struct error *error)
{
	/* Names are bytes; in this locale libarchive marks them as UTF-8 on every host. */
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	locale_t caller = uselocale(utf8);
	int err;

	err = write_archive(path, entries, count, time, error);
	if (err < 0)
		(void)unlink(path); /* a remnant is the lesser evil than hiding the first error */
	(void)uselocale(caller);
	if (utf8)
		freelocale(utf8);
	return err;
}
