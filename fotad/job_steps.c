/* SPDX-License-Identifier: Apache-2.0 */
/* The job's steps: what each works on, and which one follows. */
#include "fotad/job.h"

#include "fotad/privileges.h"
#include "misc/misc.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TURNS 32 /* messages taken before the rest of the keeper gets its turn */

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

int job_boot_begin(struct job *job, struct error *error)
{
	return step_start(&job->step, 0, -1, run_resume, job, error);
}

/* Where keys lie, as this process must name it; the caller frees it. A path cut short would be one without keys. */
static int keys_path(const struct job *job, char **path, struct error *error)
{
	if (asprintf(path, "%s%s", job->root ? job->root : "", job->config->package_keys) >= 0)
		return 0;
	*path = NULL;
	return error_set(error, RESULT_ABNORMAL, ENOMEM, "out of memory");
}

static int run_check(void *ctx, struct step_output *output, struct error *error)
{
	struct job *job = ctx;
	struct step_check check = {.package = job->package_fd,
	                           .crypt_keys = job->crypt_keys,
	                           .version = job->version,
	                           .version_required = job->config->require_version,
	                           .rollback = job->rollback};
	char *keys;
	int err = keys_path(job, &keys, error);

	check.keys = keys;
	if (err == 0)
		err = step_check(&check, output, error);
	free(keys);
	return err;
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
	char *keys;
	int err = keys_path(job, &keys, error);

	rehearse.keys = keys;
	outer_path(job, job->package, package);
	if (err == 0)
		err = step_rehearse(&rehearse, output, error);
	free(keys);
	return err;
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

/* Here, where the files can be read: what strangers send is read by others, who cannot. */
static int load_crypt_keys(struct job *job, struct error *error)
{
	char *path;
	int err = keys_path(job, &path, error);

	if (err == 0)
		err = package_crypt_keys_load(path, job->log, &job->crypt_keys, error);
	free(path);
	return err;
}

static void begin_check(struct job *job)
{
	struct error error;
	uid_t uid = 0;
	gid_t gid;
	int err = open_package(job, &job->package_fd, &error);

	if (err < 0) {
		job_fail_for_good(job, job->package, &error);
		return;
	}
	if (privileges_find_user(job->config->user, &uid, &gid) < 0)
		err = error_set(&error, RESULT_ABNORMAL, ENOENT, "%s: there is no such user", job->config->user);
	if (err == 0)
		err = load_crypt_keys(job, &error);
	if (err == 0)
		err = step_start(&job->step, uid, job->package_fd, run_check, job, &error);
	(void)close(job->package_fd); /* the child has its own */
	package_crypt_keys_free(job->crypt_keys);
	job->crypt_keys = NULL;
	if (err < 0)
		job_fail_for_good(job, job->package, &error);
	else
		job_enter(job, JOB_CHECK);
}

void job_steps_begin(struct job *job, const char *package)
{
	struct error error;

	fetcher_stop(&job->fetcher);
	job->finding[0] = '\0';
	if (resolve_package(job, package, job->package, &error) < 0)
		job_fail_for_good(job, package, &error);
	else
		begin_check(job);
}

static void begin_rehearsal(struct job *job)
{
	struct error error;

	if (step_start(&job->step, 0, -1, run_rehearse, job, &error) < 0)
		job_fail_for_good(job, NULL, &error);
	else
		job_enter(job, JOB_REHEARSE);
}

static void begin_arming(struct job *job)
{
	struct error error;

	if (job_next_arming(job, &error) < 0 || outcome_expect(job->storage, job->revision, job->finding, &error) < 0 ||
	    step_start(&job->step, 0, -1, run_arm, job, &error) < 0)
		job_fail_for_good(job, NULL, &error);
	else
		job_enter(job, JOB_ARM);
}

static void finish_arming(struct job *job)
{
	log_printf(job->log, "armed; rebooting into recovery");
	job_next_armed(job);
	job_drop_download(job);
	job_enter(job, JOB_REBOOT);
	job->reboot(job->ctx);
}

/* ---- Messages of steps ---- */

static void end_step(struct job *job, const struct step_message *message)
{
	struct error error = {.code = message->value};

	if (job->phase == JOB_BOOT) {
		job_boot_end(job, message);
		return;
	}
	(void)snprintf(error.message, sizeof(error.message), "%s", message->text);
	if (message->value != RESULT_OK) {
		if (job->phase == JOB_ARM) {
			(void)outcome_expect_nothing(job->storage, NULL); /* it is told what matters */
			job_next_not_armed(job);
		}
		job_fail_for_good(job, message->object, &error);
	} else if (job->phase == JOB_CHECK && job->request.mode == 0) {
		begin_rehearsal(job);
	} else if (job->phase == JOB_CHECK || job->phase == JOB_REHEARSE) {
		begin_arming(job);
	} else {
		finish_arming(job);
	}
}

void job_steps_handle(struct job *job)
{
	struct step_message message;

	for (int turn = 0; turn < TURNS && job->step.fd >= 0 && step_receive(&job->step, &message) == 1; turn++) {
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
