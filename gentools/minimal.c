/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/minimal.h"

#include "gentools/compose.h"
#include "gentools/output.h"
#include "gentools/pack.h"
#include "gentools/rollback.h"
#include "gentools/squeeze.h"
#include "gentools/store.h"
#include "package/package.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER     "store" /* of the first package */
#define LIST       "0"     /* what is stored, as text; the first to be stored, and the others have numbers from 1 */
#define ENTRY_COST 200     /* bytes of a zip archive for each entry beside its data, about; and of its script line */

static int out_of_memory(struct error *error)
{
	return error_set(error, 0, ENOMEM, "out of memory");
}

int minimal_second_name(const char *output, char **second, struct error *error)
{
	const char *slash = strrchr(output, '/');
	const char *name = slash ? slash + 1 : output;
	const char *dot = strrchr(name, '.');
	size_t length = dot && dot > name ? (size_t)(dot - output) : strlen(output);
	char parsed[PACKAGE_NEXT_SIZE];

	if (asprintf(second, "%.*s-2%s", (int)length, output, output + length) < 0) {
		*second = NULL;
		return out_of_memory(error);
	}
	name = *second + (name - output);
	if (package_parse_next(name, strlen(name), parsed) == 0)
		return 0;
	return error_set(error, 0, EINVAL,
	                 "%s: the first package holds the name of the second: letters, digits and signs of ASCII are "
	                 "allowed, no blanks, and no dot at the beginning",
	                 name);
}

/* ---- What the first package brings ---- */

struct item {
	struct step *step;
	uint64_t bytes; /* that it takes in a package */
};

/* When power goes, the script starts anew: does it delete what is there, to make way for the new? */
static bool is_deleted_before(const struct plan *plan, const struct step *step)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].makes_way && path_in(step->path, plan->steps[i].path))
			return true;
	return false;
}

/*
 * Content that is read as a blob. Or that a rename brings to its place, once: not into another file system than the
 * store's, and not where it would be deleted afterwards. What must stay old to the last comes last in any case.
 */
static bool can_be_stored(const struct plan *plan, const struct step *step)
{
	if (step_is_patch(step) || step->kind == STEP_RAW_WHOLE)
		return true;
	return step->kind == STEP_WHOLE && !step->late && plan_part_of(step->path) != GEN_MODEM &&
	       !is_deleted_before(plan, step);
}

static int packed_size(const struct step *step, uint64_t *bytes)
{
	int err = squeeze_size(&step->data, bytes);

	*bytes += ENTRY_COST;
	return err;
}

/* The largest first; equal ones in the plan's order. */
static int compare_items(const void *a, const void *b)
{
	const struct item *first = a;
	const struct item *second = b;

	if (first->bytes != second->bytes)
		return first->bytes < second->bytes ? 1 : -1;
	return first->step < second->step ? -1 : first->step > second->step;
}

static int collect(struct plan *plan, struct item **items, size_t *count, struct error *error)
{
	int err = 0;

	*count = 0;
	*items = calloc(plan->count + 1, sizeof(**items));
	if (!*items)
		return out_of_memory(error);
	for (size_t i = 0; err == 0 && i < plan->count; i++) {
		struct step *step = &plan->steps[i];

		free(step->stored);
		step->stored = NULL;
		if (!can_be_stored(plan, step))
			continue;
		(*items)[*count].step = step;
		err = packed_size(step, &(*items)[(*count)++].bytes);
	}
	if (err < 0)
		return error_set(error, 0, -err, "cannot read what was unpacked: %s", strerror(-err));
	qsort(*items, *count, sizeof(**items), compare_items);
	return 0;
}

static int store(struct step *step, size_t number, struct error *error)
{
	int err = extent_digest(&step->data, step->new->digest.kind, &step->stored_digest);

	if (err < 0)
		return error_set(error, 0, -err, "cannot read what was unpacked: %s", strerror(-err));
	if (asprintf(&step->stored, "%s/%zu", STORE_PLACE, number) < 0) {
		step->stored = NULL;
		return out_of_memory(error);
	}
	return 0;
}

static int compare_steps(const void *a, const void *b)
{
	const struct item *first = a;
	const struct item *second = b;

	return first->step < second->step ? -1 : first->step > second->step;
}

int minimal_split(struct plan *plan, uint64_t bytes, struct error *error)
{
	struct item *items;
	size_t count;
	size_t stored = 0;
	int err = collect(plan, &items, &count, error);

	plan->has_store = true;
	for (size_t i = 0; err == 0 && i < count; i++) {
		if (items[i].bytes <= bytes) {
			bytes -= items[i].bytes;
			items[stored++] = items[i];
		}
	}
	qsort(items, err == 0 ? stored : 0, sizeof(*items), compare_steps);
	for (size_t i = 0; err == 0 && i < stored; i++)
		err = store(items[i].step, i + 1, error);
	free(items);
	return err;
}

