/* SPDX-License-Identifier: Apache-2.0 */
/* In place between views: which bytes of the new view a unit's frame makes. */
#include "patch/native.h"

/*
 * Where this offset of the image is in the view. True: in the middle of a part, and *part is that; *plain_at is where
 * the part begins then.
 */
static bool is_inside_part(const struct view *view, uint64_t raw_at, struct view_part *part, uint64_t *plain_at)
{
	struct view_cursor cursor;

	view_seek_raw(&cursor, view, raw_at);
	if (!view_next(&cursor, part)) {
		*plain_at = view->plain_size - (view->raw_size - raw_at);
		return false;
	}
	if (part->raw_at >= raw_at) {
		*plain_at = part->plain_at - (part->raw_at - raw_at);
		return false;
	}
	*plain_at = part->plain_at;
	return true;
}

bool native_span_find(const struct view *view, uint64_t start, uint64_t end, unsigned flags, struct native_span *span)
{
	struct view_part left, right;

	*span = (struct native_span){.raw_at = start, .raw_end = end};
	span->left = is_inside_part(view, start, &left, &span->plain_at);
	span->right = is_inside_part(view, end, &right, &span->plain_end);
	if (span->left && (left.raw_at + left.raw_size > end || (span->right && right.raw_at == left.raw_at)))
		return false;
	if ((flags & NATIVE_LEFT && !span->left) || (flags & NATIVE_RIGHT && !span->right) ||
	    (flags & NATIVE_KEEP_LEFT && !(flags & NATIVE_LEFT)) ||
	    (flags & NATIVE_KEEP_RIGHT && !(flags & NATIVE_RIGHT)))
		return false;
	if (flags & NATIVE_LEFT) {
		span->raw_at = left.raw_at;
	} else if (span->left) {
		span->raw_at = left.raw_at + left.raw_size;
		span->plain_at += left.plain_size;
	}
	if (flags & NATIVE_RIGHT) {
		span->raw_end = right.raw_at + right.raw_size;
		span->plain_end += right.plain_size;
	} else if (span->right) {
		span->raw_end = right.raw_at;
	}
	return true;
}
