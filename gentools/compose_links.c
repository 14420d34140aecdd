/* SPDX-License-Identifier: Apache-2.0 */
/* Names of one file: hard_link() and separate(), which packages made with --compat native have. */
#include "gentools/compose.h"

#include <string.h>

static void put_path(FILE *out, const char *before, const struct object *object)
{
	(void)fprintf(out, "%s\"/system", before);
	compose_escaped(out, object->path + strlen("SYSTEM"));
	(void)fputc('"', out);
}

/* What the step's name follows, or leaves. */
typedef const struct object *(*partner_function)(const struct step *step);

static const struct object *kept_from(const struct step *step)
{
	return step->new ? step->new->apart_from : NULL;
}

static const struct object *followed(const struct step *step)
{
	return step->kind == STEP_HARD_LINK ? step->new->first : NULL;
}

static bool is_late(const struct step *step)
{
	const struct object *first = followed(step);

	return first && (plan_is_late(step->path) || plan_is_late(first->path));
}

static const struct object *followed_late(const struct step *step)
{
	return is_late(step) ? followed(step) : NULL;
}

static const struct object *followed_early(const struct step *step)
{
	return is_late(step) ? NULL : followed(step);
}

static bool came_before(const struct plan *plan, size_t i, partner_function partner)
{
	for (size_t k = 0; k < i; k++)
		if (partner(&plan->steps[k]) == partner(&plan->steps[i]))
			return true;
	return false;
}

/* A call for each partner, with all that have this one. */
static void put_calls(const struct plan *plan, const char *function, partner_function partner, FILE *out)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct object *first = partner(&plan->steps[i]);

		if (!first || came_before(plan, i, partner))
			continue;
		(void)fputs(function, out);
		put_path(out, "(", first);
		for (size_t k = i; k < plan->count; k++)
			if (partner(&plan->steps[k]) == first)
				put_path(out, ",\n       ", plan->steps[k].new);
		(void)fputs(");\n", out);
	}
}

static bool has_step(const struct plan *plan, const struct object *object)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].new == object)
			return true;
	return false;
}

void compose_link_checks(const struct plan *plan, FILE *out)
{
	char hex[DIGEST_TEXT_SIZE];

	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = &plan->steps[i];

		if (!followed(step) || came_before(plan, i, followed) || has_step(plan, step->new->first))
			continue;
		put_path(out, "assert(apply_patch_check(", step->new->first);
		(void)fprintf(out, ", \"%s\"));\n", digest_format(&step->new->digest, hex));
	}
}

void compose_separations(const struct plan *plan, FILE *out)
{
	put_calls(plan, "separate", kept_from, out);
}

void compose_hard_links(const struct plan *plan, bool late, FILE *out)
{
	put_calls(plan, "hard_link", late ? followed_late : followed_early, out);
}
