/* SPDX-License-Identifier: Apache-2.0 */
#include "gentools/pack.h"

#include "gentools/compose.h"
#include "gentools/encrypt.h"
#include "gentools/lists.h"
#include "gentools/output.h"
#include "gentools/place.h"
#include "gentools/rollback.h"
#include "gentools/volumes.h"
#include "package/package.h"
#include "updater/updater.h" /* only what it accepts */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const struct object *pack_find_version(const struct tree *tree)
{
	const struct object *object = volumes_find_file(tree, PLAN_VERSION_FILE);

	return object && object->type == OBJECT_FILE ? object : NULL;
}

static int spool_script(struct plan *plan, struct extent *script, struct error *error)
{
	struct spool_text text;
	int err = spool_text_open(&text);

	if (err == 0) {
		compose_script(plan, text.out);
		err = spool_text_close(&text, &plan->spool, script);
	}
	if (err < 0)
		return error_set(error, 0, -err, "cannot write the script: %s", strerror(-err));
	if (script->size > SCRIPT_MAX_LENGTH)
		return error_set(error, RESULT_FORMAT, EFBIG,
		                 "too many differences: the script would take %zu bytes, updaters read at most %d",
		                 (size_t)script->size, SCRIPT_MAX_LENGTH);
	return 0;
}

/* Steps with the same patch have one entry. */
static bool is_gathered(const struct output_entry *entries, size_t count, const struct step *step)
{
	for (size_t i = 0; (step->same || step->next_same) && i < count; i++)
		if (strcmp(entries[i].name, step->entry) == 0)
			return true;
	return false;
}

/* In the order in which the script asks for them, so that a module can read the package from its start to its end. */
static size_t gather_entries(const struct plan *plan, struct output_entry *entries)
{
	size_t count = 0;

	for (int turn = COMPOSE_COPIES; turn <= COMPOSE_IMAGES; turn++) {
		for (const struct step *step = plan_next(plan, NULL); step; step = plan_next(plan, step))
			if (step->entry && !step->stored && (int)compose_turn(step) == turn &&
			    !is_gathered(entries, count, step))
				entries[count++] = (struct output_entry){
					.name = step->entry,
					.directory = step->kind == STEP_DIRECTORY,
					.data = step->data,
				};
	}
	return count;
}

/*
 * Lists of what stays; in a root file system that is made anew, the directories for what is mounted there, which no
 * part of the target has. At most PLAN_CLEARINGS entries.
 */
static size_t gather_clearings(const struct plan *plan, struct output_entry *entries)
{
	static const char *const mounts[] = {"system/dev", "system/firmware"};
	size_t count = 0;

	for (size_t i = 0; i < plan->clearing_count; i++) {
		const struct plan_clearing *clearing = &plan->clearings[i];

		if (clearing->entry)
			entries[count++] = (struct output_entry){.name = clearing->entry, .data = clearing->data};
		else if (strcmp(clearing->directory, "/system") == 0)
			for (size_t k = 0; k < sizeof(mounts) / sizeof(mounts[0]); k++)
				entries[count++] = (struct output_entry){.name = mounts[k], .directory = true};
	}
	return count;
}

int pack_plan(struct plan *plan, const struct verify_inputs *trees, const struct gen_options *options, const char *path,
              struct error *error)
{
	/* Whose file system is there behind the upgrade; NULL: nobody knows. */
	const struct tree *result = options->parts & GEN_LINUX ? trees->target : plan->full ? NULL : trees->source;
	const struct object *version = result ? pack_find_version(result) : NULL;
	const struct object *rollback = rollback_find(result ? result : trees->target);
	struct output_entry *entries = calloc(plan->count + 4 + PLAN_CLEARINGS, sizeof(*entries));
	size_t count = 0;
	int err;

	if (!entries)
		return error_set(error, 0, ENOMEM, "out of memory");
	if (!plan->full)
		entries[count++] = (struct output_entry){.name = PACKAGE_PROJECT_VERSION,
		                                         .data = pack_find_version(trees->source)->data};
	if (version)
		entries[count++] = (struct output_entry){.name = PACKAGE_TARGET_VERSION, .data = version->data};
	if (rollback)
		entries[count++] = (struct output_entry){.name = PACKAGE_ROLLBACK_INDEX, .data = rollback->data};
	entries[count] = (struct output_entry){.name = PACKAGE_SCRIPT};
	err = spool_script(plan, &entries[count++].data, error);
	count += gather_clearings(plan, entries + count);
	count += gather_entries(plan, entries + count);
	if (err == 0 && count > package_default_limits().max_entries)
		err = error_set(error, RESULT_FORMAT, EFBIG,
		                "too many differences: %zu entries do not fit into a package", count);
	if (err == 0)
		err = output_write(path, entries, count, options->has_time ? &options->time : NULL, error);
	free(entries);
	return err;
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat first;
	struct stat second;

	return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

static bool is_version(const char *path, const char *version)
{
	char *place = version ? tree_locate(version) : NULL;
	bool same = place && is_same_file(path, place);

	free(place);
	return same;
}

static bool is_list(const char *path, const struct gen_options *options, enum gen_list kind)
{
	char *place;
	bool same;

	if (options->lists[kind])
		return is_same_file(path, options->lists[kind]);
	if (!options->lists_folder || asprintf(&place, "%s/%s", options->lists_folder, list_name(kind)) < 0)
		return false;
	same = is_same_file(path, place);
	free(place);
	return same;
}

static bool is_input(const char *path, const struct gen_options *options)
{
	bool has_list = false;

	for (unsigned i = 0; i < GEN_LISTS; i++)
		has_list |= is_list(path, options, (enum gen_list)i);
	return has_list || (options->sign && is_same_file(path, options->sign)) || is_version(path, options->source) ||
	       is_version(path, options->target);
}

int pack_check_output(const char *output, const struct gen_options *options, struct error *error)
{
	const char *summary = options->summary && strcmp(options->summary, "-") != 0 ? options->summary : NULL;

	if (summary && (strcmp(summary, output) == 0 || is_same_file(summary, output)))
		return error_set(error, 0, EINVAL, "%s: is the package and would be overwritten by the figures",
		                 summary);
	if (summary && is_input(summary, options))
		return error_set(error, 0, EINVAL, "%s: is an input and would be overwritten", summary);
	if (is_input(output, options))
		return error_set(error, 0, EINVAL, "%s: is an input and would be overwritten", output);
	return place_check(output, error);
}

int pack_measure(const char *path, const struct gen_options *options, uint64_t *size, struct error *error)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return error_set(error, 0, errno, "%s: %s", path, strerror(errno));
	*size = recipients_size(options->recipients, (uint64_t)status.st_size);
	return 0;
}
