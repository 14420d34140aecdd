/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_SPACE_H
#define PATCH_SPACE_H

/*
 * Which programs an image holds, and at which addresses they find its bytes: ELF files of 32-bit ARM wherever they lie
 * in it, also those that their file system has torn apart, and all the rest of a region as one program.
 */
#include "patch/match.h"
#include "patch/predict.h"
#include "patch/region.h"
#include <stdbool.h>

#define SPACE_BLOCK_LOG 10

/*
 * Fill a space that is to be freed in any case. Only what has one of these blocks (a byte each) that are changed is
 * told of: nothing else need be predicted.
 */
int space_find(struct predict_space *space, const struct region_image *image, const uint8_t *is_changed,
               const struct regions *regions, struct error *error);

/* Whether the whole image is one ELF file, which tells all addresses itself. */
bool space_is_told(const struct image *image);

void space_free(struct predict_space *space);

#endif
