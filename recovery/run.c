/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_TAKEN "OKAY" /* what the older LK writes when it erases the command, spec/lineage.md 2.4 */

uint64_t boot_now(const struct boot *boot)
{
	return boot->config->now_ms(boot->config->now_ctx);
}

void boot_note(const struct boot *boot, int err, const struct error *error)
{
	if (err < 0)
		log_printf(&boot->log, "%s", error->message);
}

/* ---- Finding out what to do ---- */

static void open_misc(struct boot *boot)
{
	struct error error;
	int err = misc_open(boot->config->storage, boot->config->misc_partition, &boot->misc, &error);

	/* Without the flag's partition an upgrade can still be asked for by the command file. */
	boot_note(boot, err, &error);
	if (err)
		return;
	boot_note(boot, misc_read_message(boot->misc, &boot->message, &error), &error);
	boot_note(boot, misc_attempts_read(boot->misc, 0, &boot->attempts, &error), &error);
}

/* fresh: a new upgrade begins. Otherwise the log of the last one stays for whoever came here to read it. */
static void open_log(struct boot *boot, bool fresh)
{
	struct error error;
	int err = report_log_open(boot->config->storage, boot->recovery_directory, fresh, boot->config->log,
	                          &boot->live_log, &error);

	boot_note(boot, err, &error);
	if (!err)
		boot->log = report_log_io(boot->live_log);
}

/* Make boot->request of whatever asks for something, and open the log. */
static void find_request(struct boot *boot, int argc, char *const argv[])
{
	const struct recovery_config *config = boot->config;
	struct request *request = &boot->request;
	bool armed;

	arguments_collect(&boot->arguments, argc, argv, &boot->message, config->storage, boot->command_path,
	                  &boot->log);
	/*
	 * A bootloader that erases the command before it starts recovery leaves the arguments, and a status that says
	 * so: either is as good as the command.
	 */
	armed = misc_is_armed(&boot->message) || boot->arguments.source == ARGUMENTS_MESSAGE ||
	        (boot->message.command[0] == '\0' && strcmp(boot->message.status, STATUS_TAKEN) == 0);
	open_log(boot, boot->attempts.begun == 0 && (armed || boot->arguments.count));
	request_parse(request, &boot->arguments, config->cache, &boot->log);
	if (armed && !request->upgrade && !request->other && boot->arguments.source != ARGUMENTS_ARGV) {
		request->upgrade = true;
		(void)snprintf(request->package, sizeof(request->package), "%s", config->package_path);
		log_printf(&boot->log, "armed without a package: taking %s", request->package);
	}
}

/* ---- Arming again ---- */

static void save_command_file(struct boot *boot)
{
	const struct arguments *arguments = &boot->arguments;
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	struct error error;
	bool failed;

	if (!file) {
		log_printf(&boot->log, "no memory for the command file");
		return;
	}
	if (arguments->count == 0)
		(void)fprintf(file, "--update_package=%s\n", boot->request.package); /* ferror() knows */
	for (unsigned i = 0; i < arguments->count; i++)
		(void)fprintf(file, "%s\n", arguments->items[i]);
	failed = ferror(file) != 0;
	failed |= fclose(file) != 0;
	if (failed)
		log_printf(&boot->log, "no memory for the command file");
	else
		boot_note(boot, storage_save(boot->config->storage, boot->command_path, text, size, 0600, &error),
		          &error);
	free(text);
}

/*
 * First of all: whatever happens from here on, the next boot is recovery again. With a bootloader that leaves the
 * message alone there is nothing to write.
 */
static void rearm(struct boot *boot)
{
	struct misc_message armed = boot->message;
	struct misc_message made;
	struct error error;
	int err;

	if (!boot->misc)
		return;
	err = misc_make_message(boot->arguments.items, boot->arguments.count, &made, &error);
	if (err) /* too long, most likely; they stay in the command file, which is read when the message has none */
		err = misc_make_message(NULL, 0, &made, &error);
	if (err) {
		boot_note(boot, err, &error);
		return;
	}
	memcpy(armed.command, made.command, sizeof(armed.command));
	memcpy(armed.recovery, made.recovery, sizeof(armed.recovery));
	if (memcmp(&armed, &boot->message, sizeof(armed)) == 0)
		return;
	/*
	 * Writing the message erases its block. Should power go just then, this file is what leads back here: by hand,
	 * or from the normal system, which looks for it.
	 */
	if (boot->arguments.source != ARGUMENTS_COMMAND)
		save_command_file(boot);
	boot_note(boot, misc_write_message(boot->misc, &armed, &error), &error);
}

/* ---- The upgrade ---- */

/* The package's own fault: the same bytes will not do better next time. */
static bool is_final(int code)
{
	return code == RESULT_UNPACK || code == RESULT_DIGEST || code == RESULT_FORMAT;
}

/*
 * Keep to the attempts of this upgrade. A journal that is about another package was left by an ending that power cut
 * short behind the erasing of the flag, and the flag was set since by a tool that knows no journal.
 */
