/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_KEEPER_H
#define FOTAD_KEEPER_H

/*
 * The process of qfotad that keeps its privileges: it starts the front (and starts it again when it dies), opens its
 * channels, and runs the job. Its loop never waits for anything but poll().
 */
#include "base/log.h"
#include "fotad/config.h"
#include "storage/storage.h"

#define KEEPER_LOG_DIRECTORY "/usrdata/cache/fota"

struct keeper_config {
	const struct config *config;
	const char *root; /* where the module's files lie, or NULL; with one no reboot is ever real */
	struct storage *storage;
	const struct log *log;
};

/* Until SIGTERM or SIGINT (0), or until it cannot go on (negative errno). */
int keeper_run(const struct keeper_config *config, struct error *error);

#endif
