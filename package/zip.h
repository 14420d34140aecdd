/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACKAGE_ZIP_H
#define PACKAGE_ZIP_H

/*
 * The structures of a zip archive, as far as update packages use them (PKWARE APPNOTE 4.3): local header, central
 * directory record, end of central directory. Private to package/.
 */
#include "package/package.h"

#define ZIP_LOCAL_SIGNATURE 0x04034b50u
#define ZIP_LOCAL_SIZE      30 /* without name and extra field */

enum zip_method { ZIP_STORED = 0, ZIP_DEFLATED = 8 };

struct zip_directory {
	uint32_t start;   /* offset of the first record */
	uint32_t end;     /* offset behind the last one */
	uint32_t entries; /* records, at most 65,535 */
};

struct zip_record {
	struct package_entry entry;
	size_t name_length; /* bytes in the archive: a directory's final slash counts */
	uint16_t method;    /* enum zip_method */
	uint32_t local;     /* offset of the local header */
	uint32_t next;      /* offset behind this record */
};

/* Where the central directory is. Exactly one end record must account for the rest of the file. */
int zip_find_directory(const struct reader *zip, struct zip_directory *directory, struct error *error);

/* The directory record at this offset, with everything checked that the record alone can tell. */
int zip_read_record(const struct reader *zip, const struct zip_directory *directory, uint32_t offset,
                    struct zip_record *record, struct error *error);

/* Where the data begin at the least, whatever the local header says; they must lie before the directory. */
int zip_place_data(const struct zip_directory *directory, const struct zip_record *record, uint32_t *data_offset,
                   struct error *error);

/* Check that the local header says the same as the record, and that the data lie before the directory. */
int zip_check_local(const struct reader *zip, const struct zip_directory *directory, const struct zip_record *record,
                    uint32_t *data_offset, struct error *error);

#endif
