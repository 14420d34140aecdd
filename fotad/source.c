/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/source.h"

#include "base/bytes.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LETTERS    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS     "0123456789"
#define HOST_CHARS LETTERS DIGITS "-._"
#define USER_CHARS LETTERS DIGITS "-._~!$&'()*+,;=:%"
#define HOST_MAX   253 /* a domain name, in text */

static int refuse(struct error *error, const char *why)
{
	return error_set(error, 0, EINVAL, "%s", why);
}

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == '\x7F';
}

static int parse_path(const char *text, struct error *error)
{
	const char *at = text;

	for (size_t i = 0; text[i]; i++)
		if (is_control(text[i]))
			return refuse(error, "the path holds a control character");
	while (*at) {
		size_t length = strcspn(++at, "/");

		if (length == 2 && strncmp(at, "..", 2) == 0)
			return refuse(error, "the path holds \"..\"");
		at += length;
	}
	return at[-1] == '/' ? refuse(error, "the path names a folder") : 0;
}

/* Characters that a URL has nowhere, and the two digits behind each '%'. */
static int check_characters(const char *text, struct error *error)
{
	for (size_t i = 0; text[i]; i++) {
		if (is_control(text[i]) || (unsigned char)text[i] >= 0x80 || strchr(" \"<>\\^`{|}", text[i]))
			return refuse(error, "the URL holds a character that must be percent-encoded");
		if (text[i] == '%' && (hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0))
			return refuse(error, "the URL has a '%' without two hexadecimal digits");
	}
	return 0;
}

static int check_port(const char *text, size_t length, struct error *error)
{
	unsigned long port = strtoul(text, NULL, 10);

	if (length == 0 || length > 5 || strspn(text, DIGITS) != length || port == 0 || port > 65535)
		return refuse(error, "the port is not a number from 1 to 65535");
	return 0;
}

/* host[:port], the host a name, an IPv4 address or an IPv6 address in brackets. */
static int check_host(const char *text, const char *end, struct error *error)
{
	const char *behind;

	if (*text == '[') {
		char address[INET6_ADDRSTRLEN];
		struct in6_addr binary;
		const char *close = memchr(text, ']', (size_t)(end - text));

		if (!close || close - text > INET6_ADDRSTRLEN)
			return refuse(error, "the URL has a '[' without its ']'");
		(void)snprintf(address, sizeof(address), "%.*s", (int)(close - text - 1), text + 1);
		if (inet_pton(AF_INET6, address, &binary) != 1)
			return refuse(error, "what is in brackets is not an IPv6 address");
		behind = close + 1;
	} else {
		behind = text + strspn(text, HOST_CHARS);
		if (behind == text || behind - text > HOST_MAX || *text == '-' || *text == '.')
			return refuse(error, "the URL has no host, or a wrong one");
	}
	if (behind == end)
		return 0;
	if (*behind != ':')
		return refuse(error, "the URL's host holds a wrong character");
	return check_port(behind + 1, (size_t)(end - behind - 1), error);
}

static int parse_authority(const char *text, struct error *error)
{
	const char *end = text + strcspn(text, "/?#");
	const char *at = memchr(text, '@', (size_t)(end - text));

	if (at && strspn(text, USER_CHARS) != (size_t)(at - text))
		return refuse(error, "the URL's user or password holds a character that must be percent-encoded");
	return check_host(at ? at + 1 : text, end, error);
}

static const struct {
	const char *name;
	enum source_kind kind;
} schemes[] = {
	{"http://", SOURCE_HTTP},
	{"https://", SOURCE_HTTPS},
	{"ftp://", SOURCE_FTP},
};

int source_parse(const char *text, enum source_kind *kind, struct error *error)
{
	if (strlen(text) > SOURCE_MAX)
		return refuse(error, "the source is longer than 255 bytes");
	if (*text == '/') {
		*kind = SOURCE_PATH;
		return parse_path(text, error);
	}
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t length = strlen(schemes[i].name);
		int err;

		if (strncasecmp(text, schemes[i].name, length) != 0)
			continue;
		*kind = schemes[i].kind;
		err = check_characters(text, error);
		return err < 0 ? err : parse_authority(text + length, error);
	}
	return refuse(error, "the source is neither a path nor an http, https or ftp URL");
}

const char *source_print_safe(const char *text, char safe[SOURCE_MAX + 1])
{
	const char *scheme_end = strstr(text, "://");
	const char *start = scheme_end ? scheme_end + 3 : text;
	enum source_kind kind = SOURCE_PATH;
	bool good = source_parse(text, &kind, NULL) == 0;
	const char *at;

	if (good && kind == SOURCE_PATH) {
		(void)snprintf(safe, SOURCE_MAX + 1, "%s", text);
		return safe;
	}
	/* What cannot be parsed may have its user and password anywhere before the last '@'. */
	at = memrchr(start, '@', good ? strcspn(start, "/?#") : strlen(start));
	(void)snprintf(safe, SOURCE_MAX + 1, "%.*s", (int)(start - text), text);
	start = at ? at + 1 : start;
	(void)snprintf(safe + strlen(safe), SOURCE_MAX + 1 - strlen(safe), "%.*s", (int)strcspn(start, "?#"), start);
	for (char *c = safe; *c; c++)
		if (is_control(*c))
			*c = '?';
	return safe;
}
