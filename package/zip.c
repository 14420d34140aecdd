/* SPDX-License-Identifier: Apache-2.0 */
#include "package/zip.h"

#include "base/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define END_SIGNATURE    0x06054b50u
#define END_SIZE         22
#define RECORD_SIGNATURE 0x02014b50u
#define RECORD_SIZE      46
#define ZIP64_VALUE      0xffffffffu
#define EXTRA_ZIP64      0x0001
#define MADE_ON_UNIX     3

/* Deflate's level hints (1, 2), sizes behind the data (3), UTF-8 names (11): the rest means encryption or novelties. */
#define FLAG_SIZES_BEHIND 0x0008
#define FLAGS_KNOWN       0x080e

static int read_bytes(const struct reader *zip, uint64_t offset, void *buffer, size_t length, struct error *error)
{
	int err;

	if (offset > zip->size || length > zip->size - offset) {
		(void)error_set(error, RESULT_FORMAT, EINVAL, "package is truncated: %zu bytes at offset %llu of %llu",
		                length, (unsigned long long)offset, (unsigned long long)zip->size);
		return -EINVAL;
	}
	err = zip->read_at(zip->ctx, offset, buffer, length);
	if (err < 0) /* which does not make the package a wrong one */
		(void)error_set(error, RESULT_UNPACK, -err, "cannot read package at offset %llu: %s",
		                (unsigned long long)offset, strerror(-err));
	return err;
}

/*
 * An end record is whatever claims to be one and, with its comment, ends where the file ends. Two of them, or a
 * signature inside the comment, would let two readers see two different archives (spec/lineage.md 2.5).
 */
static int find_end(const uint8_t *tail, size_t length, size_t *found, struct error *error)
{
	bool seen = false;

	for (size_t i = 0; i + END_SIZE <= length; i++) {
		if (get_le32(tail + i) != END_SIGNATURE)
			continue;
		if (i + END_SIZE + get_le16(tail + i + 20) == length && !seen) {
			seen = true;
			*found = i;
		} else if (seen) {
			return error_set(error, RESULT_FORMAT, EINVAL, "package has an ambiguous end record");
		}
	}
	if (!seen)
		return error_set(error, RESULT_FORMAT, EINVAL, "not a zip archive, or truncated: no end record");
	return 0;
}

static int parse_end(const uint8_t *end, uint64_t offset, struct zip_directory *directory, struct error *error)
{
	uint64_t size = get_le32(end + 12);
	uint64_t start = get_le32(end + 16);

	if (get_le16(end + 4) != 0 || get_le16(end + 6) != 0 || get_le16(end + 8) != get_le16(end + 10))
		return error_set(error, RESULT_FORMAT, EINVAL, "package is one part of several");
	/* A zip64 end record would lie in between. */
	if (start + size != offset || offset >= ZIP64_VALUE)
		return error_set(error, RESULT_FORMAT, EINVAL,
		                 "central directory of package does not reach its end record, or zip64");
	directory->entries = get_le16(end + 10);
	if (directory->entries == 0)
		return error_set(error, RESULT_FORMAT, EINVAL, "package holds no entries");
	directory->start = (uint32_t)start;
	directory->end = (uint32_t)offset;
	return 0;
}

int zip_find_directory(const struct reader *zip, struct zip_directory *directory, struct error *error)
{
	size_t length = END_SIZE + UINT16_MAX;
	size_t found = 0;
	uint8_t *tail;
	int err;

	if (zip->size < length)
		length = (size_t)zip->size;
	tail = malloc(length + 1);
	if (!tail)
		return error_set(error, 0, ENOMEM, "out of memory");
	err = read_bytes(zip, zip->size - length, tail, length, error);
	if (err == 0)
		err = find_end(tail, length, &found, error);
	if (err == 0)
		err = parse_end(tail + found, zip->size - length + found, directory, error);
	free(tail);
	return err;
}

/* Only zip64 matters to us; but what cannot be walked is not an extra field. Zero padding is what zipalign leaves. */
static int check_extra(const struct reader *zip, uint64_t offset, size_t length, const char *name, struct error *error)
{
	uint8_t head[4];
	int err;

	while (length >= sizeof(head)) {
		size_t size;

		err = read_bytes(zip, offset, head, sizeof(head), error);
		if (err < 0)
			return err;
		size = sizeof(head) + get_le16(head + 2);
		if (size > length)
			return error_set(error, RESULT_FORMAT, EINVAL, "%s: broken extra field", name);
		if (get_le16(head) == EXTRA_ZIP64)
			return error_set(error, RESULT_FORMAT, EINVAL, "%s: zip64 is not supported", name);
		offset += size;
		length -= size;
	}
	return 0;
}

