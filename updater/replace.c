/* SPDX-License-Identifier: Apache-2.0 */
#include "updater/apply.h"

#include "patch/patch.h"
#include "updater/rehearsal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SPACE_RESERVE 262144u /* what a file system may need beside the content, bytes */

/* ---- Where patched bytes go ---- */

struct output {
	struct storage_writer *writer; /* NULL: only the digest counts */
	struct digest digest;
	struct error error; /* of the writer: patch_apply() knows only its number */
	int status;
};

static int output_write(void *ctx, const void *data, size_t length)
{
	struct output *output = ctx;

	digest_add(&output->digest, data, length);
	if (output->writer)
		output->status = storage_writer_write(output->writer, data, length, &output->error);
	return output->status;
}

static int run_patch(struct job *job, struct storage_writer *writer, struct error *error)
{
	const struct updater_apply *apply = job->apply;
	struct output output = {.writer = writer};
	struct sink sink = {.write = output_write, .ctx = &output};
	struct digest_value value;
	char expected[DIGEST_TEXT_SIZE];
	char found[DIGEST_TEXT_SIZE];
	int err;

	digest_start(&output.digest, apply->digest.kind);
	err = patch_apply(&job->source, &job->patch->patch, apply->bonus, apply->size, &sink, error);
	if (output.status < 0)
		return error_set(error, output.error.code, -output.status, "%s", output.error.message);
	if (err < 0) {
		error_prefix(error, "%.180s: cannot apply the patch", job->label);
		return err;
	}
	digest_finish(&output.digest, &value);
	if (!digest_equal(&value, &apply->digest))
		return error_set(error, RESULT_VERIFY, EILSEQ,
		                 "%.180s: patch did not produce expected sha1: expected %s, found %s", job->label,
		                 digest_format(&apply->digest, expected), digest_format(&value, found));
	return 0;
}

int job_rehearse(struct job *job, struct error *error)
{
	return run_patch(job, NULL, error);
}

static int write_target(struct job *job, const char *like, struct error *error)
{
	struct storage_writer *writer;
	int err = storage_writer_open(job->storage, &job->target.name, job->apply->size, like, &writer, error);

	if (err < 0)
		return err;
	err = run_patch(job, writer, error);
	if (err < 0) {
		storage_writer_abort(writer);
		return err;
	}
	return storage_writer_commit(writer, &job->apply->digest, error);
}

/* ---- Needs ---- */

/* The slot is taken when the check of another object was only satisfied by what lies in it. */
static int backup_is_possible(struct job *job, struct error *error)
{
	const char *other = job->apply->backup_needed_by;
	int err;

	if (!other || strcmp(other, job->label) == 0) {
		err = backup_check_room(job->storage, job->source.size, error);
		if (err < 0)
			error_prefix(error, "%.180s", job->label);
		return err;
	}
	return error_set(error, RESULT_VERIFY, EBUSY, "%.150s: no backup possible, the present one is needed by %.150s",
	                 job->label, other);
}

static int partition_needs(struct job *job, struct error *error)
{
	uint64_t bytes;
	int err = storage_capacity(job->storage, &job->target.name, &bytes, error);

	if (err < 0)
		return err;
	if (bytes < job->apply->size)
		return error_set(error, RESULT_SPACE, ENOSPC, "%.180s: holds %llu bytes, the target has %llu",
		                 job->label, (unsigned long long)bytes, (unsigned long long)job->apply->size);
	if (job->from_backup)
		return 0;
	return backup_is_possible(job, error);
}

/* Free bytes of the target's file system, as they will be after the changes that a dry run skipped. */
static int free_room(const struct job *job, uint64_t *bytes, struct error *error)
{
	int err = storage_free_space(job->storage, job->target.name.name, bytes, error);

	if (err == 0)
		*bytes = rehearsal_room(*bytes, job->apply->growth);
	return err;
}

