/* SPDX-License-Identifier: Apache-2.0 */
#include "updater/apply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int job_choose_in_place(struct job *job, struct error *error)
{
	const struct updater_apply *apply = job->apply;
	unsigned refused = 0;
	int err = 0;

	if (!job->in_place || storage_is_atomic(&job->target.name))
		return 0;
	for (unsigned i = 0; i < apply->patch_count && !job->place; i++) {
		job->patch = &apply->patches[i];
		err = in_place_open(job->storage, &job->target.name, &job->patch->patch, &job->patch->source,
		                    &job->place, error);
		if (err < 0 && err != -EILSEQ)
			return err;
		refused += err < 0;
	}
	if (!job->place)
		return refused > 0 && refused == apply->patch_count ? -EILSEQ : 0;
	if (in_place_size(job->place) != apply->size)
		return error_set(error, RESULT_VERIFY, EINVAL, "%.180s: the patch makes %llu bytes, not %llu",
		                 job->label, (unsigned long long)in_place_size(job->place),
		                 (unsigned long long)apply->size);
	return 0;
}

/* The live source has priority: it needs no trust in an earlier run. */
static bool choose_live(struct job *job)
{
	const struct object *object = job_source_object(job);

	for (unsigned i = 0; i < job->apply->patch_count; i++) {
		uint64_t size;

		if (!object_matches(object, &job->apply->patches[i].source, &size))
			continue;
		job->patch = &job->apply->patches[i];
		job->source = object->io;
		job->source.size = size;
		return true;
	}
	return false;
}

/* own: only one that was made of the target itself. */
static bool choose_backup(struct job *job, bool own, struct error *error)
{
	struct digest_value have[DIGEST_SHA256 + 1];
	unsigned known = 0;

	if (backup_open(job->storage, &job->backup, error) < 0)
		return false;
	if (own && !backup_is_of(&job->backup, job->label))
		goto none;
	for (unsigned i = 0; i < job->apply->patch_count; i++) {
		const struct digest_value *want = &job->apply->patches[i].source;

		if (!(known & object_kind_bit(want)) &&
		    backup_digest(&job->backup, want->kind, &have[want->kind], error) < 0)
			break;
		known |= object_kind_bit(want);
		if (!digest_equal(&have[want->kind], want))
			continue;
		job->patch = &job->apply->patches[i];
		job->source = job->backup.io;
		job->from_backup = true;
		return true;
	}
none:
	backup_close(&job->backup);
	return false;
}

bool job_is_interrupted(struct job *job)
{
	return !storage_is_atomic(&job->target.name) && choose_backup(job, true, NULL);
}

/* The message names the target digest first, since a user who sees it wants to know which version was expected. */
static int no_source(struct job *job, struct error *error)
{
	const struct digest_value **expected;
	unsigned count = 0;
	int err;

	expected = calloc(job->apply->patch_count + 1U, sizeof(struct digest_value *));
	if (!expected)
		return error_set(error, RESULT_ABNORMAL, ENOMEM, "out of memory");
	if (job->in_place)
		expected[count++] = &job->apply->digest;
	for (unsigned i = 0; i < job->apply->patch_count; i++)
		expected[count++] = &job->apply->patches[i].source;
	err = object_mismatch(job_source_object(job), expected, count, error);
	free(expected);
	return err;
}

int job_choose_source(struct job *job, struct error *error)
{
	if (choose_live(job))
		return 0;
	log_printf(job->log, "%s: source file is bad; trying copy", job->label);
	if (choose_backup(job, false, error)) {
		log_printf(job->log, "%s: source is taken from the copy", job->label);
		return 0;
	}
	log_printf(job->log, "%s: copy file doesn't match source SHA-1s either", job->label);
	return no_source(job, error);
}
