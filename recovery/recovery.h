/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECOVERY_RECOVERY_H
#define RECOVERY_RECOVERY_H

/*
 * Policy of the recovery system: flag, attempts, package check, running the updater, result, reboot.
 * spec/lineage.md 2.6 to 2.8, DESIGN.md rules 5 and 6, spec/requirements.md F to J.
 */
#include "base/error.h"
#include "base/log.h"
#include "report/report.h"
#include "storage/storage.h"
#include <stdbool.h>
#include <stdint.h>

#define RECOVERY_ATTEMPTS_MAX 5 /* that fail by themselves */

/*
 * Power cuts alone use up no attempt. But a kernel that panics, or a watchdog that bites, looks like one, and a module
 * that came back here for ever could not be reached any more: so many in a row, without one percent of progress in
 * between, are the end of the upgrade too.
 */
#define RECOVERY_STALLS_MAX 100

/* How the updater ended, as its parent sees it. */
struct recovery_child {
	bool exited; /* by itself, with `status`; otherwise by signal `status` */
	int status;
};

struct recovery_config {
	struct storage *storage;
	struct report *report;
	const struct log *log; /* used until /cache/recovery/log is open, and beside it afterwards */

	const char *misc_partition; /* "misc" */
	const char *cache;          /* "/cache": holds recovery/command, recovery/log ... */
	const char *status_path;    /* "/usrdata/cache/fota/ipth_config_dfs.txt" */
	const char *next_path;      /* "/usrdata/cache/fota/next_package": the name of the package that is to follow */
	const char *keys; /* directory, see package/signature.h and package/crypt.h: "/res/keys"; NULL: packages are
	                     neither verified nor decrypted */
	const char *package_path; /* used when nobody names one: "/usrdata/cache/fota/ipth_package.bin" */

	/*
	 * Run the updater on the package; give each line of the pipe protocol to line(), and call tick() at least once
	 * a second meanwhile. Returns 0 and how it ended, or a negative errno value when it could not be started. The
	 * program forks and executes /sbin/updater; the simulator calls updater_run() in the same process.
	 */
	int (*run_updater)(void *ctx, const char *package, bool retry, void (*line)(void *line_ctx, char *text),
	                   void (*tick)(void *line_ctx), void *line_ctx, struct recovery_child *child,
	                   struct error *error);
	void *run_updater_ctx;
	uint64_t (*now_ms)(void *ctx); /* a monotone clock */
	void *now_ctx;
};

enum recovery_outcome {
	RECOVERY_IDLE,   /* nothing was asked for: stay, so that someone can look around */
	RECOVERY_REBOOT, /* over, or another attempt is due: boot again, the flag says into what */
};

/*
 * One boot of recovery. Arguments come from argv, else from the bootloader message, else from cache/recovery/command;
 * a message that is armed without naming a package means package_path. Never fails: whatever goes wrong has been
 * reported and logged, and the outcome still says what to do.
 *
 * 501, 503, 504 and 520 to 525 are the package's own fault and end the upgrade at once; anything else is tried again at
 * the next boot, five times in all. How an upgrade ends, in this order: result in the attempt journal, status file,
 * last_log and last_install, END, package and command file removed, bootloader message erased. The journal's entry is
 * what a power cut anywhere in between leads back to: the next boot repeats the ending, with START and END but without
 * UPDATING, and needs neither package nor command file for it. So both may go before the flag, and none is left to
 * start recovery on. A package that another one follows (package_next()) is a part: next_path is written before the
 * journal's entry, the status file goes on saying that the upgrade is in progress, and there is no END. The journal's
 * entry counts for the package it was written for; when there is a package and it is another one, the upgrade is a new
 * one. Where the journal shares the flag's block, or there is none,
 * /cache/recovery/attempts counts too and the package goes last; where neither can be written, a failed attempt is not
 * repeated.
 */
enum recovery_outcome recovery_run(const struct recovery_config *config, int argc, char *const argv[]);

#endif
