/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/plan.h"

#include "gentools/order.h"
#include "gentools/spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_DIGITS "0123456789abcdefghijklmnopqrstuvwxyz" /* not both cases: archives are unpacked on any system */
#define NAME_SIZE   16

/* A patch, and what it has in common with those that are the same. */
struct sharer {
	struct step *step;
	struct digest_value from;
	struct digest_value to;
};

static int compare_patches(const struct sharer *a, const struct sharer *b)
{
	int order = order_digests(&a->from, &b->from);

	if (order == 0)
		order = order_digests(&a->to, &b->to);
	return order ? order : order_numbers(a->step->unit, b->step->unit);
}

/* Among equals the plan's order. */
static int compare_sharers(const void *a, const void *b)
{
	const struct sharer *first = a;
	const struct sharer *second = b;
	int order = compare_patches(first, second);

	return order ? order : first->step < second->step ? -1 : first->step > second->step;
}

static void link_equal(struct sharer *sharers, size_t count)
{
	qsort(sharers, count, sizeof(*sharers), compare_sharers);
	for (size_t i = 0; i < count; i++)
		sharers[i].step->same = sharers[i].step->next_same = NULL;
	for (size_t i = 1; i < count; i++) {
		struct step *before = sharers[i - 1].step;

		if (compare_patches(&sharers[i - 1], &sharers[i]) != 0)
			continue;
		sharers[i].step->same = before->same ? before->same : before;
		before->next_same = sharers[i].step;
	}
}

static int share(struct plan *plan, int (*describe)(struct sharer *), struct error *error)
{
	struct sharer *sharers = calloc(plan->count + 1, sizeof(*sharers));
	size_t count = 0;
	int err = sharers ? 0 : -ENOMEM;

	for (size_t i = 0; err == 0 && i < plan->count; i++) {
		if (!step_is_patch(&plan->steps[i]))
			continue;
		sharers[count].step = &plan->steps[i];
		err = describe(&sharers[count++]);
	}
	if (err == 0)
		link_equal(sharers, count);
	free(sharers);
	return err < 0 ? error_set(error, 0, -err, "cannot compare patches: %s", strerror(-err)) : 0;
}

static int describe_by_contents(struct sharer *sharer)
{
	sharer->from = sharer->step->old->digest;
	sharer->to = sharer->step->new->digest;
	return 0;
}

static int describe_by_patch(struct sharer *sharer)
{
	int err = extent_digest(&sharer->step->data, DIGEST_SHA256, &sharer->from);

	sharer->to = sharer->from;
	return err;
}

static char *make_name(size_t number)
{
	char name[NAME_SIZE];
	char *at = name + sizeof(name);

	*--at = '\0';
	do
		*--at = NAME_DIGITS[number % strlen(NAME_DIGITS)];
	while ((number /= strlen(NAME_DIGITS)) > 0);
	return strdup(at);
}

static int name_patches(struct plan *plan, struct error *error)
{
	size_t number = 0;

	for (size_t i = 0; i < plan->count; i++) {
		struct step *step = &plan->steps[i];

		if (!step_is_patch(step))
			continue;
		step->entry = step->same ? strdup(step->same->entry) : make_name(number++);
		if (!step->entry)
			return error_set(error, 0, ENOMEM, "out of memory");
	}
	return 0;
}

int plan_share_patches(struct plan *plan, struct error *error)
{
	return share(plan, describe_by_contents, error);
}

int plan_name_patches(struct plan *plan, struct error *error)
{
	int err = share(plan, describe_by_patch, error);

	return err < 0 ? err : name_patches(plan, error);
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
