/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/internal.h"

#include <errno.h>
#include <string.h>

static const struct {
	enum storage_kind kind;
	const char *prefix;
} prefixes[] = {
	{STORAGE_MTD, "MTD:"},
	{STORAGE_UBI, "UBI:"},
	{STORAGE_BLOCK, "EMMC:"},
};

const char *kind_prefix(enum storage_kind kind)
{
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (prefixes[i].kind == kind)
			return prefixes[i].prefix;
	return "";
}

bool storage_is_atomic(const struct storage_name *name)
{
	return name->kind == STORAGE_FILE;
}

/* Decimal digits only: strtoull would take blanks, signs and 0x. */
static int parse_size(const char *text, size_t length, uint64_t *size)
{
	uint64_t value = 0;

	if (length == 0)
		return -EINVAL;
	for (size_t i = 0; i < length; i++) {
		unsigned digit = (unsigned)(unsigned char)text[i] - '0';

		if (digit > 9 || value > (UINT64_MAX - digit) / 10)
			return -EINVAL;
		value = value * 10 + digit;
	}
	*size = value;
	return value > 0 ? 0 : -EINVAL;
}

static void insert_content(struct storage_name *name, uint64_t size, const struct digest_value *digest)
{
	unsigned at = name->content_count++;

	for (; at > 0 && name->content[at - 1].size > size; at--)
		name->content[at] = name->content[at - 1];
	name->content[at].size = size;
	name->content[at].digest = *digest;
}

/* One "size:digest" pair; *text moves behind it. */
static int parse_content(const char **text, struct storage_name *name)
{
	char hex[DIGEST_TEXT_SIZE];
	struct digest_value digest;
	const char *colon = strchr(*text, ':');
	uint64_t size;
	size_t length;

	if (!colon || name->content_count == STORAGE_CONTENT_MAX)
		return -EINVAL;
	if (parse_size(*text, (size_t)(colon - *text), &size) < 0)
		return -EINVAL;
	length = strcspn(colon + 1, ":");
	if (length >= sizeof(hex))
		return -EINVAL;
	memcpy(hex, colon + 1, length);
	hex[length] = '\0';
	if (digest_parse(&digest, hex) < 0)
		return -EINVAL;
	insert_content(name, size, &digest);
	*text = colon + 1 + length;
	return 0;
}

/* "name", which is an absolute path or one plain component. */
static int parse_object(const char *text, size_t length, struct storage_name *name, struct error *error)
{
	if (length == 0 || length >= sizeof(name->name))
		return error_set(error, 0, EINVAL, "%s: %s name", text, length ? "too long a" : "no");
	memcpy(name->name, text, length);
	name->name[length] = '\0';
	if (*text == '/')
		return path_make(name->name, name->name, error);
	if (length >= STORAGE_NAME_MAX || strchr(name->name, '/') || strcmp(name->name, ".") == 0 ||
	    strcmp(name->name, "..") == 0)
		return error_set(error, 0, EINVAL, "%.256s: not a partition or volume name", name->name);
	return 0;
}

int storage_name_parse(const char *text, struct storage_name *name, struct error *error)
{
	const char *at = text;
	size_t length;
	int err;

	memset(name, 0, sizeof(*name));
	name->kind = STORAGE_FILE;
	/* A colon behind a slash belongs to a path. */
	if (text[strcspn(text, ":/")] != ':')
		return path_make(name->name, text, error);
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(text, prefixes[i].prefix, strlen(prefixes[i].prefix)) == 0) {
			name->kind = prefixes[i].kind;
			at += strlen(prefixes[i].prefix);
		}
	if (at == text)
		return error_set(error, 0, EINVAL, "%.256s: unknown partition type", text);
	length = strcspn(at, ":");
	err = parse_object(at, length, name, error);
	if (err < 0)
		return err;
	at += length;
	while (*at == ':') {
		at++;
		if (parse_content(&at, name) < 0)
			return error_set(error, 0, EINVAL, "%.256s: not size:digest pairs", text);
	}
	return 0;
}