/* ---- The first package ---- */

/* Tells one upgrade's store from another's. */
static void put_list(const struct plan *plan, FILE *out)
{
	char hex[DIGEST_TEXT_SIZE];

	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = &plan->steps[i];

		if (step->stored)
			(void)fprintf(out, "%s %s %s\n", digest_format(&step->stored_digest, hex),
			              step->stored + strlen(STORE_PLACE "/"), step->device);
	}
}

/*
 * Stored is what is there and right when power went half way; whatever another upgrade left goes first. The system is
 * looked at already here: a package that will not fit shall not come in two parts.
 */
static void put_script(const struct plan *plan, const struct digest_value *list, FILE *out)
{
	char hex[DIGEST_TEXT_SIZE];

	compose_begin(plan, true, out);
	compose_checks(plan, false, out);
	(void)fprintf(out,
	              "ui_print(\"Storing...\");\nshow_progress(0.9, 0);\n"
	              "sha1_check(read_file(\"" STORE_PLACE "/" LIST "\"), \"%s\") ||\n"
	              "    delete_recursive(\"" STORE_PLACE "\");\n"
	              "package_extract_dir(\"" FOLDER "\", \"" STORE_PLACE "\") ||\n"
	              "    abort(\"Failed to store.\");\nset_progress(0.8);\n",
	              digest_format(list, hex));
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].stored)
			(void)fprintf(out, "assert(sha1_check(read_file(\"%s\"), \"%s\"));\n", plan->steps[i].stored,
			              digest_format(&plan->steps[i].stored_digest, hex));
	(void)fputs("set_progress(1.0);\n", out);
	compose_end(plan, true, out);
	(void)fputs("ui_print(\"Part 1 of 2 is stored.\");\n", out);
}

/* The texts of the first package: list, script and the name of the second. */
static int spool_texts(struct plan *plan, const char *next, struct extent *list, struct extent *script,
                       struct extent *name)
{
	const char *slash = strrchr(next, '/');
	struct digest_value digest;
	struct spool_text text;
	int err = spool_text_open(&text);

	if (err == 0) {
		put_list(plan, text.out);
		err = spool_text_close(&text, &plan->spool, list);
	}
	if (err == 0)
		err = extent_digest(list, plan->target->digests, &digest);
	if (err == 0)
		err = spool_text_open(&text);
	if (err == 0) {
		put_script(plan, &digest, text.out);
		err = spool_text_close(&text, &plan->spool, script);
	}
	if (err == 0)
		err = spool_text_open(&text);
	if (err == 0) {
		(void)fprintf(text.out, "%s\n", slash ? slash + 1 : next);
		err = spool_text_close(&text, &plan->spool, name);
	}
	return err;
}

/* "/system/.fota-store/7" is "store/7" in the package. */
static const char *entry_of(const struct step *step, char *names, size_t *used)
{
	char *name = names + *used;

	*used += (size_t)sprintf(name, FOLDER "%s", step->stored + strlen(STORE_PLACE)) + 1;
	return name;
}

int minimal_write_first(struct plan *plan, const struct tree *source, const char *path, const char *next,
                        const int64_t *time, struct error *error)
{
	const struct object *version = pack_find_version(source);
	const struct object *rollback = rollback_find(source);
	struct output_entry *entries = calloc(plan->count + 5, sizeof(*entries));
	char *names = malloc((plan->count + 1) * sizeof(STORE_PLACE "/18446744073709551615"));
	struct extent list;
	struct extent script;
	struct extent name;
	size_t count = 0;
	size_t used = 0;
	int err = entries && names ? spool_texts(plan, next, &list, &script, &name) : -ENOMEM;

	if (err < 0) {
		err = error_set(error, 0, -err, "cannot write the first package: %s", strerror(-err));
		goto out;
	}
	entries[count++] = (struct output_entry){.name = PACKAGE_SCRIPT, .data = script};
	entries[count++] = (struct output_entry){.name = PACKAGE_NEXT, .data = name};
	entries[count++] = (struct output_entry){.name = PACKAGE_PROJECT_VERSION, .data = version->data};
	if (rollback)
		entries[count++] = (struct output_entry){.name = PACKAGE_ROLLBACK_INDEX, .data = rollback->data};
	entries[count++] = (struct output_entry){.name = FOLDER "/" LIST, .data = list};
	for (size_t i = 0; i < plan->count; i++)
		if (plan->steps[i].stored)
			entries[count++] = (struct output_entry){.name = entry_of(&plan->steps[i], names, &used),
			                                         .data = plan->steps[i].data};
	err = output_write(path, entries, count, time, error);
out:
	free(names);
	free(entries);
	return err;
}
