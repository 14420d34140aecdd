/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FINISHED_NAME "finished" /* the updater's journal of what it changed */
#define END_WAIT_MS   3000       /* for a host that is slow to read END, which is said only once per boot */

/* Only where packages are put: a mistyped --update_package must not cost the module a system file. */
static bool may_remove(const struct boot *boot, const char *path)
{
	static const char *const places[] = {"/usrdata/", "/data/", "/cache/", "/tmp/"};
	size_t length = strlen(boot->config->cache);

	if (strstr(path, "/../"))
		return false;
	if (strcmp(path, boot->config->package_path) == 0)
		return true;
	if (strncmp(path, boot->config->cache, length) == 0 && path[length] == '/')
		return true;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (strncmp(path, places[i], strlen(places[i])) == 0)
			return true;
	}
	return false;
}

static void remove_file(struct boot *boot, const char *path)
{
	struct error error;

	boot_note(boot, storage_remove(boot->config->storage, path, &error), &error);
}

/* What whoever reads the status file must know of a module whose upgrade failed. */
static int write_failure(struct boot *boot, int code, const char *cause, struct error *error)
{
	const struct recovery_config *config = boot->config;
	struct storage_stat stat;
	char path[STORAGE_PATH_MAX];
	char note[512];
	bool changed;

	/* The updater makes it before the first change. Where nobody can look, the worse is to be assumed. */
	(void)snprintf(path, sizeof(path), "%s/" FINISHED_NAME, boot->recovery_directory);
	changed = storage_stat_path(config->storage, path, &stat) != -ENOENT;
	(void)snprintf(note, sizeof(note), "system: %s\ncause: %s\n",
	               changed ? "may hold parts of both versions" : "unchanged", cause);
	return report_write_status(config->storage, config->status_path, REPORT_FAILED, code, note, error);
}

/* There is more to come: to the outside the upgrade goes on. */
static bool is_part(const struct boot *boot, int code)
{
	return code == RESULT_OK && boot->next[0];
}

static int write_part(struct boot *boot, struct error *error)
{
	char note[64 + PACKAGE_NEXT_SIZE];

	(void)snprintf(note, sizeof(note), "part: 1 of 2 is installed\nnext: %s\n", boot->next);
	return report_write_status(boot->config->storage, boot->config->status_path, REPORT_IN_PROGRESS, 0, note,
	                           error);
}

/* Status file and logs. Returns 0 when all of it is durable. */
static int write_result(struct boot *boot, int code, const char *cause)
{
	const struct recovery_config *config = boot->config;
	struct error error;
	int err;

	if (is_part(boot, code))
		err = write_part(boot, &error);
	else if (code == RESULT_OK)
		err = report_write_status(config->storage, config->status_path, REPORT_SUCCESSFUL, 200, NULL, &error);
	else
		err = write_failure(boot, code, cause, &error);
	boot_note(boot, err, &error);
	return ending_write_logs(boot, code, cause) || err ? -EIO : 0;
}

static void remove_package(struct boot *boot)
{
	if (may_remove(boot, boot->request.package))
		remove_file(boot, boot->request.package);
	else
		log_printf(&boot->log, "%s is not removed: no place for packages", boot->request.package);
}

/* Of a success it says nothing. After a failure it tells which objects are new, until the next upgrade begins. */
static void remove_finished(struct boot *boot)
{
	char path[STORAGE_PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/" FINISHED_NAME, boot->recovery_directory);
	remove_file(boot, path);
}

static void save_intent(struct boot *boot)
{
	char path[STORAGE_PATH_MAX];
	struct error error;

	if (!boot->request.intent)
		return;
	(void)snprintf(path, sizeof(path), "%s/intent", boot->recovery_directory);
	boot_note(boot,
	          storage_save(boot->config->storage, path, boot->request.intent, strlen(boot->request.intent), 0644,
	                       &error),
	          &error);
}

int ending_write_logs(struct boot *boot, int code, const char *cause)
{
	struct error error;
	int err = 0;

	if (boot->live_log)
		err = report_log_finish(boot->live_log, boot->request.package, code, cause, &error);
	boot_note(boot, err, &error);
	return err;
}

void ending_disarm(struct boot *boot)
{
	struct error error;

	remove_file(boot, boot->command_path);
	if (boot->misc)
		boot_note(boot, misc_clear(boot->misc, &error), &error);
	tries_forget(boot);
}

void ending_close(struct boot *boot)
{
	ending_disarm(boot);
	remove_package(boot);
}

/* Of a part the percentage stays: should nobody know of this boot any more, the next one goes on from there. */
static void tell_end(struct boot *boot, int code)
{
	if (!is_part(boot, code))
		report_end(boot->config->report, code, END_WAIT_MS);
}

void ending_run(struct boot *boot, int code, const char *cause)
{
	int err;

	if (is_part(boot, code))
		log_printf(&boot->log, "part 1 of 2 is installed, %s is next", boot->next);
	else
		log_printf(&boot->log, "upgrade ended with %d: %s", code, code ? cause : report_code_text(code));
	err = write_result(boot, code, cause);
	tell_end(boot, code);
	save_intent(boot);
	/* A boot that finds flag and no package would have to call it a failure, unless the journal knows better. */
	if (boot->decided)
		remove_package(boot);
	/* On a volume that the package filled there may be room for the result now. */
	if (err && boot->decided)
		(void)write_result(boot, code, cause); /* failure is noted, and nothing else can be done */
	if (code == RESULT_OK)
		remove_finished(boot);
	if (boot->decided)
		ending_disarm(boot);
	else
		ending_close(boot);
}
