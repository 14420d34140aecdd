/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

/*
 * What the outside sees of an upgrade: URC lines on the smd channels, the status file, the logs.
 * Sources: spec/requirements.md D, I, J and 3.5; spec/lineage.md 2.7, 2.8.
 */
#include "base/error.h"
#include "base/log.h"
#include "storage/storage.h"
#include <stdbool.h>
#include <stdint.h>

/* ---- Result codes in words ---- */

const char *report_code_text(int code); /* "file verification failed" ...; never NULL */

/* ---- +QIND URCs ---- */

#define REPORT_CHANNELS_MAX 8
#define REPORT_HEARTBEAT_MS 10000

struct report;

struct report_config {
	const char *const *channels; /* device paths; default of recovery: /dev/smd7, /dev/smd11 */
	unsigned channel_count;
	const char *percent_path; /* where the highest percentage told so far is kept over reboots, with what its
	                             upgrade is known by; NULL: not kept */
};

/* The config's strings must outlive the report. A channel that cannot be opened now is tried again later. */
int report_open(struct storage *storage, const struct report_config *config, const struct log *log,
                struct report **report, struct error *error);
void report_close(struct report *report);

/*
 * Each line goes out as CR LF line CR LF to every channel, without ever blocking: a missing, full or hung-up channel
 * loses UPDATING lines or gets them late, and nothing else happens. A program that uses this ignores SIGPIPE.
 */

/* What the caller knows the upgrade by: the percentage that another one had reached does not count; 0: not known. */
void report_set_upgrade(struct report *report, uint32_t upgrade);

/*
 * At most so many UPDATING lines between START and END, spread evenly over the percentages: the first, and from two on
 * the last, 100, is among them. Silence is not filled by repeating them then. 0: none; REPORT_UPDATING_ALL and more,
 * which is the default: no limit.
 */
#define REPORT_UPDATING_ALL 100
void report_set_updating_max(struct report *report, unsigned lines);

/* The same rule for other lines with a percentage. told: the last one, -1 when there was none. */
bool report_is_due(unsigned lines, int told, unsigned percent);

/* START. The percentage continues at the highest one told before of this upgrade, over reboots too. */
void report_start(struct report *report, uint64_t now_ms);

/* UPDATING when higher than all before, or when it is the first since START; at most 100, never falling. */
void report_percent(struct report *report, unsigned percent, uint64_t now_ms);

/* Repeats the last UPDATING after REPORT_HEARTBEAT_MS of silence, unless their number is limited; sends what waits. At
 * least once a second, please. */
void report_tick(struct report *report, uint64_t now_ms);

/* END,<code>; waits at most wait_ms of real time for slow channels; forgets the percentage. */
void report_end(struct report *report, int code, unsigned wait_ms);

/* The highest percentage told of the upgrade that runs. */
unsigned report_reached(struct report *report);

/* ---- ipth_config_dfs.txt ---- */

enum report_status {
	REPORT_IN_PROGRESS, /* IP_PREVIOUS_UPDATE_IN_PROGRESS: what a reader sees when the upgrade died while writing */
	REPORT_SUCCESSFUL,  /* IP_PREVIOUS_UPDATE_SUCCESSFUL */
	REPORT_FAILED,      /* IP_PREVIOUS_UPDATE_CHECK_FILE_FAILED */
};

/*
 * Write "<STATE> <code>\n" and the note, lines for people or NULL, atomically (200 for success as the lineage's readers
 * expect, the result code otherwise).
 */
int report_write_status(struct storage *storage, const char *path, enum report_status status, int code,
                        const char *note, struct error *error);

/* ---- Logs in /cache/recovery ---- */

#define REPORT_LOGS_KEPT 5

struct report_log;

/*
 * directory/log, appended live and bounded (256 KiB, then it starts over behind a note). fresh: begin a new log, as for
 * a new upgrade; otherwise go on with what is there. Every line also goes to `also` if not NULL.
 */
int report_log_open(struct storage *storage, const char *directory, bool fresh, const struct log *also,
                    struct report_log **log, struct error *error);
struct log report_log_io(struct report_log *log);

/*
 * The end of a run: last_log.N are shifted (last_log.1 ... up to REPORT_LOGS_KEPT), the log is copied to last_log (mode
 * 0640), and last_install gets line 1 the package path, line 2 "1" or "0", then "error: CODE" and "cause: TEXT" when it
 * failed. All of it durable.
 */
int report_log_finish(struct report_log *log, const char *package, int code, const char *cause, struct error *error);
void report_log_close(struct report_log *log);

#endif
