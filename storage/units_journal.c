/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/units.h"

#include "base/bytes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The file, all fields little-endian: magic, u64 offset, u64 moving, u64 length, u32 unit, u32 bytes of the object's
 * name, u32 bytes of data, u32 bytes of marks, SHA-256 of all of the file but itself; then the name as scripts write
 * it, without its contents, the marks of what was there, and the data.
 */
#define MAGIC       "FOTAunit"
#define FIXED_SIZE  48u
#define DIGEST_SIZE 32u
#define HEADER_SIZE (FIXED_SIZE + DIGEST_SIZE)
#define NAME_SIZE   (STORAGE_PATH_MAX + 8u)

static void digest_all(const uint8_t fixed[FIXED_SIZE], const char *name, const struct units_journal *journal,
                       struct digest_value *value)
{
	struct digest digest;

	digest_start(&digest, DIGEST_SHA256);
	digest_add(&digest, fixed, FIXED_SIZE);
	digest_add(&digest, name, strlen(name));
	if (journal->old_size > 0)
		digest_add(&digest, journal->old, journal->old_size);
	digest_add(&digest, journal->data, journal->size);
	digest_finish(&digest, value);
}

int units_journal_save(struct storage *storage, const char *path, const struct storage_name *object,
                       const struct units_journal *journal, struct error *error)
{
	static const struct writer_look look = {.mode = 0600};
	char name[NAME_SIZE];
	uint8_t header[HEADER_SIZE] = MAGIC;
	struct digest_value value;
	struct storage_writer *writer;
	int err;

	(void)snprintf(name, sizeof(name), "%s%s", kind_prefix(object->kind), object->name);
	put_le64(header + 8, journal->offset);
	put_le64(header + 16, journal->moving);
	put_le64(header + 24, journal->length);
	put_le32(header + 32, journal->unit);
	put_le32(header + 36, (uint32_t)strlen(name));
	put_le32(header + 40, (uint32_t)journal->size);
	put_le32(header + 44, (uint32_t)journal->old_size);
	digest_all(header, name, journal, &value);
	memcpy(header + FIXED_SIZE, value.bytes, DIGEST_SIZE);
	err = writer_open_file(storage, path, sizeof(header) + strlen(name) + journal->old_size + journal->size, NULL,
	                       &look, &writer, error);
	if (err < 0)
		return err;
	err = storage_writer_write(writer, header, sizeof(header), error);
	if (err == 0)
		err = storage_writer_write(writer, name, strlen(name), error);
	if (err == 0 && journal->old_size > 0)
		err = storage_writer_write(writer, journal->old, journal->old_size, error);
	if (err == 0)
		err = storage_writer_write(writer, journal->data, journal->size, error);
	if (err < 0) {
		storage_writer_abort(writer);
		return err;
	}
	return storage_writer_commit(writer, NULL, error);
}

static bool parse(const uint8_t *file, size_t size, struct storage_name *object, struct units_journal *journal)
{
	char name[NAME_SIZE];
	struct digest_value value;
	uint32_t name_size;
	uint32_t data_size;
	uint32_t old_size;

	if (size < HEADER_SIZE || memcmp(file, MAGIC, 8) != 0)
		return false;
	name_size = get_le32(file + 36);
	data_size = get_le32(file + 40);
	old_size = get_le32(file + 44);
	if (name_size >= sizeof(name) || data_size > UNITS_MAX_UNIT || old_size > UNITS_MAX_UNIT ||
	    size != HEADER_SIZE + name_size + old_size + data_size)
		return false;
	memcpy(name, file + HEADER_SIZE, name_size);
	name[name_size] = '\0';
	*journal = (struct units_journal){.offset = get_le64(file + 8),
	                                  .moving = get_le64(file + 16),
	                                  .length = get_le64(file + 24),
	                                  .unit = get_le32(file + 32),
	                                  .old = file + HEADER_SIZE + name_size,
	                                  .old_size = old_size,
	                                  .data = file + HEADER_SIZE + name_size + old_size,
	                                  .size = data_size};
	digest_all(file, name, journal, &value);
	return memcmp(file + FIXED_SIZE, value.bytes, DIGEST_SIZE) == 0 && journal->size <= journal->unit &&
	       storage_name_parse(name, object, NULL) == 0;
}

/* 1: *journal and *object are filled, and *memory holds the data; 0: no journal, or none that is whole. */
static int load(struct storage *storage, const char *path, struct storage_name *object, struct units_journal *journal,
                char **memory, struct error *error)
{
	struct storage_stat stat;
	size_t size;
	int err = storage_stat_path(storage, path, &stat);

	*memory = NULL;
	if (err == -ENOENT || err == -ENOTDIR)
		return 0;
	if (err < 0)
		return storage_fail(error, err, "%s", path);
	err = storage_load(storage, path, HEADER_SIZE + NAME_SIZE + 2 * (size_t)UNITS_MAX_UNIT, memory, &size, error);
	if (err == -EFBIG)
		return 0;
	if (err < 0)
		return err;
	if (parse((const uint8_t *)*memory, size, object, journal))
		return 1;
	log_printf(&storage->log, "units: %s is no whole journal, and is left alone", path);
	free(*memory);
	*memory = NULL;
	return 0;
}

static int finish(struct storage *storage, const char *path, const struct storage_name *object,
                  const struct units_journal *journal, struct error *error)
{
	const struct storage_units_options options = {
		.journal = path, .length = journal->length, .unit = journal->unit};
	struct storage_units *units;
	int ended;
	int err = units_create(storage, object, &options, &units, error);

	if (err < 0)
		return err;
	if (units->kind->resume) {
		log_printf(&storage->log, "units: finishing the change of %s at 0x%08llx", units->label,
		           (unsigned long long)journal->offset);
		err = units->kind->resume(units, journal, error);
	} else {
		err = error_set(error, 0, EINVAL, "%s: a volume is changed without a journal", units->label);
	}
	units->failed = err < 0;
	units->journaled = true;
	ended = units_end(units, err < 0 ? NULL : error);
	return err < 0 ? err : ended;
}

/* What was being written when power went is of no use, and takes room that the next journal needs. */
static int remove_temporary(struct storage *storage, const char *journal, struct error *error)
{
	char path[STORAGE_PATH_MAX];
	struct storage_stat stat;
	int err = path_sibling(path, journal, STORAGE_TEMP_NAME, error);

	if (err < 0 || storage_stat_path(storage, path, &stat) < 0)
		return err;
	err = storage_remove(storage, path, error);
	return err < 0 ? err : 0;
}

int storage_units_recover(struct storage *storage, const char *journal, struct error *error)
{
	struct units_journal noted = {0};
	struct storage_name *object = malloc(sizeof(*object));
	char *memory = NULL;
	int err;

	if (!object)
		return storage_fail(error, -ENOMEM, "%s", journal);
	err = remove_temporary(storage, journal, error);
	if (err == 0)
		err = load(storage, journal, object, &noted, &memory, error);
	if (err > 0) {
		err = finish(storage, journal, object, &noted, error);
		if (err < 0)
			error_prefix(error, "%s: finishing what it says", journal);
		else
			err = 1;
	}
	free(memory);
	free(object);
	return err;
}
