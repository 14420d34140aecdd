/* SPDX-License-Identifier: Apache-2.0 */
/* Patches that change their source in place. */
#include "patch/native.h"
#include "patch/patch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct patch_units {
	struct native native;
};

int patch_units_open(const struct content *patch, struct patch_units **units, struct patch_units_info *info,
                     struct error *error)
{
	enum patch_format format;
	struct native *native;
	int err = patch_identify(patch, &format, error);

	*units = NULL;
	if (err < 0)
		return err;
	if (format != PATCH_NATIVE)
		return error_set(error, 0, ENOTSUP, "patch: it makes a copy, and cannot change its source in place");
	*units = calloc(1, sizeof(**units));
	if (!*units)
		return patch_no_memory(error);
	native = &(*units)->native;
	err = native_open(native, patch, UINT64_MAX, error);
	if (err == 0 && !(native->head.flags & NATIVE_IN_PLACE))
		err = error_set(error, 0, ENOTSUP, "patch: it makes a copy, and cannot change its source in place");
	if (err < 0) {
		patch_units_close(*units);
		*units = NULL;
		return err;
	}
	*info = (struct patch_units_info){
		.source_size = native->head.old_size,
		.target_size = native->head.new_size,
		.unit = native->head.unit,
		.count = native->units,
		.changed = native->head.changed,
		.memory = native->head.memory,
		.kept = native->head.kept,
	};
	return 0;
}

/* Bytes of the unit that belong to an image of this size. */
static size_t part_of(const struct native *native, uint64_t number, uint64_t image_size)
{
	uint64_t start = number * native->head.unit;

	if (start >= image_size)
		return 0;
	return image_size - start < native->head.unit ? (size_t)(image_size - start) : native->head.unit;
}

enum patch_unit_state patch_units_state(const struct patch_units *units, uint64_t number, const void *data, size_t size)
{
	const struct native *native = &units->native;
	size_t old_size = part_of(native, number, native->head.old_size);
	size_t new_size = part_of(native, number, native->head.new_size);
	const uint8_t *checks;
	bool is_new;

	if (number >= native->units || size < new_size)
		return PATCH_UNIT_FOREIGN;
	checks = native->checks + 2 * number * NATIVE_CHECK_SIZE;
	is_new = native_has_check(native, number, true, data, new_size);
	if (is_new && old_size == new_size && memcmp(checks, checks + NATIVE_CHECK_SIZE, NATIVE_CHECK_SIZE) == 0)
		return PATCH_UNIT_SAME;
	if (is_new)
		return PATCH_UNIT_NEW;
	return size >= old_size && native_has_check(native, number, false, data, old_size) ? PATCH_UNIT_OLD
	                                                                                   : PATCH_UNIT_FOREIGN;
}

/* The unit of the frame before is written. */
static int drop_shares(const struct native *native, const struct patch_keep *keep)
{
	int err = 0;

	if (native->frames == 0 || !keep)
		return 0;
	if (native->span.left && !(native->flags & NATIVE_LEFT))
		err = keep->drop(keep->ctx, native->unit);
	if (err == 0 && native->span.right && !(native->flags & NATIVE_RIGHT))
		err = keep->drop(keep->ctx, native->unit + 1);
	return err < 0 ? error_set(native->input.error, 0, -err, "patch: what was kept for unit %" PRIu64 ": %s",
	                           native->unit, strerror(-err))
	               : 0;
}

int patch_units_next(struct patch_units *units, const struct patch_keep *keep, uint64_t *number, struct error *error)
{
	struct native *native = &units->native;
	int err;

	native->input.error = error;
	err = drop_shares(native, keep);
	if (err == 0)
		err = native_next(native);
	*number = native->unit;
	return err;
}

int patch_units_make(struct patch_units *units, const struct reader *old, const struct patch_keep *keep, uint8_t *data,
                     size_t *size, struct error *error)
{
	struct native *native = &units->native;
	struct old_range range = {.old = old, .size = old->size, .error = error};
	struct reader source = reader_from_range(&range);

	native->input.error = error;
	return native_make_unit(native, &source, keep, data, size);
}

void patch_units_close(struct patch_units *units)
{
	if (units)
		native_close(&units->native);
	free(units);
}
