/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/mix.h"

#include "gentools/plan.h"

#include <stdio.h>
#include <string.h>

static const char names[][10] = {"modem", "linux", "kernel", "multifota"};

#define NAMES (sizeof(names) / sizeof(names[0]))

const char *mix_part_name(unsigned number)
{
	return number < NAMES ? names[number] : NULL;
}

/* Whether programs would see another content. */
static bool differs(const struct object *old, const struct object *new)
{
	if (!old || !new || old->type != new->type)
		return true;
	return (old->type == OBJECT_FILE && !digest_equal(&old->digest, &new->digest)) ||
	       (old->type == OBJECT_LINK && strcmp(old->link, new->link) != 0);
}

unsigned mix_left_out(const struct tree *source, const struct tree *target, unsigned parts)
{
	unsigned left_out = 0;
	size_t i = 0;
	size_t j = 0;

	while (i < source->count || j < target->count) {
		int order = tree_compare_next(source, i, target, j);
		const char *path = order <= 0 ? source->objects[i].path : target->objects[j].path;
		const struct object *old = order <= 0 ? &source->objects[i++] : NULL;
		const struct object *new = order >= 0 ? &target->objects[j++] : NULL;

		if (differs(old, new))
			left_out |= plan_part_of(path) & ~parts;
	}
	return left_out;
}

void mix_warn(unsigned left_out, const struct log *log)
{
	char text[sizeof(names) + NAMES * sizeof(", ")] = ""; /* all of them */

	if (left_out == 0)
		return;
	for (unsigned i = 0; mix_part_name(i); i++) {
		size_t used = strlen(text);

		if (left_out & 1u << i)
			(void)snprintf(text + used, sizeof(text) - used, "%s%s", used ? ", " : "", mix_part_name(i));
	}
	log_printf(
		log,
		"warning: %s: not in the package although the versions differ there: modules will run parts of both; "
		"make sure that these fit, or take a",
		text);
}
