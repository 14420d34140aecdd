/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/outcome.h"

#include "fotad/keys.h"
#include "fotad/next.h"
#include "report/report.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INSTALL_PATH "/usrdata/cache/recovery/last_install" /* written by recovery */
#define FILE_MAX     4096

/* The file's text, or NULL; the caller frees it. */
static char *load(struct storage *storage, const char *path)
{
	char *text = NULL;
	size_t size;

	return storage_load(storage, path, FILE_MAX, &text, &size, NULL) == 0 ? text : NULL;
}

void outcome_load(struct storage *storage, struct link_result *result)
{
	char *text = load(storage, OUTCOME_RESULT_PATH);
	uint64_t code;

	memset(result, 0, sizeof(*result));
	result->code = -1;
	if (text && keys_number(text, "code", 9999, &code)) {
		result->code = (int32_t)code;
		(void)keys_text(text, "object", result->object, sizeof(result->object));
		(void)keys_text(text, "reason", result->reason, sizeof(result->reason));
	}
	free(text);
}

int outcome_save(struct storage *storage, const struct link_result *result, struct error *error)
{
	char text[sizeof(*result) + 64];
	int length = snprintf(text, sizeof(text), "code %" PRId32 "\nobject %s\nreason %s\n", result->code,
	                      result->object, result->reason);

	return storage_save(storage, OUTCOME_RESULT_PATH, text, (size_t)length, 0600, error);
}

/* Tells one status file of recovery from the next. */
static uint64_t status_mark(struct storage *storage)
{
	struct storage_stat stat;

	return storage_stat_path(storage, OUTCOME_STATUS_PATH, &stat) == 0 ? stat.modified : 0;
}

int outcome_expect(struct storage *storage, const char *from, const char *target, struct error *error)
{
	char text[2 * OUTCOME_VERSION_MAX + 64];
	int length = snprintf(text, sizeof(text), "from %s\ntarget %s\nstatus %" PRIu64 "\n", from, target,
	                      status_mark(storage));

	return storage_save(storage, OUTCOME_ARMED_PATH, text, (size_t)length, 0600, error);
}

int outcome_expect_nothing(struct storage *storage, struct error *error)
{
	int err = storage_remove(storage, OUTCOME_ARMED_PATH, error);

	return err < 0 ? err : 0;
}

/* The line "name: value" of what recovery wrote. */
static void find_field(const char *text, const char *name, char *value, size_t size)
{
	char key[32];

	(void)snprintf(key, sizeof(key), "%s:", name);
	if (!keys_text(text, key, value, size))
		value[0] = '\0';
}

static void set_reason(struct link_result *result, int code, const char *reason)
{
	result->code = code;
	(void)snprintf(result->reason, sizeof(result->reason), "%s", reason);
}

/* What recovery says about it. */
static void read_report(struct storage *storage, struct link_result *result)
{
	char *status = load(storage, OUTCOME_STATUS_PATH);
	char *install = load(storage, INSTALL_PATH);
	char code[16] = "";

	memset(result, 0, sizeof(*result));
	if (status && strncmp(status, "IP_PREVIOUS_UPDATE_SUCCESSFUL", 29) == 0) {
		result->code = RESULT_OK;
	} else if (status && strncmp(status, "IP_PREVIOUS_UPDATE_CHECK_FILE_FAILED", 36) == 0) {
		result->code = (int32_t)strtol(status + 36, NULL, 10);
		find_field(status, "cause", result->reason, sizeof(result->reason));
		if (install && !result->reason[0])
			find_field(install, "cause", result->reason, sizeof(result->reason));
		if (install && result->code <= 0) {
			find_field(install, "error", code, sizeof(code));
			result->code = (int32_t)strtol(code, NULL, 10);
		}
		if (result->code <= 0)
			result->code = RESULT_ABNORMAL;
	} else {
		set_reason(result, RESULT_ABNORMAL, "the upgrade was armed, but recovery has not reported its end");
	}
	free(status);
	free(install);
}

/* END 0 is a claim; the version that runs is the proof (spec/requirements.md 75). */
static void compare_versions(const char *armed, const char *revision, struct link_result *result)
{
	char from[OUTCOME_VERSION_MAX] = "";
	char target[OUTCOME_VERSION_MAX] = "";

	(void)keys_text(armed, "from", from, sizeof(from));
	(void)keys_text(armed, "target", target, sizeof(target));
	if (result->code != RESULT_OK || !target[0] || strcmp(target, revision) == 0)
		return;
	result->code = RESULT_ABNORMAL;
	(void)snprintf(result->reason, sizeof(result->reason),
	               "recovery reported success, but %.95s runs, not %.95s (before: %.95s)", revision, target, from);
}

/* Recovery has said what comes next, and it is not the end. */
static bool is_part(struct storage *storage)
{
	static const char state[] = "IP_PREVIOUS_UPDATE_IN_PROGRESS";
	char *status = load(storage, OUTCOME_STATUS_PATH);
	bool in_progress = status && strncmp(status, state, strlen(state)) == 0;

	free(status);
	return in_progress && next_waits(storage);
}

int outcome_settle(struct storage *storage, const char *revision, const struct log *log, struct link_result *result)
{
	char *armed = load(storage, OUTCOME_ARMED_PATH);
	struct error error;
	uint64_t mark = 0;
	bool is_over;
	bool began;

	if (!armed)
		return 0;
	began = !keys_number(armed, "status", UINT64_MAX, &mark) || mark != status_mark(storage);
	is_over = began && !is_part(storage);
	if (is_over) {
		read_report(storage, result);
		compare_versions(armed, revision, result);
		keys_clean(result->reason);
		log_printf(log, "upgrade is over: %d %s; running: %s", (int)result->code, result->reason, revision);
	} else if (began) {
		log_printf(log, "part 1 of 2 is installed; running: %s", revision);
	} else {
		log_printf(log, "an upgrade was about to be armed when the module went down; it has not begun");
	}
	free(armed);
	if ((is_over && outcome_save(storage, result, &error) < 0) || outcome_expect_nothing(storage, &error) < 0)
		log_printf(log, "%s", error.message); /* it will be told once more */
	return is_over;
}
