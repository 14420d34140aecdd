/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/walker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define RANDOM_CUTS       25u
#define SECONDS_MAX       120 /* of the processor that one process may take: far more than any does */
#define ERASES_WORN       16u /* that a block which fails may cost */
#define WORN_MAX          6u  /* erases and programs that a worn block still takes */
#define WORN_MISC_MAX     12u /* the same in misc */
#define NAND_BLOCKS(size) (((size) + BLOCK_SIZE_OF_NAND - 1) / BLOCK_SIZE_OF_NAND)

struct walker *walker_new(struct engine *engine, const struct reference *reference, enum loader loader)
{
	struct walker *walker = calloc(1, sizeof(*walker));

	if (!walker)
		reference_die("no memory");
	walker->engine = engine;
	walker->limit = engine->jobs < WALKER_CHILDREN ? engine->jobs : WALKER_CHILDREN;
	walker->schedule.package = reference->name;
	walker->schedule.loader = loader;
	walker->module = module_new(reference, loader);
	walker->module->planned_erases = UINT64_MAX;
	walker->module->decide = walker_decide_nothing;
	walker->module->decide_ctx = walker;
	return walker;
}

void walker_free(struct walker *walker)
{
	module_free(walker->module);
	free(walker);
}

/* ---- Results ---- */

static void raise_to(atomic_ullong *most, unsigned long long value)
{
	unsigned long long now = atomic_load(most);

	while (now < value && !atomic_compare_exchange_weak(most, &now, value))
		;
}

static void tell_failure(const struct walker *walker, const struct schedule *schedule, const char *what)
{
	struct tally *tally = walker->engine->tally;
	char key[KEY_SIZE];
	char line[2 * KEY_SIZE];
	int length;

	atomic_fetch_add(&tally->failures, 1);
	if (atomic_fetch_add(&tally->printed, 1) >= walker->engine->shown)
		return;
	length = snprintf(line, sizeof(line), "FAILED %s: %s\n", schedule_format(schedule, key), what);
	/* One write, so that the lines of several processes stay apart. */
	if (write(STDOUT_FILENO, line, (size_t)length) != length)
		abort();
}

_Noreturn void walker_finish(struct walker *walker)
{
	struct module *module = walker->module;
	struct tally *tally = walker->engine->tally;

	module_run(module);
	walker_wait(walker, 0);
	if (walker->plan) {
		atomic_store(&tally->operations, module->operation);
		atomic_store(&tally->erases, medium_figures(module->medium).erases);
	}
	if (walker->plan || walker->branched) {
		atomic_fetch_add(&tally->schedules, 1);
		atomic_fetch_add(&tally->boots, module->boots);
		raise_to(&tally->heap, module->heap_peak);
		raise_to(&tally->scratch, module->scratch_peak);
		if (module->beyond_help)
			atomic_fetch_add(&tally->beyond_help, 1);
		if (module->violations > 0)
			tell_failure(walker, &walker->schedule, module->violation);
	}
	_exit(0);
}

/* ---- Processes ---- */

/* One child is gone. */
static void reap(struct walker *walker)
{
	int status;
	pid_t pid = waitpid(-1, &status, 0);
	unsigned i = 0;
	char text[64];

	if (pid < 0 && errno == EINTR)
		return;
	while (i < walker->alive && walker->children[i].pid != pid)
		i++;
	if (pid < 0 || i == walker->alive)
		reference_die("a process is lost");
	if (WIFSIGNALED(status))
		(void)snprintf(text, sizeof(text), "it was ended by signal %d", WTERMSIG(status));
	else
		(void)snprintf(text, sizeof(text), "it ended with status %d", WEXITSTATUS(status));
	if (status != 0)
		tell_failure(walker, &walker->children[i].schedule, text);
	walker->children[i] = walker->children[--walker->alive];
}

void walker_wait(struct walker *walker, unsigned most_alive)
{
	while (walker->alive > most_alive)
		reap(walker);
}

