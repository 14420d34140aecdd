/* SPDX-License-Identifier: Apache-2.0 */
/* The job's download: manifest first, then the body, again and again until all is there. */
#include "fotad/job.h"

#include "fotad/version.h"
#include "package/rollback.h"
#include "package/signature.h"
#include "report/report.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESERVE         (1U << 20) /* bytes of /usrdata that stay free: for the status file and the logs */
#define DELAY_MAX       60         /* seconds between two tries */
#define RETRY_AFTER_MAX 3600       /* seconds that a server may ask for */
#define TURNS           64         /* answers taken before the rest of the keeper gets its turn */

#define HTTP_CHANGED     723 /* as qfota-fetch says it */
#define FTP_CHANGED      613
#define HTTP_URL_EXPIRED 711 /* or access was refused */

static const char *end_line(const struct job *job)
{
	return job->source == SOURCE_FTP ? "FTPEND" : "HTTPEND";
}

/* A failure of the download has a code of its own kind; one of the module's own is told as the end of the upgrade. */
static void fail(struct job *job, const struct error *error)
{
	bool is_of_link = error->code > 600 && error->code < 800;

	job_fail(job, is_of_link ? end_line(job) : "END", NULL, error);
	download_close(&job->download);
}

/* Nothing of it can be used again. */
static void fail_and_forget(struct job *job, const struct error *error)
{
	job_drop_download(job); /* first: whoever hears that it failed shall find nothing */
	fail(job, error);
}

/* The link failed, or the URL's time is over: another job may go on from here. */
static void fail_and_keep(struct job *job, const struct error *error)
{
	struct error why;

	if (job->download.durable == 0) {
		fail_and_forget(job, error);
		return;
	}
	if (download_end(&job->download, &why) < 0)
		log_printf(job->log, "%s", why.message); /* the next start goes on by itself */
	fail(job, error);
}

/* ---- Progress and end ---- */

static void tell_percent(struct job *job)
{
	/* To a host that reads these lines an upgrade does not go back from flashing to downloading. */
	if (job->is_next || !report_is_due(job->request.download_max, job->last_told, job->percent))
		return;
	job->last_told = (int)job->percent;
	job_say(job, "\"DOWNLOADING\",%u", job->percent);
}

static void finish_body(struct job *job)
{
	struct error error;

	if (download_finish(&job->download, &error) < 0) {
		fail_and_forget(job, &error);
		return;
	}
	job->percent = 100;
	tell_percent(job);
	if (!job->is_next)
		job_say(job, "\"%s\",0", end_line(job));
	job_steps_begin(job, DOWNLOAD_PATH);
}

/* ---- Asking ---- */

static void ask(struct job *job)
{
	struct fetch_request request = {.offset = download_size(&job->download), .have = job->download.file};
	bool manifest = request.offset == 0 && !job->has_manifest;
	struct error error;

	/* The link broke behind the last byte: a server has nothing more to say to that. */
	if (request.offset && request.offset == request.have.size) {
		finish_body(job);
		return;
	}
	request.kind = manifest ? FETCH_MANIFEST : FETCH_BODY;
	(void)snprintf(request.url, sizeof(request.url), "%s", job->request.source);
	if (fetcher_start(&job->fetcher, job->config, &error) < 0 || fetcher_ask(&job->fetcher, &request, &error) < 0) {
		fail_and_keep(job, &error);
		return;
	}
	job_enter(job, manifest ? JOB_MANIFEST : JOB_BODY);
}

/* A URL that gave access for a while differs in its query from the one that follows it. */
static bool is_same_source(const struct download *download, const char *source)
{
	const char *had = download->request.source;
	size_t length = strcspn(had, "?");

	if (strcmp(had, source) == 0)
		return true;
	return (download->file.etag[0] || download->file.modified) && length == strcspn(source, "?") &&
	       strncmp(had, source, length) == 0;
}

/* The next job, or the next start of the program, may go on with what an earlier one left. */
static int prepare_download(struct job *job, struct error *error)
{
	struct download *download = &job->download;

	if (!download->request.source[0] || !is_same_source(download, job->request.source))
		return download_begin(download, &job->request, error);
	log_printf(job->log, "%" PRIu64 " bytes are there already", download_size(download));
	download->request = job->request;
	download->ended = false;
	return download_count_start(download, error);
}