/* Name as the directory has it, NUL behind. Everything but a final slash must be a plain relative path. */
static int check_name(const char *name, size_t length, struct error *error)
{
	const char *part = name;
	const char *end = name + length;

	for (size_t i = 0; i < length; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f || name[i] == '\\')
			return error_set(error, RESULT_FORMAT, EINVAL, "entry name with byte %02x in it",
			                 (unsigned char)name[i]);
	if (name[0] == '/')
		return error_set(error, RESULT_FORMAT, EINVAL, "entry \"%s\": absolute path", name);
	while (part < end) {
		const char *slash = memchr(part, '/', (size_t)(end - part));
		size_t n = (size_t)((slash ? slash : end) - part);

		if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
			return error_set(error, RESULT_FORMAT, EINVAL, "entry \"%s\": \"//\", \".\" or \"..\" in path",
			                 name);
		part += n + 1;
	}
	return 0;
}

/* The name says whether it is a directory; the mode, if there is one, must agree. Strips the final slash. */
static int set_type(struct zip_record *record, uint32_t mode, struct error *error)
{
	struct package_entry *entry = &record->entry;
	uint32_t format = mode & S_IFMT;
	bool is_directory = entry->name[record->name_length - 1] == '/';

	if (format == 0)
		format = is_directory ? S_IFDIR : S_IFREG;
	if (is_directory != (format == S_IFDIR) || (format != S_IFREG && format != S_IFDIR && format != S_IFLNK))
		return error_set(error, RESULT_FORMAT, EINVAL,
		                 "entry \"%s\": mode %o contradicts its name, or is no "
		                 "file, directory or symbolic link",
		                 entry->name, mode);
	entry->mode = mode & 07777;
	entry->type = is_directory ? PACKAGE_DIRECTORY : format == S_IFLNK ? PACKAGE_SYMLINK : PACKAGE_FILE;
	if (is_directory) {
		entry->name[record->name_length - 1] = '\0';
		if (entry->size != 0)
			return error_set(error, RESULT_FORMAT, EINVAL, "directory \"%s\" has content", entry->name);
	}
	return 0;
}

static int check_coding(const uint8_t *head, const struct zip_record *record, struct error *error)
{
	const struct package_entry *entry = &record->entry;

	if (get_le16(head + 8) & ~FLAGS_KNOWN)
		return error_set(error, RESULT_FORMAT, EINVAL, "entry \"%s\": encrypted or of unknown kind, flags %04x",
		                 entry->name, get_le16(head + 8));
	if (record->method != ZIP_STORED && record->method != ZIP_DEFLATED)
		return error_set(error, RESULT_FORMAT, EINVAL, "entry \"%s\": unknown compression method %u",
		                 entry->name, record->method);
	if (get_le16(head + 34) != 0)
		return error_set(error, RESULT_FORMAT, EINVAL, "entry \"%s\": on another disk", entry->name);
	if (entry->size == ZIP64_VALUE || entry->packed_size == ZIP64_VALUE || record->local == ZIP64_VALUE)
		return error_set(error, RESULT_FORMAT, EINVAL, "entry \"%s\": zip64 is not supported", entry->name);
	if (record->method == ZIP_STORED && entry->size != entry->packed_size)
		return error_set(error, RESULT_FORMAT, EINVAL, "entry \"%s\": stored, but its sizes differ",
		                 entry->name);
	return 0;
}

int zip_read_record(const struct reader *zip, const struct zip_directory *directory, uint32_t offset,
                    struct zip_record *record, struct error *error)
{
	struct package_entry *entry = &record->entry;
	uint8_t head[RECORD_SIZE];
	uint64_t next;
	int err;

