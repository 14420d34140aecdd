/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/compose.h"

#include "gentools/store.h"

#include <string.h>

/* A line per path, and calls short enough for updaters that evaluate all arguments into memory. */
#define PATHS_PER_CALL 50

#define PROGRESS_STEPS 200

enum compose_turn compose_turn(const struct step *step)
{
	if (step_is_image(step))
		return COMPOSE_IMAGES;
	if (step->kind == STEP_COPY)
		return COMPOSE_COPIES;
	if (!step->entry)
		return COMPOSE_OTHERS;
	if (step->late && step->kind != STEP_DIRECTORY)
		return COMPOSE_LATE;
	return step_is_patch(step) ? COMPOSE_PATCHES : COMPOSE_FILES;
}

struct composer {
	FILE *out;
	uint64_t done;    /* work of this progress segment, bytes */
	uint64_t total;   /* the same */
	uint64_t told;    /* what the script told last, of PROGRESS_STEPS */
	bool has_patches; /* all data are where the steps say */
};

void compose_escaped(FILE *out, const char *text)
{
	for (const char *p = text; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '"' || c == '\\')
			(void)fprintf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			(void)fprintf(out, "\\x%02x", c);
		else
			(void)fputc(c, out);
	}
}

void compose_quoted(FILE *out, const char *text)
{
	(void)fputc('"', out);
	compose_escaped(out, text);
	(void)fputc('"', out);
}

void compose_call(FILE *out, const char *before, const char *text, const char *after)
{
	(void)fputs(before, out);
	compose_quoted(out, text);
	(void)fputs(after, out);
}

static void put_progress(struct composer *c, uint64_t work)
{
	c->done += work;
	/* Hosts hear of whole percents: thousands of small files need not have a line each. */
	if (c->total == 0 || work == 0 || c->done * PROGRESS_STEPS / c->total == c->told)
		return;
	c->told = c->done * PROGRESS_STEPS / c->total;
	(void)fprintf(c->out, "set_progress(%.3f);\n", (double)c->told / PROGRESS_STEPS);
}

/* What must be there before anything changes: all content that is patched, moves or stays under other attributes. */
static bool is_checked(const struct step *step)
{
	return step_is_patch(step) || step->kind == STEP_RENAME ||
	       (step->kind == STEP_METADATA && step->new->type == OBJECT_FILE);
}

static void put_content(FILE *out, const struct object *object)
{
	char digest[DIGEST_TEXT_SIZE];

	(void)fprintf(out, ":%llu:%s", (unsigned long long)object->data.size, digest_format(&object->digest, digest));
}

void compose_partition(FILE *out, const struct step *step, bool with_old)
{
	(void)fprintf(out, "\"%s:%s", step->new->volume ? "UBI" : "MTD", step->device);
	if (with_old)
		put_content(out, step->old);
	put_content(out, step->new);
	(void)fputc('"', out);
}

/* What a patch is applied to: a path, or what the partition may hold, old or new. */
static void put_object(FILE *out, const struct step *step)
{
	if (step_is_image(step))
		compose_partition(out, step, true);
	else
		compose_quoted(out, step->device);
}

/* The new content is there, or the old one if that is meant as well, or with a patch in place some of both. */
static void put_test(FILE *out, const struct step *step, bool or_old, bool part_way)
{
	char old[DIGEST_TEXT_SIZE];
	char new[DIGEST_TEXT_SIZE];

	(void)fputs("apply_patch_check(", out);
	put_object(out, step);
	(void)fprintf(out, ", \"%s\"", digest_format(&step->new->digest, new));
	if (or_old && !digest_equal(&step->new->digest, &step->old->digest))
		(void)fprintf(out, ", \"%s\"", digest_format(&step->old->digest, old));
	if (part_way && step->unit > 0) {
		(void)fputs(",\n                         ", out);
		store_put_data(step, out);
	}
	(void)fputc(')', out);
}

/* The old content is still in another place. */
static void put_other_test(FILE *out, const char *place, const struct step *step)
{
	char old[DIGEST_TEXT_SIZE];

	compose_call(out, " ||\n       apply_patch_check(", place, "");
	(void)fprintf(out, ", \"%s\")", digest_format(&step->old->digest, old));
}

/* The step that renames what this one copies; NULL: it stays in its place. */
static const struct step *find_rename(const struct plan *plan, const struct step *copy)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].kind == STEP_RENAME && plan->steps[i].old == copy->old)
			return &plan->steps[i];
	return NULL;
}

