# SPDX-License-Identifier: Apache-2.0
"""Ways to break the code that survives power cuts, for tests/powercut/mutants.

An edit is (path, text that stands there exactly once, what comes in its place). A run of `powercut` with the options
must then fail, with what matches the regular expression `shows` among the reasons."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Mutation:
    name: str
    breaks: str
    options: str
    shows: str
    edits: tuple
    demanded: bool = False  # one of the five that must be caught whatever else is


DEMANDED = [
    Mutation(
        "no-file-sync", "a new file is renamed before it was synced",
        "--package tiny --loader abl --singles", "half written|neither old nor new",
        (("storage/writer_file.c", """\
	err = storage->ops->sync(storage->medium, w->handle);
	if (err == 0)
		err = file_close(w);
""", """\
	err = file_close(w);
"""),)),
    Mutation(
        "backup-truncated", "the backup is opened for writing when it is the source",
        "--package tiny --loader abl --singles", "of the backup while boot needs it",
        (("updater/replace.c", """\
#include "patch/patch.h"
""", """\
#include "patch/patch.h"
#include "storage/internal.h"
"""), ("updater/replace.c", """\
	if (!job->from_backup)
		err = move_source_to_backup(job, NULL, error);
	if (err < 0)
		return err;
""", """\
	if (job->from_backup) {
		const struct storage_ops *ops = job->storage->ops;
		int handle = ops->open(job->storage->medium, UPDATER_BACKUP, STORAGE_CREATE);

		err = handle < 0 ? handle : ops->close(job->storage->medium, handle);
		err = err < 0 ? err : error_set(error, RESULT_SPACE, EFAULT, "failed to back up source file");
	} else {
		err = move_source_to_backup(job, NULL, error);
	}
	if (err < 0)
		return err;
"""))),
    Mutation(
        "flag-first", "the flag is cleared before the last object",
        "--package tiny --loader abl --singles", "armed, and nothing came of it",
        (("recovery/attempt.c", """\
	double fraction = pipe_fraction(&attempt->pipe, now);

""", """\
	double fraction = pipe_fraction(&attempt->pipe, now);
	struct error error;

	if (attempt->boot->counted && fraction < 0.5)
		boot_note(attempt->boot, misc_clear(attempt->boot->misc, &error), &error);
