/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/blocks.h"

#include "patch/bzip.h"
#include "patch/codec.h"
#include <stdbool.h>
#include <stdlib.h>

#define PIECE ((size_t)64 << 10)
#define LEAST ((size_t)8 << 10) /* compressed bytes: of less an end can hardly save what it costs */
#define FRAME 14                /* of a stream, about its blocks */

struct part {
	size_t size;
	size_t packed;   /* as a stream of its own */
	size_t together; /* the same, with the next part; 0: not known */
};

struct splitter {
	const uint8_t *data;
	struct part *parts; /* owned */
	size_t count;
	struct buffer packed; /* the last one */
	struct error *error;
};

static int pack(struct splitter *s, size_t at, size_t size, size_t *packed)
{
	int err;

	s->packed.size = 0;
	err = bzip_append(&s->packed, s->data + at, &(struct blocks){.sizes = &size, .count = 1}, BZIP_LEVELS,
	                  s->error);
	*packed = s->packed.size;
	return err;
}

static int cut(struct splitter *s, size_t size)
{
	int err = 0;

	s->parts = calloc(size / PIECE + 1, sizeof(*s->parts));
	if (!s->parts)
		return patch_no_memory(s->error);
	for (size_t at = 0; err == 0 && at < size; at += PIECE) {
		struct part *part = &s->parts[s->count++];

		part->size = size - at < PIECE ? size - at : PIECE;
		err = pack(s, at, part->size, &part->packed);
	}
	return err;
}

/* Whether this part and the next one take less as one. */
static int compare(struct splitter *s, size_t at, struct part *part, bool *better)
{
	int err = 0;

	if (part->together == 0)
		err = pack(s, at, part[0].size + part[1].size, &part->together);
	*better = part->together + FRAME <= part[0].packed + part[1].packed;
	return err;
}

/* Neighbours that are better together become one, each part once. */
static int join(struct splitter *s, bool *joined)
{
	size_t kept = 0;
	size_t at = 0;
	int err = 0;

	*joined = false;
	for (size_t i = 0; err == 0 && i < s->count; i++) {
		struct part part = s->parts[i];
		bool better = false;

		if (i + 1 < s->count)
			err = compare(s, at, &s->parts[i], &better);
		part.together = s->parts[i].together;
		if (better) {
			part = (struct part){.size = part.size + s->parts[i + 1].size, .packed = part.together};
			if (kept > 0)
				s->parts[kept - 1].together = 0;
			i++;
			*joined = true;
		}
		at += part.size;
		s->parts[kept++] = part;
	}
	if (err == 0)
		s->count = kept;
	return err;
}

static int split(struct splitter *s, size_t size)
{
	bool joined = true;
	int err = cut(s, size);

	while (err == 0 && joined)
		err = join(s, &joined);
	return err;
}

int blocks_find(struct blocks *blocks, const uint8_t *data, size_t size, struct error *error)
{
	struct splitter s = {.data = data, .error = error};
	size_t whole = 0;
	int err = 0;

	*blocks = (struct blocks){0};
	if (size > PIECE)
		err = pack(&s, 0, size, &whole);
	/* What hardly compresses is alike all over. */
	if (err == 0 && whole >= LEAST && whole < size / 4 * 3)
		err = split(&s, size);
	if (err < 0)
		goto out;
	blocks->sizes = calloc(s.count + 1, sizeof(*blocks->sizes));
	if (!blocks->sizes) {
		err = patch_no_memory(error);
		goto out;
	}
	for (size_t i = 0; i < s.count; i++)
		blocks->sizes[i] = s.parts[i].size;
	blocks->count = s.count;
	if (s.count == 0)
		blocks->sizes[blocks->count++] = size;
out:
	buffer_free(&s.packed);
	free(s.parts);
	return err;
}

void blocks_free(struct blocks *blocks)
{
	free(blocks->sizes);
	*blocks = (struct blocks){0};
}
