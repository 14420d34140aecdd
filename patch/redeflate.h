/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_REDEFLATE_H
#define PATCH_REDEFLATE_H

/*
 * A sink that deflates into another sink as it is written to, up to about 400 KiB of memory. The bytes equal those of
 * one deflate() call over the whole for levels 1 to 9; level 0 cuts stored blocks by how the data arrived.
 */
#include "patch/codec.h"

/* As IMGDIFF2 stores them: zlib's deflateInit2 parameters. */
struct deflate_params {
	int32_t level;
	int32_t method;
	int32_t window_bits; /* negative: raw */
	int32_t mem_level;
	int32_t strategy;
};

struct redeflate;

/* Parameters that zlib does not know, or that are not raw, are a broken patch. The sink fills the error itself. */
int redeflate_open(struct redeflate **redeflate, const struct deflate_params *params, const struct sink *sink,
                   struct error *error);

struct sink redeflate_sink(struct redeflate *redeflate);

int redeflate_finish(struct redeflate *redeflate); /* write out the end of the deflated data */

void redeflate_close(struct redeflate *redeflate); /* tolerates NULL */

#endif
