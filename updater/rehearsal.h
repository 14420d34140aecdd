/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDATER_REHEARSAL_H
#define UPDATER_REHEARSAL_H

/*
 * A dry run: the script runs to its end, every mismatch is gathered, nothing changes. What the script would find after
 * its own changes is not there, so renames are remembered, and checks of content behind the first change that was
 * skipped prove nothing and pass (apply_patch still verifies its own object). Private to updater/.
 */
#include "base/error.h"
#include "base/log.h"
#include "storage/storage.h"

struct rehearsal_entry;

#define REHEARSAL_FILE_SYSTEMS 8

/* What changes that were skipped would have made of a file system: bytes of content, fewer when negative. */
struct rehearsal_growth {
	uint64_t device;
	int64_t bytes;
	bool emptied; /* formatted: what is there makes no room any more */
};

struct rehearsal {
	bool on;
	bool changed; /* a change has been skipped */
	unsigned mismatches;
	struct error first; /* of the mismatches */
	struct rehearsal_entry *mismatched;
	struct rehearsal_entry *renames;
	struct rehearsal_entry *mounts; /* made for this run */
	struct rehearsal_growth growth[REHEARSAL_FILE_SYSTEMS];
	unsigned growth_count;
};

/* An object is told once, however many checks it fails: false when it was told before. */
bool rehearsal_mismatch(struct rehearsal *rehearsal, const struct log *log, const char *object,
                        const struct error *error);
bool rehearsal_has_mismatch(const struct rehearsal *rehearsal, const char *object);

/* A change is not made, which is told to the log. */
void rehearsal_skip(struct rehearsal *rehearsal, const struct log *log, const char *change);

int rehearsal_rename(struct rehearsal *rehearsal, const char *from, const char *to);

/* Where the content is that the script believes to be at path. The text lives as long as both. */
const char *rehearsal_path(const struct rehearsal *rehearsal, const char *path);

/*
 * Room. A change that is skipped takes none, so those behind it must reckon with it. Contents are counted as long as
 * they are: how far a file system compresses them only it knows, and what it calls free is meant for such.
 */
int64_t rehearsal_growth(const struct rehearsal *rehearsal, struct storage *storage, const char *path);
void rehearsal_resize(struct rehearsal *rehearsal, struct storage *storage, const char *path, uint64_t size);
/* The same for a file or tree that is removed. */
void rehearsal_remove(struct rehearsal *rehearsal, struct storage *storage, const char *path);
/* The same for a file system, which is mounted for a look at it. */
void rehearsal_format(struct rehearsal *rehearsal, struct storage *storage, const char *fs_type, const char *location,
                      const char *mount_point);
uint64_t rehearsal_room(uint64_t free_bytes, int64_t growth);

/* Has the target room for a content of this size, beside the file that is there? RESULT_SPACE: need and have. */
int rehearsal_check_room(const struct rehearsal *rehearsal, struct storage *storage, const struct storage_name *target,
                         uint64_t size, struct error *error);

/* Mount read-only what is not mounted, unmount only what was mounted so. */
int rehearsal_mount(struct rehearsal *rehearsal, struct storage *storage, const char *fs_type, const char *location,
                    const char *mount_point, const char *options, struct error *error);
int rehearsal_unmount(struct rehearsal *rehearsal, struct storage *storage, const char *mount_point,
                      struct error *error);

/* Undo the mounts and forget everything but the mismatches. */
void rehearsal_end(struct rehearsal *rehearsal, struct storage *storage, const struct log *log);

#endif
