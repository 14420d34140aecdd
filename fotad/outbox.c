/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/outbox.h"

#include <string.h>

static bool is_answer(const struct outbox_piece *piece)
{
	return piece->kind == OUTBOX_ANSWER;
}

static size_t used_by(const struct outbox *outbox, bool answers)
{
	size_t used = 0;

	for (unsigned i = 0; i < outbox->count; i++)
		if (is_answer(&outbox->pieces[i]) == answers)
			used += outbox->pieces[i].length;
	return used;
}

static unsigned count_lines(const struct outbox *outbox)
{
	unsigned lines = 0;

	for (unsigned i = 0; i < outbox->count; i++)
		lines += !is_answer(&outbox->pieces[i]);
	return lines;
}

static void drop(struct outbox *outbox, unsigned index)
{
	size_t start = 0;
	size_t length = outbox->pieces[index].length;

	for (unsigned i = 0; i < index; i++)
		start += outbox->pieces[i].length;
	outbox->length -= length;
	memmove(outbox->bytes + start, outbox->bytes + start + length, outbox->length - start);
	outbox->count--;
	memmove(&outbox->pieces[index], &outbox->pieces[index + 1],
	        (outbox->count - index) * sizeof(outbox->pieces[0]));
}

/* The oldest of its kind that is not half sent. */
static bool drop_oldest(struct outbox *outbox, enum outbox_kind kind)
{
	for (unsigned i = outbox->sent ? 1 : 0; i < outbox->count; i++) {
		if (outbox->pieces[i].kind == kind) {
			drop(outbox, i);
			return true;
		}
	}
	return false;
}

size_t outbox_room(const struct outbox *outbox)
{
	return OUTBOX_SHARE - used_by(outbox, true);
}

static bool make_room(struct outbox *outbox, enum outbox_kind kind, size_t length)
{
	if (kind == OUTBOX_ANSWER)
		return length <= outbox_room(outbox);
	while (count_lines(outbox) == OUTBOX_LINES_MAX || length > OUTBOX_SHARE - used_by(outbox, false))
		if (!drop_oldest(outbox, OUTBOX_PROGRESS) &&
		    (kind == OUTBOX_PROGRESS || !drop_oldest(outbox, OUTBOX_LINE)))
			return false;
	return true;
}

/* A piece that has begun to leave does not grow, or it might never be gone. */
static bool may_grow_last(const struct outbox *outbox)
{
	return outbox->count > (outbox->sent ? 1U : 0U) && is_answer(&outbox->pieces[outbox->count - 1]);
}

bool outbox_put(struct outbox *outbox, enum outbox_kind kind, const char *data, size_t length)
{
	if (!make_room(outbox, kind, length))
		return false;
	if (length == 0)
		return true;
	if (kind != OUTBOX_ANSWER || !may_grow_last(outbox))
		outbox->pieces[outbox->count++] = (struct outbox_piece){.kind = (uint8_t)kind};
	outbox->pieces[outbox->count - 1].length += (uint16_t)length;
	memcpy(outbox->bytes + outbox->length, data, length);
	outbox->length += length;
	return true;
}

size_t outbox_next(const struct outbox *outbox, const char **data)
{
	*data = outbox->bytes + outbox->sent;
	return outbox->length - outbox->sent;
}

void outbox_take(struct outbox *outbox, size_t length)
{
	outbox->sent += length;
	while (outbox->count && outbox->sent >= outbox->pieces[0].length) {
		outbox->sent -= outbox->pieces[0].length;
		drop(outbox, 0);
	}
}

void outbox_restart(struct outbox *outbox)
{
	unsigned i = 0;

	outbox->sent = 0;
	while (i < outbox->count) {
		if (is_answer(&outbox->pieces[i]))
			drop(outbox, i);
		else
			i++;
	}
}
