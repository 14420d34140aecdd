/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/job.h"

#include "fotad/privileges.h"
#include "fotad/version.h"
#include "misc/misc.h"
#include "report/report.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSION_MAX 4096
#define STEP_TURNS  32 /* messages taken before the rest of the keeper gets its turn */

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

static void fail_for_good(struct job *job, const char *object, const struct error *error)
{
	job_drop_download(job); /* first: whoever hears that it failed shall find nothing */
	job_fail(job, "END", object, error);
}

/* ---- Where the package is ---- */

/* A path of the module, links and all, as this process must name it. */
static void outer_path(const struct job *job, const char *path, char outer[STORAGE_PATH_MAX])
{
	(void)snprintf(outer, STORAGE_PATH_MAX, "%s%s", job->root ? job->root : "", path);
}

/* The path without links, which must lead to a file below /usrdata: that is what recovery mounts. */
static int resolve_package(const struct job *job, const char *path, char resolved[STORAGE_PATH_MAX],
                           struct error *error)
{
	char outer[STORAGE_PATH_MAX];
	char real_root[STORAGE_PATH_MAX] = "";
	char real[STORAGE_PATH_MAX];
	size_t root_length;

	outer_path(job, path, outer);
	if (job->root && !realpath(job->root, real_root))
		return error_set(error, RESULT_ABNORMAL, errno, "%s: %s", job->root, strerror(errno));
	if (!realpath(outer, real))
		return error_set(error, RESULT_UNPACK, errno, "%.255s: %s", path, strerror(errno));
	root_length = strlen(real_root);
	if (strncmp(real, real_root, root_length) != 0 || strncmp(real + root_length, "/usrdata/", 9) != 0)
		return error_set(error, RESULT_UNPACK, EPERM, "%.255s: not below /usrdata", path);
	(void)snprintf(resolved, STORAGE_PATH_MAX, "%s", real + root_length);
	return 0;
}