void job_fetch_begin(struct job *job)
{
	struct error error;

	memset(&job->manifest, 0, sizeof(job->manifest));
	job->failures = 0;
	job->has_manifest = false;
	job->last_told = -1;
	job_enter(job, JOB_MANIFEST);
	if (prepare_download(job, &error) < 0) {
		fail_and_forget(job, &error);
	} else if (job->download.complete) {
		job_steps_begin(job, DOWNLOAD_PATH);
	} else {
		job->best = download_size(&job->download);
		if (!job->is_next)
			job_say(job, "\"%s\"", job->source == SOURCE_FTP ? "FTPSTART" : "HTTPSTART");
		ask(job);
	}
}

/* ---- Failing, and trying again ---- */

/* Seconds until the next try, or -1: that was the last one. */
static int64_t next_delay(struct job *job, uint32_t retry_after)
{
	uint64_t there = download_size(&job->download);
	uint64_t delay = job->config->retry_delay;

	if (there > job->best)
		job->failures = 0;
	job->best = there;
	if (job->failures++ >= job->config->retries)
		return -1;
	for (unsigned i = 1; i < job->failures && delay < DELAY_MAX; i++)
		delay *= 2;
	if (delay > DELAY_MAX)
		delay = DELAY_MAX;
	if (retry_after > delay)
		delay = retry_after < RETRY_AFTER_MAX ? retry_after : RETRY_AFTER_MAX;
	return (int64_t)delay;
}

static void try_again(struct job *job, const struct error *error, uint32_t retry_after, uint64_t now_ms)
{
	unsigned percent = job->percent;
	int64_t delay = next_delay(job, retry_after);

	fetcher_stop(&job->fetcher); /* its memory serves others while we wait */
	if (delay < 0) {
		fail_and_keep(job, error);
		return;
	}
	log_printf(job->log, "%d: %s; try %u of %u in %" PRId64 " s, from byte %" PRIu64, error->code, error->message,
	           job->failures, job->config->retries, delay, download_size(&job->download));
	job_enter(job, JOB_WAIT);
	job->percent = percent;
	job->wake_ms = now_ms + (uint64_t)delay * 1000;
}

/* ---- Answers ---- */

/* Room for what is still to come? RESULT_TOO_LARGE tells need and have. */
static int check_room(struct job *job, uint64_t size, struct error *error)
{
	uint64_t there = download_size(&job->download);
	uint64_t need = (size > there ? size - there : 0) + RESERVE;
	uint64_t have;
	int err = storage_free_space(job->storage, DOWNLOAD_PATH, &have, error);

	if (err < 0 || have >= need)
		return err;
	return error_set(error, RESULT_TOO_LARGE, ENOSPC,
	                 "/usrdata: the package needs %" PRIu64 " bytes, %" PRIu64 " are free", need, have);
}

/* A package that nobody signed needs no download to be refused; who signed it is found out when it is there. */
static int check_claim(struct job *job, const struct fetch_manifest *manifest, struct error *error)
{
	struct package_keys *keys = NULL;
	char *folder = NULL;
	int err;

	if (manifest->is_signed)
		return 0;
	if (asprintf(&folder, "%s%s", job->root ? job->root : "", job->config->package_keys) < 0)
		return error_set(error, RESULT_ABNORMAL, ENOMEM, "out of memory");
	err = package_keys_load(folder, job->log, &keys, error);
	if (err == 0 && package_keys_wanted(keys, job->log))
		err = error_set(error, RESULT_UNSIGNED, ENOMSG,
		                "signature: the package has none, and there are keys in %s", folder);
	package_keys_free(keys);
	free(folder);
	return err;
}

static void take_manifest(struct job *job, const struct fetch_manifest *manifest)
{
	struct error error;
	int err = 0;

	job->manifest = *manifest;
	job->has_manifest = true;
	err = check_claim(job, manifest, &error);
	if (err == 0)
		err = package_compare_rollback(manifest->rollback, job->rollback, &error);
	if (err == 0 && manifest->has_version && job->version)
		err = version_check(manifest->version, job->version, &error);
	else if (err == 0 && !manifest->has_version && job->config->require_version)
		err = error_set(&error, RESULT_PRECHECK, ENOENT, "the package has no quectel-project-version");
	if (err == 0)
		err = check_room(job, manifest->file.size, &error);
	if (err < 0) {
		fail_and_forget(job, &error);
		return;
	}
	log_printf(job->log, "manifest: %" PRIu64 " bytes, %" PRIu64 " unpacked; it is for %s version",
	           manifest->file.size, manifest->unpacked, manifest->has_version ? "this" : "any");
}

