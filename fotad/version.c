/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/version.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SHOWN_SIZE 96 /* of a value in a message */

static const char *const labels[VERSION_FIELDS] = {"Project Name", "Project Rev", "Branch Name", "Custom Name",
                                                   "Package Time"};

/* Part of a text. */
struct span {
	const char *text; /* NULL: there is none */
	size_t length;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f';
}

static size_t blanks(const char *text, size_t length)
{
	size_t count = 0;

	while (count < length && is_blank(text[count]))
		count++;
	return count;
}

/* The next byte of a span whose blanks are one, '\0' at its end. */
static char next_clean(struct span *span)
{
	size_t skipped = blanks(span->text, span->length);

	if (skipped == span->length)
		return '\0';
	if (skipped) {
		span->text += skipped;
		span->length -= skipped;
		return ' ';
	}
	span->length--;
	return *span->text++;
}

static struct span trim(struct span span)
{
	size_t skipped;

	if (!span.text)
		return (struct span){.text = ""};
	skipped = blanks(span.text, span.length);
	return (struct span){.text = span.text + skipped, .length = span.length - skipped};
}

static bool is_same(struct span a, struct span b)
{
	char c;

	a = trim(a);
	b = trim(b);
	do {
		c = next_clean(&a);
		if (c != next_clean(&b))
			return false;
	} while (c != '\0');
	return true;
}

static void copy_clean(struct span span, char *value, size_t size)
{
	size_t used = 0;
	char c;

	span = trim(span);
	while (used + 1 < size && (c = next_clean(&span)) != '\0')
		value[used++] = c;
	value[used] = '\0';
}

/* Bytes of the label that the text begins with, its colon included; 0 when it begins with something else. */
static size_t match_label(const char *text, size_t length, const char *label)
{
	size_t at = 0;

	for (; *label; label++) {
		size_t skipped = blanks(text + at, length - at);

		if (*label == ' ' ? skipped == 0 : at == length || strncasecmp(text + at, label, 1) != 0)
			return 0;
		at += *label == ' ' ? skipped : 1;
	}
	at += blanks(text + at, length - at);
	return at < length && text[at] == ':' ? at + 1 : 0;
}

static size_t match_any(const char *text, size_t length, enum version_field *field)
{
	for (unsigned i = 0; i < VERSION_FIELDS; i++) {
		size_t matched = match_label(text, length, labels[i]);

		if (matched) {
			*field = (enum version_field)i;
			return matched;
		}
	}
	return 0;
}

/* The value of the field in one line: up to the next label. */
static struct span find_in_line(const char *line, size_t length, enum version_field field)
{
	struct span found = {0};
	enum version_field label;

	for (size_t at = 0; at < length;) {
		size_t matched = at == 0 || is_blank(line[at - 1]) ? match_any(line + at, length - at, &label) : 0;

		if (matched && found.text)
			break;
		at += matched ? matched : 1;
		if (matched && label == field)
			found.text = line + at;
		if (found.text)
			found.length = (size_t)(line + at - found.text);
	}
	return found;
}

static struct span find(const char *text, enum version_field field)
{
	struct span found = {0};

	while (*text && !found.text) {
		size_t length = strcspn(text, "\n");

		found = find_in_line(text, length, field);
		text += length + (text[length] == '\n');
	}
	return found;
}

bool version_get(const char *text, enum version_field field, char *value, size_t size)
{
	struct span found = find(text, field);

	copy_clean(found, value, size);
	return found.text != NULL;
}

static int differs(const char *what, struct span wanted, struct span running, struct error *error)
{
	char expected[SHOWN_SIZE];
	char found[SHOWN_SIZE];

	copy_clean(wanted, expected, sizeof(expected));
	copy_clean(running, found, sizeof(found));
	return error_set(error, RESULT_PRECHECK, EILSEQ, "%s: the package is for \"%s\", this system is \"%s\"", what,
	                 expected, found);
}

int version_check(const char *wanted, const char *running, struct error *error)
{
	struct span texts[2] = {{.text = wanted, .length = strlen(wanted)},
	                        {.text = running, .length = strlen(running)}};
	bool labelled = false;

	for (unsigned i = 0; i < VERSION_FIELDS; i++) {
		struct span expected = find(wanted, (enum version_field)i);
		struct span found = find(running, (enum version_field)i);

		if (!expected.text)
			continue;
		labelled = true;
		if (!found.text || !is_same(expected, found))
			return differs(labels[i], expected, found, error);
	}
	if (!labelled && !is_same(texts[0], texts[1]))
		return differs("the whole text", texts[0], texts[1], error);
	return 0;
}
