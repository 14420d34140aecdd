/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_MODEL_H
#define PATCH_MODEL_H

/*
 * What a patch says of addresses (struct prediction), found for a pair of images and their alignment: such that the new
 * image differs from what is predicted of the old one in as few bytes as can be.
 */
#include "patch/align.h"
#include "patch/predict.h"
#include "patch/region.h"
#include "patch/space.h"

#define MODEL_BLOCK_LOG SPACE_BLOCK_LOG

/*
 * To be freed in any case. The kinds are those of all blocks of 2^MODEL_BLOCK_LOG bytes of the new image. Costs about
 * 60 bytes for each address that the images name while it works.
 */
int prediction_make(struct prediction *prediction, const struct region_image *old, const struct region_image *new,
                    const struct alignment *alignment, struct error *error);

void prediction_free(struct prediction *prediction);

#endif
