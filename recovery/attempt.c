/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/internal.h"

#include "base/bytes.h"
#include "base/digest.h"
#include "package/crypt.h"
#include "package/package.h"
#include "package/signature.h"
#include "recovery/pipe.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The check of the package is worth 5 %, the updater the rest; 100 % is only said when everything is done. */
#define PERCENT_CHECKED 5
#define PERCENT_UPDATED 99

/* Of a package's end: the directory of some thousand entries. */
#define FINGERPRINT_TAIL (UINT64_C(256) * 1024)

/* Exit codes of an updater, whoever built it: spec/lineage.md 2.6. */
enum { EXIT_OK = 0, EXIT_PACKAGE = 3, EXIT_NO_SCRIPT = 4, EXIT_READ_SCRIPT = 5, EXIT_PARSE = 6, EXIT_ABORT = 7 };

struct attempt {
	struct boot *boot;
	struct pipe_state pipe;
};

/* ---- The package ---- */

static void show_checked(void *ctx, uint64_t done, uint64_t total)
{
	const struct boot *boot = ctx;
	uint64_t now = boot_now(boot);

	if (done > total)
		done = total;
	report_percent(boot->config->report, total ? (unsigned)(done * PERCENT_CHECKED / total) : 0, now);
	report_tick(boot->config->report, now);
}

static void tick_while_verifying(void *ctx, uint64_t done, uint64_t total)
{
	const struct boot *boot = ctx;

	(void)done;
	(void)total;
	report_tick(boot->config->report, boot_now(boot));
}

/* The package itself; *crypt is NULL when it is not encrypted. */
static int decrypt(const struct boot *boot, const struct reader *file, struct package_crypt **crypt, struct reader *zip,
                   struct error *error)
{
	struct package_crypt_keys *keys = NULL;
	int err = 0;

	*crypt = NULL;
	if (boot->config->keys)
		err = package_crypt_keys_load(boot->config->keys, &boot->log, &keys, error);
	if (err == 0)
		err = package_decrypt(file, keys, crypt, zip, error);
	package_crypt_keys_free(keys);
	return err;
}

/* Before anything else of the package is read. */
static int check_signature(struct boot *boot, const struct reader *zip, struct error *error)
{
	struct package_keys *keys = NULL;
	int err = 0;

	if (boot->config->keys)
		err = package_keys_load(boot->config->keys, &boot->log, &keys, error);
	if (err == 0 && package_keys_wanted(keys, &boot->log))
		err = package_verify_signature(zip, keys, tick_while_verifying, boot, error);
	package_keys_free(keys);
	return err;
}

static int check_content(struct boot *boot, const struct reader *zip, struct error *error)
{
	struct package_limits limits = package_default_limits();
	struct package *package;
	uint32_t script;
	int err = package_open(zip, &limits, &package, error);

	if (err)
		return err;
	if (package_find(package, PACKAGE_SCRIPT, &script))
		err = error_set(error, RESULT_FORMAT, ENOENT, "it has no %s", PACKAGE_SCRIPT);
	else
		err = rollback_check(boot, package, error);
	if (!err)
		err = package_test(package, show_checked, boot, error);
	if (!err && package_next(package, boot->next, error) < 0)
		err = -EINVAL;
	package_close(package);
	return err;
}

static int open_package(const struct boot *boot, struct storage_reader **reader, struct error *error)
{
	const char *path = boot->request.package;
	struct storage_name name = {.kind = STORAGE_FILE};
	int err;

	*reader = NULL;
	if (path[0] != '/' || strstr(path, "/../"))
		return error_set(error, RESULT_UNPACK, EINVAL, "%s: not the path of a package", path);
	err = storage_mount_for(boot->config->storage, path, error);
	if (err)
		return err; /* what does not mount now may do so at the next boot */
	(void)snprintf(name.name, sizeof(name.name), "%s", path);
	err = storage_reader_open(boot->config->storage, &name, reader, error);
	if (err == -ENOENT)
		err = error_set(error, RESULT_UNPACK, ENOENT, "%s: no such package", path);
	return err;
}

static int check_package(struct boot *boot, struct error *error)
{
	struct storage_reader *reader;
	struct package_crypt *crypt;
	struct reader file;
	struct reader zip;
	int err = open_package(boot, &reader, error);

	if (err)
		return err;
	file = storage_reader_io(reader);
	err = decrypt(boot, &file, &crypt, &zip, error);
	if (!err)
		err = check_signature(boot, &zip, error);
	if (!err)
		err = check_content(boot, &zip, error);
	if (err) {
		package_crypt_explain(crypt, error);
		error_prefix(error, "%s", boot->request.package);
	}
	package_crypt_free(crypt);
	storage_reader_close(reader);
	return err;
}