static int open_package(const struct job *job, int *fd, struct error *error)
{
	char outer[STORAGE_PATH_MAX];
	struct stat stat;

	outer_path(job, job->package, outer);
	*fd = open(outer, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (*fd >= 0 && fstat(*fd, &stat) == 0 && S_ISREG(stat.st_mode))
		return 0;
	if (*fd < 0)
		return error_set(error, RESULT_UNPACK, errno, "%.255s: %s", job->package, strerror(errno));
	(void)close(*fd);
	return error_set(error, RESULT_UNPACK, EINVAL, "%.255s: not a file", job->package);
}

/* ---- Steps ---- */

/* Children have none of the descriptors that the keeper's storage may hold. */
static int open_storage(const struct job *job, struct step_output *output, struct log *log, struct storage **storage,
                        struct error *error)
{
	*log = step_log(output);
	return storage_open_linux(job->root, job->config->fstab, log, storage, error);
}

static int run_resume(void *ctx, struct step_output *output, struct error *error)
{
	struct job *job = ctx;
	struct storage *storage = NULL;
	struct misc *misc = NULL;
	bool armed = false;
	struct log log;
	int err = open_storage(job, output, &log, &storage, error);

	if (err == 0)
		err = misc_open(storage, job->config->misc, &misc, error);
	if (err == 0)
		err = misc_resume(misc, storage, JOB_COMMAND_PATH, &armed, error);
	if (err == 0 && armed)
		step_finding(output, "armed");
	misc_close(misc);
	storage_close(storage);
	return err;
}

static int run_check(void *ctx, struct step_output *output, struct error *error)
{
	struct job *job = ctx;
	struct step_check check = {
		.package = job->package_fd, .version = job->version, .version_required = job->config->require_version};

	return step_check(&check, output, error);
}

static int run_rehearse(void *ctx, struct step_output *output, struct error *error)
{
	struct job *job = ctx;
	char package[STORAGE_PATH_MAX];
	struct step_rehearse rehearse = {.updater = job->config->updater,
	                                 .package = package,
	                                 .fstab = job->config->fstab,
	                                 .root = job->root,
	                                 .view = job->view};

	outer_path(job, job->package, package);
	return step_rehearse(&rehearse, output, error);
}

static int run_arm(void *ctx, struct step_output *output, struct error *error)
{
	struct job *job = ctx;
	struct step_arm arm = {.source = job->package,
	                       .target = DOWNLOAD_PACKAGE,
	                       .misc = job->config->misc,
	                       .command_path = JOB_COMMAND_PATH,
	                       .update_max = job->request.update_max};
	struct log log;
	int err = open_storage(job, output, &log, &arm.storage, error);

	if (err == 0)
		err = step_arm(&arm, output, error);
	storage_close(arm.storage);
	return err;
}

static void begin_check(struct job *job)
{
	struct error error;
	uid_t uid = 0;
	gid_t gid;
	int err = open_package(job, &job->package_fd, &error);

	if (err < 0) {
		fail_for_good(job, job->package, &error);
		return;
	}
	if (privileges_find_user(job->config->user, &uid, &gid) < 0)
		err = error_set(&error, RESULT_ABNORMAL, ENOENT, "%s: there is no such user", job->config->user);
	if (err == 0)
		err = step_start(&job->step, uid, job->package_fd, run_check, job, &error);
	(void)close(job->package_fd); /* the child has its own */
	if (err < 0)
		fail_for_good(job, job->package, &error);
	else
		job_enter(job, JOB_CHECK);
}

void job_checks_begin(struct job *job, const char *package)
{
	struct error error;

	fetcher_stop(&job->fetcher);
	job->finding[0] = '\0';
	if (resolve_package(job, package, job->package, &error) < 0)
		fail_for_good(job, package, &error);
	else
		begin_check(job);
}

static void begin_rehearsal(struct job *job)
{
	struct error error;

	if (step_start(&job->step, 0, -1, run_rehearse, job, &error) < 0)
		fail_for_good(job, NULL, &error);
	else
		job_enter(job, JOB_REHEARSE);
}

static void begin_arming(struct job *job)
{
	struct error error;

	if (outcome_expect(job->storage, job->revision, job->finding, &error) < 0 ||
	    step_start(&job->step, 0, -1, run_arm, job, &error) < 0)
		fail_for_good(job, NULL, &error);
	else
		job_enter(job, JOB_ARM);
}

static void finish_arming(struct job *job)
{
	log_printf(job->log, "armed; rebooting into recovery");
	job_drop_download(job);
	job_enter(job, JOB_REBOOT);
	job->reboot(job->ctx);
}

/* ---- What the last reboot left ---- */

static void settle(struct job *job)
{
	struct error error;
	int found;

	job_enter(job, JOB_IDLE);
	outcome_load(job->storage, &job->last);
	if (outcome_settle(job->storage, job->revision, job->log, &job->last) > 0 && job->config->repeat_end)
		job_say(job, "\"END\",%d", (int)job->last.code);
	found = download_load(&job->download, &error);
	if (found < 0)
		log_printf(job->log, "%s", error.message);
	if (found <= 0)
		return;
	if (!job->config->resume || job->download.ended || job->download.starts >= DOWNLOAD_STARTS_MAX) {
		log_printf(job->log, "an interrupted download is dropped");
		job_drop_download(job);
	} else {
		struct link_start request = job->download.request;

		log_printf(job->log, "going on with the download that was interrupted");
		(void)job_start(job, &request); /* it is idle */
	}
}

static void end_boot(struct job *job, const struct step_message *message)
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

/* ---- Messages of steps ---- */

static void end_step(struct job *job, const struct step_message *message)
{
	struct error error = {.code = message->value};

	if (job->phase == JOB_BOOT) {
		end_boot(job, message);
		return;
	}
	(void)snprintf(error.message, sizeof(error.message), "%s", message->text);
	if (message->value != RESULT_OK) {
		if (job->phase == JOB_ARM)
			(void)outcome_expect_nothing(job->storage, NULL); /* it is told what matters */
		fail_for_good(job, message->object, &error);
	} else if (job->phase == JOB_CHECK && job->request.mode == 0) {
		begin_rehearsal(job);
	} else if (job->phase == JOB_CHECK || job->phase == JOB_REHEARSE) {
		begin_arming(job);
	} else {
		finish_arming(job);
	}
}

static void handle_step(struct job *job)
{
	struct step_message message;

	for (int turn = 0; turn < STEP_TURNS && job->step.fd >= 0 && step_receive(&job->step, &message) == 1; turn++) {
		switch (message.kind) {
		case STEP_LOG:
			log_printf(job->log, "%s", message.text);
			break;
		case STEP_PERCENT:
			job->percent = (unsigned)message.value;
			break;
		case STEP_FINDING:
			(void)snprintf(job->finding, sizeof(job->finding), "%.*s", (int)sizeof(job->finding) - 1,
			               message.text);
			break;
		default:
			end_step(job, &message);
			return;
		}
	}
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

int job_open(struct job *job, struct error *error)
{
	fetcher_init(&job->fetcher);
	job->step = (struct step){.fd = -1};
	download_init(&job->download, job->storage);
	job->last.code = -1;
	(void)snprintf(job->view, sizeof(job->view), "%s/view", job->config->run_directory);
	load_version(job);
	job_enter(job, JOB_BOOT);
	return step_start(&job->step, 0, -1, run_resume, job, error);
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
	log_printf(job->log, "upgrade from %s, mode %u", source_print_safe(request->source, safe), request->mode);
	if (source_parse(request->source, &job->source, &error) < 0) {
		error.code = RESULT_PRECHECK;
		job_fail(job, "END", NULL, &error); /* the front has let through what it must not */
	} else if (job->source != SOURCE_PATH) {
		job_fetch_begin(job);
	} else {
		job_drop_download(job); /* of another package; it takes room that this one may need */
		job_checks_begin(job, request->source);
	}
	return 0;
}

int job_cancel(struct job *job)
{
	struct error error;

	if (job->phase < JOB_MANIFEST || job->phase > JOB_REHEARSE)
		return -EBUSY;
	(void)error_set(&error, RESULT_ABNORMAL, ECANCELED, "cancelled by AT+QFOTASTOP");
	fail_for_good(job, NULL, &error);
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
		handle_step(job);
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
	if (job->version) {
		(void)version_get(job->version, VERSION_PROJECT, status->project, sizeof(status->project));
		(void)version_get(job->version, VERSION_REVISION, status->revision, sizeof(status->revision));
	}
}
