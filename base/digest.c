/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"

#include "base/bytes.h"
#include <errno.h>
#include <string.h>

static const size_t digest_sizes[] = {
	[DIGEST_MD5] = MD5_DIGEST_SIZE,
	[DIGEST_SHA1] = SHA1_DIGEST_SIZE,
	[DIGEST_SHA256] = SHA256_DIGEST_SIZE,
};

size_t digest_size(enum digest_kind kind)
{
	return digest_sizes[kind];
}

void digest_start(struct digest *digest, enum digest_kind kind)
{
	digest->kind = kind;
	switch (kind) {
	case DIGEST_MD5:
		md5_init(&digest->state.md5);
		break;
	case DIGEST_SHA1:
		sha1_init(&digest->state.sha1);
		break;
	case DIGEST_SHA256:
		sha256_init(&digest->state.sha256);
		break;
	}
}

void digest_add(struct digest *digest, const void *data, size_t length)
{
	switch (digest->kind) {
	case DIGEST_MD5:
		md5_update(&digest->state.md5, length, data);
		break;
	case DIGEST_SHA1:
		sha1_update(&digest->state.sha1, length, data);
		break;
	case DIGEST_SHA256:
		sha256_update(&digest->state.sha256, length, data);
		break;
	}
}

void digest_finish(struct digest *digest, struct digest_value *value)
{
	memset(value, 0, sizeof(*value));
	value->kind = digest->kind;
	switch (digest->kind) {
	case DIGEST_MD5:
		md5_digest(&digest->state.md5, MD5_DIGEST_SIZE, value->bytes);
		break;
	case DIGEST_SHA1:
		sha1_digest(&digest->state.sha1, SHA1_DIGEST_SIZE, value->bytes);
		break;
	case DIGEST_SHA256:
		sha256_digest(&digest->state.sha256, SHA256_DIGEST_SIZE, value->bytes);
		break;
	}
}

int digest_parse(struct digest_value *value, const char *text)
{
	size_t length = strnlen(text, DIGEST_TEXT_SIZE);
	enum digest_kind kind;

	if (length == 2 * digest_size(DIGEST_MD5))
		kind = DIGEST_MD5;
	else if (length == 2 * digest_size(DIGEST_SHA1))
		kind = DIGEST_SHA1;
	else if (length == 2 * digest_size(DIGEST_SHA256))
		kind = DIGEST_SHA256;
	else
		return -EINVAL;

	memset(value, 0, sizeof(*value));
	value->kind = kind;
	for (size_t i = 0; i < length; i += 2) {
		int high = hex_digit(text[i]);
		int low = hex_digit(text[i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		value->bytes[i / 2] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

const char *digest_format(const struct digest_value *value, char text[DIGEST_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	size_t size = digest_size(value->kind);

	for (size_t i = 0; i < size; i++) {
		text[2 * i] = digits[value->bytes[i] >> 4];
		text[2 * i + 1] = digits[value->bytes[i] & 15];
	}
	text[2 * size] = '\0';
	return text;
}

bool digest_equal(const struct digest_value *a, const struct digest_value *b)
{
	return a->kind == b->kind && memcmp(a->bytes, b->bytes, digest_size(a->kind)) == 0;
}
