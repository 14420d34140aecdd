/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_POWERCUT_WALKER_H
#define TESTS_POWERCUT_WALKER_H

/* One process's way through a schedule, and the processes that branch off from it. Private to the engine. */
#include "tests/powercut/engine.h"

#include <sys/types.h>

#define WALKER_CHILDREN 64

struct walker {
	struct engine *engine;
	struct module *module;
	struct schedule schedule; /* as far as it has come; all of it when it follows one */
	bool plan;                /* without cuts, to see what that takes */
	bool branched;            /* it took a cut that its parent did not */
	engine_filter *filter;
	unsigned next;   /* cut to follow */
	uint64_t random; /* state of the generator */
	unsigned density;
	unsigned limit; /* of children */
	unsigned alive;
	struct {
		pid_t pid;
		struct schedule schedule;
	} children[WALKER_CHILDREN];
};

/* A module as it leaves the factory; no cuts. */
struct walker *walker_new(struct engine *engine, const struct reference *reference, enum loader loader);
void walker_free(struct walker *walker);

/* Ways to decide, of struct module's type; ctx is the walker. */
unsigned walker_decide_nothing(void *ctx, const struct cut_point *point);
unsigned walker_decide_follow(void *ctx, const struct cut_point *point);
unsigned walker_decide_singles(void *ctx, const struct cut_point *point); /* a child for each way to cut */
unsigned walker_decide_first(void *ctx, const struct cut_point *point);   /* whose children do the same once more */
unsigned walker_decide_random(void *ctx, const struct cut_point *point);

/* Cuts, and perhaps worn blocks, as this seed has them. */
void walker_randomize(struct walker *walker, uint64_t seed);

/* True in the child. In the parent once fewer than limit others are alive; the schedule is told if the child crashes.
 */
bool walker_fork(struct walker *walker, const struct schedule *schedule);
void walker_wait(struct walker *walker, unsigned most_alive);

/* To its end, in this process, which then ends. Counts it in the tally, unless it is only where others branched off. */
_Noreturn void walker_finish(struct walker *walker);

#endif
