/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_STORAGE_IN_PLACE_H
#define TESTS_STORAGE_IN_PLACE_H

/* An upgrade in place as whoever has a patch does it, and power cuts in it. */
#include "tests/storage/harness.h"

#define JOURNAL "/cache/units"

struct in_place {
	struct storage_name name;
	uint32_t unit;
	size_t length;
	const uint8_t *before; /* length bytes each */
	const uint8_t *after;
};

int in_place_open(struct fixture *f, const struct in_place *plan, struct storage_units **units);

/* Change every unit that is not as it shall be, the last one first. The first error. */
int in_place_run(struct fixture *f, const struct in_place *plan);

/* Each unit must be old or new, or, with all, be new; the journal must be gone. */
void in_place_check(struct fixture *f, const struct in_place *plan, bool all);

/*
 * Every call of the medium in turn fails with all that follow, as if power had gone; what an erase, a program or a
 * write was about to do is half done. After each of these, recover, check, run to the end, check. begin() makes the
 * fixture (and may add rules that outlast the cut). Returns how often power went.
 */
unsigned in_place_cut(const struct in_place *plan, void (*begin)(struct fixture *f));

#endif
