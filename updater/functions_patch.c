/* SPDX-License-Identifier: Apache-2.0 */
/* Functions around delta patches and digests. */
#include "updater/functions.h"

#include "updater/apply.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- apply_patch ---- */

struct patch_arguments {
	char *source;
	char *target;
	struct updater_patch *patches;
	struct script_value *blobs;
	unsigned count;
	struct digest_value digest;
	uint64_t size;
	struct error missing; /* code 0: every patch is in the package */
};

static void free_patch_arguments(struct patch_arguments *arguments)
{
	for (unsigned i = 0; arguments->blobs && i < arguments->count; i++)
		script_value_clear(&arguments->blobs[i]);
	free(arguments->blobs);
	free(arguments->patches);
	free(arguments->source);
	free(arguments->target);
}

static int read_target_version(struct script_call *call, struct patch_arguments *arguments)
{
	char *digest = NULL;
	char *size = NULL;
	int err = script_argument_text(call, 2, &digest);

	if (err == 0)
		err = script_argument_text(call, 3, &size);
	if (err < 0)
		goto out;
	if (digest_from_text(digest, &arguments->digest) < 0)
		err = script_abort(call, 0, "apply_patch(): can't parse target digest \"%.80s\"", digest);
	else if (size_parse(size, &arguments->size) < 0)
		err = script_abort(call, 0, "apply_patch(): can't parse \"%.40s\" as byte count", size);
out:
	free(digest);
	free(size);
	return err;
}

/* Pair number i: arguments 4 + 2 i and 5 + 2 i. */
static int read_pair(struct script_call *call, struct patch_arguments *arguments, unsigned i)
{
	int at = 4 + 2 * (int)i;
	struct script_value digest;
	const struct blob *blob;
	int err = script_argument(call, at, &digest);

	if (err < 0)
		return err;
	if (digest.type != SCRIPT_TEXT)
		err = script_abort(call, 0, "apply_patch(): sha-1 #%u is not string", i + 1);
	else if (digest_from_text(digest.text, &arguments->patches[i].source) < 0)
		err = script_abort(call, 0, "apply_patch(): sha-1 #%u, \"%.80s\", is not a digest", i + 1, digest.text);
	script_value_clear(&digest);
	if (err < 0)
		return err;
	err = script_argument(call, at + 1, &arguments->blobs[i]);
	if (err < 0)
		return err;
	if (arguments->blobs[i].type != SCRIPT_BLOB)
		return script_abort(call, 0, "apply_patch(): patch #%u is not blob", i + 1);
	blob = blob_of(&arguments->blobs[i]);
	arguments->patches[i].patch = blob->content;
	if (blob->missing)
		(void)error_set(&arguments->missing, RESULT_FORMAT, ENOENT, "patch #%u: %.400s", i + 1,
		                blob->error.message);
	return 0;
}

static int read_patch_arguments(struct script_call *call, struct patch_arguments *arguments)
{
	unsigned count = (unsigned)(script_argument_count(call) - 4) / 2;
	int err = script_argument_text(call, 0, &arguments->source);

	if (err == 0)
		err = script_argument_text(call, 1, &arguments->target);
	if (err == 0)
		err = read_target_version(call, arguments);
	if (err < 0)
		return err;
	arguments->patches = calloc(count, sizeof(*arguments->patches));
	arguments->blobs = calloc(count, sizeof(*arguments->blobs));
	if (!arguments->patches || !arguments->blobs)
		return -ENOMEM;
	arguments->count = count;
	for (unsigned i = 0; err == 0 && i < count; i++)
		err = read_pair(call, arguments, i);
	return err;
}

/* The object has its content, or the backup served and is gone: nobody needs it any more. */
static void release_claim(struct updater_run *run, const struct patch_arguments *arguments)
{
	struct storage_stat stat;
	char label[OBJECT_LABEL_SIZE];
	const char *target = strcmp(arguments->target, "-") == 0 ? arguments->source : arguments->target;

	if (strcmp(label_from_text(target, label), run->backup_needed_by) == 0 ||
	    storage_stat_path(run->storage, UPDATER_BACKUP, &stat) < 0)
		run->backup_needed_by[0] = '\0';
}

/* The file that will grow or shrink; NULL: a partition or volume, which does not. */
static const char *target_file(const struct updater_apply *apply)
{
	const char *target = strcmp(apply->target, "-") == 0 ? apply->source : apply->target;
	struct storage_name name;

	return storage_name_parse(target, &name, NULL) == 0 && name.kind == STORAGE_FILE ? target : NULL;
}

static int apply(struct script_call *call, const struct patch_arguments *arguments, struct script_value *result)
{
	struct updater_run *run = run_of(call);
	struct updater_apply apply = {
		.source = rehearsal_path(&run->rehearsal, arguments->source),
		.target = arguments->target,
		.digest = arguments->digest,
		.size = arguments->size,
		.patches = arguments->patches,
		.patch_count = arguments->count,
		.dry_run = run->rehearsal.on,
		.journal = run->journal,
		.backup_needed_by = run->backup_needed_by[0] ? run->backup_needed_by : NULL,
	};
	const char *file = target_file(&apply);
	struct error error = arguments->missing;
	char label[OBJECT_LABEL_SIZE];
	int err = error.code ? -ENOENT : 0;

	/* What its check has told already is not gone through again. */
	if (rehearsal_has_mismatch(&run->rehearsal, label_from_text(apply.source, label)))
		return script_result_text(result, "t");
	if (run->rehearsal.on && file)
		apply.growth = rehearsal_growth(&run->rehearsal, run->storage, file);
	if (err == 0)
		err = updater_apply(run->storage, &apply, run->log, &error);
	if (err == 0)
		release_claim(run, arguments);
	if (run->rehearsal.on) {
		run->rehearsal.changed = true;
		if (err < 0)
			run_mismatch(run, label, &error);
		else if (file)
			rehearsal_resize(&run->rehearsal, run->storage, file, apply.size);
		return script_result_text(result, "t");
	}
	return err < 0 ? call_fail(call, result, "", &error) : script_result_text(result, "t");
}