"""),)),
    Mutation(
        "count-beside-flag", "the attempts are counted in the flag's erase block",
        "--package tiny --loader lk --singles", "nothing leads to recovery|nothing came of it",
        (("misc/misc.c", """\
	if (info->size / info->erase_size >= 2) {
		misc->journal_offset""", """\
	if (info->size / info->erase_size >= 2000) {
		misc->journal_offset"""), ("misc/attempts.c", """\
	return misc->record_count > 0 && !misc->shared_block;
""", """\
	return misc->record_count > 0;
"""))),
    Mutation(
        "update-marker-first", "a volume's update begins before the backup is durable",
        "--package modem --loader abl --singles", "half written, and no backup has its old content",
        (("storage/writer_file.c", """\
	err = storage->ops->sync(storage->medium, w->handle);
""", """\
	err = strcmp(writer->name.name, "/cache/saved.file") ? storage->ops->sync(storage->medium, w->handle) : 0;
"""), ("storage/writer_file.c", """\
	w->created = false;
	return storage_sync_parent(storage, writer->name.name, error);
""", """\
	w->created = false;
	return strcmp(writer->name.name, "/cache/saved.file")
		       ? storage_sync_parent(storage, writer->name.name, error)
		       : 0;
"""))),
]

MORE = [
    Mutation(
        "no-directory-sync", "a renamed file's directory is not synced",
        "--package tiny --loader abl --singles", "no backup has its old content|percentage fell",
        (("storage/writer_file.c", """\
	w->created = false;
	return storage_sync_parent(storage, writer->name.name, error);
""", """\
	w->created = false;
	return 0;
"""),)),
    Mutation(
        "backup-copied", "the backup is made again, of itself, when it is the source",
        "--package tiny --loader abl --singles", "rename of the backup while boot needs it",
        (("updater/replace.c", """\
	if (!job->from_backup)
		err = move_source_to_backup(job, NULL, error);
""", """\
	err = move_source_to_backup(job, NULL, error);
"""), ("updater/replace.c", """\
	if (!backup_is_made(job))
		err = backup_make(""", """\
	if (job->from_backup || !backup_is_made(job))
		err = backup_make("""))),
    Mutation(
        "backup-dropped", "the backup goes before the new content is on the medium",
        "--package tiny --loader abl --singles", "half written, and no backup",
        (("updater/replace.c", """\
	return write_target(job, NULL, error);
""", """\
	err = backup_remove(job->storage, error);
	return err < 0 ? err : write_target(job, NULL, error);
"""),)),
    Mutation(
        "half-is-believed", "a partition that was half written is believed when it reads well",
        "--package tiny --loader abl --singles", "boot is not the new one",
        (("updater/choose.c", """\
	return !storage_is_atomic(&job->target.name) && choose_backup(job, true, NULL);
""", """\
	(void)job;
	return false;
"""),)),
    Mutation(
        "no-interrupted-line", "the updater's journal does not say that an image is being written",
        "--package everything --loader abl --singles", "splash is not the new one",
        (("updater/journal_file.c", """\
		return;
	add_interrupted(file, key);
	write_interrupted(file);
}
""", """\
		return;
}
"""),)),
    Mutation(
        "unsynced-line", "the updater's journal is not synced",
        "--package everything --loader abl --singles", "splash is not the new one",
        (("updater/journal_file.c", """\
	if (storage_append_durable(""", """\
	if (storage_append("""),)),
    Mutation(
        "no-rehearsal", "a patch is tried out on the partition itself",
        "--package bad-patch --loader abl --singles", "boot was touched|boot is half written",
        (("updater/replace.c", """\
	int err = job_rehearse(job, error);

	if (err < 0)
		return err;
	/* Always""", """\
	int err = 0;

	/* Always"""),)),
    Mutation(
        "unlink-first", "a link is removed before its new one is there",
        "--package files --loader abl --singles", "neither old nor new",
        (("storage/file.c", """\
		err = storage->ops->rename(storage->medium, temp, at);
	if (err < 0)
		return storage_fail(error, err, "%s: link to""", """\
		err = storage->ops->unlink(storage->medium, at);
	if (err == 0 || err == -ENOENT)
		err = storage->ops->rename(storage->medium, temp, at);
	if (err < 0)
		return storage_fail(error, err, "%s: link to"""),)),
    Mutation(
        "no-last-sync", "nothing syncs what a script did, beside files it wrote",
        "--package modem --loader abl --singles", "rootfs/bin/service is not the new one",
        (("updater/run.c", """\
	} else if (run->rehearsal.on || storage_sync(run->storage, error) == 0) {
""", """\
	} else {
"""), ("recovery/attempt.c", """\
	if (code == RESULT_OK && storage_sync(boot->config->storage, error))
		code = RESULT_ABNORMAL;
""", ""))),
    Mutation(
        "newest-record-erased", "the block of misc's journal that is full is erased instead of the other one",
        "--package bad-bare --loader abl --singles", "attempts|armed|END",
        (("misc/journal.c", """\
		journal->block = journal->empty ? 0 : 1 - journal->block;
""", """\
		journal->block = journal->empty ? 0 : journal->block;
"""),)),
    Mutation(
        "message-read-once", "a bootloader message that was half written counts when it reads well once",
        "--package tiny --singles", "boot",
        (("misc/misc.c", """\
#define READS                 3""", """\
#define READS                 1"""),)),
    Mutation(
        "message-before-journal", "the message is cleared before the journal says so",
        "--package tiny --loader abl --singles", "pending upgrade|END",
        (("misc/misc.c", """\
	(void)journal_finish(misc, RECORD_CLOSED, NULL);
""", ""),)),
    Mutation(
        "cut-is-failure", "a power cut counts as an attempt that failed",
        "--package tiny --random 100", "is not the new one|END",
        (("misc/attempts.c", """\
	record->kind = RECORD_BEGIN;
""", """\
	record->failed += attempts.running;
	record->kind = RECORD_BEGIN;
"""),)),
    Mutation(
        "attempts-without-end", "a package that fails is tried again and again",
        "--package bad-bare --loader abl --random 1", "no rest after",
        (("recovery/recovery.h", """\
#define RECOVERY_ATTEMPTS_MAX 5 """, """\
#define RECOVERY_ATTEMPTS_MAX 500 """),)),
    Mutation(
        "no-rearming", "recovery does not arm again what the bootloader has taken",
        "--package tiny --loader lk --singles", "nothing leads to recovery|nothing came of it",
        (("recovery/run.c", """\
		rearm(boot);
		upgrade(boot);
""", """\
		(void)rearm;
		upgrade(boot);
"""),)),
    Mutation(
        "no-resuming", "the normal system does not look for an upgrade whose message is lost",
        "--package tiny --loader lk --singles", "nothing came of it",
        (("misc/resume.c", """\
	if (!misc_is_armed(&wanted)) {
""", """\
	if (!misc_is_armed(&wanted) && journal.newest.kind != RECORD_CLOSED)
		return 0;
	if (!misc_is_armed(&wanted)) {
"""),)),
    Mutation(
        "percent-forgotten", "the percentage is not kept over boots",
        "--package tiny --loader abl --singles", "the percentage fell",
        (("report/report.c", """\
	if (!report->percent_path)
		return;
	length = snprintf(""", """\
	if (report->percent_path)
		return;
	length = snprintf("""),)),
    Mutation(
        "end-before-status", "END is said before the status file has the result",
        "--package tiny --loader abl --singles", "END was said, and the status file",
        (("recovery/ending.c", """\
	err = write_result(boot, code, cause);
	tell_end(boot, code);
""", """\
	tell_end(boot, code);
	err = write_result(boot, code, cause);
"""),)),
    Mutation(
        "end-after-flag", "the flag is cleared before END was said",
        "--package tiny --loader abl --singles", "nothing is armed|nothing came of it",
        (("recovery/ending.c", """\
	tell_end(boot, code);
	save_intent(boot);
""", """\
	ending_disarm(boot);
	tell_end(boot, code);
	save_intent(boot);
"""),)),
    Mutation(
        "package-first", "the package goes before the result is durable",
        "--package boot --loader lk --singles", "END",
        (("recovery/ending.c", """\
	err = write_result(boot, code, cause);
	tell_end(boot, code);
""", """\
	remove_package(boot);
	err = write_result(boot, code, cause);
	tell_end(boot, code);
"""),)),
    Mutation(
        "next-after-journal", "which package follows is written when the journal has the first one's success",
        "--package minimal --loader abl --singles", "boot is not the new one",
        (("recovery/run.c", """\
	if (code == RESULT_OK && next_save(boot, &error))
		code = error.code ? error.code : RESULT_ABNORMAL;
	over = record_end(boot, attempt, code, code == RESULT_OK ? "" : error.message);
""", """\
	over = record_end(boot, attempt, code, code == RESULT_OK ? "" : error.message);
	if (code == RESULT_OK && next_save(boot, &error))
		code = error.code ? error.code : RESULT_ABNORMAL;
"""),)),
    Mutation(
        "part-forgotten", "an ending that is repeated does not ask whether it is a part's",
        "--package minimal --loader abl --singles", "boot is not the new one",
        (("recovery/run.c", """\
		next_recall(boot);
""", """\
		boot->next[0] = '\\0';
"""),)),
    Mutation(
        "store-unguarded", "stored data are asked for when they have served and may be gone",
        "--package minimal --loader abl --singles", "the flag is cleared before the status file|END 504|is not the new one",
        (("gentools/store.c", """\
	(void)fputs(" ||\\n    ", out);
	put_done(step, out);
""", """\
	(void)out;
"""),)),
    Mutation(
        "all-is-cleared", "a full package clears what it has, too, before it extracts that again",
        "--package full --loader abl --singles", "rootfs/bin/untouched is neither old nor new",
        (("updater/functions_keep.c", """\
	return (letter && is_listed(keep, letter, below)) ||""", """\
	return"""),)),
    Mutation(
        "switch-unsynced", "a release of user files is in use before its owners and modes are durable",
        "--package app --loader abl --singles", "the link leads to .* is not as it must be",
        (("gentools/app.c", """\
	(void)fputs("sync();\\nsymlink(", out);
""", """\
	(void)fputs("symlink(", out);
"""),)),
    Mutation(
        "switch-by-two-steps", "the link to the old release goes before there is one to the new",
        "--package app --loader abl --singles", "neither old nor new",
        (("gentools/app.c", """\
	(void)fputs("sync();\\nsymlink(", out);
""", """\
	(void)fprintf(out, "delete(\\"%s\\");\\nsync();\\nsymlink(", path);
"""),)),
    Mutation(
        "release-goes-early", "keep_only() removes the old release while the link leads to it",
        "--package app --loader abl --singles", "the link leads to .* is not as it must be",
        (("gentools/app.c", """\
	(void)fputs("sync();\\nsymlink(", out);
""", """\
	(void)fprintf(out, "keep_only(\\"%s.releases\\", \\"keep.list\\");\\nsync();\\nsymlink(", path);
"""),)),
    Mutation(
        "node-by-two-steps", "a device node goes before its new one is there",
        "--package nodes --loader abl --singles", "rootfs/etc/null is neither old nor new",
        (("storage/file.c", """\
		err = storage->ops->mknod(storage->medium, temp, (int)node->type, node->major, node->minor);
	if (err == 0)
""", """\
		err = storage->ops->mknod(storage->medium, temp, (int)node->type, node->major, node->minor);
	if (err == 0)
		err = storage->ops->unlink(storage->medium, at);
	if (err == 0 || err == -ENOENT)
"""),)),
    Mutation(
        "hard-link-by-two-steps", "a name goes before it is one of another file",
        "--package hard-links --loader abl --singles", "rootfs/bin/[a-z]* is neither old nor new",
        (("storage/file.c", """\
		err = storage->ops->link(storage->medium, from, temp);
	if (err == 0)
""", """\
		err = storage->ops->link(storage->medium, from, temp);
	if (err == 0)
		err = storage->ops->unlink(storage->medium, at);
	if (err == 0 || err == -ENOENT)
"""),)),
    Mutation(
        "linked-over-itself", "the temporary name of a hard link is renamed over a name of the same file",
        "--package hard-links --loader abl --singles", "rootfs/bin/.fota-new is left behind",
        (("storage/file.c", """\
	if (err == 0 && there == 1 && storage_same_file(&file, &now))
		return 0;
""", ""),)),
    Mutation(
        "not-separated", "a name that leaves a file stays one of it when an attempt was cut short",
        "--package hard-links --loader abl --singles", "are names of one file|is not the new one",
        (("updater/functions_links.c", """\
		shared = stats[i].type == STORAGE_REGULAR && storage_same_file(&stats[i], stat);
""", """\
		shared = stats[i].type == STORAGE_REGULAR && storage_same_file(&stats[i], stat) && !run->config->resume;
"""),)),
    Mutation(
        "leb-by-two-steps", "a LEB gets the first half of its new content, then all of it",
        "--package in-place --loader abl --singles", "the unit at [0-9]* of modem is neither old nor new",
        (("storage/units_ubi.c", """\
	int err = storage->ops->ubi_change(storage->medium, units->handle, (uint32_t)number, data, length);

""", """\
	int err = storage->ops->ubi_change(storage->medium, units->handle, (uint32_t)number, data, length / 2);

	if (err == 0)
		err = storage->ops->ubi_change(storage->medium, units->handle, (uint32_t)number, data, length);
"""),)),
    Mutation(
        "block-not-noted", "an erase block is written before the journal has its content",
        "--package in-place --loader abl --singles", "the unit at [0-9]* of boot is neither old nor new",
        (("storage/units_mtd.c", """\
	int err = units_note(units, &journal, error);

	return err < 0 ? err : put_block(units, &journal, error);
""", """\
	return put_block(units, &journal, error);
"""),)),
    Mutation(
        "block-believed", "a block that reads as the journal has it is not written again",
        "--package in-place --loader abl --singles", "boot is (not the new one|neither old nor new)",
        (("storage/units_mtd.c", """\
	if (journal->moving == UNITS_NOWHERE)
		return put_block(units, journal, error);
""", """\
	if (journal->moving == UNITS_NOWHERE) {
		uint64_t at = (uint64_t)find_block(&units->map, journal->offset) * units->unit;

		if (mtd_read(units, at, units->back, journal->size) == 0 &&
		    memcmp(units->back, journal->data, journal->size) == 0)
			return 0;
		return put_block(units, journal, error);
	}
"""),)),
    Mutation(
        "moving-begins-anew", "blocks that were moving up for a failed one begin to move at the end again",
        "--package in-place --loader abl --random 300", "boot is (not the new one|neither old nor new)|END 510",
        (("storage/units_mtd.c", """\
	uint32_t index = find_block(map, journal->moving);
""", """\
	uint32_t index = map->count;
"""),)),
    Mutation(
        "bad-block-kept", "a block that does not take its data is passed over, but not marked bad",
        "--package tiny --loader abl --random 60", "boot is not the new one",
        (("storage/writer_mtd.c", """\
		err = mtd_map_retire(&w->map, w->next, error);
		if (err < 0)
			return err;
""", """\
		w->next++;
"""),)),
]

MUTATIONS = [dataclasses.replace(mutation, demanded=True) for mutation in DEMANDED] + MORE
