/* SPDX-License-Identifier: Apache-2.0 */
/* 520 to 525, 505: by whom is it, is this a sound package, and for this system? */
#include "fotad/step.h"

#include "fotad/version.h"
#include "package/crypt.h"
#include "package/package.h"
#include "package/rollback.h"
#include "package/signature.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSION_MAX 16384 /* bytes of a quectel-project-version */

/* What was downloaded or pushed must be on the medium, and be read from there. */
static int open_on_medium(const int *fd, struct reader *zip, struct error *error)
{
	struct stat stat;
	int err;

	if (fstat(*fd, &stat) < 0 || fsync(*fd) < 0)
		return error_set(error, RESULT_PRECHECK, errno, "archive test: %s", strerror(errno));
	if (!S_ISREG(stat.st_mode))
		return error_set(error, RESULT_PRECHECK, EINVAL, "archive test: not a regular file");
	err = posix_fadvise(*fd, 0, 0, POSIX_FADV_DONTNEED);
	if (err)
		return error_set(error, RESULT_PRECHECK, err, "archive test: %s", strerror(err));
	*zip = reader_from_file(fd, (uint64_t)stat.st_size);
	return 0;
}

static int check_signature(const struct reader *zip, const struct step_check *check, struct step_output *output,
                           struct error *error)
{
	struct log log = step_log(output);
	struct package_keys *keys = NULL;
	int err = 0;

	if (check->keys)
		err = package_keys_load(check->keys, &log, &keys, error);
	if (err == 0 && package_keys_wanted(keys, &log))
		err = package_verify_signature(zip, keys, NULL, NULL, error);
	package_keys_free(keys);
	if (err < 0)
		error_prefix(error, "signature");
	return err;
}

static void show_tested(void *ctx, uint64_t done, uint64_t total)
{
	step_percent(ctx, total && done < total ? (unsigned)(done * 100 / total) : 100);
}

static int test_archive(struct package *package, struct step_output *output, struct error *error)
{
	uint32_t script;
	int err = package_test(package, show_tested, output, error);

	if (err < 0) {
		error_prefix(error, "archive test");
		return err;
	}
	if (package_find(package, PACKAGE_SCRIPT, &script) < 0)
		return error_set(error, RESULT_PRECHECK, ENOENT, "script: the package has no %s", PACKAGE_SCRIPT);
	return 0;
}

static int check_rollback(struct package *package, const struct step_check *check, struct step_output *output,
                          struct error *error)
{
	uint32_t index;
	int err = package_read_rollback(package, &index, error);

	if (err == 0)
		err = package_compare_rollback(index, check->rollback, error);
	if (err < 0) {
		step_object(output, PACKAGE_ROLLBACK_INDEX);
		error_prefix(error, "rollback index");
	}
	return err;
}

static int compare_versions(struct package *package, const struct step_check *check, struct error *error)
{
	size_t size;
	char *wanted;
	int err;

	err = package_load(package, PACKAGE_PROJECT_VERSION, VERSION_MAX, &wanted, &size, error);
	if (err == -ENOENT && !check->version_required)
		return 0;
	if (err < 0)
		return err;
	if (strlen(wanted) != size)
		err = error_set(error, RESULT_PRECHECK, EINVAL, "%s is not text", PACKAGE_PROJECT_VERSION);
	else if (!check->version)
		err = error_set(error, RESULT_PRECHECK, ENOENT, "this system has none to compare the package's with");
	else
		err = version_check(wanted, check->version, error);
	free(wanted);
	return err;
}

static int check_version(struct package *package, const struct step_check *check, struct step_output *output,
                         struct error *error)
{
	int err = compare_versions(package, check, error);

	if (err < 0) {
		step_object(output, PACKAGE_PROJECT_VERSION);
		error_prefix(error, "project version");
	}
	return err;
}

/* Which version runs when all went well; packages of others do not say so. */
static void find_target(struct package *package, struct step_output *output)
{
	char revision[128];
	size_t size;
	char *text;

	if (package_load(package, PACKAGE_TARGET_VERSION, VERSION_MAX, &text, &size, NULL) < 0)
		return;
	if (version_get(text, VERSION_REVISION, revision, sizeof(revision)))
		step_finding(output, revision);
	free(text);
}

/* Whoever sends packages must tell a wrong signature from a wrong package. */
static int code_of(const struct error *cause)
{
	switch (cause->code) {
	case RESULT_UNSIGNED:
	case RESULT_UNTRUSTED:
	case RESULT_TAMPERED:
	case RESULT_ROLLBACK:
	case RESULT_SEALED:
	case RESULT_FORGED:
		return cause->code;
	default:
		return RESULT_PRECHECK;
	}
}

int step_check(const struct step_check *check, struct step_output *output, struct error *error)
{
	struct package_limits limits = package_default_limits();
	struct package_crypt *crypt = NULL;
	struct reader file;
	struct reader zip;
	struct package *package = NULL;
	struct error cause = {0};
	int err = open_on_medium(&check->package, &file, &cause);

	if (!err)
		err = package_decrypt(&file, check->crypt_keys, &crypt, &zip, &cause);
	if (!err)
		err = check_signature(&zip, check, output, &cause);
	if (!err) {
		err = package_open(&zip, &limits, &package, &cause);
		if (err)
			error_prefix(&cause, "archive test");
	}
	if (!err)
		err = check_rollback(package, check, output, &cause);
	if (!err)
		err = test_archive(package, output, &cause);
	if (!err)
		err = check_version(package, check, output, &cause);
	if (!err)
		find_target(package, output);
	else
		package_crypt_explain(crypt, &cause);
	package_close(package);
	package_crypt_free(crypt);
	return err ? error_set(error, code_of(&cause), -err, "%s", cause.message) : 0;
}
