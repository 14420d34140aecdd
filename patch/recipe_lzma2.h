/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_RECIPE_LZMA2_H
#define PATCH_RECIPE_LZMA2_H

/* The filters of a recipe, as liblzma takes them. */
#include "patch/recipe.h"
#include <lzma.h>

/* Not to be moved. */
struct lzma2_chain {
	lzma_options_lzma options;
	lzma_filter filters[3];
};
void lzma2_chain_set(struct lzma2_chain *chain, const struct recipe *recipe, uint32_t dictionary);

#endif
