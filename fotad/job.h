/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_JOB_H
#define FOTAD_JOB_H

/*
 * One upgrade from the AT command to the reboot, as a state machine: the keeper gives it commands, readable
 * descriptors and the time, and it says what the host shall hear. It never waits for anything by itself.
 *
 *   boot -> idle -> manifest -> body -> check -> rehearse -> arm -> reboot
 *                      ^ wait <-'   \__ path: at once to check
 *
 * Until `arm` nothing of the module has changed but files of its own; whatever fails before leads back to idle.
 */
#include "base/log.h"
#include "fotad/config.h"
#include "fotad/download.h"
#include "fotad/fetcher.h"
#include "fotad/link.h"
#include "fotad/outcome.h"
#include "fotad/source.h"
#include "fotad/step.h"
#include "storage/storage.h"
#include <poll.h>

#define JOB_COMMAND_PATH "/cache/recovery/command"

#define JOB_NEVER UINT64_MAX

enum job_phase {
	JOB_BOOT, /* what the last reboot left is looked at */
	JOB_IDLE,
	JOB_MANIFEST,
	JOB_BODY,
	JOB_WAIT, /* for the next try of the download */
	JOB_CHECK,
	JOB_REHEARSE,
	JOB_ARM,
	JOB_REBOOT, /* armed, or asked for: nothing more begins */
};

struct job {
	const struct config *config;
	const char *root; /* where the module's files lie, or NULL */
	struct storage *storage;
	const struct log *log;
	/* A line for all channels. */
	void (*tell)(void *ctx, const char *line);
	/* Reboot the module now. */
	void (*reboot)(void *ctx);
	void *ctx;

	enum job_phase phase;
	struct link_start request;
	enum source_kind source;
	struct download download;
	struct fetcher fetcher;
	struct fetch_manifest manifest; /* has_manifest */
	bool has_manifest;
	struct step step;
	int package_fd;                        /* while the check is started */
	struct package_crypt_keys *crypt_keys; /* the same: the check has no access to the files */

	char package[STORAGE_PATH_MAX];    /* path of the package that is checked */
	char view[STORAGE_PATH_MAX];       /* of the rehearsal */
	char *version;                     /* content of the running quectel-project-version, or NULL */
	uint32_t rollback;                 /* index of the running system */
	char finding[OUTCOME_VERSION_MAX]; /* of the last step; of the check: the Project Rev that the package leads to
	                                    */
	char revision[OUTCOME_VERSION_MAX];
	unsigned failures; /* of the download in a row */
	uint64_t best;     /* bytes there at the last failure */
	int last_told;     /* percentage of the last DOWNLOADING line, -1: none */
	unsigned percent;  /* of the phase */
	uint64_t wake_ms;  /* when job_handle() is due at the latest, or JOB_NEVER */
	struct link_result last;
	bool waits;   /* an upgrade of two packages waits for its second one */
	bool is_next; /* and this job is to bring it */
};

/* The caller has set the fields up to ctx. Begins with JOB_BOOT. */
int job_open(struct job *job, struct error *error);
void job_close(struct job *job);

/* AT+QFOTADL: -EBUSY unless idle. What goes wrong later is told. */
int job_start(struct job *job, const struct link_start *request);

/* AT+QFOTASTOP: -EBUSY when there is nothing, or it is too late. */
int job_cancel(struct job *job);

/* What to wait for: two descriptors, -1 where there is none. */
void job_descriptors(const struct job *job, struct pollfd fds[2]);

/* Do what is due: answers and messages that came, and the clock. */
void job_handle(struct job *job, uint64_t now_ms);

/* For AT+QFOTADL? and the rest. */
void job_status(const struct job *job, struct link_status *status);

/* ---- Between job.c, job_fetch.c, job_next.c and job_steps.c ---- */

int job_boot_begin(struct job *job, struct error *error);
void job_boot_end(struct job *job, const struct step_message *message);
void job_fetch_begin(struct job *job);
void job_fetch_handle(struct job *job, uint64_t now_ms);
void job_steps_begin(struct job *job, const char *package);
void job_steps_handle(struct job *job);

void job_enter(struct job *job, enum job_phase phase);
void job_say(struct job *job, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* It failed: told, logged, remembered, and idle again. line: "HTTPEND", "FTPEND" or "END". */
void job_fail(struct job *job, const char *line, const char *object, const struct error *error);

/* The same with END, and what was downloaded is of no use any more. */
void job_fail_for_good(struct job *job, const char *object, const struct error *error);
void job_drop_download(struct job *job);

/* Upgrades of two packages: at the start, look, and begin when nothing else goes on. */
void job_next_look(struct job *job);
void job_next_begin(struct job *job);
bool job_next_is(struct job *job, const char *source); /* the one that is waited for? */

/* Around arming any package. */
int job_next_arming(struct job *job, struct error *error);
void job_next_armed(struct job *job);
void job_next_not_armed(struct job *job);

/* A job failed: with some codes that is the end of its upgrade, which giving up always is. Nothing is told. */
void job_next_failed(struct job *job, int code, const char *reason);
void job_next_give_up(struct job *job, int code, const char *reason);

#endif
