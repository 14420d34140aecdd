/* SPDX-License-Identifier: Apache-2.0 */
#include "script/findings.h"

#include "script/tree.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct finding {
	unsigned offset;
	unsigned number; /* in order of discovery: keeps findings at one place in that order */
	char message[160];
};

static struct finding *findings_next(struct findings *findings)
{
	if (findings->count == findings->room) {
		size_t room = findings->room ? 2 * findings->room : 16;
		struct finding *list = reallocarray(findings->list, room, sizeof(*list));

		if (!list) {
			findings->no_memory = true;
			findings->stop = true;
			return NULL;
		}
		findings->list = list;
		findings->room = room;
	}
	return &findings->list[findings->count];
}

void findings_add(struct findings *findings, unsigned offset, const char *format, ...)
{
	struct finding *finding = findings->stop ? NULL : findings_next(findings);
	va_list args;

	if (!finding)
		return;
	finding->offset = offset;
	finding->number = (unsigned)findings->count++;
	if (findings->count == SCRIPT_MAX_FINDINGS) {
		findings->stop = true;
		(void)snprintf(finding->message, sizeof(finding->message), "too many errors, giving up here");
		return;
	}
	va_start(args, format);
	(void)vsnprintf(finding->message, sizeof(finding->message), format, args);
	va_end(args);
}

static int finding_compare(const void *left, const void *right)
{
	const struct finding *a = left, *b = right;

	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return a->number < b->number ? -1 : 1;
}

int findings_tell(struct findings *findings, const char *text,
                  void (*report)(void *ctx, const struct script_finding *finding), void *ctx, struct error *error)
{
	struct script_place place = {1, 1};
	unsigned offset = 0;
	int rc = 0;

	if (findings->count > 1)
		qsort(findings->list, findings->count, sizeof(*findings->list), finding_compare);
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->list[i];

		place_advance(&place, text, offset, finding->offset);
		offset = finding->offset;
		if (i == 0)
			rc = error_set(error, RESULT_FORMAT, EINVAL, "%u:%u: %s", place.line, place.column,
			               finding->message);
		if (report)
			report(ctx, &(struct script_finding){place.line, place.column, finding->message});
	}
	if (findings->no_memory)
		rc = error_set(error, 0, ENOMEM, "out of memory while parsing the script");
	free(findings->list);
	*findings = (struct findings){0};
	return rc;
}

const char *finding_quote(char quote[QUOTE_SIZE], const char *bytes, size_t length)
{
	const size_t last = QUOTE_SIZE - sizeof("\\xHH...");
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (used > last) {
			memcpy(quote + used, "...", 3);
			used += 3;
			break;
		}
		if (c >= ' ' && c < 0x7f)
			quote[used++] = (char)c;
		else
			used += (size_t)snprintf(quote + used, sizeof("\\xHH"), "\\x%02x", c);
	}
	quote[used] = '\0';
	return quote;
}