static void recall_attempts(struct boot *boot)
{
	struct error error;

	if (!boot->misc)
		return;
	boot->upgrade = attempt_fingerprint(boot);
	boot_note(boot, misc_attempts_read(boot->misc, boot->upgrade, &boot->attempts, &error), &error);
}

/* An upgrade that earlier boots decided, whose ending was cut short or is due now. */
static bool finish_decided(struct boot *boot)
{
	const struct misc_attempts *attempts = &boot->attempts;
	unsigned held = misc_attempts_held(attempts, report_reached(boot->config->report));
	int code = attempts->last_code;

	if (attempts->succeeded)
		code = RESULT_OK;
	else if (held >= RECOVERY_ATTEMPTS_MAX)
		code = code ? code : RESULT_ABNORMAL;
	else if (attempts->running || !is_final(code))
		return false;
	boot->decided = true;
	report_start(boot->config->report, boot_now(boot));
	ending_run(boot, code, report_code_text(code));
	return true;
}

/*
 * Count the attempt that begins. Returns how many there are now; RECOVERY_ATTEMPTS_MAX, that is no further one, when
 * counting is impossible: an upgrade without end would be worse than one without a second chance.
 */
static unsigned count_attempt(struct boot *boot)
{
	struct report *report = boot->config->report;
	struct error error;
	unsigned held;

	if (boot->attempts.begun == 0)
		report_forget(report); /* what an earlier upgrade had reached must not count as progress of this one */
	held = misc_attempts_held(&boot->attempts, report_reached(report));
	boot->counted = boot->misc && !misc_attempt_begin(boot->misc, boot->upgrade, report_reached(report), &error);
	if (!boot->counted) {
		log_printf(&boot->log, "the attempt cannot be counted%s%s", boot->misc ? ": " : "",
		           boot->misc ? error.message : "");
		return RECOVERY_ATTEMPTS_MAX;
	}
	return held + 1;
}

static void record_end(struct boot *boot, int code)
{
	struct error error;
	int err;

	if (!boot->counted)
		return; /* the journal is about another upgrade, or none */
	if (code == RESULT_OK)
		err = misc_attempt_succeeded(boot->misc, &error);
	else
		err = misc_attempt_failed(boot->misc, code, &error);
	boot_note(boot, err, &error);
	boot->decided = err == 0;
}

static void upgrade(struct boot *boot)
{
	const struct recovery_config *config = boot->config;
	struct error error;
	unsigned attempt;
	int code;

	boot_note(boot, storage_mount_for(config->storage, config->status_path, &error), &error);
	recall_attempts(boot);
	if (finish_decided(boot))
		return;
	attempt = count_attempt(boot);
	log_printf(&boot->log, "attempt %u of %d with %s", attempt, RECOVERY_ATTEMPTS_MAX, boot->request.package);
	report_start(config->report, boot_now(boot));
	report_percent(config->report, 0, boot_now(boot));
	boot_note(boot, report_write_status(config->storage, config->status_path, REPORT_IN_PROGRESS, 0, &error),
	          &error);

	code = attempt_run(boot, &error);
	record_end(boot, code);
	if (code == RESULT_OK)
		report_percent(config->report, 100, boot_now(boot));
	if (code == RESULT_OK || is_final(code) || attempt >= RECOVERY_ATTEMPTS_MAX) {
		ending_run(boot, code, error.message);
		return;
	}
	log_printf(&boot->log, "attempt %u failed with %d: %s", attempt, code, error.message);
	(void)ending_write_logs(boot, code, error.message); /* the next attempt writes them anew */
}

static enum recovery_outcome act(struct boot *boot)
{
	if (boot->request.upgrade) {
		rearm(boot);
		upgrade(boot);
		return RECOVERY_REBOOT;
	}
	if (!boot->request.other) {
		log_printf(&boot->log, "nothing to do");
		return RECOVERY_IDLE;
	}
	ending_disarm(boot);
	return RECOVERY_REBOOT;
}

enum recovery_outcome recovery_run(const struct recovery_config *config, int argc, char *const argv[])
{
	struct boot *boot = calloc(1, sizeof(*boot));
	enum recovery_outcome outcome;
	struct error error;

	if (!boot) {
		log_printf(config->log, "no memory");
		return RECOVERY_REBOOT;
	}
	boot->config = config;
	boot->log = config->log ? *config->log : (struct log){0};
	(void)snprintf(boot->recovery_directory, sizeof(boot->recovery_directory), "%s/recovery", config->cache);
	(void)snprintf(boot->command_path, sizeof(boot->command_path), "%s/recovery/command", config->cache);
	boot_note(boot, storage_mount_for(config->storage, boot->recovery_directory, &error), &error);
	open_misc(boot);
	find_request(boot, argc, argv);
	outcome = act(boot);

	arguments_free(&boot->arguments);
	report_log_close(boot->live_log);
	misc_close(boot->misc);
	free(boot);
	return outcome;
}
