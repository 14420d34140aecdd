/* SPDX-License-Identifier: Apache-2.0 */
#include "base/bytes.h"
#include "patch/deflated.h"
#include "patch/imgdiff.h"
#include "patch/make.h"
#include "patch/memory.h"
#include "patch/noise.h"
#include <stdlib.h>
#include <string.h>

#define TYPE_SIZE 4
#define RAW_SIZE  4 /* of the length, in front of the data */

#define SHORTEST_END 128 /* bytes of noise at an end; bzip2 adds more to them than a chunk takes */

struct chunk {
	enum imgdiff_type type;
	int64_t old_at; /* NORMAL, DEFLATE: the source */
	int64_t old_size;
	size_t bsdiff_at;       /* in imgmaker.bsdiffs */
	int64_t old_plain_size; /* DEFLATE */
	int64_t new_plain_size;
	struct deflate_params params;
	int64_t new_at; /* RAW: the data, in the new image */
	int64_t new_size;
};

struct imgmaker {
	struct image old;
	struct image new;
	struct deflated_list from; /* the old image's deflated data */
	struct deflated_list to;   /* the new one's */
	struct chunk *chunks;
	size_t count;
	size_t capacity;
	uint64_t memory;       /* that applying it may take; 0: no matter */
	struct buffer bsdiffs; /* the patches that chunks refer to */
	int64_t old_done;      /* behind the source of the last chunk */
	int64_t new_done;      /* the chunks make all before this */
	bool noisy;            /* the new image may hold what is better not compressed */
	bool bare;             /* it does: there is a RAW chunk */
	struct error *error;
};

/* Entries of archives by name, gzip members by their order. NULL: there is none. */
static const struct deflated *find_partner(const struct imgmaker *m, const struct deflated *to, size_t gzip_index)
{
	for (size_t i = 0; i < m->from.count; i++) {
		const struct deflated *from = &m->from.items[i];

		if (to->name && from->name && from->name_size == to->name_size &&
		    memcmp(from->name, to->name, to->name_size) == 0)
			return from;
		if (!to->name && !from->name && gzip_index-- == 0)
			return from;
	}
	return NULL;
}

static int add_chunk(struct imgmaker *m, const struct chunk *chunk)
{
	if (m->count == m->capacity) {
		size_t capacity = m->capacity ? 2 * m->capacity : 16;
		struct chunk *chunks = reallocarray(m->chunks, capacity, sizeof(*chunks));

		if (!chunks)
			return patch_no_memory(m->error);
		m->chunks = chunks;
		m->capacity = capacity;
	}
	m->chunks[m->count++] = *chunk;
	return 0;
}

/* Of what applying may take, what is left to a bsdiff of what was inflated. */
static uint64_t inflated_memory(const struct imgmaker *m)
{
	if (m->memory == 0)
		return 0;
	return m->memory > INFLATING_MEMORY ? m->memory - INFLATING_MEMORY : 1;
}

/* A patch between what both inflate to, if zlib deflates that as it was, and if that is worth it. */
static int diff_inflated(struct imgmaker *m, const struct deflated *from, const struct deflated *to,
                         struct chunk *chunk, bool *taken)
{
	struct buffer before = {0}, after = {0};
	size_t start = m->bsdiffs.size;
	int err = deflated_inflate(&m->new, to, &after, m->error);

	*taken = false;
	if (err == 0)
		err = deflated_find_params(&m->new, to, &after, &chunk->params, taken, m->error);
	if (err == 0 && *taken) {
		err = deflated_inflate(&m->old, from, &before, m->error);
		if (err == 0)
			err = bsdiff_append(&m->bsdiffs,
			                    &(struct image){.data = before.data, .size = (int64_t)before.size},
			                    &(struct image){.data = after.data, .size = (int64_t)after.size},
			                    inflated_memory(m), m->error);
		*taken = m->bsdiffs.size - start + IMGDIFF_DEFLATE_SIZE < (size_t)to->size;
	}
	if (!*taken)
		m->bsdiffs.size = start;
	chunk->type = IMGDIFF_DEFLATE;
	chunk->old_at = from->at;
	chunk->old_size = from->size;
	chunk->bsdiff_at = start;
	chunk->old_plain_size = from->plain_size;
	chunk->new_plain_size = to->plain_size;
	buffer_free(&before);
	buffer_free(&after);
	return err;
}

static int add_raw(struct imgmaker *m, int64_t new_at, int64_t new_size)
{
	struct chunk chunk = {.type = IMGDIFF_RAW, .new_at = new_at, .new_size = new_size};

	m->bare |= new_size > 0;
	return new_size > 0 ? add_chunk(m, &chunk) : 0;
}

