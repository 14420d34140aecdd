/* SPDX-License-Identifier: Apache-2.0 */
#include "patch/expect.h"

#include <errno.h>
#include <string.h>

static int expect(void *ctx, const void *data, size_t length)
{
	struct expected *expected = ctx;

	if (length > expected->left || memcmp(expected->data, data, length) != 0)
		return -EILSEQ;
	expected->data += length;
	expected->left -= length;
	return 0;
}

struct sink sink_from_expected(struct expected *expected)
{
	return (struct sink){.write = expect, .ctx = expected};
}
