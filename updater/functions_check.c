/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that ask what an object holds. */
#include "updater/functions.h"

#include "updater/apply.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int digest_from_text(const char *text, struct digest_value *digest)
{
	return digest_parse(digest, text) < 0 || digest->kind == DIGEST_MD5 ? -EINVAL : 0;
}

const char *label_from_text(const char *name, char label[OBJECT_LABEL_SIZE])
{
	struct storage_name parsed;

	if (storage_name_parse(name, &parsed, NULL) == 0)
		return object_label(&parsed, label);
	(void)snprintf(label, OBJECT_LABEL_SIZE, "%s", name);
	return label;
}

struct check_arguments {
	char *name;
	struct digest_value *digests;
	unsigned digest_count;
	struct script_value *blobs;
	struct content *patches; /* of the blobs that are in the package */
	unsigned patch_count;
	unsigned count; /* of arguments behind the name, and of blobs, most of which may be empty */
};

static void free_check_arguments(struct check_arguments *arguments)
{
	for (unsigned i = 0; arguments->blobs && i < arguments->count; i++)
		script_value_clear(&arguments->blobs[i]);
	free(arguments->blobs);
	free(arguments->patches);
	free(arguments->digests);
	free(arguments->name);
}

/* A digest, or the content of a patch in place. */
static void add_check_argument(struct updater_run *run, struct check_arguments *arguments,
                               const struct script_value *value)
{
	const struct blob *blob;

	if (value->type == SCRIPT_TEXT) {
		if (digest_from_text(value->text, &arguments->digests[arguments->digest_count]) == 0)
			arguments->digest_count++;
		else
			log_printf(run->log, "%s: \"%.80s\" is not a digest", arguments->name, value->text);
		return;
	}
	blob = blob_of(value);
	if (blob->missing)
		log_printf(run->log, "%s: %s", arguments->name, blob->error.message);
	else
		arguments->patches[arguments->patch_count++] = blob->content;
}

static int read_check_arguments(struct script_call *call, struct check_arguments *arguments)
{
	unsigned count = (unsigned)script_argument_count(call) - 1;
	int err = script_argument_text(call, 0, &arguments->name);

	if (err < 0)
		return err;
	arguments->digests = calloc(count + 1U, sizeof(*arguments->digests));
	arguments->blobs = calloc(count + 1U, sizeof(*arguments->blobs));
	arguments->patches = calloc(count + 1U, sizeof(*arguments->patches));
	if (!arguments->digests || !arguments->blobs || !arguments->patches)
		return -ENOMEM;
	arguments->count = count;
	for (unsigned i = 0; err == 0 && i < count; i++) {
		err = script_argument(call, (int)i + 1, &arguments->blobs[i]);
		if (err == 0)
			add_check_argument(run_of(call), arguments, &arguments->blobs[i]);
	}
	return err;
}

static int check(struct updater_run *run, const struct check_arguments *arguments, struct error *error)
{
	const char *name = rehearsal_path(&run->rehearsal, arguments->name);
	struct error part_way;
	bool from_backup = false;
	int err;

	if (arguments->count > 0 && arguments->digest_count + arguments->patch_count == 0)
		err = error_set(error, RESULT_VERIFY, EINVAL, "%.180s: no usable digest to compare with", name);
	else
		err = check_object(run->storage, name, arguments->digests, arguments->digest_count, run->journal,
		                   run->log, &from_backup, error);
	if (err == 0 && from_backup)
		(void)label_from_text(name, run->backup_needed_by);
	if (err == 0 && !from_backup)
		return check_in_place(run->storage, name, arguments->patches, arguments->patch_count, error);
	if (err != -EILSEQ || arguments->patch_count == 0)
		return err;
	err = updater_check_part_way(run->storage, name, arguments->patches, arguments->patch_count, run->log,
	                             &part_way);
	if (err < 0) {
		/* Which unit is neither says more than two digests of all of it. */
		log_printf(run->log, "%s", error->message);
		*error = part_way;
	}
	return err;
}

int function_apply_patch_check(struct script_call *call, struct script_value *result)
{
	struct check_arguments arguments = {0};
	struct updater_run *run = run_of(call);
	char label[OBJECT_LABEL_SIZE];
	struct error error;
	bool tried;
	int err = read_check_arguments(call, &arguments);

	if (err < 0)
		goto out;
	err = check(run, &arguments, &error);
	(void)label_from_text(rehearsal_path(&run->rehearsal, arguments.name), label);
	if (err == 0) {
		/* What failed before was an alternative to this: no cause of a later abort. */
		run->last_failure.code = RESULT_OK;
		err = script_result_text(result, "t");
		goto out;
	}
	tried = script_call_is_tried(call);
	if (run->rehearsal.on && !tried) {
		if (!run->rehearsal.changed)
			run_mismatch(run, label, &error);
		err = script_result_text(result, "t");
		goto out;
	}
	/* What moves is in one place and not in the other: no news. */
	if (!tried || err != -ENOENT)
		log_printf(run->log, "%s", error.message);
	run_remember(run, &error);
	err = script_result_text(result, "");
out:
	free_check_arguments(&arguments);
	return err;
}
