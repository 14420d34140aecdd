/* SPDX-License-Identifier: Apache-2.0 */
/* What the journal means: attempts of an upgrade, and how it ended. */
#include "misc/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct misc_attempts attempts_of(const struct record *record)
{
	struct misc_attempts attempts = {
		.begun = record->begun,
		.failed = record->failed,
		.stalled = record->stalled,
		.progress = record->progress,
		.last_code = record->last_code,
		.running = record->kind == RECORD_BEGIN,
		.pending = record->kind != RECORD_RESET && record->kind != RECORD_CLOSED,
		.ended = record->kind == RECORD_ENDED,
		.closed = record->kind == RECORD_CLOSED,
	};

	memcpy(attempts.cause, record->cause, sizeof(attempts.cause));
	return attempts;
}

/* What an earlier upgrade left there is nothing to this one. When it was armed nobody had looked at its package yet. */
static void keep_to(struct record *record, uint32_t upgrade)
{
	if (upgrade && record->kind != RECORD_ARMED && record->upgrade != upgrade)
		*record = (struct record){.sequence = record->sequence, .upgrade = upgrade};
}

int misc_attempts_read(struct misc *misc, uint32_t upgrade, struct misc_attempts *attempts, struct error *error)
{
	struct journal journal;
	int err = journal_read(misc, &journal, error);

	if (err)
		journal.newest = (struct record){0};
	keep_to(&journal.newest, upgrade);
	*attempts = attempts_of(&journal.newest);
	return err;
}

unsigned misc_attempts_stalled(const struct misc_attempts *attempts, unsigned progress)
{
	return attempts->running && progress <= attempts->progress ? attempts->stalled + 1 : 0;
}

int misc_recall(struct misc *misc, struct misc_message *message, struct error *error)
{
	struct journal journal;
	int err = journal_read(misc, &journal, error);

	if (err)
		return err;
	if (!attempts_of(&journal.newest).pending)
		return -ENOENT;
	*message = (struct misc_message){0};
	misc_arm_message(message, &journal.newest);
	return 0;
}

static unsigned one_more(unsigned count)
{
	return count < UINT16_MAX ? count + 1 : count;
}

int misc_attempt_begin(struct misc *misc, const struct misc_message *armed, uint32_t upgrade, unsigned progress,
                       struct error *error)
{
	struct journal journal;
	struct record *record = &journal.newest;
	struct misc_attempts attempts;
	int err = journal_read(misc, &journal, error);

	if (err)
		return err;
	keep_to(record, upgrade);
	attempts = attempts_of(record);
	if (upgrade)
		record->upgrade = upgrade;
	record->kind = RECORD_BEGIN;
	record->stalled = misc_attempts_stalled(&attempts, progress);
	record->begun = one_more(record->begun);
	record->progress = progress > 100 ? 100 : progress;
	memcpy(record->arguments, armed->recovery, sizeof(record->arguments));
	record->arguments[sizeof(record->arguments) - 1] = '\0';
	return journal_append(misc, &journal, error);
}

static int end_attempt(struct misc *misc, enum record_kind kind, int code, const char *cause, struct error *error)
{
	struct journal journal;
	struct record *record = &journal.newest;
	int err = journal_read(misc, &journal, error);

	if (err)
		return err;
	if (kind == RECORD_FAILED)
		record->failed = one_more(record->failed);
	record->kind = kind;
	record->last_code = code < 0 || code > UINT16_MAX ? RESULT_ABNORMAL : code;
	memset(record->cause, 0, sizeof(record->cause));
	(void)snprintf(record->cause, sizeof(record->cause), "%s", cause);
	return journal_append(misc, &journal, error);
}

int misc_attempt_failed(struct misc *misc, int code, const char *cause, struct error *error)
{
	return end_attempt(misc, RECORD_FAILED, code, cause, error);
}

int misc_upgrade_ended(struct misc *misc, int code, const char *cause, struct error *error)
{
	return end_attempt(misc, RECORD_ENDED, code, cause, error);
}

bool misc_keeps_result(const struct misc *misc)
{
	return misc->record_count > 0 && !misc->shared_block;
}
