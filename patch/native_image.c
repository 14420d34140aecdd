/* SPDX-License-Identifier: Apache-2.0 */
/* Patches in place, applied in memory. */
#include "patch/native_write.h"

#include <stdlib.h>
#include <string.h>

/* What is kept between units, by their borders. */
struct share {
	uint8_t *data; /* owned */
	size_t size;
};

static int save_share(void *ctx, uint64_t border, const void *data, size_t length)
{
	struct share *share = (struct share *)ctx + border;

	free(share->data);
	*share = (struct share){.data = malloc(length + 1), .size = length};
	if (!share->data)
		return -ENOMEM;
	memcpy(share->data, data, length);
	return 0;
}

static int load_share(void *ctx, uint64_t border, void *data, size_t length)
{
	const struct share *share = (struct share *)ctx + border;

	if (!share->data || share->size != length)
		return -ENOENT;
	memcpy(data, share->data, length);
	return 0;
}

static int make_units(struct native *native, uint8_t *image, uint8_t *unit, struct share *shares)
{
	const struct patch_keep keep = {.save = save_share, .load = load_share, .ctx = shares};
	struct memory_block block = {.data = image, .size = (size_t)native->head.old_size};
	struct reader reader = reader_from_memory(&block);
	size_t size;
	int err;

	while ((err = native_next(native)) > 0) {
		err = native_make_unit(native, &reader, &keep, unit, &size);
		if (err < 0)
			return err;
		memcpy(image + native->unit * native->head.unit, unit, size);
	}
	return err;
}

int native_change_image(struct native *native, uint8_t *image)
{
	struct share *shares = calloc(native->units + 1, sizeof(*shares));
	uint8_t *unit = malloc(native->head.unit);
	int err = shares && unit ? make_units(native, image, unit, shares) : patch_no_memory(native->input.error);

	for (uint64_t i = 0; shares && i <= native->units; i++)
		free(shares[i].data);
	free(unit);
	free(shares);
	return err;
}

int patch_change_image(const struct content *patch, void *image, struct error *error)
{
	struct native *native = calloc(1, sizeof(*native));
	int err;

	if (!native)
		return patch_no_memory(error);
	err = native_open(native, patch, UINT64_MAX, error);
	if (err == 0 && !(native->head.flags & NATIVE_IN_PLACE))
		err = error_set(error, 0, ENOTSUP, "patch: it makes a copy, and cannot change its source in place");
	if (err == 0)
		err = native_change_image(native, image);
	native_close(native);
	free(native);
	return err;
}