static void take_beginning(struct job *job, const struct fetch_answer *answer, uint64_t now_ms)
{
	struct error error;
	int err;

	if (answer->offset == 0 && job->has_manifest && !fetch_is_same(&job->manifest.file, &answer->file)) {
		job->has_manifest = false;
		(void)error_set(&error, job->source == SOURCE_FTP ? FTP_CHANGED : HTTP_CHANGED, ESTALE,
		                "the file changed while it was fetched");
		try_again(job, &error, 0, now_ms);
		return;
	}
	err = download_continue(&job->download, answer->offset, &answer->file, &error);
	if (err == 0)
		err = check_room(job, answer->file.size, &error);
	if (err < 0)
		fail_and_forget(job, &error);
}

static void take_data(struct job *job, const struct fetch_answer *answer)
{
	uint64_t size = job->download.file.size;
	struct error error;
	int err = 0;

	if (!job->download.block || (size && download_size(&job->download) + answer->length > size))
		err = error_set(&error, RESULT_ABNORMAL, EPROTO, "qfota-fetch: more data than announced");
	if (err == 0)
		err = download_write(&job->download, answer->data, answer->length, &error);
	if (err < 0) {
		fail_and_forget(job, &error);
	} else if (size) {
		job->percent = (unsigned)(download_size(&job->download) * 100 / size);
		tell_percent(job);
	}
}

static void take_end(struct job *job, const struct fetch_done *done, uint64_t now_ms)
{
	uint64_t size = job->download.file.size;
	struct error error = {.code = done->code};

	(void)snprintf(error.message, sizeof(error.message), "%s", done->reason);
	if (done->code == 0 && job->phase == JOB_MANIFEST) {
		job->has_manifest = true; /* or there is none to be had */
		ask(job);
	} else if (done->code == 0 && job->download.block && (!size || size == download_size(&job->download))) {
		finish_body(job);
	} else if (done->code == 0) {
		(void)error_set(&error, RESULT_ABNORMAL, EPROTO, "qfota-fetch: fewer data than announced");
		try_again(job, &error, 0, now_ms);
	} else if (done->advice == FETCH_RETRY) {
		try_again(job, &error, done->retry_after, now_ms);
	} else if (done->code == HTTP_URL_EXPIRED) {
		fail_and_keep(job, &error);
	} else {
		fail_and_forget(job, &error);
	}
}

static void take_answer(struct job *job, const struct fetch_answer *answer, uint64_t now_ms)
{
	switch (answer->kind) {
	case FETCH_IS_PACKAGE:
		if (job->phase == JOB_MANIFEST)
			take_manifest(job, &answer->manifest);
		break;
	case FETCH_BEGINS:
		if (job->phase == JOB_BODY)
			take_beginning(job, answer, now_ms);
		break;
	case FETCH_DATA:
		if (job->phase == JOB_BODY)
			take_data(job, answer);
		break;
	case FETCH_DONE:
		take_end(job, &answer->done, now_ms);
		break;
	default:
		break; /* FETCH_NO_RANGES: the checks come after the download */
	}
}

void job_fetch_handle(struct job *job, uint64_t now_ms)
{
	struct fetch_answer answer;
	struct error error;

	if (job->phase == JOB_WAIT) {
		if (now_ms >= job->wake_ms)
			ask(job);
		return;
	}
	for (int turn = 0; turn < TURNS && job->fetcher.pid; turn++) {
		int got = fetcher_receive(&job->fetcher, &answer);

		if (got == 0)
			return;
		if (got < 0) {
			(void)error_set(&error, RESULT_ABNORMAL, -got, "qfota-fetch: it died");
			try_again(job, &error, 0, now_ms);
			return;
		}
		take_answer(job, &answer, now_ms);
	}
}
