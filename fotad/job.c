/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/job.h"

#include "fotad/version.h"
#include "package/rollback.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION_MAX 4096

/* ---- What is said and remembered ---- */

void job_say(struct job *job, const char *format, ...)
{
	char line[256];
	int length = snprintf(line, sizeof(line), "+QIND: \"FOTA\",");
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line + length, sizeof(line) - (size_t)length, format, args);
	va_end(args);
	log_printf(job->log, "%s", line);
	job->tell(job->ctx, line);
}

void job_enter(struct job *job, enum job_phase phase)
{
	job->phase = phase;
	job->percent = 0;
	job->wake_ms = JOB_NEVER;
}

static void remember(struct job *job, int code, const char *object, const char *reason)
{
	struct error error;

	job->last.code = code;
	(void)snprintf(job->last.object, sizeof(job->last.object), "%.*s", (int)sizeof(job->last.object) - 1,
	               object ? object : "");
	(void)snprintf(job->last.reason, sizeof(job->last.reason), "%.*s", (int)sizeof(job->last.reason) - 1, reason);
	if (outcome_save(job->storage, &job->last, &error) < 0)
		log_printf(job->log, "%s", error.message); /* it is known until the next restart */
}

void job_fail(struct job *job, const char *line, const char *object, const struct error *error)
{
	int code = error->code > 0 ? error->code : RESULT_ABNORMAL;

	fetcher_stop(&job->fetcher);
	step_stop(&job->step);
	log_printf(job->log, "failed: %d: %s", code, error->message);
	job_next_failed(job, code, error->message);
	remember(job, code, object, error->message);
	job_enter(job, JOB_IDLE);
	job_say(job, "\"%s\",%d", line, code);
}

/* What was downloaded is of no use any more. */
void job_drop_download(struct job *job)
{
	struct error error;

	if (download_forget(&job->download, &error) < 0)
		log_printf(job->log, "%s", error.message); /* the next start or job tries again */
}

void job_fail_for_good(struct job *job, const char *object, const struct error *error)
{
	job_drop_download(job); /* first: whoever hears that it failed shall find nothing */
	job_fail(job, "END", object, error);
}

/* ---- What the last reboot left ---- */

/* What is there of a download: of an interrupted one, or of a package that is still waited for. Does it go on? */
static bool settle_download(struct job *job)
{
	const struct download *download = &job->download;
	bool usable = job->config->resume && download->starts < DOWNLOAD_STARTS_MAX;
	struct link_start request = download->request;

	if (usable && !download->ended) {
		log_printf(job->log, "going on with the download that was interrupted");
		(void)job_start(job, &request); /* it is idle */
		return true;
	}
	if (!usable || !job_next_is(job, request.source)) {
		log_printf(job->log, "an interrupted download is dropped");
		job_drop_download(job);
	}
	return false;
}

static void settle(struct job *job)
{
	struct error error;
	bool restarts;
	bool goes_on;
	int found;

	job_enter(job, JOB_IDLE);
	job_next_look(job);
	outcome_load(job->storage, &job->last);
	if (outcome_settle(job->storage, job->revision, job->log, &job->last) > 0 && job->config->repeat_end)
		job_say(job, "\"END\",%d", (int)job->last.code);
	found = download_load(&job->download, &error);
	if (found < 0)
		log_printf(job->log, "%s", error.message);
	/* Perhaps it is the download that restarts the module: this time, none. */
	restarts = found > 0 && job->download.starts >= DOWNLOAD_STARTS_MAX;
	goes_on = found > 0 && settle_download(job);
	if (job->waits && !goes_on && !restarts)
		job_next_begin(job);
}

void job_boot_end(struct job *job, const struct step_message *message)
{
	if (message->value == RESULT_OK && job->finding[0]) {
		log_printf(job->log, "an upgrade that lost its flag is armed again; rebooting into recovery");
		job_enter(job, JOB_REBOOT);
		job->reboot(job->ctx);
		return;
	}
	if (message->value != RESULT_OK)
		log_printf(job->log, "misc: %s", message->text); /* an upgrade will say so too */
	settle(job);
}

/* ---- Commands ---- */

