/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* The message that asks for something: the one in misc, else the one that the journal says was lost. */
static struct misc_message find_message(const struct boot *boot)
{
	struct misc_message lost;

	if (boot->misc && !misc_is_armed(&boot->message) && boot->message.recovery[0] == '\0' &&
	    misc_recall(boot->misc, &lost, NULL) == 0) {
		log_printf(&boot->log, "the bootloader message is lost, the journal still knows it");
		return lost;
	}
	return boot->message;
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
	struct misc_message message = find_message(boot);
	struct request *request = &boot->request;
	bool armed;

	arguments_collect(&boot->arguments, argc, argv, &message, config->storage, boot->command_path, &boot->log);
	/*
	 * A bootloader that erases the command before it starts recovery leaves the arguments, and a status that says
	 * so: either is as good as the command.
	 */
	armed = misc_is_armed(&message) || boot->arguments.source == ARGUMENTS_MESSAGE || misc_is_taken(&message);
	open_log(boot, boot->attempts.begun == 0 && (armed || boot->arguments.count));
	request_parse(request, &boot->arguments, config->cache, &boot->log);
	report_set_updating_max(config->report, request->updating_max);
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
	char package[sizeof(boot->request.package) + sizeof("--update_package=")];
	const char *alone[] = {package};
	const char *const *items = arguments->count ? (const char *const *)arguments->items : alone;
	struct error error;

	(void)snprintf(package, sizeof(package), "--update_package=%s", boot->request.package);
	boot_note(boot,
	          misc_save_command_file(boot->config->storage, boot->command_path, items,
	                                 arguments->count ? arguments->count : 1, &error),
	          &error);
}

/* The arguments that the next boot shall find. */
static int make_message(const struct boot *boot, struct misc_message *message, struct error *error)
{
	int err = misc_make_message(boot->arguments.items, boot->arguments.count, message, error);

	/* Too long, most likely; they stay in the command file, which is read when the message has none. */
	return err ? misc_make_message(NULL, 0, message, error) : 0;
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
	err = make_message(boot, &made, &error);
	if (err) {
		boot_note(boot, err, &error);
		return;
	}
	memcpy(armed.command, made.command, sizeof(armed.command));
	memcpy(armed.recovery, made.recovery, sizeof(armed.recovery));
	/*
	 * Writing the message erases its block. Should power go just then, the journal leads back here, and where there
	 * is none, this file: from the normal system, which looks for both.
	 */
	if (memcmp(&armed, &boot->message, sizeof(armed)) != 0 && boot->arguments.source != ARGUMENTS_COMMAND)
		save_command_file(boot);
	boot_note(boot, misc_rearm(boot->misc, &armed, &error), &error);
	boot->message = armed;
}

/* ---- The upgrade ---- */

/* The package's own fault: the same bytes will not do better next time. */
static bool is_final(int code)
{
	switch (code) {
	case RESULT_UNPACK:
	case RESULT_DIGEST:
	case RESULT_FORMAT:
	case RESULT_UNSIGNED:
	case RESULT_UNTRUSTED:
	case RESULT_TAMPERED:
	case RESULT_ROLLBACK:
	case RESULT_SEALED:
	case RESULT_FORGED:
		return true;
	default:
		return false;
	}
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
	report_set_upgrade(boot->config->report, boot->upgrade);
	boot_note(boot, misc_attempts_read(boot->misc, boot->upgrade, &boot->attempts, &error), &error);
	tries_recall(boot);
}

/* Write down how the upgrade ends, before anyone is told. */
static void decide(struct boot *boot, int code, const char *cause)
{
	struct error error;
	int err = misc_upgrade_ended(boot->misc, code, cause, &error);

	boot_note(boot, err, &error);
	boot->decided = err == 0 && misc_keeps_result(boot->misc);
}

/* An upgrade that earlier boots decided, whose ending was cut short or is due now. */
static bool finish_decided(struct boot *boot)
{
	const struct misc_attempts *attempts = &boot->attempts;
	unsigned stalled = misc_attempts_stalled(attempts, report_reached(boot->config->report));
	const char *cause = attempts->cause;
	int code = attempts->last_code;
	struct error error;

	if (stalled >= RECOVERY_STALLS_MAX) {
		code = RESULT_ABNORMAL;
		cause = "every attempt was cut short without any progress";
	} else if (!attempts->ended && attempts->failed < RECOVERY_ATTEMPTS_MAX) {
		return false;
	}
	if (code == RESULT_OK)
		next_recall(boot);
	else
		boot_note(boot, next_forget(boot, &error), &error);
	/* Again, though it may be there: a record that power cut short may read well now and not the next time. */
	decide(boot, code, cause);
	report_start(boot->config->report, boot_now(boot));
	ending_run(boot, code, *cause ? cause : report_code_text(code));
	return true;
}

