/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/deltas.h"

#include "gentools/delta.h"
#include "gentools/needs.h"
#include "gentools/squeeze.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that a copy of an old image takes in /cache beside its content, rather more. */
#define COPY_OVERHEAD ((uint64_t)128 << 10)

/* What all workers share; the lock guards what lies below it. */
struct deltas {
	struct plan *plan;
	struct step **order; /* the steps to make a patch for, the largest first, so that no worker ends much later */
	size_t count;
	struct delta_options options;
	uint64_t scratch; /* limit of the room in /cache; 0: none */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t next;   /* of order[], to be taken */
	uint64_t work; /* that is done */
	int err;       /* of the first that failed; no more are taken */
	struct error error;
};

struct worker {
	struct deltas *deltas;
	struct spool *spool; /* its own */
	pthread_t thread;
};

/* Equal ones in the plan's order, so that a single worker always takes the same way. */
static int compare_work(const void *a, const void *b)
{
	const struct step *first = *(struct step *const *)a;
	const struct step *second = *(struct step *const *)b;

	if (step_work(first) != step_work(second))
		return step_work(first) < step_work(second) ? 1 : -1;
	return first < second ? -1 : first > second;
}

static struct step *take_step(struct deltas *d)
{
	struct step *step = NULL;

	(void)pthread_mutex_lock(&d->lock); /* cannot fail: it is neither recursive nor checked */
	if (d->err == 0 && d->next < d->count)
		step = d->order[d->next++];
	(void)pthread_mutex_unlock(&d->lock);
	return step;
}

static void end_step(struct deltas *d, struct step *step, int err, const struct error *error)
{
	(void)pthread_mutex_lock(&d->lock);
	step->ready = err == 0;
	d->work += step_work(step);
	if (err < 0 && d->err == 0) {
		d->err = err;
		d->error = *error;
	}
	(void)pthread_cond_signal(&d->changed);
	(void)pthread_mutex_unlock(&d->lock);
}

/* Whether the modules have room for a copy of the old image. They are not asked for that of a volume. */
static bool may_copy(const struct deltas *d, const struct step *step)
{
	return !step->new->volume && (d->scratch == 0 || d->scratch >= step->old->data.size + COPY_OVERHEAD);
}

/*
 * A patch in place sees nothing of what is inside of a compressed part that lies over several units, as all of a kernel
 * does. Where that is worth an eighth of the image, a patch for a copy is the better one.
 */
static int prefer_copy(const struct worker *worker, struct step *step, struct error *error)
{
	struct delta_options options = worker->deltas->options;
	struct extent copy;
	uint64_t bytes = 0;
	uint64_t copy_bytes = 0;
	int err = delta_make(&step->old->data, &step->new->data, &options, worker->spool, &copy, error);

	if (err < 0)
		return err;
	err = squeeze_size(&step->data, &bytes);
	if (err == 0)
		err = squeeze_size(&copy, &copy_bytes);
	if (err < 0)
		return error_set(error, 0, -err, "cannot compare patches: %s", strerror(-err));
	if (copy_bytes + step->new->data.size / 8 < bytes) {
		step->data = copy;
		step->unit = 0;
	}
	return 0;
}

static int make_patch(const struct worker *worker, struct step *step, struct error *error)
{
	struct delta_options options = worker->deltas->options;
	int err;

	options.unit = step->unit;
	err = delta_make(&step->old->data, &step->new->data, &options, worker->spool, &step->data, error);
	return err == 0 && step->unit > 0 && may_copy(worker->deltas, step) ? prefer_copy(worker, step, error) : err;
}

static void *run_worker(void *ctx)
{
	struct worker *worker = ctx;
	struct step *step;

	while ((step = take_step(worker->deltas))) {
		struct error error = {0};
		int err = make_patch(worker, step, &error);

		if (err < 0)
			error_prefix(&error, "%s", step->path);
		end_step(worker->deltas, step, err, &error);
	}
	return NULL;
}

/* Until the step is ready, or one has failed; a step without a patch, or with one that was made before, always is. */
static int wait_for(struct deltas *d, const struct step *step, uint64_t *work)
{
	int err;

	(void)pthread_mutex_lock(&d->lock);
	while (d->err == 0 && !step->ready && d->work == *work)
		(void)pthread_cond_wait(&d->changed, &d->lock);
	*work = d->work;
	err = d->err;
	(void)pthread_mutex_unlock(&d->lock);
	return err;
}

static bool is_ready(struct deltas *d, const struct step *step)
{
	bool ready;

	(void)pthread_mutex_lock(&d->lock);
	ready = (step->same ? step->same : step)->ready;
	(void)pthread_mutex_unlock(&d->lock);
	return ready;
}

static void follow(struct deltas *d, const struct gen_progress *progress, const struct log *log)
{
	uint64_t total = 0;
	uint64_t work = 0;

	for (size_t i = 0; i < d->count; i++)
		total += step_work(d->order[i]);
	for (size_t i = 0; i < d->plan->count; i++) {
		struct step *step = &d->plan->steps[i];

		while (!is_ready(d, step)) {
			if (wait_for(d, step, &work) < 0)
				return;
			gen_show_progress(progress, "making patches", total ? (double)work / (double)total : 1);
		}
		if (step->same) {
			step->data = step->same->data;
			step->unit = step->same->unit;
		}
		step_log(step, log);
	}
}

static int collect(struct deltas *d)
{
	d->order = calloc(d->plan->count + 1, sizeof(struct step *));
	if (!d->order)
		return -ENOMEM;
	for (size_t i = 0; i < d->plan->count; i++) {
		struct step *step = &d->plan->steps[i];

		step->ready = !step_is_patch(step) || step->data.spool;
		if (!step->ready && !step->same)
			d->order[d->count++] = step;
	}
	qsort(d->order, d->count, sizeof(struct step *), compare_work);
	return 0;
}

/* The number of workers that run; those that the system does not give are done without, but for the first. */
static unsigned start(struct deltas *d, struct worker *workers, unsigned jobs, int *err)
{
	for (unsigned i = 0; i < jobs; i++) {
		workers[i] = (struct worker){.deltas = d, .spool = &d->plan->patches[i]};
		*err = spool_open(workers[i].spool);
		if (*err == 0)
			*err = -pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]);
		if (*err < 0)
			return i;
	}
	return jobs;
}

int deltas_make(struct plan *plan, const struct gen_options *options, const struct log *log, struct error *error)
{
	struct deltas d = {.plan = plan, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	struct worker *workers;
	unsigned jobs = options->jobs;
	unsigned running = 0;
	int err = collect(&d);

	d.options = (struct delta_options){.memory = needs_patch_memory(&options->limits, d.count),
	                                   .native = options->native};
	d.scratch = options->limits.scratch;
	if (jobs > d.count)
		jobs = (unsigned)d.count;
	if (jobs == 0)
		jobs = 1;
	workers = calloc(jobs, sizeof(*workers));
	if (err == 0)
		err = workers ? plan_add_spools(plan, jobs) : -ENOMEM;
	if (err == 0)
		running = start(&d, workers, jobs, &err);
	if (running == 0) {
		err = error_set(error, 0, -err, "%s: cannot make patches: %s", spool_folder(), strerror(-err));
		goto out;
	}
	follow(&d, &options->progress, log);
	for (unsigned i = 0; i < running; i++)
		(void)pthread_join(workers[i].thread, NULL); /* cannot fail: it runs, and nobody else waits for it */
	err = d.err;
	if (err < 0 && error)
		*error = d.error;
out:
	free(workers);
	free(d.order);
	return err;
}
