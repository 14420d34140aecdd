/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_OUTCOME_H
#define FOTAD_OUTCOME_H

/* What became of things, kept over reboots: the last result, and what was armed. */
#include "base/error.h"
#include "base/log.h"
#include "fotad/link.h"
#include "storage/storage.h"

#define OUTCOME_RESULT_PATH "/usrdata/cache/fota/ipth_result.txt"
#define OUTCOME_ARMED_PATH  "/usrdata/cache/fota/ipth_armed.txt"
#define OUTCOME_STATUS_PATH "/usrdata/cache/fota/ipth_config_dfs.txt" /* recovery's: spec/requirements.md 73 and J */
#define OUTCOME_VERSION_MAX 96

/* The last result; code -1 when there is none. */
void outcome_load(struct storage *storage, struct link_result *result);
int outcome_save(struct storage *storage, const struct link_result *result, struct error *error);

/* Note, before the flag is set, from which version to which: target "" when the package does not say. */
int outcome_expect(struct storage *storage, const char *from, const char *target, struct error *error);
int outcome_expect_nothing(struct storage *storage, struct error *error);

/*
 * At the first start of the normal system behind an upgrade: what recovery wrote, and whether the version that runs now
 * is the one that was armed, make the result, which is saved. 1 when there was one, else 0: also when recovery has
 * never run, because power went before the flag was set, and when what it installed was the first package of two.
 */
int outcome_settle(struct storage *storage, const char *revision, const struct log *log, struct link_result *result);

#endif
