/* SPDX-License-Identifier: Apache-2.0 */
#include "package/der.h"

#include <string.h>

/* Length field behind the tag; *header: bytes of both. */
static bool read_length(const struct der *in, size_t *header, size_t *length)
{
	const uint8_t *field = in->at + 1;

	if (in->left >= 2 && field[0] < 0x80) {
		*header = 2;
		*length = field[0];
	} else if (in->left >= 3 && field[0] == 0x81 && field[1] >= 0x80) {
		*header = 3;
		*length = field[1];
	} else if (in->left >= 4 && field[0] == 0x82 && field[1] > 0) {
		*header = 4;
		*length = (size_t)field[1] << 8 | field[2];
	} else {
		return false;
	}
	return *length <= in->left - *header;
}

bool der_take(struct der *in, enum der_tag tag, struct der *content, struct der *whole)
{
	size_t header;
	size_t length;

	if (in->left == 0 || in->at[0] != tag || !read_length(in, &header, &length))
		return false;
	if (content)
		*content = (struct der){.at = in->at + header, .left = length};
	if (whole)
		*whole = (struct der){.at = in->at, .left = header + length};
	in->at += header + length;
	in->left -= header + length;
	return true;
}

bool der_skip(struct der *in, enum der_tag tag)
{
	return in->left == 0 || in->at[0] != tag || der_take(in, tag, NULL, NULL);
}

bool der_take_unsigned(struct der *in, struct der *digits)
{
	struct der rest = *in;

	if (!der_take(&rest, DER_INTEGER, digits, NULL) || digits->left == 0 || digits->at[0] >= 0x80)
		return false;
	if (digits->at[0] == 0 && digits->left > 1) {
		if (digits->at[1] < 0x80)
			return false;
		digits->at++;
		digits->left--;
	}
	*in = rest;
	return true;
}

bool der_equal(const struct der *der, const void *bytes, size_t size)
{
	return der->left == size && memcmp(der->at, bytes, size) == 0;
}
