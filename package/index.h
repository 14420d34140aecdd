/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACKAGE_INDEX_H
#define PACKAGE_INDEX_H

/* What an open package keeps in memory: 24 bytes per entry on the module. Private to package/. */
#include "package/zip.h"

struct index_entry {
	uint64_t hash;           /* of the name; names whose hashes meet were refused at open */
	struct package *package; /* the entry's address is what a content knows of its package */
	uint32_t record;         /* offset of its directory record */
	uint32_t data;           /* offset of its packed data; when only the directory was read, the least it can be */
	uint16_t by_hash;        /* not of this entry: the index of the entry with the n-th smallest hash */
	uint8_t type;            /* enum package_entry_type */
};

struct package {
	const struct reader *zip;
	struct zip_directory directory;
	uint64_t packed;   /* bytes, of all entries */
	uint64_t unpacked; /* bytes, of all entries */
	uint64_t largest;  /* bytes, unpacked */
	bool unchecked;    /* local headers were not read at open */
	struct index_entry entries[];
};

#endif
