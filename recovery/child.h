/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECOVERY_CHILD_H
#define RECOVERY_CHILD_H

/* The updater as a child process. */
#include "recovery/recovery.h"

struct child_config {
	const char *program; /* "/sbin/updater" */
	const char *root;    /* passed on as --root, or NULL */
	const char *fstab;   /* passed on as --fstab, or NULL */
	const char *keys;    /* passed on as --keys when the directory is there, or NULL */
};

/*
 * What recovery_config.run_updater asks for; ctx is a struct child_config. Runs
 * `PROGRAM [--root DIR] [--fstab FILE] [--keys DIR] 3 FD PACKAGE [retry]` in its own process group. Lines that it
 * writes to FD go to line(), what it prints too, as "ui_print ...". It is waited for however long it takes: a silent
 * updater may be busy with a large partition, and killing it there would be the greater harm.
 */
int child_run(void *ctx, const char *package, bool retry, void (*line)(void *line_ctx, char *text),
              void (*tick)(void *line_ctx), void *line_ctx, struct recovery_child *child, struct error *error);

#endif