static bool file_fits(struct job *job, uint64_t reserve)
{
	uint64_t need = job->apply->size + reserve;
	uint64_t bytes;

	/* Where nobody knows, trying shows: a file is not harmed by a write that fails. */
	return free_room(job, &bytes, NULL) < 0 || bytes >= need;
}

static int no_space(const struct job *job, const char *why, struct error *error)
{
	uint64_t bytes = 0;

	/* It was known when there was found to be too little. */
	(void)free_room(job, &bytes, NULL);
	return error_set(error, RESULT_SPACE, ENOSPC,
	                 "%.180s: not enough free space: need %llu bytes, have %llu, and %s", job->label,
	                 (unsigned long long)job->apply->size, (unsigned long long)bytes, why);
}

/* /cache is often a link into the user data volume. */
static int stat_cache(struct storage *storage, struct storage_stat *stat)
{
	char path[STORAGE_PATH_MAX] = "/cache";
	char target[STORAGE_PATH_MAX];
	int err;

	for (int links = 0; links < 8; links++) {
		err = storage_stat_path(storage, path, stat);
		if (err < 0 || stat->type != STORAGE_SYMLINK)
			return err;
		err = storage_read_link(storage, path, target, sizeof(target), NULL);
		if (err < 0)
			return err;
		if (snprintf(path, sizeof(path), "%s%s", *target == '/' ? "" : "/", target) >= (int)sizeof(path))
			return -ENAMETOOLONG;
	}
	return -ELOOP;
}

/* Would removing the source make room, and does the backup really lie elsewhere? */
static int may_remove_source(struct job *job, struct error *error)
{
	struct storage_stat source;
	struct storage_stat cache;
	uint64_t bytes;
	int err;

	if (!job->in_place)
		return no_space(job, "the source is another object", error);
	if (storage_stat_path(job->storage, job->target.name.name, &source) < 0 || source.type != STORAGE_REGULAR)
		return no_space(job, "the source is no regular file", error);
	if (source.links > 1)
		return no_space(job, "the source has another name, which keeps its content", error);
	if (stat_cache(job->storage, &cache) < 0)
		return no_space(job, "there is no /cache", error);
	if (cache.device == source.device)
		return no_space(job, "/cache is on the same file system", error);
	err = free_room(job, &bytes, error);
	if (err < 0)
		return err;
	if (bytes + source.size < job->apply->size)
		return no_space(job, "without its source there would not be enough either", error);
	return backup_is_possible(job, error);
}

int job_check_needs(struct job *job, struct error *error)
{
	enum patch_format format;
	int err;

	if (job->place)
		return in_place_check_room(job->place, error);
	err = patch_identify(&job->patch->patch, &format, error);
	if (err < 0) {
		error_prefix(error, "%.180s", job->label);
		return err;
	}
	if (!storage_is_atomic(&job->target.name))
		return partition_needs(job, error);
	return job->from_backup || file_fits(job, 0) ? 0 : may_remove_source(job, error);
}

/* ---- The backup ---- */

/* An earlier run may have come this far. */
static bool backup_is_made(struct job *job)
{
	struct digest_value value;
	struct backup backup;
	bool made;

	if (backup_open(job->storage, &backup, NULL) < 0)
		return false;
	made = backup_is_of(&backup, job->label) &&
	       backup_digest(&backup, job->patch->source.kind, &value, NULL) == 0 &&
	       digest_equal(&value, &job->patch->source);
	backup_close(&backup);
	return made;
}

/* Afterwards the backup is the source, and nothing else is open. */
static int move_source_to_backup(struct job *job, const char *like, struct error *error)
{
	int err = 0;

	if (!backup_is_made(job))
		err = backup_make(job->storage, job->label, like, &job->source, &job->patch->source, error);
	if (err < 0) {
		error_prefix(error, "%.180s", job->label);
		return err;
	}
	job_close_readers(job);
	err = backup_open(job->storage, &job->backup, error);
	if (err < 0)
		return err;
	job->source = job->backup.io;
	job->from_backup = true;
	return 0;
}

