/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_DELTA_INFO_H
#define GENTOOLS_DELTA_INFO_H

#include "patch/patch.h"

/* What a patch is made of, to standard output, for people or as JSON. -EIO when that cannot be written. */
int delta_print_info(const struct patch_native_info *info, uint64_t patch_size, bool json);

#endif
