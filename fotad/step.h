/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_STEP_H
#define FOTAD_STEP_H

/*
 * What takes long on the way from a file to an armed upgrade. Each step runs in a child process of the keeper, so that
 * the keeper always answers and a crash over a hostile package is a failed step; those that only read the package run
 * without privileges. A step says what it comes to on a pipe, in struct step_message; the last one is STEP_ENDED.
 */
#include "base/error.h"
#include "base/log.h"
#include "package/crypt.h"
#include "storage/storage.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define STEP_OBJECT_SIZE 256

enum step_kind { STEP_LOG, STEP_PERCENT, STEP_FINDING, STEP_ENDED };

struct step_message {
	uint32_t kind; /* enum step_kind */
	int32_t value; /* percent; of STEP_ENDED the result code */
	char object[STEP_OBJECT_SIZE];
	char text[ERROR_MESSAGE_SIZE]; /* one line */
};

/* ---- In the child ---- */

/* Where messages go. Set send and ctx, zero the rest; step_start() does so for its child. */
struct step_output {
	void (*send)(void *ctx, const struct step_message *message);
	void *ctx;
	char object[STEP_OBJECT_SIZE]; /* of step_object(), for STEP_ENDED */
	int percent;                   /* told last */
};

/* Good as long as the output is. */
struct log step_log(struct step_output *output);
/* Never falls; told when it has changed. */
void step_percent(struct step_output *output, unsigned percent);
/* What the keeper wants to learn from a step that succeeds; see the steps. */
void step_finding(struct step_output *output, const char *text);
/* The object that a failure is about, for whoever asks later; the first one counts. */
void step_object(struct step_output *output, const char *object);

/* ---- In the keeper ---- */

struct step {
	pid_t pid;
	int fd; /* readable when there is a message; -1: no step runs */
};

/*
 * Start a step: run() in a child of this process, with nothing open but standard descriptors, the pipe and keep_fd (-1:
 * none). user: a uid to become before run(), or 0 to stay; ignored when this process is not root. What run() returns
 * and its error become STEP_ENDED. The child leads a process group of its own and does not outlive this process.
 */
int step_start(struct step *step, uid_t user, int keep_fd,
               int (*run)(void *ctx, struct step_output *output, struct error *error), void *ctx, struct error *error);

/*
 * The next message: 1, 0 when there is none yet. Its texts are one line each, whoever wrote them. A child that ended
 * without STEP_ENDED, or that says what no step says, makes one with RESULT_ABNORMAL. After STEP_ENDED the step is over
 * and gone.
 */
int step_receive(struct step *step, struct step_message *message);

/* Kill it with all that it started, and wait for it. Nothing happens when no step runs. */
void step_stop(struct step *step);

/* ---- The steps: ordinary functions, so that tests call them without a child ---- */

/*
 * 524 and 525: an encrypted package is opened first of all, and all that follows is about the plain one.
 * 520 to 522, before anything else of the package is read: who signed it.
 * 523: it does not lead back behind the running version (package/rollback.h).
 * 505, as spec/requirements.md D has it: the whole archive is unpacked and tested (md5.txt too), it has a script, and
 * its quectel-project-version agrees with the running one. Finding: the Project Rev that the package leads to, when it
 * says so (PACKAGE_TARGET_VERSION). What was written is flushed first and dropped from the
 * cache, so that it is the medium that is tested.
 */
struct step_check {
	int package;      /* file descriptor, open for reading */
	const char *keys; /* directory, see package/signature.h; NULL: packages are not verified */
	const struct package_crypt_keys *crypt_keys; /* may be NULL */
	const char *version;   /* content of the running system's quectel-project-version; NULL: it has none */
	bool version_required; /* a package without one is refused */
	uint32_t rollback;     /* index of the running system */
};
int step_check(const struct step_check *check, struct step_output *output, struct error *error);

/*
 * 510: does every object of the running system fit the package? 550: is there room for what the upgrade needs? Runs the
 * updater with --dry-run over the system as recovery will see it, read-only and apart from the running one: the root
 * file system without what is mounted over its folders at /system, /usrdata, the devices. Every mismatch becomes a line
 * of the log.
 */
struct step_rehearse {
	const char *updater; /* program */
	const char *package; /* path */
	const char *fstab;   /* recovery.fstab, or NULL for the default places */
	const char *keys;    /* directory of keys for encrypted packages, or NULL */
	const char *root;    /* for tests: as of `updater --root`; NULL: the running system */
	const char *view;    /* an existing empty directory, to be mounted over in a mount namespace of its own */
};
int step_rehearse(const struct step_rehearse *rehearse, struct step_output *output, struct error *error);

/*
 * Bring the checked package to its place and arm: renamed within a file system, copied and read back across; then the
 * flag, read back. When it fails the package is back where it was and nothing is armed.
 */
struct step_arm {
	struct storage *storage;
	const char *source;       /* path of the checked package */
	const char *target;       /* MISC_DEFAULT_PACKAGE */
	const char *misc;         /* partition */
	const char *command_path; /* of misc_request() */
	unsigned update_max;      /* UPDATING lines at most, for recovery; 100 and more: no limit */
};
int step_arm(const struct step_arm *arm, struct step_output *output, struct error *error);

#endif
