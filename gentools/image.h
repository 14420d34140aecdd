/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_IMAGE_H
#define GENTOOLS_IMAGE_H

/*
 * Build output of modules with UBI has file systems as images. One whose name is SYSTEM or NON-HLOS, in any case, with
 * the suffix .ubi, .ubifs, .squashfs, .sqsh or .img, at the root or in the folder IMAGES, stands for SYSTEM or
 * SYSTEM/firmware, where nothing of that is there unpacked. Its content tells what it is: UBIFS, squashfs, or a
 * flash's image with UBI. Of the latter SYSTEM takes the volume rootfs or system, and SYSTEM/firmware, of either image,
 * the volume modem or firmware; a single volume may have any name. A squashfs is kept as it is, too
 * (gentools/volumes.h).
 */
#include "gentools/tree.h"

/* Unpack the images among the tree's objects, whatever their order is. What is not used goes to the tree's notes. */
int image_unpack_all(struct tree *tree, struct error *error);

#endif
