/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_MIX_H
#define GENTOOLS_MIX_H

/* Packages of some parts: what the modules run then is neither version (spec/requirements.md, weakness 25). */
#include "base/log.h"
#include "gentools/tree.h"

/* Parts (enum gen_part) that differ between the versions and are none of these: they stay as they are. */
unsigned mix_left_out(const struct tree *source, const struct tree *target, unsigned parts);

/* A warning about them. */
void mix_warn(unsigned left_out, const struct log *log);

/* What a part is called in the log and in figures: 0 for modem, 1 Linux, 2 kernel, 3 MULTIFOTA; NULL behind them. */
const char *mix_part_name(unsigned number);

#endif
