/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/match.h"

#include "patch/codec.h"
#include <stdlib.h>
#include <string.h>

/*
 * A match of this many bytes is long enough to be taken as it comes. Without the limit long runs of one byte, of which
 * flash images are full, would be compared over their whole length at every step.
 */
#define LONG_MATCH 4096
#define NEIGHBOURS 64 /* equally long matches that are looked at, in each direction of the order */
#define PAIRS      65536

/* The search begins among the suffixes that share two bytes: a table saves it most of its way through memory. */
static void index_pairs(struct matcher *m)
{
	saidx_t before = 0;

	for (int64_t i = 0; i + 1 < m->old.size; i++)
		m->starts[m->old.data[i] << 8 | m->old.data[i + 1]]++;
	for (int pair = 0; pair < PAIRS; pair++) {
		saidx_t count = m->starts[pair];

		/* The last suffix is one byte, and goes before all that go on behind it. */
		if (pair == m->old.data[m->old.size - 1] << 8)
			before++;
		m->starts[pair] = before;
		before += count;
	}
	m->starts[PAIRS] = before;
}

int matcher_open(struct matcher *matcher, const struct image *old, struct error *error)
{
	*matcher = (struct matcher){.old = *old};
	matcher->starts = calloc(PAIRS + 1, sizeof(*matcher->starts));
	if (!matcher->starts)
		return patch_no_memory(error);
	if (old->size == 0)
		return 0;
	matcher->order = reallocarray(NULL, (size_t)old->size, sizeof(*matcher->order));
	if (!matcher->order || divsufsort(old->data, matcher->order, (saidx_t)old->size) != 0)
		return patch_no_memory(error);
	index_pairs(matcher);
	return 0;
}

void matcher_close(struct matcher *matcher)
{
	free(matcher->order);
	free(matcher->starts);
	*matcher = (struct matcher){0};
}

int64_t common_prefix(const uint8_t *a, const uint8_t *b, int64_t limit)
{
	int64_t n = 0;

	while (limit - n >= 8 && memcmp(a + n, b + n, 8) == 0)
		n += 8;
	while (n < limit && a[n] == b[n])
		n++;
	return n;
}

/*
 * Binary search for the place of the text among the suffixes. Its two neighbours share the longest prefixes with it.
 * All suffixes between low and high share what the text has in common with both, which need not be compared again.
 */
static struct match search(const struct matcher *m, const uint8_t *text, int64_t length, int64_t *index)
{
	unsigned pair = (unsigned)text[0] << 8 | text[1];
	int64_t from = (int64_t)m->starts[pair] - 1, to = m->starts[pair + 1];
	struct match low = {0}, high = {0};

	while (to - from > 1) {
		int64_t middle = from + (to - from) / 2;
		int64_t at = m->order[middle];
		int64_t limit = m->old.size - at < length ? m->old.size - at : length;
		int64_t same = low.length < high.length ? low.length : high.length;

		same += common_prefix(m->old.data + at + same, text + same, limit - same);
		if (same == length) {
			*index = middle;
			return (struct match){.old_at = at, .length = same};
		}
		if (same == limit || m->old.data[at + same] < text[same]) {
			from = middle;
			low = (struct match){.old_at = at, .length = same};
		} else {
			to = middle;
			high = (struct match){.old_at = at, .length = same};
		}
	}
	*index = low.length > high.length ? from : to;
	return low.length > high.length ? low : high;
}

static int64_t distance(int64_t a, int64_t b)
{
	return a < b ? b - a : a - b;
}

/* Of the matches as long as the one at the index, which lie about it in the order, the closest to old_at. */
static int64_t choose(const struct matcher *m, const uint8_t *text, int64_t length, int64_t index, int64_t old_at)
{
	int64_t best = m->order[index];

	for (int step = -1; step <= 1; step += 2) {
		for (int64_t n = 1; n <= NEIGHBOURS; n++) {
			int64_t i = index + n * step;
			int64_t at = i >= 0 && i < m->old.size ? m->order[i] : m->old.size;

			if (m->old.size - at < length || memcmp(m->old.data + at, text, (size_t)length) != 0)
				break;
			if (distance(at, old_at) < distance(best, old_at))
				best = at;
		}
	}
	return best;
}

struct match matcher_find(const struct matcher *m, const uint8_t *text, int64_t length, int64_t old_at)
{
	struct match found = {0};
	int64_t index, room;

	if (length < 2)
		return found;
	found = search(m, text, length < LONG_MATCH ? length : LONG_MATCH, &index);
	if (found.length < 2)
		return (struct match){0};
	if (found.length < MATCH_SHORTEST)
		return found;
	if (found.length < LONG_MATCH) {
		found.old_at = choose(m, text, found.length, index, old_at);
	} else {
		room = m->old.size - found.old_at < length ? m->old.size - found.old_at : length;
		found.length = common_prefix(m->old.data + found.old_at, text, room);
	}
	return found;
}