/* What a part of the alignment makes; from and to lie in the old and the new image. */
static int add_part(struct imgmaker *m, const struct image *from, const struct image *to, const struct alignment *part)
{
	struct chunk chunk = {.type = IMGDIFF_NORMAL,
	                      .old_at = from->data - m->old.data,
	                      .old_size = from->size,
	                      .bsdiff_at = m->bsdiffs.size};
	int64_t new_size = alignment_size(part);
	int err;

	if (new_size == 0)
		return 0;
	err = bsdiff_append_part(&m->bsdiffs, from, to, part, m->memory, m->error);
	if (err < 0)
		return err;
	if (m->bsdiffs.size - chunk.bsdiff_at + IMGDIFF_NORMAL_SIZE < (size_t)new_size + RAW_SIZE)
		return add_chunk(m, &chunk);
	m->bsdiffs.size = chunk.bsdiff_at;
	return add_raw(m, to->data - m->new.data + part->stretches->new_at, new_size);
}

/* Of a part, what comes before the noise in its last stretch's copied bytes, and the noise; the part is what is left.
 */
static int add_noise(struct imgmaker *m, const struct image *from, const struct image *to, struct alignment *part,
                     const struct noise *noise)
{
	struct stretch *last = &part->stretches[part->count - 1];
	struct stretch rest = {.new_at = last->new_at + last->add + (int64_t)(noise->at + noise->size),
	                       .old_at = last->old_at + last->add,
	                       .copy = last->copy - (int64_t)(noise->at + noise->size)};
	int err;

	last->copy = (int64_t)noise->at;
	err = add_part(m, from, to, part);
	if (err == 0)
		err = add_raw(m, to->data - m->new.data + rest.new_at - (int64_t)noise->size, (int64_t)noise->size);
	*last = rest;
	part->stretches = rest.copy > 0 ? last : last + 1;
	part->count = rest.copy > 0;
	return err;
}

/* A last part, the copied bytes at its end bare if they are noise. */
static int add_end(struct imgmaker *m, const struct image *from, const struct image *to, struct alignment *part)
{
	const struct stretch *last = &part->stretches[part->count - 1];
	struct noise noise = {.size = (size_t)last->copy};
	bool is_noise = false;
	int err = 0;

	if (noise.size >= SHORTEST_END)
		err = noise_is_all(to->data + last->new_at + last->add, noise.size, &is_noise, m->error);
	if (err == 0 && is_noise)
		err = add_noise(m, from, to, part, &noise);
	return err == 0 ? add_part(m, from, to, part) : err;
}

static int add_aligned(struct imgmaker *m, const struct image *from, const struct image *to,
                       const struct alignment *alignment)
{
	struct alignment part = {.stretches = alignment->stretches};
	int err = 0;

	for (size_t i = 0; err == 0 && i < alignment->count; i++) {
		struct stretch *last = &alignment->stretches[i];
		struct noise noise = {.size = 1};

		part.count++;
		while (err == 0 && noise.size > 0) {
			err = noise_find(to->data + last->new_at + last->add, (size_t)last->copy, &noise, m->error);
			if (err == 0 && noise.size > 0)
				err = add_noise(m, from, to, &part, &noise);
		}
	}
	return err == 0 && part.count > 0 ? add_end(m, from, to, &part) : err;
}

/*
 * The new image from where the chunks end to new_at, out of what lies in the old one up to old_at; out of all of it
 * where deflated data have changed their places. Bare data where a patch is no smaller.
 */
static int add_plain(struct imgmaker *m, int64_t new_at, int64_t old_at)
{
	int64_t start = m->old_done <= old_at ? m->old_done : 0;
	struct image from = {.data = m->old.data + start, .size = m->old_done <= old_at ? old_at - start : m->old.size};
	struct image to = {.data = m->new.data + m->new_done, .size = new_at - m->new_done};
	struct alignment alignment;
	int err = alignment_make(&alignment, &from, &to, m->error);

	if (err == 0)
		err = add_aligned(m, &from, &to, &alignment);
	alignment_free(&alignment);
	return err;
}

static int make_chunks(struct imgmaker *m)
{
	size_t gzip_index = 0;
	bool inflated;
	int err = 0;

	for (size_t i = 0; err == 0 && i < m->to.count; i++) {
		const struct deflated *to = &m->to.items[i];
		const struct deflated *from = find_partner(m, to, gzip_index);
		struct chunk chunk = {0};
		bool taken;

		gzip_index += !to->name;
		if (!from || (from->size == to->size &&
		              memcmp(m->old.data + from->at, m->new.data + to->at, (size_t)to->size) == 0))
			continue;
		err = diff_inflated(m, from, to, &chunk, &taken);
		if (err < 0 || !taken)
			continue;
		err = add_plain(m, to->at, from->at);
		if (err < 0)
			break;
		err = add_chunk(m, &chunk);
		m->old_done = from->at + from->size;
		m->new_done = to->at + to->size;
	}
	if (err == 0 && m->count == 0 && !m->noisy)
		return -ENOTSUP;
	inflated = m->count > 0;
	if (err == 0)
		err = add_plain(m, m->new.size, m->old.size);
	return err == 0 && !inflated && !m->bare ? -ENOTSUP : err;
}