/* ---- Partitions and volumes: the old content is gone while the new one is written ---- */

int job_replace_partition(struct job *job, struct error *error)
{
	/* A patch that would yield anything else must show before the first erase. */
	int err = job_rehearse(job, error);

	if (err < 0)
		return err;
	/* Always: another name of the source may still lead to the medium that is about to be erased. */
	if (!job->from_backup)
		err = move_source_to_backup(job, NULL, error);
	if (err < 0)
		return err;
	/* A UBI volume that is open for reading cannot be updated. */
	object_close(&job->target);
	object_close(&job->other);
	return write_target(job, NULL, error);
}

/* ---- Files: the old content stays until the new one is there, if there is room for both ---- */

static bool path_exists(struct storage *storage, const struct storage_name *name)
{
	struct storage_stat stat;

	return name->kind == STORAGE_FILE && storage_stat_path(storage, name->name, &stat) == 0;
}

/* Whose mode and owner the new file takes. */
static const char *model_path(struct job *job)
{
	const struct object *source = job_source_object(job);

	if (path_exists(job->storage, &source->name))
		return source->name.name;
	if (path_exists(job->storage, &job->target.name))
		return job->target.name.name;
	return job->from_backup ? UPDATER_BACKUP : NULL;
}

/* The lineage's way out: the source moves to /cache to make room for the target. */
static int move_source_away(struct job *job, struct error *error)
{
	const char *path = job->target.name.name;
	int err = may_remove_source(job, error);

	if (err < 0)
		return err;
	err = move_source_to_backup(job, path, error);
	if (err < 0)
		return err;
	log_printf(job->log, "%s: little space; the source is in the backup now", job->label);
	err = storage_remove(job->storage, path, error);
	return err < 0 ? err : 0;
}

/* Nothing came of it: put the old file back, so that the module has it even if nobody tries again. */
static void put_source_back(struct job *job)
{
	struct storage_writer *writer;
	struct error error;
	uint8_t buffer[4096];
	int err;

	err = storage_writer_open(job->storage, &job->target.name, job->source.size, UPDATER_BACKUP, &writer, &error);
	if (err < 0)
		goto out;
	for (uint64_t offset = 0; err == 0 && offset < job->source.size;) {
		uint64_t left = job->source.size - offset;
		size_t length = left < sizeof(buffer) ? (size_t)left : sizeof(buffer);

		err = job->source.read_at(job->source.ctx, offset, buffer, length);
		if (err < 0)
			(void)error_set(&error, 0, -err, "reading the backup: %s", strerror(-err));
		else
			err = storage_writer_write(writer, buffer, length, &error);
		offset += length;
	}
	if (err < 0)
		storage_writer_abort(writer);
	else
		err = storage_writer_commit(writer, &job->patch->source, &error);
out:
	log_printf(job->log, "%s: %s%s", job->label,
	           err < 0 ? "old content is only in the backup: " : "old file restored", err < 0 ? error.message : "");
}

int job_replace_file(struct job *job, struct error *error)
{
	int err = job->in_place ? 0 : object_make_parents(job->storage, job->target.name.name, error);

	if (err < 0)
		return err;
	err = -ENOSPC;
	if (job->from_backup || file_fits(job, SPACE_RESERVE) || may_remove_source(job, NULL) < 0)
		err = write_target(job, model_path(job), error);
	if (err < 0 && job->from_backup && job->in_place && !path_exists(job->storage, &job->target.name))
		put_source_back(job);
	/* A file system may have less room than it says. */
	if (err != -ENOSPC || job->from_backup)
		return err;
	err = move_source_away(job, error);
	if (err < 0)
		return err;
	err = write_target(job, UPDATER_BACKUP, error);
	if (err < 0)
		put_source_back(job);
	return err;
}
