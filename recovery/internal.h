/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECOVERY_INTERNAL_H
#define RECOVERY_INTERNAL_H

/* What recovery's own files share. */
#include "misc/misc.h"
#include "package/package.h"
#include "recovery/arguments.h"
#include "recovery/recovery.h"

/* One boot of recovery. */
struct boot {
	const struct recovery_config *config;
	struct log log;              /* the live log once it is open, config->log before */
	struct report_log *live_log; /* NULL: could not be opened */
	char recovery_directory[STORAGE_PATH_MAX / 2];
	char command_path[STORAGE_PATH_MAX];
	char tries_path[STORAGE_PATH_MAX];

	struct misc *misc;             /* NULL: the partition cannot be used */
	struct misc_message message;   /* as it lies there; after rearm() what is armed */
	struct misc_attempts attempts; /* as they were when this boot began, then with its own */
	uint32_t upgrade;              /* what the journal knows this upgrade by; 0: its package cannot be read */
	bool counted;                  /* the journal has this boot's attempt */
	bool decided;                  /* the journal holds how the upgrade ends, whatever happens to the message */
	struct arguments arguments;
	struct request request;
	char next[PACKAGE_NEXT_SIZE]; /* the package that goes on with this upgrade; "": this is all of it */
};

uint64_t boot_now(const struct boot *boot);

/* After a step without which the upgrade can still go on: when it failed, say so. */
void boot_note(const struct boot *boot, int err, const struct error *error);

/*
 * Fingerprint of the package that was asked for, never 0; 0 when it cannot be read. Of the path, the size and the end
 * of the file, where a zip archive has the checksums of its entries.
 */
uint32_t attempt_fingerprint(const struct boot *boot);

/*
 * One attempt: check the package, run the updater, make its effects durable. Returns RESULT_OK, or the code with the
 * cause in *error.
 */
int attempt_run(struct boot *boot, struct error *error);

/*
 * RESULT_ROLLBACK when the package leads to an older version than the one that is installed. In the middle of an
 * upgrade that is the old or the new one: either is no newer than the package.
 */
int rollback_check(const struct boot *boot, struct package *package, struct error *error);

/*
 * boot->attempts once more in a file, where misc has no block of its own for them; each does nothing elsewhere. recall
 * adds what the journal has forgotten of this upgrade; save returns whether it did.
 */
void tries_recall(struct boot *boot);
bool tries_save(struct boot *boot);
void tries_forget(struct boot *boot);

/*
 * Upgrades of two packages (recovery/next.c). save writes boot->next down, or removes what an older upgrade left, and
 * comes before the journal hears of the success; forget comes before it hears of a failure; recall says what an ending
 * that is repeated is the end of.
 */
int next_save(struct boot *boot, struct error *error);
int next_forget(struct boot *boot, struct error *error);
void next_recall(struct boot *boot);

/* The upgrade is over, in the order of recovery.h; every step may be repeated by a later boot. */
void ending_run(struct boot *boot, int code, const char *cause);

/* last_log and last_install. Failure is noted; returns 0 or a negative errno value. */
int ending_write_logs(struct boot *boot, int code, const char *cause);

/* Command file and bootloader message: nothing leads into recovery any more. */
void ending_disarm(struct boot *boot);

/* All is told: nothing is armed any more, and the package is gone if it was still there. */
void ending_close(struct boot *boot);

#endif
