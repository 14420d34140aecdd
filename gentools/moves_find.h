/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GENTOOLS_MOVES_FIND_H
#define GENTOOLS_MOVES_FIND_H

/* Which old files new ones may be made of. Private to gentools/moves*. */
#include "gentools/plan.h"

/* An old file whose content is known to be on the module until files are changed in place. */
struct moves_source {
	const struct object *object;
	bool gone;  /* the target has nothing there */
	bool taken; /* a new file takes its place */
};

/* One way to make a new file. */
struct moves_offer {
	size_t step;        /* of the plan, a STEP_WHOLE */
	unsigned rank;      /* among the step's: 0 is the likeliest */
	size_t source;      /* in sources */
	bool same;          /* content */
	struct step *trial; /* the patch, if it is not the same */
	int64_t saved;      /* bytes of the package */
};

struct moves_search {
	struct moves_source *sources; /* in the order of the tree */
	size_t source_count;
	struct moves_offer *offers; /* in the order of the plan, then by rank, at most MOVES_OFFERS for a step */
	size_t offer_count;
};

#define MOVES_OFFERS 2

/* Files of fewer bytes are as short whole as what tells how to make them. */
#define MOVES_LEAST 512

/*
 * Offers for all new files. copies: also of files that stay. Ends with moves_search_free(), also after a failure: a
 * negative errno value.
 */
int moves_find(struct moves_search *search, const struct plan *plan, const struct tree *source, unsigned parts,
               bool copies);
void moves_search_free(struct moves_search *search);

#endif
