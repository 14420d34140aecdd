/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_SPACE_H
#define PATCH_SPACE_H

/* Where the images' bytes are when their programs run, as far as the images tell. */
#include "patch/align.h"
#include "patch/predict.h"

/* Fills the prediction's spaces: those of ELF files, or of images that are loaded in one piece, wherever that is. */
int spaces_find(struct prediction *prediction, const struct image *old, const struct image *new,
                const struct alignment *alignment, struct error *error);

#endif
