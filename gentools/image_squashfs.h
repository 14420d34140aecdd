/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_IMAGE_SQUASHFS_H
#define GENTOOLS_IMAGE_SQUASHFS_H

/*
 * A squashfs as mksquashfs makes it, with any of its compressions; read by libsquashfs. The format has few checksums of
 * its own: what is damaged is an error where it makes no sense.
 */
#include "base/io.h"
#include "gentools/image_place.h"

#define SQUASHFS_MAGIC "hsqs"

/* Unpack it into the tree. -EINVAL for what cannot be unpacked. */
int image_unpack_squashfs(const struct reader *reader, struct image_place *place, struct error *error);

#endif