bool walker_fork(struct walker *walker, const struct schedule *schedule)
{
	/* Not by the clock: most of that goes by in other processes, and on a machine that has other work. */
	const struct itimerval end = {.it_value = {.tv_sec = SECONDS_MAX}};
	pid_t pid;

	walker_wait(walker, walker->limit - 1);
	pid = fork();
	if (pid < 0)
		reference_die("fork: %s", strerror(errno));
	if (pid > 0) {
		walker->children[walker->alive].pid = pid;
		walker->children[walker->alive].schedule = *schedule;
		walker->alive++;
		return false;
	}
	walker->alive = 0;
	(void)setitimer(ITIMER_PROF, &end, NULL); /* fails for wrong arguments only */
	return true;
}

/* ---- Decisions ---- */

static unsigned take(struct walker *walker, const struct cut *cut)
{
	walker->schedule.cuts[walker->schedule.count++] = *cut;
	walker->module->survival = cut->survival;
	walker->module->seed = cut->seed;
	return cut->variant;
}

/* In a child: lose power like this, and then follow this way. CUT_NONE in the parent. */
static unsigned branch(struct walker *walker, const struct cut *cut,
                       unsigned (*then)(void *ctx, const struct cut_point *point))
{
	struct schedule schedule = walker->schedule;

	schedule.cuts[schedule.count++] = *cut;
	if (!walker_fork(walker, &schedule))
		return CUT_NONE;
	walker->branched = true;
	walker->module->decide = then;
	return take(walker, cut);
}

/* A cut here, its details drawn from its place in the schedule. */
static struct cut draw_cut(const struct walker *walker, unsigned variant, unsigned salt)
{
	struct cut cut = {.operation = walker->module->operation, .variant = variant};
	uint64_t number = scatter(walker->engine->seed);

	for (unsigned i = 0; i < walker->schedule.count; i++)
		number = scatter(number ^ walker->schedule.cuts[i].operation);
	number = scatter(number ^ ((uint64_t)cut.operation << 16 | variant << 8 | salt));
	cut.survival = (enum survival)(number % SURVIVAL_COUNT);
	cut.seed = (uint32_t)(number >> 32);
	return cut;
}

unsigned walker_decide_nothing(void *ctx, const struct cut_point *point)
{
	(void)ctx;
	(void)point;
	return CUT_NONE;
}

unsigned walker_decide_follow(void *ctx, const struct cut_point *point)
{
	struct walker *walker = ctx;
	const struct cut *cut = &walker->schedule.cuts[walker->next];

	if (walker->next == walker->schedule.count || cut->operation != walker->module->operation)
		return CUT_NONE;
	if (cut->variant >= CUT_TORN + point->tears)
		reference_die("operation %u, %s %s, has no such tear", cut->operation, point->verb, point->object);
	walker->next++;
	walker->module->survival = cut->survival;
	walker->module->seed = cut->seed;
	return cut->variant;
}

/* Every survival rule; or the two plain ones and a third one before it, a drawn one in and behind it. */
static bool is_wanted(const struct walker *walker, unsigned variant, unsigned survival, enum survival drawn)
{
	bool is_plain = survival == SURVIVAL_NOTHING || survival == SURVIVAL_EVERYTHING;

	return walker->engine->every || survival == drawn || (variant == CUT_BEFORE && is_plain);
}

unsigned walker_decide_singles(void *ctx, const struct cut_point *point)
{
	struct walker *walker = ctx;
	unsigned decision;

	if (walker->filter && !walker->filter(walker->module, point))
		return CUT_NONE;
	for (unsigned variant = CUT_BEFORE; variant < CUT_TORN + point->tears; variant++) {
		struct cut cut = draw_cut(walker, variant, 0);
		enum survival drawn = cut.survival;

		for (unsigned survival = 0; survival < SURVIVAL_COUNT; survival++) {
			cut.survival = (enum survival)survival;
			if (!is_wanted(walker, variant, survival, drawn))
				continue;
			atomic_fetch_add(&walker->engine->tally->cut_points, 1);
			decision = branch(walker, &cut, walker_decide_nothing);
			if (decision != CUT_NONE)
				return decision;
		}
	}
	return CUT_NONE;
}

