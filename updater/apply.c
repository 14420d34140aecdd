/* SPDX-License-Identifier: Apache-2.0 */
#include "updater/apply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *short_hex(const struct digest_value *digest, char text[DIGEST_TEXT_SIZE])
{
	(void)digest_format(digest, text);
	text[8] = '\0';
	return text;
}

void job_close_readers(struct job *job)
{
	object_close(&job->target);
	object_close(&job->other);
	backup_close(&job->backup);
}

static int job_open(struct job *job, struct error *error)
{
	const struct updater_apply *apply = job->apply;
	unsigned kinds = object_kind_bit(&apply->digest);
	struct storage_name target;
	int err;

	for (unsigned i = 0; i < apply->patch_count; i++)
		kinds |= object_kind_bit(&apply->patches[i].source);
	if (strcmp(apply->target, "-") != 0) {
		err = storage_name_parse(apply->target, &target, error);
		if (err < 0)
			return err;
		err = object_open(job->storage, apply->source, 0, kinds, &job->other, error);
		if (err < 0)
			return err;
		job->in_place = target.kind == job->other.name.kind && strcmp(target.name, job->other.name.name) == 0;
	} else {
		job->in_place = true;
	}
	/* In place the source's text counts: its content pairs know the sizes of both versions. */
	err = object_open(job->storage, job->in_place ? apply->source : apply->target, apply->size, kinds, &job->target,
	                  error);
	if (err == 0)
		(void)object_label(&job->target.name, job->label);
	return err;
}

static bool target_is_there(const struct job *job)
{
	uint64_t size;

	return object_matches(&job->target, &job->apply->digest, &size) && size == job->apply->size;
}

int job_drop_backup(struct job *job, struct error *error)
{
	struct backup backup;
	bool ours;

	/* Missing or damaged: nothing that anybody could need. */
	if (backup_open(job->storage, &backup, NULL) < 0)
		return 0;
	/* One of unknown origin was ours if it served; that of another object stays, though its content served. */
	ours = backup_is_of(&backup, job->label) || (!backup.label[0] && job->from_backup);
	backup_close(&backup);
	return ours ? backup_remove(job->storage, error) : 0;
}

static int job_change(struct job *job, struct error *error)
{
	char hex[DIGEST_TEXT_SIZE];
	int err;

	if (storage_is_atomic(&job->target.name))
		err = job_replace_file(job, error);
	else
		err = job_replace_partition(job, error);
	if (err < 0)
		return err;
	log_printf(job->log, "%s: now %s", job->label, short_hex(&job->apply->digest, hex));
	return job_drop_backup(job, error);
}

static int job_run(struct job *job, struct error *error)
{
	char hex[DIGEST_TEXT_SIZE];
	int err = 0;

	/* An unmounted /cache is a directory in memory: it would lose the backup with the power. */
	if (!job->apply->dry_run)
		err = storage_mount_for(job->storage, UPDATER_BACKUP, error);
	if (err == 0)
		err = job_open(job, error);
	if (err < 0)
		return err;
	if (target_is_there(job)) {
		log_printf(job->log, "%s: already %s", job->label, short_hex(&job->apply->digest, hex));
		return job->apply->dry_run ? 0 : job_drop_backup(job, error);
	}
	err = job_choose_source(job, error);
	if (err < 0)
		return err;
	err = job_check_needs(job, error);
	if (err < 0)
		return err;
	if (job->apply->dry_run)
		return job_rehearse(job, error);
	return job_change(job, error);
}

int updater_apply(struct storage *storage, const struct updater_apply *apply, const struct log *log,
                  struct error *error)
{
	struct job *job = calloc(1, sizeof(*job));
	int err;

	if (!job)
		return error_set(error, RESULT_ABNORMAL, ENOMEM, "out of memory");
	job->storage = storage;
	job->apply = apply;
	job->log = log;
	err = job_run(job, error);
	job_close_readers(job);
	free(job);
	return err;
}