static void load_version(struct job *job)
{
	struct error error;
	size_t size;

	if (storage_load(job->storage, job->config->version_file, VERSION_MAX, &job->version, &size, &error) < 0) {
		log_printf(job->log, "%s", error.message);
		job->version = NULL;
		return;
	}
	(void)version_get(job->version, VERSION_REVISION, job->revision, sizeof(job->revision));
}

static void load_rollback(struct job *job)
{
	struct error error;
	char *text = NULL;
	size_t size;
	int err = storage_load(job->storage, PACKAGE_ROLLBACK_PATH, PACKAGE_ROLLBACK_MAX, &text, &size, &error);

	if (err == 0)
		err = package_parse_rollback(text, size, &job->rollback, &error);
	if (err < 0 && err != -ENOENT)
		log_printf(job->log, PACKAGE_ROLLBACK_PATH " counts as 0: %s", error.message);
	free(text);
}

int job_open(struct job *job, struct error *error)
{
	fetcher_init(&job->fetcher);
	job->step = (struct step){.fd = -1};
	download_init(&job->download, job->storage);
	job->last.code = -1;
	(void)snprintf(job->view, sizeof(job->view), "%s/view", job->config->run_directory);
	load_version(job);
	load_rollback(job);
	job_enter(job, JOB_BOOT);
	return job_boot_begin(job, error);
}

void job_close(struct job *job)
{
	fetcher_stop(&job->fetcher);
	step_stop(&job->step);
	download_close(&job->download);
	free(job->version);
}

int job_start(struct job *job, const struct link_start *request)
{
	char safe[SOURCE_MAX + 1];
	struct error error;

	if (job->phase != JOB_IDLE)
		return -EBUSY;
	job->request = *request;
	job->is_next = job->is_next || job_next_is(job, request->source);
	log_printf(job->log, "upgrade from %s, mode %u", source_print_safe(request->source, safe), request->mode);
	if (source_parse(request->source, &job->source, &error) < 0) {
		error.code = RESULT_PRECHECK;
		job_fail(job, "END", NULL, &error); /* the front has let through what it must not */
	} else if (job->source != SOURCE_PATH) {
		job_fetch_begin(job);
	} else {
		job_drop_download(job); /* of another package; it takes room that this one may need */
		job_steps_begin(job, request->source);
	}
	return 0;
}

int job_cancel(struct job *job)
{
	bool runs = job->phase >= JOB_MANIFEST && job->phase <= JOB_REHEARSE;
	struct error error;

	if (!runs && !(job->phase == JOB_IDLE && job->waits))
		return -EBUSY;
	(void)error_set(&error, RESULT_ABNORMAL, ECANCELED, "cancelled by AT+QFOTASTOP");
	if (!runs || job->is_next)
		job_next_give_up(job, error.code, error.message);
	job_fail_for_good(job, NULL, &error);
	return 0;
}

void job_descriptors(const struct job *job, struct pollfd fds[2])
{
	fds[0] = (struct pollfd){.fd = job->fetcher.fd, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = job->step.fd, .events = POLLIN};
}

void job_handle(struct job *job, uint64_t now_ms)
{
	if (job->step.fd >= 0)
		job_steps_handle(job);
	else if (job->phase == JOB_MANIFEST || job->phase == JOB_BODY || job->phase == JOB_WAIT)
		job_fetch_handle(job, now_ms);
}

void job_status(const struct job *job, struct link_status *status)
{
	static const enum link_state states[] = {
		[JOB_BOOT] = LINK_ARMING,       [JOB_IDLE] = LINK_IDLE,        [JOB_MANIFEST] = LINK_DOWNLOADING,
		[JOB_BODY] = LINK_DOWNLOADING,  [JOB_WAIT] = LINK_DOWNLOADING, [JOB_CHECK] = LINK_CHECKING,
		[JOB_REHEARSE] = LINK_CHECKING, [JOB_ARM] = LINK_ARMING,       [JOB_REBOOT] = LINK_REBOOTING,
	};

	memset(status, 0, sizeof(*status));
	status->state = states[job->phase];
	status->percent = job->percent;
	status->last = job->last;
	status->plain_text = job->config->plain_text;
	status->waits = job->waits;
	if (job->version) {
		(void)version_get(job->version, VERSION_PROJECT, status->project, sizeof(status->project));
		(void)version_get(job->version, VERSION_REVISION, status->revision, sizeof(status->revision));
	}
}
