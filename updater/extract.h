/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDATER_EXTRACT_H
#define UPDATER_EXTRACT_H

/* Whole contents onto objects. Private to updater/. */
#include "base/io.h"
#include "storage/storage.h"
#include "updater/journal.h"

struct extract {
	struct storage *storage;
	const struct content *content;
	const struct digest_value *digest; /* by which the journal knows the content; NULL: it does not */
	const struct storage_name *target;
	struct journal *journal; /* or NULL */
	const struct log *log;
};

/*
 * Give the target this content; one that has it already is left alone. A file that exists keeps its mode and owner, a
 * new one is root's with mode 0644. Before a partition loses its old content, the new one is read to its end once.
 */
int extract_content(const struct extract *extract, struct error *error);

/*
 * Where a script's words for a place of raw data lead: "TYPE:name" as it is, "/dev/..." a device, and a bare name the
 * MTD partition of that name.
 */
int extract_partition_name(const char *text, struct storage_name *name, struct error *error);

#endif
