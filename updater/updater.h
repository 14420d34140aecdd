/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDATER_UPDATER_H
#define UPDATER_UPDATER_H

/*
 * The updater: runs a package's updater-script over storage. Functions of the language: spec/lineage.md 1.3; the apply
 * state machine: spec/lineage.md 3 and DESIGN.md rules 2 to 4.
 */
#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "package/package.h"
#include "script/script.h"
#include "storage/storage.h"
#include <stdbool.h>

/* Exit codes of the updater program, as AOSP's (spec/lineage.md 2.6). */
enum updater_exit {
	UPDATER_OK = 0,
	UPDATER_USAGE = 1,
	UPDATER_VERSION = 2,     /* unknown API version */
	UPDATER_PACKAGE = 3,     /* the package cannot be opened */
	UPDATER_NO_SCRIPT = 4,   /* it has no updater-script */
	UPDATER_READ_SCRIPT = 5, /* the script cannot be read */
	UPDATER_PARSE = 6,       /* the script has errors, all of them in the log */
	UPDATER_ABORT = 7,       /* the script was aborted */
};

#define UPDATER_BACKUP  "/cache/saved.file"
#define UPDATER_JOURNAL "/cache/recovery/finished"
#define UPDATER_UNIT    "/cache/recovery/unit"  /* what is being written of an object that is changed in place */
#define UPDATER_SHARE   "/cache/recovery/share" /* and what its next units share with those before: ".NUMBER" follows */

struct updater_config {
	struct storage *storage;
	struct package *package;
	const char *package_path;
	/*
	 * One line of the pipe protocol to recovery, without its newline, at most 1000 bytes: "progress FRAC SECS",
	 * "set_progress FRAC", "ui_print TEXT" and a bare "ui_print" for the newline behind it, "wipe_cache",
	 * "enable_reboot", and, in the manner of later AOSP, before a failure "log error: CODE" (enum result_code) and
	 * "log cause: TEXT". A dry run adds "log object: LABEL" and "log mismatch: TEXT" for each mismatch when it is
	 * found: which file or partition ("/path", "MTD:name"; UPDATER_BACKUP for the room it needs) and what about it.
	 */
	void (*tell)(void *ctx, const char *line);
	void *tell_ctx;
	const struct log *log;
	bool resume;   /* an earlier run of this package may have finished objects: what UPDATER_JOURNAL says counts */
	bool dry_run;  /* verify everything, room too, list every mismatch in the log, change nothing */
	bool confined; /* storage has a root directory: run_program does nothing */
};

/* Run the package's script. *error holds code and cause unless UPDATER_OK. */
enum updater_exit updater_run(const struct updater_config *config, struct error *error);

/* Every function of the language beyond the builtins. */
struct script_functions updater_functions(void);

/* ---- One object: what apply_patch and apply_patch_check do, for the applypatch command too ---- */

struct journal; /* updater/journal.h */

struct updater_patch {
	struct digest_value source; /* of the content that this patch fits */
	struct content patch;
};

struct updater_apply {
	const char *source;         /* path or partition name */
	const char *target;         /* the same, or "-": in place */
	struct digest_value digest; /* of the target content */
	uint64_t size;              /* of the target content, bytes */
	const struct updater_patch *patches;
	unsigned patch_count;
	const struct reader *bonus; /* or NULL */
	/* Verify all and change nothing: also the content that the patch yields, unless it changes the target in place.
	 */
	bool dry_run;
	int64_t growth; /* dry run: bytes that earlier changes would have taken of the target's file system */
	/*
	 * Label of an object ("/path", "MTD:name") whose check only the backup satisfied, or NULL. The one slot is not
	 * overwritten on behalf of any other object before that one has its content.
	 */
	const char *backup_needed_by;
	struct journal *journal; /* or NULL */
};

/*
 * A patch in place is of no use for files. There is no backup then, the target may be part-way from the source to its
 * content, and "source matches" means that each unit of it is old or new.
 *
 * Bring the target to its content: already there, as the journal or a hash says → nothing; source matches → (backup, if
 * the target cannot be replaced atomically or there is no room for both) apply; else the backup matches → apply from
 * the backup, which is then never written; else fail, naming path, expected and found digests. Idempotent.
 * RESULT_VERIFY or RESULT_SPACE in *error.
 */
int updater_apply(struct storage *storage, const struct updater_apply *apply, const struct log *log,
                  struct error *error);

/*
 * Does the object (path or partition name; its content pairs count as digests too) or else the backup have one of these
 * digests? 0 when it does, -ENOENT/-EILSEQ with path, expected and found digests when not.
 */
int updater_check(struct storage *storage, const char *name, const struct digest_value *digests, unsigned count,
                  const struct log *log, struct error *error);

/* Is the object part-way from the source to the target of one of these patches, which change it in place? -EILSEQ,
 * with the reason for the last one, when not. */
int updater_check_part_way(struct storage *storage, const char *name, const struct content *patches, unsigned count,
                           const struct log *log, struct error *error);

#endif
