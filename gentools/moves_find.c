/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/moves_find.h"

#include "gentools/gentools.h"
#include "gentools/order.h"
#include "gentools/sketch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_COMMON 3   /* of SKETCH_MARKS: less is chance, or what all files of a format have */
#define MANY         500 /* a mark that so many files have tells nothing */

/* In a sorted list of those of all sources. */
struct mark {
	uint32_t mark;
	uint32_t source;
};

struct index {
	struct sketcher sketcher;
	struct mark *marks;
	size_t count;
	unsigned *common; /* by source: marks that it shares with the present file */
};

/* ---- What may be made of what ---- */

/* Whether the tree has a file or link where the path needs a folder. */
static bool lies_below_file(const struct tree *tree, const char *path)
{
	size_t low = 0;
	size_t high = tree->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (tree_compare_paths(tree->objects[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	/* Nothing else can lie between them. */
	return low > 0 && tree->objects[low - 1].type != OBJECT_DIRECTORY && path_in(path, tree->objects[low - 1].path);
}

static bool is_file(const struct object *object)
{
	return object->type == OBJECT_FILE && object->data.size >= MOVES_LEAST && !object->whole &&
	       !plan_is_late(object->path);
}

/*
 * What makes way for another type is deleted before all else, and once more when the script starts anew: with all that
 * was put there meanwhile.
 */
static bool may_be_target(const struct step *step, const struct tree *source)
{
	return step->kind == STEP_WHOLE && is_file(step->new) && !tree_find(source, step->path) &&
	       !lies_below_file(source, step->path);
}

static bool may_be_source(const struct object *old, const struct object *new, const struct tree *target, unsigned parts)
{
	return is_file(old) && !plan_is_image(old->path) &&
	       (plan_part_of(old->path) & parts & (GEN_MODEM | GEN_LINUX)) != 0 &&
	       (!new || (new->type == OBJECT_FILE && !new->whole)) && !lies_below_file(target, old->path);
}

static int find_sources(struct moves_search *search, const struct plan *plan, const struct tree *source, unsigned parts,
                        bool copies)
{
	size_t count = 0;

	search->sources = calloc(source->count + 1, sizeof(*search->sources));
	if (!search->sources)
		return -ENOMEM;
	for (size_t i = 0; i < source->count; i++) {
		const struct object *old = &source->objects[i];
		const struct object *new = tree_find(plan->target, old->path);
		bool gone = !new && !old->held;

		if ((gone || (copies && new)) && may_be_source(old, new, plan->target, parts))
			search->sources[count++] = (struct moves_source){.object = old, .gone = gone};
	}
	search->source_count = count;
	return 0;
}

/* ---- What they have in common ---- */

static int compare_marks(const void *a, const void *b)
{
	const struct mark *first = a;
	const struct mark *second = b;
	int order = order_numbers(first->mark, second->mark);

	return order != 0 ? order : order_numbers(first->source, second->source);
}

static int sketch_object(const struct index *index, const struct object *object, struct sketch *sketch)
{
	struct mapping mapping;
	int err = extent_map(&object->data, &mapping);

	if (err < 0)
		return err;
	sketch_make(&index->sketcher, mapping.data, mapping.size, sketch);
	extent_unmap(&mapping);
	return 0;
}

static int build_index(struct index *index, const struct moves_search *search)
{
	sketcher_prepare(&index->sketcher);
	index->marks = calloc(search->source_count * SKETCH_MARKS + 1, sizeof(*index->marks));
	index->common = calloc(search->source_count + 1, sizeof(*index->common));
	if (!index->marks || !index->common)
		return -ENOMEM;
	for (size_t i = 0; i < search->source_count; i++) {
		struct sketch sketch;
		int err = sketch_object(index, search->sources[i].object, &sketch);

		if (err < 0)
			return err;
		for (unsigned k = 0; k < sketch.count; k++)
			index->marks[index->count++] = (struct mark){sketch.marks[k], (uint32_t)i};
	}
	qsort(index->marks, index->count, sizeof(*index->marks), compare_marks);
	return 0;
}

static void count_common(struct index *index, size_t sources, const struct sketch *sketch)
{
	memset(index->common, 0, sources * sizeof(*index->common));
	for (unsigned k = 0; k < sketch->count; k++) {
		size_t low = 0;
		size_t high = index->count;
		size_t end;

		while (low < high) {
			size_t middle = low + (high - low) / 2;

			if (index->marks[middle].mark < sketch->marks[k])
				low = middle + 1;
			else
				high = middle;
		}
		for (end = low; end < index->count && index->marks[end].mark == sketch->marks[k]; end++)
			;
		for (; end - low <= MANY && low < end; low++)
			index->common[index->marks[low].source]++;
	}
}

/* ---- The likeliest ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Behind a version number that starts here. */
static const char *skip_version(const char *text)
{
	while (is_digit(*text) || (*text == '.' && is_digit(text[1])))
		text++;
	return text;
}

static bool same_but_for_versions(const char *a, const char *b)
{
	while (*a && *b) {
		if (is_digit(*a) && is_digit(*b)) {
			a = skip_version(a);
			b = skip_version(b);
		} else if (*a++ != *b++) {
			return false;
		}
	}
	return *a == *b;
}

static unsigned common_end(const char *a, const char *b)
{
	const char *end_a = a + strlen(a);
	const char *end_b = b + strlen(b);
	unsigned length = 0;

	while (end_a > a && end_b > b && *--end_a == *--end_b)
		length++;
	return length;
}

/* 0: not worth a trial. Names only decide among contents of which enough is the same. */
static unsigned score(const struct object *old, const struct object *new, unsigned common, const struct sketch *sketch)
{
	unsigned points = sketch->count ? common * SKETCH_MARKS / sketch->count : 0;
	unsigned end;

	if (points < LEAST_COMMON || plan_part_of(old->path) != plan_part_of(new->path))
		return 0;
	end = common_end(old->path, new->path);
	points = 4 * points + (end < 60 ? end : 60);
	if (same_but_for_versions(old->path, new->path))
		points += 60;
	return digest_equal(&old->digest, &new->digest) ? points + 1000 : points;
}

static void add_offers(struct moves_search *search, const struct index *index, size_t step, const struct object *new,
                       const struct sketch *sketch)
{
	size_t best[MOVES_OFFERS] = {0};
	unsigned points[MOVES_OFFERS] = {0};

	for (size_t i = 0; i < search->source_count; i++) {
		unsigned its = score(search->sources[i].object, new, index->common[i], sketch);
		unsigned k = MOVES_OFFERS;

		for (; k > 0 && points[k - 1] < its; k--) {
			if (k == MOVES_OFFERS)
				continue;
			points[k] = points[k - 1];
			best[k] = best[k - 1];
		}
		if (k < MOVES_OFFERS) {
			points[k] = its;
			best[k] = i;
		}
	}
	/* One that is much less like it is not worth the time. */
	for (unsigned k = 0; k < MOVES_OFFERS && points[k] > 0 && 4 * points[k] >= 3 * points[0]; k++)
		search->offers[search->offer_count++] = (struct moves_offer){
			.step = step,
			.rank = k,
			.source = best[k],
			.same = digest_equal(&search->sources[best[k]].object->digest, &new->digest),
		};
}

static int find_offers(struct moves_search *search, struct index *index, const struct plan *plan,
                       const struct tree *source)
{
	int err = build_index(index, search);

	search->offers = calloc(MOVES_OFFERS * plan->count + 1, sizeof(*search->offers));
	if (err == 0 && !search->offers)
		err = -ENOMEM;
	for (size_t i = 0; err == 0 && i < plan->count; i++) {
		struct sketch sketch;

		if (!may_be_target(&plan->steps[i], source))
			continue;
		err = sketch_object(index, plan->steps[i].new, &sketch);
		if (err < 0)
			break;
		count_common(index, search->source_count, &sketch);
		add_offers(search, index, i, plan->steps[i].new, &sketch);
	}
	return err;
}

int moves_find(struct moves_search *search, const struct plan *plan, const struct tree *source, unsigned parts,
               bool copies)
{
	struct index index = {0};
	size_t wanted = 0;
	int err;

	*search = (struct moves_search){0};
	for (size_t i = 0; i < plan->count; i++)
		wanted += may_be_target(&plan->steps[i], source);
	if (wanted == 0)
		return 0;
	err = find_sources(search, plan, source, parts, copies);
	if (err == 0 && search->source_count > 0)
		err = find_offers(search, &index, plan, source);
	free(index.marks);
	free(index.common);
	return err;
}

void moves_search_free(struct moves_search *search)
{
	free(search->sources);
	free(search->offers);
}