/* Second cuts: one way at each operation. */
static unsigned decide_second(void *ctx, const struct cut_point *point)
{
	struct walker *walker = ctx;
	struct cut cut = draw_cut(walker, CUT_BEFORE, 1);
	unsigned pick = cut.seed % (2 + point->tears);
	unsigned decision;

	cut.variant = pick < 2 ? CUT_BEFORE + pick : CUT_TORN + pick - 2;
	decision = branch(walker, &cut, walker_decide_nothing);
	walker_wait(walker, 0); /* as many processes as there are first cuts under way */
	return decision;
}

unsigned walker_decide_first(void *ctx, const struct cut_point *point)
{
	struct walker *walker = ctx;
	unsigned decision = CUT_NONE;

	for (unsigned kind = CUT_BEFORE; kind <= CUT_TORN && decision == CUT_NONE; kind++) {
		struct cut cut = draw_cut(walker, kind, 2);

		if (kind == CUT_TORN && point->tears == 0)
			break;
		if (kind == CUT_TORN)
			cut.variant = CUT_TORN + cut.seed % point->tears;
		atomic_fetch_add(&walker->engine->tally->cut_points, 1);
		decision = branch(walker, &cut, decide_second);
	}
	return decision;
}

/* ---- Random schedules ---- */

static uint64_t draw(struct walker *walker)
{
	walker->random = scatter(walker->random);
	return walker->random;
}

unsigned walker_decide_random(void *ctx, const struct cut_point *point)
{
	struct walker *walker = ctx;
	struct cut cut = {.operation = walker->module->operation};
	unsigned pick;

	if (walker->schedule.count == RANDOM_CUTS || draw(walker) % walker->density != 0)
		return CUT_NONE;
	pick = (unsigned)(draw(walker) % (2 + point->tears));
	cut.variant = pick < 2 ? CUT_BEFORE + pick : CUT_TORN + pick - 2;
	cut.survival = (enum survival)(draw(walker) % SURVIVAL_COUNT);
	cut.seed = (uint32_t)draw(walker);
	return take(walker, &cut);
}

/* The message's block, or one of the journal's. LK knows of no blocks that go bad. */
static bool wear_out_misc(struct walker *walker)
{
	if (walker->schedule.loader == LOADER_LK || module_misc_blocks(walker->module) < 4 || draw(walker) % 2 == 0)
		return false;
	medium_wear_out(walker->module->medium, "misc", (uint32_t)(draw(walker) % 3),
	                1 + (unsigned)(draw(walker) % WORN_MISC_MAX));
	walker->module->planned_erases += ERASES_WORN;
	return true;
}

/* One block of a partition that is written anew fails sooner or later; there are spare ones. */
static void wear_out(struct walker *walker)
{
	const struct reference *reference = walker->module->reference;
	const struct asset *worn = NULL;
	unsigned candidates = 0;

	for (unsigned i = 0; i < reference->asset_count; i++) {
		const struct asset *asset = &reference->assets[i];
		bool written = asset->whole || asset->unit || asset_needs_backup(asset);

		if (written && asset_is_nand(reference, asset) && draw(walker) % ++candidates == 0)
			worn = asset;
	}
	if (!worn)
		return;
	medium_wear_out(walker->module->medium, worn->place, (uint32_t)(draw(walker) % NAND_BLOCKS(worn->new.size)),
	                1 + (unsigned)(draw(walker) % WORN_MAX));
	walker->module->planned_erases += ERASES_WORN;
}

void walker_randomize(struct walker *walker, uint64_t seed)
{
	static const unsigned densities[] = {8, 20, 50, 100, 200, 400};

	walker->schedule.random = true;
	walker->schedule.seed = seed;
	walker->branched = true;
	walker->random = scatter(seed);
	walker->density = densities[draw(walker) % (sizeof(densities) / sizeof(densities[0]))];
	walker->module->decide = walker_decide_random;
	if (draw(walker) % 3 == 0 && !wear_out_misc(walker))
		wear_out(walker);
}
