/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/native_write.h"

#include <stdlib.h>
#include <string.h>

/* What a patch makes, as it is made. */
struct trial {
	uint8_t *made; /* the old image where it is changed in place, else only what there is of the new one */
	size_t size;   /* room */
	size_t at;
};

static int add_made(void *ctx, const void *data, size_t length)
{
	struct trial *trial = ctx;

	if (length > trial->size - trial->at)
		return -EIO;
	memcpy(trial->made + trial->at, data, length);
	trial->at += length;
	return 0;
}

static int run(struct native *native, const struct native_writer *w, struct trial *trial)
{
	bool in_place = w->head.flags & NATIVE_IN_PLACE;
	struct memory_block old = {.data = w->old_image.data, .size = (size_t)w->head.old_size};
	struct memory_block patch = {.data = w->patch.data, .size = w->patch.size};
	struct reader reader = reader_from_memory(&old);
	struct reader patch_reader = reader_from_memory(&patch);
	struct content content = content_from_reader(&patch_reader);
	struct sink sink = {.write = add_made, .ctx = trial};
	int err = native_open(native, &content, UINT64_MAX, w->error);

	if (err == 0)
		err = in_place ? native_change_image(native, trial->made) : native_copy(native, &reader, &sink);
	if (err < 0)
		return err;
	/* Of empty images there may be no data at all. */
	if (w->head.new_size == 0)
		return 0;
	return memcmp(trial->made, w->new_image.data, (size_t)w->head.new_size) == 0 ? 0 : -EIO;
}

int native_prove(const struct native_writer *w, uint64_t *memory)
{
	size_t size = (size_t)(w->head.old_size > w->head.new_size ? w->head.old_size : w->head.new_size);
	struct trial trial = {.made = malloc(size + 1), .size = size};
	struct native *native = calloc(1, sizeof(*native));
	int err;

	if (!trial.made || !native) {
		err = patch_no_memory(w->error);
		goto out;
	}
	if (w->head.flags & NATIVE_IN_PLACE && w->head.old_size > 0)
		memcpy(trial.made, w->old_image.data, (size_t)w->head.old_size);
	err = run(native, w, &trial);
	*memory = native->pool.peak + native->views_memory;
	native_close(native);
	if (err == -EIO)
		err = error_set(w->error, 0, EIO, "patch: it does not make the target; please report it");
out:
	free(native);
	free(trial.made);
	return err;
}
