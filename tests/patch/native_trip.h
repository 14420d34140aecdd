/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PATCH_NATIVE_TRIP_H
#define TESTS_PATCH_NATIVE_TRIP_H

/* Native patches made, looked at, and applied. */
#include "tests/patch/support.h"

struct bytes native_make_patch(const struct bytes *old, const struct bytes *new, bool digests);

/* Valid as long as block and reader stay where they are. */
struct content content_of_bytes(struct memory_block *block, struct reader *reader, const struct bytes *bytes);

uint64_t native_memory(const struct bytes *patch); /* as the patch has it */

/* Make one and apply it, with digests and without: it gives the new bytes, in the memory that it says. */
void native_round_trip(const struct bytes *old, const struct bytes *new);
void native_round_trip_owned(struct bytes old, struct bytes new);

#endif