static size_t header_size(const struct chunk *chunk)
{
	switch (chunk->type) {
	case IMGDIFF_RAW:
		return TYPE_SIZE + RAW_SIZE + (size_t)chunk->new_size;
	case IMGDIFF_DEFLATE:
		return TYPE_SIZE + IMGDIFF_DEFLATE_SIZE;
	default:
		return TYPE_SIZE + IMGDIFF_NORMAL_SIZE;
	}
}

/* bsdiffs_at: where in the patch the chunks' patches begin */
static int put_chunk(struct buffer *patch, const struct imgmaker *m, const struct chunk *chunk, size_t bsdiffs_at)
{
	uint8_t raw[TYPE_SIZE + IMGDIFF_DEFLATE_SIZE];
	const struct deflate_params *params = &chunk->params;
	int err;

	put_le32(raw, (uint32_t)chunk->type);
	if (chunk->type == IMGDIFF_RAW) {
		put_le32(raw + 4, (uint32_t)chunk->new_size);
		err = buffer_append(patch, raw, TYPE_SIZE + RAW_SIZE, m->error);
		return err < 0 ? err
		               : buffer_append(patch, m->new.data + chunk->new_at, (size_t)chunk->new_size, m->error);
	}
	put_le64(raw + 4, (uint64_t)chunk->old_at);
	put_le64(raw + 12, (uint64_t)chunk->old_size);
	put_le64(raw + 20, bsdiffs_at + chunk->bsdiff_at);
	put_le64(raw + 28, (uint64_t)chunk->old_plain_size);
	put_le64(raw + 36, (uint64_t)chunk->new_plain_size);
	put_le32(raw + 44, (uint32_t)params->level);
	put_le32(raw + 48, (uint32_t)params->method);
	put_le32(raw + 52, (uint32_t)params->window_bits);
	put_le32(raw + 56, (uint32_t)params->mem_level);
	put_le32(raw + 60, (uint32_t)params->strategy);
	return buffer_append(patch, raw, header_size(chunk), m->error);
}

static int put_patch(struct buffer *patch, const struct imgmaker *m)
{
	uint8_t header[IMGDIFF_HEADER_SIZE] = IMGDIFF_MAGIC;
	size_t bsdiffs_at = sizeof(header);
	int err;

	for (size_t i = 0; i < m->count; i++)
		bsdiffs_at += header_size(&m->chunks[i]);
	put_le32(header + PATCH_MAGIC_SIZE, (uint32_t)m->count);
	err = buffer_append(patch, header, sizeof(header), m->error);
	for (size_t i = 0; err == 0 && i < m->count; i++)
		err = put_chunk(patch, m, &m->chunks[i], bsdiffs_at);
	return err == 0 ? buffer_append(patch, m->bsdiffs.data, m->bsdiffs.size, m->error) : err;
}

static int make_patch(struct buffer *patch, struct imgmaker *m)
{
	int err = deflated_find(&m->to, &m->new, m->error);

	m->noisy = noise_is_likely(m->new.data, (size_t)m->new.size);
	if (err == 0 && m->to.count == 0 && !m->noisy)
		err = -ENOTSUP; /* most files: the old one need not be looked at */
	if (err == 0)
		err = deflated_find(&m->from, &m->old, m->error);
	if (err == 0)
		err = make_chunks(m);
	return err == 0 ? put_patch(patch, m) : err;
}

int patch_make_imgdiff2(const void *old_data, size_t old_size, const void *new_data, size_t new_size, uint64_t memory,
                        const struct sink *sink, struct error *error)
{
	struct imgmaker m = {.old = {.data = old_data, .size = (int64_t)old_size},
	                     .new = {.data = new_data, .size = (int64_t)new_size},
	                     .memory = memory,
	                     .error = error};
	struct buffer patch = {0};
	int err;

	if (old_size > INT32_MAX || new_size > INT32_MAX)
		return error_set(error, 0, EFBIG, "imgdiff: images of %zu and %zu bytes are too large", old_size,
		                 new_size);
	err = make_patch(&patch, &m);
	if (err == 0)
		err = patch_hand_over(&patch, sink, error);
	buffer_free(&patch);
	buffer_free(&m.bsdiffs);
	free(m.chunks);
	deflated_free(&m.to);
	deflated_free(&m.from);
	return err;
}

int patch_has_deflated(const void *data, size_t size, bool *has, struct error *error)
{
	struct deflated_list list = {0};
	int err = deflated_find(&list, &(struct image){.data = data, .size = (int64_t)size}, error);

	*has = list.count > 0;
	deflated_free(&list);
	return err;
}

int patch_make_raw(const void *new_data, size_t new_size, const struct sink *sink, struct error *error)
{
	struct imgmaker m = {.new = {.data = new_data, .size = (int64_t)new_size}, .error = error};
	struct buffer patch = {0};
	int err;

	if (new_size > INT32_MAX)
		return error_set(error, 0, EFBIG, "imgdiff: an image of %zu bytes is too large", new_size);
	err = add_raw(&m, 0, m.new.size);
	if (err == 0)
		err = put_patch(&patch, &m);
	if (err == 0)
		err = patch_hand_over(&patch, sink, error);
	buffer_free(&patch);
	free(m.chunks);
	return err;
}
