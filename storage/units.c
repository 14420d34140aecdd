/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/units.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A journal and the one that is about to replace it: header, the longest name, a unit and marks of its pages. */
#define SCRATCH(unit) (2 * ((uint64_t)(unit) + (unit) / 128 + STORAGE_NAME_MAX + 128))

int units_note(struct storage_units *units, const struct units_journal *journal, struct error *error)
{
	struct units_journal whole = *journal;

	whole.unit = units->unit;
	whole.length = units->length;
	units->journaled = true;
	return units_journal_save(units->storage, units->journal, &units->name, &whole, error);
}

static int open_handle(struct storage_units *units, struct error *error)
{
	struct storage_location location = {.kind = STORAGE_FILE};
	enum storage_open_mode mode = units->look ? STORAGE_READ : STORAGE_WRITE;
	int err = storage_open_object(units->storage, &units->name, mode, &location, &units->handle, error);

	if (location.kind == STORAGE_UBI)
		units->kind = &units_ubi;
	else
		units->kind = location.kind == STORAGE_MTD ? &units_mtd : &units_block;
	return err == -EBUSY && location.kind == STORAGE_UBI ? units_ubi_fail(units, 0, err, error) : err;
}

static int prepare(struct storage_units *units, struct error *error)
{
	int err = open_handle(units, error);

	if (err == 0)
		err = units->kind->measure(units, error);
	if (err < 0)
		return err;
	if (units->size < units->length)
		return error_set(error, RESULT_SPACE, ENOSPC, "%s: %llu bytes, too small for %llu", units->label,
		                 (unsigned long long)units->size, (unsigned long long)units->length);
	if (units->kind->resume && !units->journal && !units->look)
		return error_set(error, 0, EINVAL, "%s: cannot be changed in place without a journal", units->label);
	units->back = malloc(units->unit);
	return units->back ? 0 : storage_fail(error, -ENOMEM, "%s", units->label);
}

int units_end(struct storage_units *units, struct error *error)
{
	int err = 0;

	if (units->handle >= 0)
		err = units->storage->ops->close(units->storage->medium, units->handle);
	if (err < 0)
		err = storage_fail(error, err, "%s: close", units->label);
	else if (units->journaled && !units->failed)
		err = storage_remove(units->storage, units->journal, error);
	mtd_map_close(&units->map);
	free(units->journal);
	free(units->block);
	free(units->marks);
	free(units->back);
	free(units);
	return err < 0 ? err : 0;
}

int units_create(struct storage *storage, const struct storage_name *name, const struct storage_units_options *options,
                 struct storage_units **units, struct error *error)
{
	struct storage_units *u;
	int err = 0;

	if (name->kind == STORAGE_FILE)
		return error_set(error, 0, EINVAL, "%s: a file is replaced, not changed in place", name->name);
	if (options->unit == 0 || options->unit > UNITS_MAX_UNIT)
		return error_set(error, 0, EINVAL, "%s%s: units of %u bytes", kind_prefix(name->kind), name->name,
		                 options->unit);
	u = calloc(1, sizeof(*u));
	if (!u)
		return storage_fail(error, -ENOMEM, "%s%s", kind_prefix(name->kind), name->name);
	u->storage = storage;
	u->name = *name;
	u->handle = -1;
	u->unit = options->unit;
	u->length = options->length;
	u->look = options->look;
	(void)snprintf(u->label, sizeof(u->label), "%s%s", kind_prefix(name->kind), name->name);
	if (options->journal) {
		u->journal = strdup(options->journal);
		err = u->journal ? 0 : storage_fail(error, -ENOMEM, "%s", u->label);
	}
	if (err == 0)
		err = prepare(u, error);
	if (err < 0) {
		(void)units_end(u, NULL); /* nothing was changed */
		return err;
	}
	*units = u;
	return 0;
}

int storage_units_open(struct storage *storage, const struct storage_name *name,
                       const struct storage_units_options *options, struct storage_units **units,
                       struct storage_units_info *info, struct error *error)
{
	int err = options->journal && !options->look ? storage_units_recover(storage, options->journal, error) : 0;

	if (err < 0)
		return err;
	err = units_create(storage, name, options, units, error);
	if (err < 0)
		return err;
	*info = (struct storage_units_info){.size = (*units)->size,
	                                    .scratch = (*units)->kind->resume ? SCRATCH((*units)->unit) : 0};
	return 0;
}

static int units_read_at(void *ctx, uint64_t offset, void *buffer, size_t length)
{
	const struct storage_units *units = ctx;

	if (offset > units->size || length > units->size - offset)
		return -EINVAL;
	return units->kind->read(units, offset, buffer, length);
}

struct reader storage_units_io(struct storage_units *units)
{
	return (struct reader){.read_at = units_read_at, .ctx = units, .size = units->size};
}

int storage_units_change(struct storage_units *units, uint64_t number, const void *data, size_t length,
                         struct error *error)
{
	uint64_t left = number <= units->length / units->unit ? units->length - number * units->unit : 0;
	int err;

	if (units->look)
		return error_set(error, 0, EBADF, "%s: is open for a look only", units->label);
	if (units->failed)
		return error_set(error, 0, EIO, "%s: an earlier change failed", units->label);
	if (length == 0 || length > units->unit || length > left)
		return error_set(error, 0, EINVAL, "%s: %zu bytes for unit %llu, of which %llu count", units->label,
		                 length, (unsigned long long)number, (unsigned long long)left);
	err = units->kind->change(units, number, data, length, error);
	units->failed = err < 0;
	return err;
}

int storage_units_close(struct storage_units *units, struct error *error)
{
	return units ? units_end(units, error) : 0;
}
