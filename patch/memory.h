/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_MEMORY_H
#define PATCH_MEMORY_H

/* What applying a patch takes, for those who count it and those who make patches that keep a limit. */
#include "patch/patch.h"

/* A decoder of bzip2, by its manual; and what bsdiff_apply() has beside its three. */
#define BZIP_MEMORY(level) (100000u + 400000u * (unsigned)(level))
#define BESIDE_MEMORY      (256u << 10)
/* What a DEFLATE chunk has beside its bsdiff: saved inflate states, a cache of blocks, a deflate state. */
#define INFLATING_MEMORY (PATCH_IMGDIFF2_MEMORY - PATCH_BSDIFF40_MEMORY)

#endif
