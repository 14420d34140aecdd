/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/make.h"

#include "base/bytes.h"
#include "patch/align.h"
#include "patch/bsdiff.h"
#include "patch/bzip.h"
#include "patch/patch.h"
#include <string.h>

/* The three streams of the format, not compressed yet. */
struct streams {
	struct buffer control;
	struct buffer diff;
	struct buffer extra;
};

/* Sign and magnitude, not two's complement. */
static void put_signed(uint8_t *p, int64_t value)
{
	put_le64(p, value < 0 ? (uint64_t)-value | UINT64_C(1) << 63 : (uint64_t)value);
}

static int put_entry(struct streams *streams, const struct stretch *stretch, int64_t seek, struct error *error)
{
	uint8_t entry[BSDIFF_ENTRY_SIZE];

	put_signed(entry, stretch->add);
	put_signed(entry + 8, stretch->copy);
	put_signed(entry + 16, seek);
	return buffer_append(&streams->control, entry, sizeof(entry), error);
}

static int put_stretch(struct streams *streams, const struct stretch *stretch, const struct image *old,
                       const struct image *new, struct error *error)
{
	const uint8_t *from = old->data + stretch->old_at;
	const uint8_t *to = new->data + stretch->new_at;
	size_t add = (size_t)stretch->add;
	int err = buffer_reserve(&streams->diff, add, error);

	if (err < 0)
		return err;
	for (size_t i = 0; i < add; i++)
		streams->diff.data[streams->diff.size + i] = (uint8_t)(to[i] - from[i]);
	streams->diff.size += add;
	return buffer_append(&streams->extra, to + add, (size_t)stretch->copy, error);
}

static int put_alignment(struct streams *streams, const struct alignment *alignment, const struct image *old,
                         const struct image *new, struct error *error)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < alignment->count; i++) {
		const struct stretch *stretch = &alignment->stretches[i];
		int64_t next = i + 1 < alignment->count ? stretch[1].old_at : stretch->old_at + stretch->add;

		err = put_entry(streams, stretch, next - stretch->old_at - stretch->add, error);
		if (err == 0)
			err = put_stretch(streams, stretch, old, new, error);
	}
	return err;
}

static int put_patch(struct buffer *patch, const struct streams *streams, int64_t new_size, struct error *error)
{
	uint8_t header[BSDIFF_HEADER_SIZE] = BSDIFF_MAGIC;
	size_t start = patch->size;
	size_t control_end, diff_end;
	int err = buffer_append(patch, header, sizeof(header), error);

	if (err == 0)
		err = bzip_append(patch, streams->control.data, streams->control.size, error);
	control_end = patch->size;
	if (err == 0)
		err = bzip_append(patch, streams->diff.data, streams->diff.size, error);
	diff_end = patch->size;
	if (err == 0)
		err = bzip_append(patch, streams->extra.data, streams->extra.size, error);
	if (err < 0)
		return err;
	put_le64(patch->data + start + 8, control_end - start - sizeof(header));
	put_le64(patch->data + start + 16, diff_end - control_end);
	put_le64(patch->data + start + 24, (uint64_t)new_size);
	return 0;
}

int bsdiff_append(struct buffer *patch, const struct image *old, const struct image *new, struct error *error)
{
	struct alignment alignment;
	struct streams streams = {0};
	int err = alignment_make(&alignment, old, new, error);

	if (err == 0)
		err = put_alignment(&streams, &alignment, old, new, error);
	if (err == 0)
		err = put_patch(patch, &streams, new->size, error);
	buffer_free(&streams.extra);
	buffer_free(&streams.diff);
	buffer_free(&streams.control);
	alignment_free(&alignment);
	return err;
}

int patch_make_bsdiff40(const void *old_data, size_t old_size, const void *new_data, size_t new_size,
                        const struct sink *sink, struct error *error)
{
	struct image old = {.data = old_data, .size = (int64_t)old_size};
	struct image new = {.data = new_data, .size = (int64_t)new_size};
	struct buffer patch = {0};
	int err;

	if (old_size > INT32_MAX || new_size > INT32_MAX)
		return error_set(error, 0, EFBIG, "bsdiff: images of %zu and %zu bytes are too large", old_size,
		                 new_size);
	err = bsdiff_append(&patch, &old, &new, error);
	if (err == 0) {
		err = sink->write(sink->ctx, patch.data, patch.size);
		if (err < 0)
			(void)error_set(error, 0, -err, "patch cannot be written: %s", strerror(-err));
	}
	buffer_free(&patch);
	return err;
}
