/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_IMAGE_CRC_H
#define GENTOOLS_IMAGE_CRC_H

/* What UBI and UBIFS guard their headers and nodes with: CRC-32 that starts with all ones and is not inverted. */
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

static inline uint32_t image_crc(const uint8_t *data, size_t length)
{
	return ~(uint32_t)crc32_z(0, data, length);
}

#endif
