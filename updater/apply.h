/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDATER_APPLY_H
#define UPDATER_APPLY_H

/* What the parts of the apply state machine share. Private to updater/. */
#include "updater/backup.h"
#include "updater/in_place.h"
#include "updater/journal.h"
#include "updater/object.h"
#include "updater/updater.h"

/* One run of the state machine for one object. The open readers refer to it: it does not move. */
struct job {
	struct storage *storage;
	const struct updater_apply *apply;
	const struct log *log;
	bool in_place;
	struct object target;
	struct object other; /* the source, unless in place */
	struct backup backup;
	char label[OBJECT_LABEL_SIZE]; /* of the target */

	/* The choice. */
	const struct updater_patch *patch;
	struct in_place *place; /* the patch changes the target in place; NULL: it makes a copy of `source` */
	struct reader source;
	bool from_backup;
};

static inline struct object *job_source_object(struct job *job)
{
	return job->in_place ? &job->target : &job->other;
}

/*
 * Find a patch that changes the target in place, and knows each of its units: job->patch and job->place. None of this
 * kind is no error; none that knows the target is, unless there is one of another kind.
 */
int job_choose_in_place(struct job *job, struct error *error);

/* Find what to patch: the live source, else the backup. Fails naming path, expected and found digests. */
int job_choose_source(struct job *job, struct error *error);

/*
 * Is the backup, which becomes the source then, one of this partition or volume itself? Then power may have gone while
 * the target was written, and its last page may read well now and not the next time: nothing in it counts, be it the
 * old content or the new one, before all of it has been written again.
 */
bool job_is_interrupted(struct job *job);

/* What can be known before the first change: the patch's format, the target's capacity, room for the backup. */
int job_check_needs(struct job *job, struct error *error);

/* Patch into nothing, to learn whether the right content would come out. */
int job_rehearse(struct job *job, struct error *error);

int job_replace_file(struct job *job, struct error *error);
int job_replace_partition(struct job *job, struct error *error);

/* The object has its content: its own backup, if any, is no longer needed. */
int job_drop_backup(struct job *job, struct error *error);

/* Close what is open, so that the medium may be written. */
void job_close_readers(struct job *job);

/* As updater_check(); *from_backup tells whether only the backup has one of the digests. journal: or NULL. */
int check_object(struct storage *storage, const char *name, const struct digest_value *digests, unsigned count,
                 struct journal *journal, const struct log *log, bool *from_backup, struct error *error);

/*
 * Whether an object that passed that can be changed by these patches, as far as they change it in place: that they are
 * for its medium, and that there is room. Patches of another source have no say.
 */
int check_in_place(struct storage *storage, const char *name, const struct content *patches, unsigned count,
                   struct error *error);

#endif
