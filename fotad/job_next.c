/* SPDX-License-Identifier: Apache-2.0 */
/* The second package of an upgrade: brought without being asked, from where the first one came. */
#include "fotad/job.h"

#include "fotad/next.h"
#include "report/report.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The package's own fault, or what it asks of this module: another try would end the same way. */
static bool is_refusal(int code)
{
	return code > 500 && code < 600 && code != RESULT_ABNORMAL;
}

static void note(const struct job *job, int err, const struct error *error)
{
	if (err < 0)
		log_printf(job->log, "%s", error->message);
}

/* Nothing follows any more, and nobody needs to know where the first one came from. */
static void forget(struct job *job)
{
	struct error error;

	job->waits = false;
	note(job, next_forget(job->storage, &error), &error);
	note(job, next_forget_source(job->storage, &error), &error);
}

void job_next_give_up(struct job *job, int code, const char *reason)
{
	char text[ERROR_MESSAGE_SIZE + 64];
	struct error error;

	(void)snprintf(text, sizeof(text), "system: unchanged\ncause: %s\n", reason);
	note(job, report_write_status(job->storage, OUTCOME_STATUS_PATH, REPORT_FAILED, code, text, &error), &error);
	forget(job);
}

void job_next_failed(struct job *job, int code, const char *reason)
{
	if (job->is_next && is_refusal(code))
		job_next_give_up(job, code, reason);
	job->is_next = false;
}

int job_next_arming(struct job *job, struct error *error)
{
	return next_remember(job->storage, &job->request, error);
}

void job_next_not_armed(struct job *job)
{
	struct error error;

	if (!job->waits)
		note(job, next_forget_source(job->storage, &error), &error);
}

/* What it was remembered as holds no longer: what recovery may ask for next is something new. */
void job_next_armed(struct job *job)
{
	struct error error;

	job->waits = false;
	note(job, next_forget(job->storage, &error), &error);
	note(job, next_remember(job->storage, &job->request, &error), &error);
}

bool job_next_is(struct job *job, const char *source)
{
	struct next next;

	return job->waits && next_find(job->storage, &next, NULL) == 1 && strcmp(next.request.source, source) == 0;
}

/* Until AT+QFOTADL names it, or the module starts anew and finds it. */
static void wait_for(struct job *job, const char *source)
{
	job->last = (struct link_result){.code = -1};
	(void)snprintf(job->last.object, sizeof(job->last.object), "%s", source);
	(void)snprintf(job->last.reason, sizeof(job->last.reason),
	               "part 1 of 2 is installed; AT+QFOTADL with the second package is awaited");
	log_printf(job->log, "%s: %s", *source ? source : NEXT_PATH, job->last.reason);
}

static bool has_file(const struct job *job, const char *path)
{
	struct storage_stat stat;

	return storage_stat_path(job->storage, path, &stat) == 0;
}

static void begin(struct job *job, const struct next *next)
{
	struct link_start request = next->request;
	bool is_path = request.source[0] == '/';
	struct error error;

	/* The first one may be left: power went between the flag and its removal. It takes the room of the second. */
	if (!next->was_arming && strcmp(request.source, DOWNLOAD_PACKAGE) != 0)
		note(job, storage_remove(job->storage, DOWNLOAD_PACKAGE, &error), &error);
	/* Or the second one has its place, and was not armed. */
	if (is_path && next->was_arming && !has_file(job, request.source))
		(void)snprintf(request.source, sizeof(request.source), "%s", DOWNLOAD_PACKAGE);
	if (!request.source[0] || (is_path && !has_file(job, request.source))) {
		wait_for(job, next->request.source);
		return;
	}
	log_printf(job->log, "part 1 of 2 is installed; going on with the second package");
	job->is_next = true;
	(void)job_start(job, &request); /* it is idle */
}

void job_next_look(struct job *job)
{
	struct error error;

	job->waits = next_waits(job->storage);
	if (!job->waits)
		note(job, next_forget_source(job->storage, &error), &error);
}

void job_next_begin(struct job *job)
{
	struct error error;
	struct next next;
	int found = next_find(job->storage, &next, &error);

	if (found < 0) {
		job_next_give_up(job, error.code, error.message);
		job_fail_for_good(job, NULL, &error);
	} else if (found > 0) {
		begin(job, &next);
	}
}
