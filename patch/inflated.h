/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PATCH_INFLATED_H
#define PATCH_INFLATED_H

/*
 * Random access to what a raw DEFLATE stream inflates to, without holding it: a first pass measures it and leaves saved
 * decoder states on the way, at most INFLATED_POINTS of them and evenly spread; a read starts at the one before it.
 * The last blocks stay in a cache, so that reading forward, or a little backward, inflates nothing twice. Below 4 MiB.
 */
#include "patch/codec.h"

#define INFLATED_BLOCK_SIZE ((size_t)32768)
#define INFLATED_SLOTS      32 /* blocks in the cache */
#define INFLATED_POINTS     64 /* even; each costs about 40 KiB */

struct inflated;

/*
 * deflated must outlive the result and fill the error itself (codec.h). size is what the patch claims: a stream that
 * inflates to anything else is a broken patch, found without storing more than the cache holds.
 */
int inflated_open(struct inflated **inflated, const struct reader *deflated, uint64_t size, struct error *error);

struct reader inflated_reader(struct inflated *inflated); /* fills the error itself */

void inflated_close(struct inflated *inflated); /* tolerates NULL */

#endif
