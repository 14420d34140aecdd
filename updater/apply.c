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

static int job_name(struct job *job, struct error *error)
{
	const struct updater_apply *apply = job->apply;
	int err = storage_name_parse(apply->source, &job->other.name, error);

	if (err < 0)
		return err;
	job->target.name = job->other.name;
	if (strcmp(apply->target, "-") != 0)
		err = storage_name_parse(apply->target, &job->target.name, error);
	if (err < 0)
		return err;
	job->in_place = job->target.name.kind == job->other.name.kind &&
	                strcmp(job->target.name.name, job->other.name.name) == 0;
	(void)object_label(&job->target.name, job->label);
	return 0;
}

static int job_open(struct job *job, struct error *error)
{
	const struct updater_apply *apply = job->apply;
	unsigned kinds = object_kind_bit(&apply->digest);
	int err = 0;

	for (unsigned i = 0; i < apply->patch_count; i++)
		kinds |= object_kind_bit(&apply->patches[i].source);
	if (!job->in_place)
		err = object_open(job->storage, apply->source, 0, kinds, &job->other, error);
	/* In place the source's text counts: its content pairs know the sizes of both versions. */
	if (err == 0)
		err = object_open(job->storage, job->in_place ? apply->source : apply->target, apply->size, kinds,
		                  &job->target, error);
	journal_count(apply->journal, job->other.bytes_read + job->target.bytes_read);
	return err;
}

static bool is_on_record(const struct job *job)
{
	const struct digest_value *wanted = &job->apply->digest;
	uint64_t size;

	return journal_vouches(job->apply->journal, &job->target.name, &wanted, 1, &size) && size == job->apply->size;
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
	const struct updater_apply *apply = job->apply;
	char hex[DIGEST_TEXT_SIZE];
	int err;

	journal_begin(apply->journal);
	journal_begin_write(apply->journal, &job->target.name);
	if (job->place)
		err = in_place_change(job->place, &apply->digest, job->log, error);
	else if (storage_is_atomic(&job->target.name))
		err = job_replace_file(job, error);
	else
		err = job_replace_partition(job, error);
	if (err < 0)
		return err;
	log_printf(job->log, "%s: now %s", job->label, short_hex(&apply->digest, hex));
	err = job_drop_backup(job, error);
	if (err == 0)
		journal_record(apply->journal, &job->target.name, &apply->digest, apply->size);
	return err;
}

/* Find out what the target holds and, unless that is what it shall hold, what to make it from. */
static int job_look(struct job *job, bool *is_there, struct error *error)
{
	int err = job_choose_in_place(job, error);

	*is_there = false;
	if (err < 0)
		return err;
	if (job->place) {
		*is_there = in_place_is_new(job->place);
		return *is_there ? in_place_verify(job->place, &job->apply->digest, error) : 0;
	}
	if (job_is_interrupted(job)) {
		log_printf(job->log, "%s: is written again, from the copy", job->label);
		return 0;
	}
	err = job_open(job, error);
	if (err < 0)
		return err;
	*is_there = target_is_there(job);
	return *is_there ? 0 : job_choose_source(job, error);
}

/* An unmounted /cache is a directory in memory: it would lose the backup with the power. */
static int job_prepare(struct job *job, struct error *error)
{
	int err = job->apply->dry_run ? 0 : storage_mount_for(job->storage, UPDATER_BACKUP, error);

	if (err < 0 || job->apply->dry_run)
		return err;
	err = storage_units_recover(job->storage, UPDATER_UNIT, error);
	return err < 0 ? err : 0;
}

static int job_run(struct job *job, struct error *error)
{
	const struct updater_apply *apply = job->apply;
	char hex[DIGEST_TEXT_SIZE];
	bool is_there;
	int err = job_name(job, error);

	if (err == 0)
		err = job_prepare(job, error);
	if (err < 0)
		return err;
	if (is_on_record(job)) {
		log_printf(job->log, "%s: already %s, says the journal", job->label, short_hex(&apply->digest, hex));
		return job_drop_backup(job, error);
	}
	err = job_look(job, &is_there, error);
	if (err < 0)
		return err;
	if (is_there) {
		log_printf(job->log, "%s: already %s", job->label, short_hex(&apply->digest, hex));
		journal_record(apply->journal, &job->target.name, &apply->digest, apply->size);
		if (apply->dry_run)
			return 0;
		err = job->place ? in_place_tidy(job->place, error) : 0;
		return err < 0 ? err : job_drop_backup(job, error);
	}
	err = job_check_needs(job, error);
	if (err < 0)
		return err;
	if (apply->dry_run)
		return job->place ? 0 : job_rehearse(job, error);
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
	in_place_close(job->place);
	free(job);
	return err;
}