/*
 * Count the attempt that begins. Returns its number among those that may fail; RECOVERY_ATTEMPTS_MAX, that is no
 * further one, when counting is impossible: an upgrade without end would be worse than one without a second chance.
 */
static unsigned count_attempt(struct boot *boot)
{
	struct misc_attempts *attempts = &boot->attempts;
	unsigned progress = report_reached(boot->config->report);
	struct error error;

	boot->counted = boot->misc && !misc_attempt_begin(boot->misc, &boot->message, boot->upgrade, progress, &error);
	attempts->stalled = misc_attempts_stalled(attempts, progress);
	attempts->progress = progress;
	attempts->running = true;
	if (tries_save(boot) || boot->counted)
		return attempts->failed + 1;
	log_printf(&boot->log, "the attempt cannot be counted%s%s", boot->misc ? ": " : "",
	           boot->misc ? error.message : "");
	return RECOVERY_ATTEMPTS_MAX;
}

/* An attempt came to its end. Returns whether the upgrade did. */
static bool record_end(struct boot *boot, unsigned attempt, int code, const char *cause)
{
	bool over = code == RESULT_OK || is_final(code) || attempt >= RECOVERY_ATTEMPTS_MAX;
	struct error error;

	if (code != RESULT_OK) {
		boot->attempts.running = false;
		boot->attempts.failed = attempt;
		boot->attempts.last_code = code;
		(void)snprintf(boot->attempts.cause, sizeof(boot->attempts.cause), "%.*s", MISC_CAUSE_SIZE - 1, cause);
		(void)tries_save(boot);
	}
	if (over && code != RESULT_OK)
		boot_note(boot, next_forget(boot, &error), &error);
	if (!boot->counted)
		return over; /* the journal is about another upgrade, or none */
	if (over)
		decide(boot, code, cause);
	else
		boot_note(boot, misc_attempt_failed(boot->misc, code, cause, &error), &error);
	return over;
}

static void upgrade(struct boot *boot)
{
	const struct recovery_config *config = boot->config;
	struct error error;
	unsigned attempt;
	bool over;
	int code;

	boot_note(boot, storage_mount_for(config->storage, config->status_path, &error), &error);
	if (finish_decided(boot))
		return;
	attempt = count_attempt(boot);
	log_printf(&boot->log, "attempt %u of %d with %s", attempt, RECOVERY_ATTEMPTS_MAX, boot->request.package);
	report_start(config->report, boot_now(boot));
	report_percent(config->report, 0, boot_now(boot));
	boot_note(boot, report_write_status(config->storage, config->status_path, REPORT_IN_PROGRESS, 0, NULL, &error),
	          &error);

	code = attempt_run(boot, &error);
	if (code == RESULT_OK && next_save(boot, &error))
		code = error.code ? error.code : RESULT_ABNORMAL;
	over = record_end(boot, attempt, code, code == RESULT_OK ? "" : error.message);
	if (code == RESULT_OK)
		report_percent(config->report, 100, boot_now(boot));
	if (over) {
		ending_run(boot, code, error.message);
		return;
	}
	log_printf(&boot->log, "attempt %u failed with %d: %s", attempt, code, error.message);
	(void)ending_write_logs(boot, code, error.message); /* the next attempt writes them anew */
}

/* The bootloader read an order where there is none: erased or written half. Does it read none from now on? */
static bool drop_half_written(struct boot *boot)
{
	struct error error;
	int err;

	if (!boot->misc || misc_message_is_sound(boot->misc))
		return false;
	log_printf(&boot->log, "the bootloader message was left half written, it is cleared");
	err = misc_clear(boot->misc, &error);
	boot_note(boot, err, &error);
	return err == 0;
}

static enum recovery_outcome act(struct boot *boot)
{
	if (boot->request.upgrade) {
		recall_attempts(boot);
		/* Only the message was left to clear when power went: of this upgrade, or its package is gone. */
		if (boot->attempts.closed) {
			ending_close(boot);
			return RECOVERY_REBOOT;
		}
		rearm(boot);
		upgrade(boot);
		return RECOVERY_REBOOT;
	}
	if (!boot->request.other) {
		if (drop_half_written(boot))
			return RECOVERY_REBOOT;
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
	(void)snprintf(boot->tries_path, sizeof(boot->tries_path), "%s/recovery/attempts", config->cache);
	boot_note(boot, storage_mount_for(config->storage, boot->recovery_directory, &error), &error);
	open_misc(boot);
	find_request(boot, argc, argv);
	outcome = act(boot);

	arguments_clear(&boot->arguments);
	report_log_close(boot->live_log);
	misc_close(boot->misc);
	free(boot);
	return outcome;
}
