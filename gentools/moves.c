/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/moves.h"

#include "gentools/deltas.h"
#include "gentools/moves_find.h"
#include "gentools/squeeze.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* About what these take in a package, bytes: a line of the script, and the headers of an entry without its names. */
#define LINE_SIZE  ((int64_t)70)
#define ENTRY_SIZE ((int64_t)76)
#define PATCH_SIZE (ENTRY_SIZE + 10) /* with its name */
#define NO_CHANGE  ((int64_t)150)    /* a patch that changes nothing */

/* As a rename, the cheaper of the two. */
static int64_t offer_size(const struct moves_offer *offer)
{
	return offer->same ? LINE_SIZE : 3 * LINE_SIZE + PATCH_SIZE + (int64_t)offer->trial->data.size;
}

/* ---- Trials ---- */

static int make_trials(struct moves_search *search, const struct plan *plan, struct plan *trials,
                       const struct gen_options *options, struct error *error)
{
	trials->steps = calloc(search->offer_count + 1, sizeof(*trials->steps));
	if (!trials->steps)
		return error_set(error, 0, ENOMEM, "out of memory");
	for (size_t i = 0; i < search->offer_count; i++) {
		struct moves_offer *offer = &search->offers[i];
		const struct step *step = &plan->steps[offer->step];

		if (offer->same)
			continue;
		offer->trial = &trials->steps[trials->count++];
		*offer->trial = (struct step){
			.kind = STEP_PATCH,
			.path = step->path,
			.old = search->sources[offer->source].object,
			.new = step->new,
		};
	}
	return deltas_make(trials, options, NULL, error);
}

static int measure(struct moves_search *search, const struct plan *plan)
{
	int64_t whole = 0;

	for (size_t i = 0; i < search->offer_count; i++) {
		struct moves_offer *offer = &search->offers[i];
		const struct step *step = &plan->steps[offer->step];

		if (i == 0 || offer->step != offer[-1].step) {
			uint64_t size;
			int err = squeeze_size(&step->new->data, &size);

			if (err < 0)
				return err;
			whole = (int64_t)size + ENTRY_SIZE + 2 * (int64_t)strlen(step->entry);
		}
		offer->saved = whole - offer_size(offer);
	}
	return 0;
}

/* ---- The choice ---- */

/* The greatest saving first; among equals the plan's order, and within a step the likelier one. */
static int compare_offers(const void *a, const void *b)
{
	const struct moves_offer *first = a;
	const struct moves_offer *second = b;

	if (first->saved != second->saved)
		return first->saved < second->saved ? 1 : -1;
	if (first->step != second->step)
		return first->step < second->step ? -1 : 1;
	return (first->rank > second->rank) - (first->rank < second->rank);
}

/* The offer's own source, or else another one of the same content; NULL when all went to others. */
static struct moves_source *find_free(struct moves_search *search, const struct moves_offer *offer)
{
	struct moves_source *own = &search->sources[offer->source];

	if (own->gone && !own->taken)
		return own;
	for (size_t i = 0; i < search->source_count; i++) {
		struct moves_source *source = &search->sources[i];

		if (source->gone && !source->taken && digest_equal(&source->object->digest, &own->object->digest) &&
		    plan_part_of(source->object->path) == plan_part_of(own->object->path))
			return source;
	}
	return NULL;
}

/* What is renamed need not be deleted. */
static void drop_deletion(struct plan *plan, const struct object *old)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].kind == STEP_DELETE && plan->steps[i].old == old)
			plan->steps[i].moot = true;
}

static int take_offer(struct moves_search *search, struct plan *plan, const struct moves_offer *offer, bool copies,
                      struct error *error)
{
	struct step *step = &plan->steps[offer->step];
	struct moves_source *source = find_free(search, offer);
	int err;

	if (source) {
		source->taken = true;
		drop_deletion(plan, source->object);
		err = plan_take_old(step, STEP_RENAME, source->object, error);
	} else if (copies && (offer->trial || offer->saved > 2 * LINE_SIZE + PATCH_SIZE + NO_CHANGE)) {
		err = plan_take_old(step, STEP_COPY, search->sources[offer->source].object, error);
	} else {
		return 0;
	}
	if (err == 0 && offer->trial)
		step->data = offer->trial->data;
	return err;
}

/* A rename makes the folders of its new path: they need no entries. */
static void spare_folders(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		for (size_t k = 0; plan->steps[i].kind == STEP_RENAME && k < plan->count; k++) {
			struct step *folder = &plan->steps[k];

			if (folder->kind != STEP_DIRECTORY || !path_in(plan->steps[i].path, folder->path))
				continue;
			free(folder->entry);
			folder->entry = NULL;
		}
	}
}

int moves_choose(struct plan *plan, struct plan *trials, const struct tree *source, const struct gen_options *options,
                 struct error *error)
{
	struct moves_search search;
	int err = moves_find(&search, plan, source, options->parts, options->native);

	if (err < 0)
		err = error_set(error, 0, -err, "cannot compare files: %s", strerror(-err));
	if (err < 0 || search.offer_count == 0)
		goto out;
	err = make_trials(&search, plan, trials, options, error);
	if (err < 0)
		goto out;
	err = measure(&search, plan);
	if (err < 0) {
		err = error_set(error, 0, -err, "cannot compare files: %s", strerror(-err));
		goto out;
	}
	qsort(search.offers, search.offer_count, sizeof(*search.offers), compare_offers);
	for (size_t i = 0; err == 0 && i < search.offer_count && search.offers[i].saved > 0; i++)
		if (plan->steps[search.offers[i].step].kind == STEP_WHOLE)
			err = take_offer(&search, plan, &search.offers[i], options->native, error);
	plan_drop_moot(plan);
	spare_folders(plan);
out:
	moves_search_free(&search);
	return err;
}
