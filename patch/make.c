/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/make.h"

#include "base/bytes.h"
#include "patch/bsdiff.h"
#include "patch/bzip.h"
#include "patch/memory.h"
#include <string.h>

/* The three streams of the format, not compressed yet. */
enum { CONTROL, DIFF, EXTRA, STREAMS };

/* Sign and magnitude, not two's complement. */
static void put_signed(uint8_t *p, int64_t value)
{
	put_le64(p, value < 0 ? (uint64_t)-value | UINT64_C(1) << 63 : (uint64_t)value);
}

static int put_entry(struct buffer *streams, const struct stretch *stretch, int64_t seek, struct error *error)
{
	uint8_t entry[BSDIFF_ENTRY_SIZE];

	put_signed(entry, stretch->add);
	put_signed(entry + 8, stretch->copy);
	put_signed(entry + 16, seek);
	return buffer_append(&streams[CONTROL], entry, sizeof(entry), error);
}

static int put_stretch(struct buffer *streams, const struct stretch *stretch, const struct image *old,
                       const struct image *new, struct error *error)
{
	const uint8_t *from = old->data + stretch->old_at;
	const uint8_t *to = new->data + stretch->new_at;
	size_t add = (size_t)stretch->add;
	struct buffer *diff = &streams[DIFF];
	int err = buffer_reserve(diff, add, error);

	if (err < 0)
		return err;
	for (size_t i = 0; i < add; i++)
		diff->data[diff->size + i] = (uint8_t)(to[i] - from[i]);
	diff->size += add;
	return buffer_append(&streams[EXTRA], to + add, (size_t)stretch->copy, error);
}

static int put_stretches(struct buffer *streams, const struct alignment *part, const struct image *old,
                         const struct image *new, struct error *error)
{
	static const struct stretch nothing;
	int err = 0;

	/* What applies it begins with the first old byte. */
	if (part->count > 0 && part->stretches[0].old_at > 0)
		err = put_entry(streams, &nothing, part->stretches[0].old_at, error);
	for (size_t i = 0; err == 0 && i < part->count; i++) {
		const struct stretch *stretch = &part->stretches[i];
		int64_t next = i + 1 < part->count ? stretch[1].old_at : stretch->old_at + stretch->add;

		err = put_entry(streams, stretch, next - stretch->old_at - stretch->add, error);
		if (err == 0)
			err = put_stretch(streams, stretch, old, new, error);
	}
	return err;
}

/* A stream, and how it is compressed. */
struct packing {
	struct blocks blocks;
	int level;
};

/* The smallest blocks that cost no bytes; where those take too much memory, the largest of them are made smaller. */
static int choose_packings(const struct buffer *streams, uint64_t memory, struct packing *packings, struct error *error)
{
	uint64_t need = BESIDE_MEMORY;

	for (int i = 0; i < STREAMS; i++) {
		int err = blocks_find(&packings[i].blocks, streams[i].data, streams[i].size, error);

		if (err < 0)
			return err;
		packings[i].level = bzip_level(streams[i].data, &packings[i].blocks);
		need += BZIP_MEMORY(packings[i].level);
	}
	while (memory > 0 && need > memory) {
		struct packing *largest = packings;

		for (int i = 1; i < STREAMS; i++)
			if (packings[i].level > largest->level)
				largest = &packings[i];
		if (largest->level == 1)
			break;
		need -= BZIP_MEMORY(largest->level);
		largest->level--;
		need += BZIP_MEMORY(largest->level);
	}
	return 0;
}

static int put_patch(struct buffer *patch, const struct buffer *streams, int64_t new_size, uint64_t memory,
                     struct error *error)
{
	uint8_t header[BSDIFF_HEADER_SIZE] = BSDIFF_MAGIC;
	size_t start = patch->size;
	size_t ends[STREAMS] = {0};
	struct packing packings[STREAMS] = {{.level = 0}};
	int err = buffer_append(patch, header, sizeof(header), error);

	if (err == 0)
		err = choose_packings(streams, memory, packings, error);
	for (int i = 0; err == 0 && i < STREAMS; i++) {
		err = bzip_append(patch, streams[i].data, &packings[i].blocks, packings[i].level, error);
		ends[i] = patch->size;
	}
	for (int i = 0; i < STREAMS; i++)
		blocks_free(&packings[i].blocks);
	if (err < 0)
		return err;
	put_le64(patch->data + start + 8, ends[CONTROL] - start - sizeof(header));
	put_le64(patch->data + start + 16, ends[DIFF] - ends[CONTROL]);
	put_le64(patch->data + start + 24, (uint64_t)new_size);
	return 0;
}

int bsdiff_append_part(struct buffer *patch, const struct image *old, const struct image *new,
                       const struct alignment *part, uint64_t memory, struct error *error)
{
	struct buffer streams[STREAMS] = {{0}};
	int err = put_stretches(streams, part, old, new, error);

	if (err == 0)
		err = put_patch(patch, streams, alignment_size(part), memory, error);
	for (int i = 0; i < STREAMS; i++)
		buffer_free(&streams[i]);
	return err;
}

int bsdiff_append(struct buffer *patch, const struct image *old, const struct image *new, uint64_t memory,
                  struct error *error)
{
	struct alignment alignment;
	int err = alignment_make(&alignment, old, new, error);

	if (err == 0)
		err = bsdiff_append_part(patch, old, new, &alignment, memory, error);
	alignment_free(&alignment);
	return err;
}

int patch_hand_over(const struct buffer *patch, const struct sink *sink, struct error *error)
{
	int err = sink->write(sink->ctx, patch->data, patch->size);

	return err < 0 ? error_set(error, 0, -err, "patch cannot be written: %s", strerror(-err)) : 0;
}

int patch_make_bsdiff40(const void *old_data, size_t old_size, const void *new_data, size_t new_size, uint64_t memory,
                        const struct sink *sink, struct error *error)
{
	struct image old = {.data = old_data, .size = (int64_t)old_size};
	struct image new = {.data = new_data, .size = (int64_t)new_size};
	struct buffer patch = {0};
	int err;

	if (old_size > INT32_MAX || new_size > INT32_MAX)
		return error_set(error, 0, EFBIG, "bsdiff: images of %zu and %zu bytes are too large", old_size,
		                 new_size);
	err = bsdiff_append(&patch, &old, &new, memory, error);
	if (err == 0)
		err = patch_hand_over(&patch, sink, error);
	buffer_free(&patch);
	return err;
}
