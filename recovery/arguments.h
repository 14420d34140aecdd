/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECOVERY_ARGUMENTS_H
#define RECOVERY_ARGUMENTS_H

/* What recovery was asked to do, and by whom: spec/lineage.md 2.7. */
#include "base/log.h"
#include "misc/misc.h"
#include "report/report.h"
#include "storage/storage.h"
#include <stdbool.h>

#define COMMAND_LINE_MAX 4096
#define COMMAND_FILE_MAX ((size_t)MISC_ARGUMENTS_MAX * (COMMAND_LINE_MAX + 2))

enum arguments_source { ARGUMENTS_NONE, ARGUMENTS_ARGV, ARGUMENTS_MESSAGE, ARGUMENTS_COMMAND };

struct arguments {
	enum arguments_source source;
	unsigned count;
	const char *items[MISC_ARGUMENTS_MAX];
	char message_text[768]; /* what the items of a bootloader message point into */
	char *command_text;     /* the same for the command file; arguments_clear() frees it */
};

/*
 * The first of argv, the bootloader message and the file at command_path that has any. argv must outlive the arguments.
 */
void arguments_collect(struct arguments *arguments, int argc, char *const argv[], const struct misc_message *message,
                       struct storage *storage, const char *command_path, const struct log *log);
void arguments_clear(struct arguments *arguments);

/*
 * The lines of a command file, cut apart in place; CR before the newline is tolerated, empty lines are skipped, longer
 * ones than COMMAND_LINE_MAX too. Returns their number.
 */
unsigned arguments_split(char *text, const char *items[MISC_ARGUMENTS_MAX], const struct log *log);

struct request {
	bool upgrade;                   /* of `package` */
	bool other;                     /* something that needs no upgrade: leave recovery */
	char package[STORAGE_PATH_MAX]; /* "" when not named */
	const char *intent;             /* text for cache/recovery/intent, or NULL */
	unsigned updating_max;          /* UPDATING lines at most; REPORT_UPDATING_ALL: no limit */
};

/* cache: what a package path "CACHE:x" is relative to. */
void request_parse(struct request *request, const struct arguments *arguments, const char *cache,
                   const struct log *log);

#endif
