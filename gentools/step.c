/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/plan.h"

bool step_is_image(const struct step *step)
{
	return step->kind == STEP_RAW_PATCH || step->kind == STEP_RAW_WHOLE;
}

bool step_is_deletion(const struct step *step)
{
	return step->kind == STEP_DELETE || step->kind == STEP_DELETE_TREE;
}

bool step_is_patch(const struct step *step)
{
	switch (step->kind) {
	case STEP_PATCH:
	case STEP_COPY:
	case STEP_RAW_PATCH:
		return true;
	case STEP_RENAME:
		return !digest_equal(&step->old->digest, &step->new->digest);
	default:
		return false;
	}
}

static uint64_t size_of(const struct object *object)
{
	return object ? object->data.size : 0;
}

uint64_t step_work(const struct step *step)
{
	if (step_is_patch(step))
		return size_of(step->old) + size_of(step->new);
	return step->kind == STEP_WHOLE || step->kind == STEP_RAW_WHOLE ? size_of(step->new) : 0;
}

const char *step_kind_name(enum step_kind kind)
{
	static const char *const names[] = {
		[STEP_DELETE] = "delete",
		[STEP_DELETE_TREE] = "delete tree",
		[STEP_PATCH] = "patch",
		[STEP_RENAME] = "rename",
		[STEP_COPY] = "copy",
		[STEP_WHOLE] = "whole",
		[STEP_DIRECTORY] = "directory",
		[STEP_LINK] = "link",
		[STEP_NODE] = "node",
		[STEP_HARD_LINK] = "hard link",
		[STEP_METADATA] = "attributes",
		[STEP_RAW_PATCH] = "patch image",
		[STEP_RAW_WHOLE] = "whole image",
	};
	return names[kind];
}

void step_log(const struct step *step, const struct log *log)
{
	const char *name = step_kind_name(step->kind);
	const char *from = step->from ? step->old->path : "";
	const char *arrow = step->from ? " -> " : "";
	unsigned long long before = size_of(step->old);
	unsigned long long after = size_of(step->new);

	if (step->same)
		log_printf(log, "%s %s%s%s: %llu -> %llu bytes, the patch of %s", name, from, arrow, step->path, before,
		           after, step->same->path);
	else if (step_is_patch(step))
		log_printf(log, "%s %s%s%s: %llu -> %llu bytes, patch %llu%s", name, from, arrow, step->path, before,
		           after, (unsigned long long)step->data.size, step->unit > 0 ? ", in place" : "");
	else if (step->kind == STEP_HARD_LINK)
		log_printf(log, "%s %s: of %s", name, step->path, step->new->first->path);
	else if (step_work(step) > 0)
		log_printf(log, "%s %s: %llu -> %llu bytes", name, step->path, before, after);
	else
		log_printf(log, "%s %s%s%s", name, from, arrow, step->path);
}
