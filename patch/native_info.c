/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/native.h"
#include "patch/patch.h"
#include <stdlib.h>

static const char *coder_name(const struct native_packed *packed)
{
	return packed->coder == NATIVE_LZMA ? "LZMA" : "stored";
}

static void count_kinds(const struct native *native, struct patch_native_info *info)
{
	uint64_t block = UINT64_C(1) << native->model.block_log;
	const uint8_t *kinds = native->kinds;

	for (uint64_t at = native->position; native->has_model && at < native->end; kinds++) {
		uint64_t next = at - at % block + block;
		uint64_t size = (next < native->end ? next : native->end) - at;

		info->predicted += *kinds ? size : 0;
		for (unsigned i = 0; i < PATCH_NATIVE_KINDS; i++)
			info->kinds[i] += *kinds >> i & 1 ? size : 0;
		at += size;
	}
}

/* The frame that has come, and whose unit nobody makes. */
static int count_frame(struct native *native, struct patch_native_info *info)
{
	struct patch_native_stream *streams[NATIVE_STREAMS] = {&info->control, &info->residue, &info->literals};
	struct number_source *entries = &native->entries;

	info->frames++;
	info->control.plain += native->control_size;
	count_kinds(native, info);
	while (entries->left > 0 && !entries->failed) {
		(void)number_read_signed(entries);
		info->residue.plain += number_read(entries);
		info->literals.plain += number_read(entries);
		info->stretches++;
	}
	for (unsigned i = 0; i < NATIVE_STREAMS; i++) {
		streams[i]->coder = coder_name(&native->streams[i]);
		streams[i]->packed += native->packed_sizes[i];
		native->streams[i].left = 0;
	}
	return entries->failed ? patch_broken(native->input.error, "patch: a frame with stretches that cannot be") : 0;
}

static void copy_head(const struct native_head *head, struct patch_native_info *info)
{
	*info = (struct patch_native_info){
		.source_size = head->old_size,
		.target_size = head->new_size,
		.has_digests = head->flags & NATIVE_DIGESTS,
		.source = head->old_digest,
		.target = head->new_digest,
		.in_place = head->flags & NATIVE_IN_PLACE,
		.unit = head->unit,
		.memory = head->memory,
		.changed = head->changed,
		.kept = head->kept,
	};
}

static int check_format(const struct content *patch, struct error *error)
{
	enum patch_format format;
	int err = patch_identify(patch, &format, error);

	if (err == 0 && format != PATCH_NATIVE)
		err = error_set(error, 0, ENOTSUP, "patch: it is not of the format " NATIVE_MAGIC);
	return err;
}

int patch_native_look(const struct content *patch, struct patch_native_info *info, struct error *error)
{
	struct native_head head;
	int err = check_format(patch, error);

	if (err == 0)
		err = native_read_head(patch, &head, error);
	if (err == 0)
		copy_head(&head, info);
	return err;
}

static int describe(struct native *native, const struct content *patch, struct patch_native_info *info,
                    struct error *error)
{
	int err = native_open(native, patch, UINT64_MAX, error);

	if (err < 0)
		return err;
	copy_head(&native->head, info);
	while ((err = native_next(native)) > 0) {
		err = count_frame(native, info);
		if (err < 0)
			return err;
	}
	info->models = native->model_bytes;
	info->shifts = native->model_shifts;
	return err;
}

int patch_native_describe(const struct content *patch, struct patch_native_info *info, struct error *error)
{
	struct native *native;
	int err = check_format(patch, error);

	if (err < 0)
		return err;
	native = calloc(1, sizeof(*native));
	if (!native)
		return patch_no_memory(error);
	err = describe(native, patch, info, error);
	native_close(native);
	free(native);
	return err;
}