/*
 * The digests are given for partitions as well, although the name holds them: old updaters that find the partition
 * half written look at their backup only for the digests of the arguments (spec/lineage.md 3.4).
 */
static void put_check(struct composer *c, const struct plan *plan, const struct step *step)
{
	const struct step *renamed = step->kind == STEP_COPY ? find_rename(plan, step) : NULL;

	(void)fputs("assert(", c->out);
	put_test(c->out, step, step->kind != STEP_COPY, c->has_patches);
	if (renamed)
		put_other_test(c->out, renamed->device, step);
	if (step->from)
		put_other_test(c->out, step->from, step);
	(void)fputs(");\n", c->out);
	put_progress(c, step->old->data.size);
}

/* source: what is copied, NULL when the object is changed in place. */
static void put_patch(struct composer *c, const struct step *step, const char *source)
{
	char old[DIGEST_TEXT_SIZE];
	char new[DIGEST_TEXT_SIZE];

	(void)fputs("assert(", c->out);
	store_put_guard(step, c->out);
	if (source)
		compose_call(c->out, "apply_patch(", source, ", ");
	else
		(void)fputs("apply_patch(", c->out);
	put_object(c->out, step);
	(void)fprintf(c->out, "%s,\n            %s, %llu,\n            %s, ", source ? "" : ", \"-\"",
	              digest_format(&step->new->digest, new), (unsigned long long)step->new->data.size,
	              digest_format(&step->old->digest, old));
	store_put_data(step, c->out);
	(void)fputc(')', c->out);
	store_put_alternative(step, c->out);
	(void)fputs(");\n", c->out);
	put_progress(c, step_work(step));
}

static void put_copy(struct composer *c, const struct plan *plan, const struct step *step)
{
	const struct step *renamed = find_rename(plan, step);

	put_patch(c, step, renamed ? renamed->device : step->from);
}

/*
 * Updaters of the lineage that found little room may have moved what they patch in its new place to their backup when
 * power went: then it is in neither place, and to rename it would fail.
 */
static void put_rename(FILE *out, const struct step *step)
{
	if (step_is_patch(step)) {
		put_test(out, step, true, false);
		(void)fputs(" ||\n    ", out);
	}
	compose_call(out, "rename(", step->from, ", ");
	compose_call(out, "", step->device, ");\n");
}

static void put_image(struct composer *c, const struct step *step)
{
	(void)fputs("assert(", c->out);
	store_put_guard(step, c->out);
	(void)fputs("write_raw_image(", c->out);
	store_put_data(step, c->out);
	(void)fprintf(c->out, ", \"%s%s\")", step->new->volume ? "UBI:" : "", step->device);
	store_put_alternative(step, c->out);
	(void)fputs(");\n", c->out);
	put_progress(c, step_work(step));
}

static void put_deletions(const struct plan *plan, FILE *out, enum step_kind kind, bool makes_way)
{
	const char *function = kind == STEP_DELETE ? "delete" : "delete_recursive";
	unsigned paths = 0;

	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = &plan->steps[i];
		bool moved = kind == STEP_DELETE && !makes_way && step->kind == STEP_RENAME && step_is_patch(step);

		if (!moved && (step->kind != kind || step->makes_way != makes_way))
			continue;
		if (paths == PATHS_PER_CALL) {
			(void)fputs(");\n", out);
			paths = 0;
		}
		if (paths == 0)
			(void)fprintf(out, "%s(", function);
		else
			(void)fputs(",\n       ", out);
		/* Where the new file was found in its place, the old one has stayed. */
		compose_quoted(out, moved ? step->from : step->device);
		paths++;
	}
	if (paths > 0)
		(void)fputs(");\n", out);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Every object is known to be the old or the new one before the first is changed. */
void compose_checks(const struct plan *plan, bool has_patches, FILE *out)
{
	struct composer c = {.out = out, .has_patches = has_patches};

	for (size_t i = 0; i < plan->count; i++)
		if (is_checked(&plan->steps[i]))
			c.total += plan->steps[i].old->data.size;
	(void)fputs("ui_print(\"Verifying current system...\");\nshow_progress(0.1, 0);\n", out);
	for (const struct step *step = plan_next(plan, NULL); step; step = plan_next(plan, step))
		if (is_checked(step))
			put_check(&c, plan, step);
	compose_link_checks(plan, out);
}

/*
 * For the largest: the backup holds old content, the lineage's updaters ask for the size of new content. What is
 * changed in place has no backup, and its check asks for what little it needs.
 */