int function_apply_patch(struct script_call *call, struct script_value *result)
{
	struct patch_arguments arguments = {0};
	int err = read_patch_arguments(call, &arguments);

	if (err == 0)
		err = apply(call, &arguments, result);
	free_patch_arguments(&arguments);
	return err;
}

/* ---- apply_patch_space ---- */

/*
 * The lineage deleted files of /cache until there was room. What lies there is not ours: it may be the package. The
 * present backup counts as free, or an interrupted run could never pass its own check again.
 */
int function_apply_patch_space(struct script_call *call, struct script_value *result)
{
	struct updater_run *run = run_of(call);
	struct error error;
	uint64_t available = 0;
	uint64_t bytes;
	char *text;
	int err = script_argument_text(call, 0, &text);

	if (err < 0)
		return err;
	if (size_parse(text, &bytes) < 0)
		err = script_abort(call, 0, "apply_patch_space(): can't parse \"%.40s\" as byte count", text);
	free(text);
	if (err < 0)
		return err;
	err = backup_space(run->storage, &available, &error);
	if (err == 0 && available < bytes)
		err = error_set(&error, RESULT_SPACE, ENOSPC,
		                "not enough free space on /cache: need %llu bytes, have %llu",
		                (unsigned long long)bytes, (unsigned long long)available);
	if (err == 0)
		return script_result_text(result, "t");
	if (run->rehearsal.on) {
		run_mismatch(run, UPDATER_BACKUP, &error);
		return script_result_text(result, "t");
	}
	log_printf(run->log, "%s", error.message);
	run_remember(run, &error);
	return script_result_text(result, "");
}

/* ---- read_file, sha1_check ---- */

int function_read_file(struct script_call *call, struct script_value *result)
{
	struct updater_run *run = run_of(call);
	struct blob *blob;
	char *name;
	int err = script_argument_text(call, 0, &name);

	if (err < 0)
		return err;
	blob = blob_from_storage(run->storage, rehearsal_path(&run->rehearsal, name));
	if (blob && blob->missing)
		log_printf(run->log, "read_file(): %s", blob->error.message);
	free(name);
	return blob ? script_result_blob(result, &blob->base) : -ENOMEM;
}

/* Text counts too: its bytes are its content, as in the lineage. */
static int value_digests(const struct script_value *value, struct digest_value values[DIGEST_SHA256 + 1])
{
	struct digest sha1;
	struct digest sha256;
	uint8_t buffer[16384];
	ssize_t n = 0;

	digest_start(&sha1, DIGEST_SHA1);
	digest_start(&sha256, DIGEST_SHA256);
	if (value->type == SCRIPT_TEXT) {
		digest_add(&sha1, value->text, strlen(value->text));
		digest_add(&sha256, value->text, strlen(value->text));
	} else {
		const struct blob *blob = blob_of(value);
		struct stream stream;
		int err = blob->missing ? -ENOENT : blob->content.open(blob->content.ctx, 0, &stream);

		if (err < 0)
			return err;
		while ((n = stream.read(stream.ctx, buffer, sizeof(buffer))) > 0) {
			digest_add(&sha1, buffer, (size_t)n);
			digest_add(&sha256, buffer, (size_t)n);
		}
		stream_close(&stream);
	}
	digest_finish(&sha1, &values[DIGEST_SHA1]);
	digest_finish(&sha256, &values[DIGEST_SHA256]);
	return (int)n;
}

static const char *matching_digest(const struct updater_run *run, const struct arguments *wanted,
                                   const struct digest_value values[DIGEST_SHA256 + 1])
{
	struct digest_value digest;

	for (int i = 0; i < wanted->count; i++)
		if (digest_from_text(wanted->text[i], &digest) < 0)
			log_printf(run->log, "sha1_check(): \"%.80s\" is not a digest", wanted->text[i]);
		else if (digest_equal(&digest, &values[digest.kind]))
			return wanted->text[i];
	return "";
}

int function_sha1_check(struct script_call *call, struct script_value *result)
{
	struct updater_run *run = run_of(call);
	struct digest_value values[DIGEST_SHA256 + 1];
	char hex[DIGEST_TEXT_SIZE];
	struct script_value value;
	struct arguments wanted;
	const char *match = "";
	int err = script_argument(call, 0, &value);

	if (err < 0)
		return err;
	err = arguments_read(call, 1, &wanted);
	if (err < 0)
		goto out;
	if (value_digests(&value, values) == 0)
		match = wanted.count ? matching_digest(run, &wanted, values) : digest_format(&values[DIGEST_SHA1], hex);
	/* After a change that a dry run skipped, the content cannot be what the script waits for. */
	if (!*match && run->rehearsal.changed && wanted.count > 0)
		match = wanted.text[0];
	err = script_result_text(result, match);
	arguments_free(&wanted);
out:
	script_value_clear(&value);
	return err;
}
