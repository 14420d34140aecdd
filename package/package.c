/* SPDX-License-Identifier: Apache-2.0 */
#include "package/index.h"

#include "base/bytes.h"
#include "base/digest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct package_limits package_default_limits(void)
{
	return (struct package_limits){.max_entries = UINT16_MAX, .max_unpacked = UINT64_C(1) << 32};
}

/*
 * A cryptographic hash, since the names are the attacker's: with it, equal hashes may count as equal names, and no set
 * of names makes the search slow.
 */
static uint64_t name_hash(const struct digest *name)
{
	struct digest copy = *name;
	struct digest_value value;

	digest_finish(&copy, &value);
	return get_le64(value.bytes);
}

static uint64_t hash_name(const char *name)
{
	struct digest digest;

	digest_start(&digest, DIGEST_SHA1);
	digest_add(&digest, name, strlen(name));
	return name_hash(&digest);
}

static const struct index_entry *find_hash(const struct package *package, uint64_t hash)
{
	uint32_t low = 0;
	uint32_t high = package->directory.entries;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct index_entry *entry = &package->entries[package->entries[middle].by_hash];

		if (entry->hash == hash)
			return entry;
		if (entry->hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Bytes of the archive that one entry takes. */
struct extent {
	uint32_t start;
	uint32_t end;
};

static int compare_extents(const void *a, const void *b)
{
	const struct extent *x = a;
	const struct extent *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* Entries that share bytes are how a small archive unpacks to a huge one. */
static int check_overlaps(struct extent *extents, uint32_t count, struct error *error)
{
	qsort(extents, count, sizeof(*extents), compare_extents);
	if (extents[0].start != 0)
		return error_set(error, RESULT_FORMAT, EINVAL, "package does not start with an entry");
	for (uint32_t i = 1; i < count; i++)
		if (extents[i].start < extents[i - 1].end)
			return error_set(error, RESULT_FORMAT, EINVAL, "entries overlap at offset %u",
			                 extents[i].start);
	return 0;
}

static int add_entry(struct package *package, uint32_t index, const struct zip_record *record,
                     const struct package_limits *limits, struct error *error)
{
	struct index_entry *entry = &package->entries[index];
	uint64_t size = record->entry.size;

	package->packed += record->entry.packed_size;
	package->unpacked += size;
	if (size > package->largest)
		package->largest = size;
	if (package->unpacked > limits->max_unpacked)
		return error_set(error, RESULT_UNPACK, EFBIG, "package unpacks to more than %llu bytes",
		                 (unsigned long long)limits->max_unpacked);
	entry->hash = hash_name(record->entry.name);
	entry->package = package;
	entry->type = (uint8_t)record->entry.type;
	if (package->unchecked)
		return zip_place_data(&package->directory, record, &entry->data, error);
	return zip_check_local(package->zip, &package->directory, record, &entry->data, error);
}

static int read_directory(struct package *package, const struct package_limits *limits, struct error *error)
{
	uint32_t count = package->directory.entries;
	uint32_t offset = package->directory.start;
	struct extent *extents = calloc(count, sizeof(*extents));
	struct zip_record record;
	int err = 0;

	if (!extents)
		return error_set(error, 0, ENOMEM, "out of memory");
	for (uint32_t i = 0; i < count && err == 0; i++) {
		package->entries[i].record = offset;
		err = zip_read_record(package->zip, &package->directory, offset, &record, error);
		if (err == 0)
			err = add_entry(package, i, &record, limits, error);
		if (err == 0) {
			extents[i].start = record.local;
			extents[i].end = package->entries[i].data + (uint32_t)record.entry.packed_size;
			offset = record.next;
		}
	}
	if (err == 0 && offset != package->directory.end)
		err = error_set(error, RESULT_FORMAT, EINVAL, "central directory holds more than its %u records",
		                count);
	if (err == 0)
		err = check_overlaps(extents, count, error);
	free(extents);
	return err;
}

static int compare_hashes(const void *a, const void *b, void *ctx)
{
	const struct index_entry *entries = ctx;
	uint64_t x = entries[*(const uint16_t *)a].hash;
	uint64_t y = entries[*(const uint16_t *)b].hash;

	return (x > y) - (x < y);
}

static int sort_by_hash(struct package *package, struct error *error)
{
	struct index_entry *entries = package->entries;
	uint32_t count = package->directory.entries;
	uint16_t *order = calloc(count, sizeof(*order));
	int err = 0;

	if (!order)
		return error_set(error, 0, ENOMEM, "out of memory");
	for (uint32_t i = 0; i < count; i++)
		order[i] = (uint16_t)i;
	qsort_r(order, count, sizeof(*order), compare_hashes, entries);
	for (uint32_t i = 0; i < count && err == 0; i++) {
		struct package_entry entry;

		entries[i].by_hash = order[i];
		if (i > 0 && entries[order[i]].hash == entries[order[i - 1]].hash) {
			err = package_entry(package, order[i], &entry, error);
			if (err == 0)
				err = error_set(error, RESULT_FORMAT, EINVAL, "entry \"%s\" is there twice",
				                entry.name);
		}
	}
	free(order);
	return err;
}

/* Nothing may lie below a file, let alone below a symbolic link, which would lead it out of its tree. */
static int check_parents(const struct package *package, const char *name, struct error *error)
{
	struct digest digest;
	const char *slash;

	digest_start(&digest, DIGEST_SHA1);
	for (const char *part = name; (slash = strchr(part, '/')); part = slash) {
		const struct index_entry *parent;

		digest_add(&digest, part, (size_t)(slash - part));
		parent = find_hash(package, name_hash(&digest));
		if (parent && parent->type != PACKAGE_DIRECTORY)
			return error_set(error, RESULT_FORMAT, EINVAL, "entry \"%s\" lies below a file or link", name);
		digest_add(&digest, slash++, 1);
	}
	return 0;
}

static int check_tree(struct package *package, struct error *error)
{
	struct package_entry entry;
	int err = 0;

	for (uint32_t i = 0; i < package->directory.entries && err == 0; i++) {
		err = package_entry(package, i, &entry, error);
		if (err == 0)
			err = check_parents(package, entry.name, error);
	}
	return err;
}

static int open_package(const struct reader *zip, bool unchecked, const struct package_limits *limits,
                        struct package **package, struct error *error)
{
	struct zip_directory directory;
	struct package *p;
	int err;

	err = zip_find_directory(zip, &directory, error);
	if (err < 0)
		return err;
	if (directory.entries > limits->max_entries)
		return error_set(error, RESULT_UNPACK, EFBIG, "package has %u entries, %u are allowed",
		                 directory.entries, limits->max_entries);
	p = calloc(1, sizeof(*p) + directory.entries * sizeof(p->entries[0]));
	if (!p)
		return error_set(error, 0, ENOMEM, "out of memory");
	p->zip = zip;
	p->directory = directory;
	p->unchecked = unchecked;
	err = read_directory(p, limits, error);
	if (err == 0)
		err = sort_by_hash(p, error);
	if (err == 0)
		err = check_tree(p, error);
	if (err < 0) {
		package_close(p);
		return err;
	}
	*package = p;
	return 0;
}

int package_open(const struct reader *zip, const struct package_limits *limits, struct package **package,
                 struct error *error)
{
	return open_package(zip, false, limits, package, error);
}

int package_open_directory(const struct reader *zip, const struct package_limits *limits, struct package **package,
                           struct error *error)
{
	return open_package(zip, true, limits, package, error);
}

void package_close(struct package *package)
{
	free(package);
}

uint32_t package_count(const struct package *package)
{
	return package->directory.entries;
}

uint64_t package_largest_entry(const struct package *package)
{
	return package->largest;
}

uint64_t package_unpacked_size(const struct package *package)
{
	return package->unpacked;
}

int package_entry(struct package *package, uint32_t index, struct package_entry *entry, struct error *error)
{
	struct zip_record record;
	int err;

	if (index >= package->directory.entries)
		return error_set(error, 0, EINVAL, "package has no entry number %u", index);
	err = zip_read_record(package->zip, &package->directory, package->entries[index].record, &record, error);
	if (err == 0)
		*entry = record.entry;
	return err;
}

int package_find(struct package *package, const char *name, uint32_t *index)
{
	const struct index_entry *found = find_hash(package, hash_name(name));
	struct package_entry entry;
	int err;

	if (!found)
		return -ENOENT;
	*index = (uint32_t)(found - package->entries);
	err = package_entry(package, *index, &entry, NULL);
	if (err < 0)
		return err;
	return strcmp(entry.name, name) == 0 ? 0 : -ENOENT;
}
