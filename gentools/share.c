/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_digests(const struct digest_value *a, const struct digest_value *b)
{
	return memcmp(a->bytes, b->bytes, digest_size(a->kind));
}

static int compare_contents(const struct step *a, const struct step *b)
{
	int order = compare_digests(&a->old->sha1, &b->old->sha1);

	return order ? order : compare_digests(&a->new->sha1, &b->new->sha1);
}

/* Among equals the plan's order. */
static int compare_patches(const void *a, const void *b)
{
	const struct step *first = *(struct step *const *)a;
	const struct step *second = *(struct step *const *)b;
	int order = compare_contents(first, second);

	return order ? order : first < second ? -1 : first > second;
}

static int name_patches(struct plan *plan)
{
	size_t number = 0;

	for (size_t i = 0; i < plan->count; i++) {
		struct step *step = &plan->steps[i];
		int length = 0;

		if (step->same)
			step->entry = strdup(step->same->entry);
		else if (step_is_patch(step))
			length = asprintf(&step->entry, "p/%zu", ++number);
		if (length < 0 || (step->same && !step->entry)) {
			step->entry = NULL;
			return -ENOMEM;
		}
	}
	return 0;
}

int plan_share_patches(struct plan *plan, struct error *error)
{
	struct step **patches = calloc(plan->count + 1, sizeof(struct step *));
	size_t count = 0;
	int err = patches ? 0 : -ENOMEM;

	for (size_t i = 0; patches && i < plan->count; i++)
		if (step_is_patch(&plan->steps[i]))
			patches[count++] = &plan->steps[i];
	if (count > 0)
		qsort(patches, count, sizeof(struct step *), compare_patches);
	for (size_t i = 1; i < count; i++) {
		if (compare_contents(patches[i - 1], patches[i]) != 0)
			continue;
		patches[i]->same = patches[i - 1]->same ? patches[i - 1]->same : patches[i - 1];
		patches[i - 1]->next_same = patches[i];
	}
	free(patches);
	if (err == 0)
		err = name_patches(plan);
	return err < 0 ? error_set(error, 0, -err, "out of memory") : 0;
}

const struct step *plan_next(const struct plan *plan, const struct step *step)
{
	size_t next = 0;

	if (step && step->next_same)
		return step->next_same;
	if (step)
		next = (size_t)((step->same ? step->same : step) - plan->steps) + 1;
	while (next < plan->count && plan->steps[next].same)
		next++;
	return next < plan->count ? &plan->steps[next] : NULL;
}
