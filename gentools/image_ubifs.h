/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_IMAGE_UBIFS_H
#define GENTOOLS_IMAGE_UBIFS_H

/*
 * A UBIFS file system as mkfs.ubifs makes it. Source: the kernel's fs/ubifs/ubifs-media.h. Every node's checksum is
 * checked. A file system that was written to since, and needs its journal, is refused; so are encrypted and signed
 * ones.
 */
#include "base/io.h"
#include "gentools/image_place.h"

#define UBIFS_MAGIC 0x06101831u /* the first four bytes, little-endian */

/*
 * Unpack it into the tree. block_size: of the logical erase blocks below it, 0 when the file system itself has to tell.
 * -EINVAL for what cannot be unpacked.
 */
int image_unpack_ubifs(const struct reader *reader, uint32_t block_size, struct image_place *place,
                       struct error *error);

#endif
