/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/units.h"

#include <errno.h>

/* The one figure that nobody contradicts. */
static uint32_t agree(uint32_t option, uint32_t source, uint32_t target)
{
	if (option > 0)
		return option;
	if (source == 0 || target == 0)
		return source + target;
	return source == target ? source : 0;
}

struct gen_units units_of(const struct tree *source, const struct tree *target, const struct gen_options *options)
{
	const struct gen_units *old = &source->units;
	const struct gen_units *new = target ? &target->units : old;

	return (struct gen_units){
		.leb = agree(options->units.leb, old->leb, new->leb),
		.erase_block = agree(options->units.erase_block, old->erase_block, new->erase_block),
	};
}

static int settle(struct tree *tree, const struct gen_units *units, bool native, struct error *error)
{
	for (size_t i = 0; i < tree->count; i++) {
		struct object *object = &tree->objects[i];

		if (object->volume && !native)
			return error_set(error, 0, EINVAL, "%s: a UBI volume, UBI:%s, needs --compat native",
			                 object->path, object->partition);
		if (object->is_static)
			object->unit = 0;
		else if (object->unit == 0 && plan_is_image(object->path))
			object->unit = object->volume ? units->leb : units->erase_block;
	}
	return 0;
}

int units_settle(struct tree *source, struct tree *target, const struct gen_options *options, const struct log *log,
                 struct error *error)
{
	const struct gen_units units = units_of(source, target, options);
	int err = settle(source, &units, options->native, error);

	if (err == 0 && target)
		err = settle(target, &units, options->native, error);
	if (err == 0 && options->native && (units.leb > 0 || units.erase_block > 0))
		log_printf(log, "flash: LEBs of %u bytes, erase blocks of %u (0: not known)", units.leb,
		           units.erase_block);
	return err;
}

void units_plan(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].kind == STEP_RAW_PATCH)
			plan->steps[i].unit = plan->steps[i].new->unit;
}