	if (directory->end - offset < RECORD_SIZE)
		return error_set(error, RESULT_FORMAT, EINVAL, "central directory is truncated");
	err = read_bytes(zip, offset, head, sizeof(head), error);
	if (err < 0)
		return err;
	record->name_length = get_le16(head + 28);
	next = (uint64_t)offset + RECORD_SIZE + record->name_length + get_le16(head + 30) + get_le16(head + 32);
	if (get_le32(head) != RECORD_SIGNATURE || next > directory->end)
		return error_set(error, RESULT_FORMAT, EINVAL, "central directory is broken at offset %u", offset);
	if (record->name_length == 0 || record->name_length >= sizeof(entry->name))
		return error_set(error, RESULT_FORMAT, EINVAL, "entry name of %zu bytes", record->name_length);
	err = read_bytes(zip, (uint64_t)offset + RECORD_SIZE, entry->name, record->name_length, error);
	if (err < 0)
		return err;
	entry->name[record->name_length] = '\0';
	record->next = (uint32_t)next;
	record->method = get_le16(head + 10);
	record->local = get_le32(head + 42);
	entry->crc32 = get_le32(head + 16);
	entry->packed_size = get_le32(head + 20);
	entry->size = get_le32(head + 24);
	err = check_name(entry->name, record->name_length, error);
	if (err == 0)
		err = check_coding(head, record, error);
	if (err == 0)
		err = check_extra(zip, (uint64_t)offset + RECORD_SIZE + record->name_length, get_le16(head + 30),
		                  entry->name, error);
	if (err == 0)
		err = set_type(record, head[5] == MADE_ON_UNIX ? get_le32(head + 38) >> 16 : 0, error);
	return err;
}

/* A header written before the data were known has zeros where the descriptor behind the data has the values. */
static bool agrees(uint32_t local, uint64_t directory, uint16_t flags)
{
	return local == directory || (local == 0 && (flags & FLAG_SIZES_BEHIND));
}

static int check_local_name(const struct reader *zip, const struct zip_record *record, struct error *error)
{
	const struct package_entry *entry = &record->entry;
	char name[PACKAGE_NAME_MAX];
	size_t length = strlen(entry->name);
	int err = read_bytes(zip, (uint64_t)record->local + ZIP_LOCAL_SIZE, name, record->name_length, error);

	if (err < 0)
		return err;
	if (memcmp(name, entry->name, length) != 0 || (length < record->name_length && name[length] != '/'))
		return error_set(error, RESULT_FORMAT, EINVAL, "entry \"%s\": has another name in its local header",
		                 entry->name);
	return 0;
}

static int place_data(const struct zip_directory *directory, const struct package_entry *entry, uint64_t data,
                      uint32_t *data_offset, struct error *error)
{
	if (data + entry->packed_size > directory->start)
		return error_set(error, RESULT_FORMAT, EINVAL, "entry \"%s\": reaches into the central directory",
		                 entry->name);
	*data_offset = (uint32_t)data;
	return 0;
}

int zip_place_data(const struct zip_directory *directory, const struct zip_record *record, uint32_t *data_offset,
                   struct error *error)
{
	return place_data(directory, &record->entry, (uint64_t)record->local + ZIP_LOCAL_SIZE + record->name_length,
	                  data_offset, error);
}

int zip_check_local(const struct reader *zip, const struct zip_directory *directory, const struct zip_record *record,
                    uint32_t *data_offset, struct error *error)
{
	const struct package_entry *entry = &record->entry;
	uint8_t head[ZIP_LOCAL_SIZE];
	uint64_t extra;
	uint16_t flags;
	int err;

	err = read_bytes(zip, record->local, head, sizeof(head), error);
	if (err < 0)
		return err;
	flags = get_le16(head + 6);
	if (get_le32(head) != ZIP_LOCAL_SIGNATURE || (flags & ~FLAGS_KNOWN) || get_le16(head + 8) != record->method ||
	    get_le16(head + 26) != record->name_length || !agrees(get_le32(head + 14), entry->crc32, flags) ||
	    !agrees(get_le32(head + 18), entry->packed_size, flags) || !agrees(get_le32(head + 22), entry->size, flags))
		return error_set(error, RESULT_FORMAT, EINVAL, "entry \"%s\": local header contradicts the directory",
		                 entry->name);
	extra = (uint64_t)record->local + ZIP_LOCAL_SIZE + record->name_length;
	err = place_data(directory, entry, extra + get_le16(head + 28), data_offset, error);
	if (err == 0)
		err = check_local_name(zip, record, error);
	if (err == 0)
		err = check_extra(zip, extra, get_le16(head + 28), entry->name, error);
	return err;
}
