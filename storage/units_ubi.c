/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/units.h"

#include <errno.h>
#include <string.h>

/*
 * LEBs of a dynamic volume. UBI writes the new content to a spare block, which it keeps for this, and then maps the LEB
 * to it: durable and atomic, so that nothing here needs a journal.
 */
static int ubi_measure(struct storage_units *units, struct error *error)
{
	struct storage_ubi_info info;
	int err = units->storage->ops->ubi_info(units->storage->medium, units->handle, &info);

	if (err < 0)
		return storage_fail(error, err, "%s: size", units->label);
	if (info.is_static)
		return error_set(error, 0, EROFS,
		                 "%s: a static volume, of which UBI changes no single LEB: it can be replaced only",
		                 units->label);
	if (info.interrupted)
		return error_set(error, RESULT_VERIFY, EUCLEAN,
		                 "%s: the volume's last update was interrupted: it can be replaced only", units->label);
	if (info.leb_size != units->unit)
		return error_set(error, 0, EINVAL, "%s: LEBs of %u bytes, not of %u", units->label, info.leb_size,
		                 units->unit);
	units->size = info.size;
	return 0;
}

static int ubi_read(const struct storage_units *units, uint64_t offset, void *buffer, size_t length)
{
	return storage_read_all(units->storage, units->handle, offset, buffer, length);
}

int units_ubi_fail(const struct storage_units *units, uint64_t number, int err, struct error *error)
{
	if (err == -EBUSY)
		return error_set(error, 0, EBUSY,
		                 "%s: the volume is in use: mounted, held by an opened ubiblock device, or open "
		                 "elsewhere; unmount it first",
		                 units->label);
	if (err == -EROFS)
		return error_set(error, 0, EROFS,
		                 "%s: the UBI device is read-only: attached so, or made so by an earlier failure (see "
		                 "the kernel's log)",
		                 units->label);
	return storage_fail(error, err, "%s: LEB %llu", units->label, (unsigned long long)number);
}

static int ubi_change(struct storage_units *units, uint64_t number, const uint8_t *data, size_t length,
                      struct error *error)
{
	struct storage *storage = units->storage;
	int err = storage->ops->ubi_change(storage->medium, units->handle, (uint32_t)number, data, length);

	if (err < 0)
		return units_ubi_fail(units, number, err, error);
	err = ubi_read(units, number * units->unit, units->back, length);
	if (err < 0)
		return storage_fail(error, err, "%s: LEB %llu: read back", units->label, (unsigned long long)number);
	if (memcmp(units->back, data, length) != 0)
		return error_set(error, RESULT_VERIFY, EBADMSG, "%s: LEB %llu: wrong content after its change",
		                 units->label, (unsigned long long)number);
	return 0;
}

const struct units_kind units_ubi = {.measure = ubi_measure, .read = ubi_read, .change = ubi_change};
