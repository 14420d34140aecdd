/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_POWERCUT_ENGINE_H
#define TESTS_POWERCUT_ENGINE_H

/*
 * Runs schedules. A module is plain memory, so that the process forks at a cut point and each child goes on with one
 * way of losing power there: no beginning is ever run twice, and a crash of the code under test is one schedule's
 * failure.
 */
#include "tests/powercut/schedule.h"

#include <stdatomic.h>

/* What the processes of one test have counted together. */
struct tally {
	atomic_uint operations; /* of the run without cuts */
	atomic_uint cut_points; /* ways of losing power that were taken first */
	atomic_uint schedules;
	atomic_uint boots;
	atomic_uint failures;
	atomic_uint beyond_help;
	atomic_ullong erases; /* of the run without cuts */
	atomic_ullong heap;   /* the most of any */
	atomic_ullong scratch;
	atomic_uint printed; /* failures */
};

struct engine {
	unsigned jobs;  /* processes at a time */
	unsigned shown; /* failures of a test that are printed */
	bool every;     /* every survival rule at each cut, not only some */
	uint64_t seed;
	struct tally *tally; /* shared by all processes; zeroed by each of the functions below */
};

/* Memory runs out: ends the program. */
struct engine engine_new(void);
void engine_free(struct engine *engine);

/* Cut points that count, or NULL for all. */
typedef bool engine_filter(const struct module *module, const struct cut_point *point);

/* The run without cuts, then each single cut. */
void engine_singles(struct engine *engine, const struct reference *reference, enum loader loader,
                    engine_filter *filter);

/* Each pair of cuts, each in one way that a hash of both tells; the first one in a few. */
void engine_pairs(struct engine *engine, const struct reference *reference, enum loader loader);

/* So many random deep schedules, from the engine's seed on. */
void engine_random(struct engine *engine, const struct reference *reference, enum loader loader, unsigned count);

/* Exactly this one, in this process, telling each operation; log: of the module. False when something is wrong. */
bool engine_replay(struct engine *engine, const struct reference *reference, const struct schedule *schedule,
                   const struct log *log);

#endif
