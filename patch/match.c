/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/match.h"

#include "patch/codec.h"
#include <stdlib.h>
#include <string.h>

/*
 * A match of this many bytes is long enough to be taken as it comes. Without the limit long runs of one byte, of which
 * flash images are full, would be compared over their whole length at every step.
 */
#define LONG_MATCH 16384

int matcher_open(struct matcher *matcher, const struct image *old, const struct image *new, struct error *error)
{
	memset(matcher, 0, sizeof(*matcher));
	matcher->old = *old;
	matcher->new = *new;
	if (old->size == 0)
		return 0;
	matcher->order = reallocarray(NULL, (size_t)old->size, sizeof(*matcher->order));
	if (!matcher->order || divsufsort(old->data, matcher->order, (saidx_t)old->size) != 0)
		return patch_no_memory(error);
	return 0;
}

void matcher_close(struct matcher *matcher)
{
	free(matcher->order);
	memset(matcher, 0, sizeof(*matcher));
}

/* How many bytes a and b have in common, up to the limit. */
static int64_t common_prefix(const uint8_t *a, const uint8_t *b, int64_t limit)
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
static struct match search(const struct matcher *m, const uint8_t *text, int64_t length)
{
	struct match low = {0}, high = {0};
	int64_t from = -1, to = m->old.size;

	while (to - from > 1) {
		int64_t middle = from + (to - from) / 2;
		int64_t at = m->order[middle];
		int64_t limit = m->old.size - at < length ? m->old.size - at : length;
		int64_t same = low.length < high.length ? low.length : high.length;

		same += common_prefix(m->old.data + at + same, text + same, limit - same);
		if (same == length)
			return (struct match){.old_at = at, .length = same};
		if (same == limit || m->old.data[at + same] < text[same]) {
			from = middle;
			low = (struct match){.old_at = at, .length = same};
		} else {
			to = middle;
			high = (struct match){.old_at = at, .length = same};
		}
	}
	return low.length > high.length ? low : high;
}

struct match matcher_find(struct matcher *m, int64_t new_at)
{
	int64_t room = m->new.size - new_at;
	int64_t step = new_at - m->last_new;
	const uint8_t *text = m->new.data + new_at;
	struct match found;

	if (step >= 0 && m->last.length - step >= LONG_MATCH) {
		found = (struct match){.old_at = m->last.old_at + step, .length = m->last.length - step};
	} else {
		found = search(m, text, room < LONG_MATCH ? room : LONG_MATCH);
		if (found.length == LONG_MATCH) {
			int64_t old_room = m->old.size - found.old_at;

			found.length =
				common_prefix(m->old.data + found.old_at, text, room < old_room ? room : old_room);
		}
	}
	m->last = found;
	m->last_new = new_at;
	return found;
}
