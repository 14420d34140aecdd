/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECOVERY_PIPE_H
#define RECOVERY_PIPE_H

/*
 * What the updater tells recovery while it works, spec/lineage.md 2.6. The updater may come out of any package: every
 * value is checked, and a line that makes no sense is logged and changes nothing.
 */
#include "base/log.h"
#include <stdbool.h>
#include <stdint.h>

struct pipe_state {
	/* Progress: segments follow each other; within the current one the larger of told and animated counts. */
	double start;        /* of the segment, 0 to 1 */
	double length;       /* of the segment, start + length <= 1 */
	double done;         /* of the segment, 0 to 1 */
	double seconds;      /* in which the segment fills by itself; 0: it does not */
	uint64_t started_ms; /* when it began */

	int code;        /* of the last "log error:", enum result_code; 0: none */
	char cause[400]; /* of the last "log cause:" */
	bool wipe_cache;
};

/* text is cut apart. */
void pipe_line(struct pipe_state *state, char *text, uint64_t now_ms, const struct log *log);

/* How much of its work the updater has done, 0 to 1; rises only. */
double pipe_fraction(struct pipe_state *state, uint64_t now_ms);

#endif