static int digest_tail(const struct reader *zip, struct digest *digest)
{
	uint64_t at = zip->size > FINGERPRINT_TAIL ? zip->size - FINGERPRINT_TAIL : 0;
	uint8_t buffer[4096];
	int err = 0;

	while (!err && at < zip->size) {
		size_t length = zip->size - at < sizeof(buffer) ? (size_t)(zip->size - at) : sizeof(buffer);

		err = zip->read_at(zip->ctx, at, buffer, length);
		if (!err)
			digest_add(digest, buffer, length);
		at += length;
	}
	return err;
}

uint32_t attempt_fingerprint(const struct boot *boot)
{
	struct storage_reader *reader;
	struct digest digest;
	struct digest_value value;
	struct reader zip;
	uint8_t size[8];
	uint32_t fingerprint;
	int err;

	if (open_package(boot, &reader, NULL))
		return 0; /* the check of the package will say why */
	zip = storage_reader_io(reader);
	put_le64(size, zip.size);
	digest_start(&digest, DIGEST_SHA1);
	digest_add(&digest, boot->request.package, strlen(boot->request.package));
	digest_add(&digest, size, sizeof(size));
	err = digest_tail(&zip, &digest);
	storage_reader_close(reader);
	if (err)
		return 0;
	digest_finish(&digest, &value);
	fingerprint = get_le32(value.bytes);
	return fingerprint ? fingerprint : 1;
}

/* ---- The updater ---- */

static void on_line(void *ctx, char *text)
{
	struct attempt *attempt = ctx;

	pipe_line(&attempt->pipe, text, boot_now(attempt->boot), &attempt->boot->log);
}

static void on_tick(void *ctx)
{
	struct attempt *attempt = ctx;
	struct report *report = attempt->boot->config->report;
	uint64_t now = boot_now(attempt->boot);
	double fraction = pipe_fraction(&attempt->pipe, now);

	report_percent(report, PERCENT_CHECKED + (unsigned)((PERCENT_UPDATED - PERCENT_CHECKED) * fraction), now);
	report_tick(report, now);
}

/* What the way it ended means, with the cause. */
static int judge(const struct attempt *attempt, const struct recovery_child *child, struct error *error)
{
	const struct pipe_state *pipe = &attempt->pipe;
	int code = RESULT_ABNORMAL;

	if (child->exited && child->status == EXIT_OK)
		return RESULT_OK;
	if (!child->exited) {
		(void)error_set(error, code, ECHILD, "the updater was ended by signal %d", child->status);
		return code;
	}
	switch (child->status) {
	case EXIT_PACKAGE:
		code = RESULT_UNPACK;
		break;
	case EXIT_NO_SCRIPT:
	case EXIT_READ_SCRIPT:
	case EXIT_PARSE:
		code = RESULT_FORMAT;
		break;
	case EXIT_ABORT:
		code = pipe->code ? pipe->code : RESULT_VERIFY;
		break;
	default:
		break;
	}
	(void)error_set(error, code, ECHILD, "Error in %s (Status %d)%s%s", attempt->boot->request.package,
	                child->status, pipe->cause[0] ? ": " : "", pipe->cause);
	return code;
}

static int run_updater(struct boot *boot, struct error *error)
{
	const struct recovery_config *config = boot->config;
	struct attempt attempt = {.boot = boot};
	struct recovery_child child = {0};
	int err = config->run_updater(config->run_updater_ctx, boot->request.package, boot->attempts.begun > 0, on_line,
	                              on_tick, &attempt, &child, error);
	int code;

	if (err)
		return RESULT_ABNORMAL;
	on_tick(&attempt);
	code = judge(&attempt, &child, error);
	if (code == RESULT_OK && attempt.pipe.wipe_cache)
		log_printf(&boot->log, "wipe_cache is not supported");
	return code;
}

int attempt_run(struct boot *boot, struct error *error)
{
	int code;

	*error = (struct error){0};
	if (check_package(boot, error))
		return error->code ? error->code : RESULT_ABNORMAL;
	report_percent(boot->config->report, PERCENT_CHECKED, boot_now(boot));
	code = run_updater(boot, error);
	/* Whatever the updater left to the page cache must be down before anything says that it is done. */
	if (code == RESULT_OK && storage_sync(boot->config->storage, error))
		code = RESULT_ABNORMAL;
	return code;
}
