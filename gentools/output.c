/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A zip archive (PKWARE APPNOTE 4.3) without anything that may be left out: a package has hundreds of entries, and what
 * the usual writers add to each (times, owners, descriptors behind the data) costs more than many a patch.
 */
#include "gentools/output.h"

#include "base/bytes.h"
#include "gentools/squeeze.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#define LOCAL_SIZE   30u
#define RECORD_SIZE  46u
#define END_SIZE     22u
#define LOCAL_MAGIC  0x04034b50u
#define RECORD_MAGIC 0x02014b50u
#define END_MAGIC    0x06054b50u

#define MADE_BY      (3u << 8 | 20u) /* Unix, version 2.0 */
#define NEEDED       20u             /* version 2.0: deflate, directories */
#define UTF8         (1u << 11)
#define STORED       0u
#define DEFLATED     8u
#define FIRST_DATE   0x0021u /* 1 January 1980, the format's first */
#define DIRECTORY    (040755u << 16 | 0x10u)
#define REGULAR      (0100644u << 16)
#define NAME_MAX_LEN UINT16_MAX

/* What local header and directory record both tell. */
struct record {
	const struct output_entry *entry;
	uint32_t method;
	uint32_t crc;
	uint32_t packed;
	uint32_t offset;
};

struct writer {
	FILE *file;
	uint64_t offset;
	uint16_t date;
	uint16_t time;
};

static int put(struct writer *w, const void *data, size_t size)
{
	w->offset += size;
	if (w->offset > UINT32_MAX)
		return -EFBIG;
	return fwrite(data, 1, size, w->file) == size ? 0 : -errno;
}

static bool is_ascii(const char *name)
{
	for (; *name; name++)
		if ((unsigned char)*name >= 0x80)
			return false;
	return true;
}

/* The fields from "version needed" to the length of the extra field, which both headers have in this order. */
static void fill_common(const struct writer *w, const struct record *record, uint8_t *at)
{
	const struct output_entry *entry = record->entry;

	put_le16(at, NEEDED);
	put_le16(at + 2, is_ascii(entry->name) ? 0 : UTF8);
	put_le16(at + 4, (uint16_t)record->method);
	put_le16(at + 6, w->time);
	put_le16(at + 8, w->date);
	put_le32(at + 10, record->crc);
	put_le32(at + 14, record->packed);
	put_le32(at + 18, (uint32_t)entry->data.size);
	put_le16(at + 22, (uint16_t)(strlen(entry->name) + entry->directory));
	put_le16(at + 24, 0);
}

static int put_name(struct writer *w, const struct output_entry *entry)
{
	int err = put(w, entry->name, strlen(entry->name));

	return err == 0 && entry->directory ? put(w, "/", 1) : err;
}

static int put_local(struct writer *w, const struct record *record)
{
	uint8_t header[LOCAL_SIZE] = {0};
	int err;

	put_le32(header, LOCAL_MAGIC);
	fill_common(w, record, header + 4);
	err = put(w, header, sizeof(header));
	return err < 0 ? err : put_name(w, record->entry);
}

static int put_record(struct writer *w, const struct record *record)
{
	uint8_t header[RECORD_SIZE] = {0};
	int err;

	put_le32(header, RECORD_MAGIC);
	put_le16(header + 4, MADE_BY);
	fill_common(w, record, header + 6);
	put_le32(header + 38, record->entry->directory ? DIRECTORY : REGULAR);
	put_le32(header + 42, record->offset);
	err = put(w, header, sizeof(header));
	return err < 0 ? err : put_name(w, record->entry);
}

static int put_entry(struct writer *w, const struct output_entry *entry, struct record *record)
{
	struct mapping mapping;
	void *squeezed = NULL;
	size_t size = 0;
	int err;

	if (strlen(entry->name) >= NAME_MAX_LEN || entry->data.size > UINT32_MAX || w->offset > UINT32_MAX)
		return -EFBIG;
	*record = (struct record){.entry = entry, .offset = (uint32_t)w->offset};
	if (entry->directory)
		return put_local(w, record);
	err = extent_map(&entry->data, &mapping);
	if (err == 0)
		err = squeeze(mapping.data, mapping.size, &squeezed, &size);
	if (err == 0) {
		record->method = squeezed ? DEFLATED : STORED;
		record->crc = (uint32_t)crc32_z(0, mapping.data, mapping.size);
		record->packed = (uint32_t)(squeezed ? size : mapping.size);
		err = put_local(w, record);
	}
	if (err == 0)
		err = put(w, squeezed ? squeezed : mapping.data, record->packed);
	free(squeezed);
	extent_unmap(&mapping);
	return err;
}

static int put_directory(struct writer *w, const struct record *records, size_t count)
{
	uint8_t end[END_SIZE] = {0};
	uint64_t start = w->offset;
	int err = 0;

	for (size_t i = 0; err == 0 && i < count; i++)
		err = put_record(w, &records[i]);
	if (err < 0)
		return err;
	put_le32(end, END_MAGIC);
	put_le16(end + 8, (uint16_t)count);
	put_le16(end + 10, (uint16_t)count);
	put_le32(end + 12, (uint32_t)(w->offset - start));
	put_le32(end + 16, (uint32_t)start);
	return put(w, end, sizeof(end));
}

/* As MS-DOS had it, in the time zone's time; what lies before 1980 is 1980. */
static void set_time(struct writer *w, const int64_t *seconds)
{
	time_t time = seconds ? (time_t)*seconds : 0;
	struct tm tm;

	w->date = FIRST_DATE;
	if (!seconds || !localtime_r(&time, &tm) || tm.tm_year < 80 || tm.tm_year > 80 + 127)
		return;
	w->date = (uint16_t)((unsigned)(tm.tm_year - 80) << 9 | (unsigned)(tm.tm_mon + 1) << 5 | (unsigned)tm.tm_mday);
	w->time = (uint16_t)((unsigned)tm.tm_hour << 11 | (unsigned)tm.tm_min << 5 | (unsigned)tm.tm_sec / 2);
}

int output_write(const char *path, const struct output_entry *entries, size_t count, const int64_t *time,
                 struct error *error)
{
	struct record *records = calloc(count + 1, sizeof(*records));
	struct writer w = {.file = fopen(path, "we")};
	int err = 0;

	if (!w.file)
		err = -errno;
	else if (!records)
		err = -ENOMEM;
	else if (count > UINT16_MAX)
		err = -EFBIG;
	set_time(&w, time);
	for (size_t i = 0; err == 0 && i < count; i++)
		err = put_entry(&w, &entries[i], &records[i]);
	if (err == 0)
		err = put_directory(&w, records, count);
	if (w.file && fclose(w.file) != 0 && err == 0)
		err = -errno;
	free(records);
	if (err == 0)
		return 0;
	if (w.file)
		(void)unlink(path); /* a remnant is the lesser evil than hiding the first error */
	return error_set(error, 0, -err, "cannot write %s: %s", path, strerror(-err));
}
