/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/engine.h"

#include "tests/powercut/walker.h"
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FAILURES_SHOWN 10u

static void run_apart(struct walker *walker)
{
	if (walker_fork(walker, &walker->schedule))
		walker_finish(walker);
	walker_wait(walker, 0);
}

/* The run without cuts: how many operations there are, and what they cost. Then a fresh module. */
static struct walker *begin(struct engine *engine, const struct reference *reference, enum loader loader)
{
	struct walker *walker;

	memset((void *)engine->tally, 0, sizeof(*engine->tally));
	walker = walker_new(engine, reference, loader);
	walker->plan = true;
	run_apart(walker);
	walker_free(walker);
	walker = walker_new(engine, reference, loader);
	walker->module->planned_erases = atomic_load(&engine->tally->erases);
	return walker;
}

void engine_singles(struct engine *engine, const struct reference *reference, enum loader loader, engine_filter *filter)
{
	struct walker *walker = begin(engine, reference, loader);

	walker->filter = filter;
	walker->module->decide = walker_decide_singles;
	run_apart(walker);
	walker_free(walker);
}

void engine_pairs(struct engine *engine, const struct reference *reference, enum loader loader)
{
	struct walker *walker = begin(engine, reference, loader);

	walker->module->decide = walker_decide_first;
	run_apart(walker);
	walker_free(walker);
}

void engine_random(struct engine *engine, const struct reference *reference, enum loader loader, unsigned count)
{
	struct walker *walker = begin(engine, reference, loader);

	for (unsigned i = 0; i < count; i++) {
		struct schedule schedule = walker->schedule;

		schedule.random = true;
		schedule.seed = scatter(engine->seed + i) >> 16;
		if (!walker_fork(walker, &schedule))
			continue;
		walker_randomize(walker, schedule.seed);
		walker_finish(walker);
	}
	walker_wait(walker, 0);
	walker_free(walker);
}

static void tell_operation(void *ctx, const struct cut_point *point, unsigned decision)
{
	const struct walker *walker = ctx;

	(void)printf("%6u %s %s", walker->module->operation, point->verb, point->object);
	if (point->length > 0)
		(void)printf(" %llu+%llu", (unsigned long long)point->offset, (unsigned long long)point->length);
	if (decision != CUT_NONE)
		(void)printf("   <---- CUT %u: %s", walker->module->cuts + 1,
		             decision == CUT_BEFORE  ? "before"
		             : decision == CUT_AFTER ? "after"
		                                     : "torn");
	(void)putchar('\n');
}

static unsigned decide_aloud(void *ctx, const struct cut_point *point)
{
	struct walker *walker = ctx;
	unsigned decision =
		walker->schedule.random ? walker_decide_random(ctx, point) : walker_decide_follow(ctx, point);

	tell_operation(ctx, point, decision);
	return decision;
}

bool engine_replay(struct engine *engine, const struct reference *reference, const struct schedule *schedule,
                   const struct log *log)
{
	struct walker *walker = begin(engine, reference, schedule->loader);
	const struct module *module = walker->module;
	bool good;

	if (schedule->random)
		walker_randomize(walker, schedule->seed);
	else
		walker->schedule = *schedule;
	walker->module->decide = decide_aloud;
	walker->module->log = log;
	module_run(walker->module);
	good = module->violations == 0;
	(void)printf("%u boots, %u cuts: %s\n", module->boots, module->cuts,
	             !good                 ? module->violation
	             : module->beyond_help ? "beyond help: LK lost the message while the kernel was half written"
	                                   : "nothing is wrong");
	walker_free(walker);
	return good;
}

struct engine engine_new(void)
{
	long jobs = sysconf(_SC_NPROCESSORS_ONLN);
	struct engine engine = {.jobs = jobs > 0 ? (unsigned)jobs : 1, .shown = FAILURES_SHOWN, .seed = 1};

	engine.tally = mmap(NULL, sizeof(*engine.tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (engine.tally == MAP_FAILED)
		reference_die("no shared memory");
	return engine;
}

void engine_free(struct engine *engine)
{
	(void)munmap((void *)engine->tally, sizeof(*engine->tally)); /* fails for wrong arguments only */
}