static void put_space(const struct plan *plan, FILE *out)
{
	uint64_t largest = 0;

	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = &plan->steps[i];

		if (step_is_patch(step) && step->unit == 0)
			largest = larger(largest, larger(step->old->data.size, step->new->data.size));
	}
	if (largest > 0)
		(void)fprintf(out, "apply_patch_space(%llu) || abort(\"Not enough free space to apply patches.\");\n",
		              (unsigned long long)largest);
}

static void put_late(struct composer *c, const struct plan *plan, const struct step *step)
{
	if (step->kind == STEP_PATCH) {
		put_patch(c, step, NULL);
	} else {
		compose_call(c->out, "assert(package_extract_file(", step->entry, ", ");
		compose_call(c->out, "", step->device, "));\n");
		put_progress(c, step_work(step));
	}
	compose_metadata(plan, step, c->out);
}

static void put_node(FILE *out, const struct step *step)
{
	const struct object_node *node = &step->new->node;

	compose_call(out, "make_node(", step->device, "");
	(void)fprintf(out, ", \"%c\", %u, %u);\n", node->kind, node->major, node->minor);
}

static void put_files(const struct plan *plan, struct composer *c)
{
	uint64_t whole = 0;
	bool any = false;

	for (const struct step *step = plan_next(plan, NULL); step; step = plan_next(plan, step)) {
		if (compose_turn(step) == COMPOSE_PATCHES)
			put_patch(c, step, NULL);
		if (compose_turn(step) == COMPOSE_FILES) {
			any = any || !step->stored;
			whole += step_work(step);
		}
	}
	if (any)
		(void)fputs("package_extract_dir(\"system\", \"/system\") || abort(\"Failed to extract files.\");\n",
		            c->out);
	for (size_t i = 0; i < plan->count; i++)
		if (compose_turn(&plan->steps[i]) == COMPOSE_FILES && plan->steps[i].stored)
			store_put_rename(&plan->steps[i], c->out);
	put_progress(c, whole);
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->steps[i].kind != STEP_LINK)
			continue;
		compose_call(c->out, "symlink(", plan->steps[i].new->link, ", ");
		compose_call(c->out, "", plan->steps[i].device, ");\n");
	}
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].kind == STEP_NODE)
			put_node(c->out, &plan->steps[i]);
	compose_separations(plan, c->out);
	for (size_t i = 0; i < plan->count; i++) {
		if (compose_turn(&plan->steps[i]) == COMPOSE_LATE)
			continue;
		compose_metadata(plan, &plan->steps[i], c->out);
	}
	compose_hard_links(plan, false, c->out);
	for (size_t i = 0; i < plan->count; i++)
		if (compose_turn(&plan->steps[i]) == COMPOSE_LATE)
			put_late(c, plan, &plan->steps[i]);
	compose_hard_links(plan, true, c->out);
}

static void put_changes(const struct plan *plan, FILE *out)
{
	struct composer c = {.out = out};

	for (size_t i = 0; i < plan->count; i++)
		c.total += step_work(&plan->steps[i]);
	(void)fputs("\n# ---- start making changes here ----\n\nui_print(\"Updating...\");\nshow_progress(0.9, 0);\n",
	            out);
	compose_clearings(plan, out);
	put_deletions(plan, out, STEP_DELETE_TREE, true);
	put_deletions(plan, out, STEP_DELETE, true);
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].kind == STEP_RENAME)
			put_rename(out, &plan->steps[i]);
	put_deletions(plan, out, STEP_DELETE_TREE, false);
	put_deletions(plan, out, STEP_DELETE, false);
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].kind == STEP_COPY)
			put_copy(&c, plan, &plan->steps[i]);
	put_files(plan, &c);
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->steps[i].kind == STEP_RAW_PATCH)
			put_patch(&c, &plan->steps[i], NULL);
		if (plan->steps[i].kind == STEP_RAW_WHOLE)
			put_image(&c, &plan->steps[i]);
	}
	if (c.total == 0)
		(void)fputs("set_progress(1.0);\n", out);
}

void compose_script(const struct plan *plan, FILE *out)
{
	compose_begin(plan, plan->has_store, out);
	store_put_checks(plan, out);
	compose_checks(plan, true, out);
	put_space(plan, out);
	compose_leftovers(plan, out);
	put_changes(plan, out);
	store_put_end(plan, out);
	compose_end(plan, plan->has_store, out);
	(void)fputs("ui_print(\"Update complete.\");\n", out);
}
