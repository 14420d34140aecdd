/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_EXPECT_H
#define PATCH_EXPECT_H

/* A sink that takes the bytes that are expected, and ends with -EILSEQ at the first other one. */
#include "base/io.h"

struct expected {
	const uint8_t *data;
	size_t left; /* bytes that are still to come */
};

struct sink sink_from_expected(struct expected *expected);

#endif
