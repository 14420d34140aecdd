/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report.h"

#include "report/channel.h"
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PERCENT_FILE_MAX 32

struct report {
	struct storage *storage;
	const struct log *log;
	const char *percent_path;
	struct channel channels[REPORT_CHANNELS_MAX];
	unsigned channel_count;
	uint32_t upgrade;
	unsigned percent;    /* the highest of this upgrade */
	bool percent_loaded; /* from percent_path: as late as possible, its file system is mounted late */
	bool told;           /* since report_start() */
	unsigned told_percent;
	unsigned updating_max;
	uint64_t last_ms; /* of the last line */
};

int report_open(struct storage *storage, const struct report_config *config, const struct log *log,
                struct report **report_out, struct error *error)
{
	struct report *report;

	*report_out = NULL;
	if (config->channel_count > REPORT_CHANNELS_MAX)
		return error_set(error, 0, E2BIG, "%u channels, at most %d are served", config->channel_count,
		                 REPORT_CHANNELS_MAX);
	report = calloc(1, sizeof(*report));
	if (!report)
		return error_set(error, 0, ENOMEM, "no memory for the report");
	report->storage = storage;
	report->log = log;
	report->percent_path = config->percent_path;
	report->updating_max = REPORT_UPDATING_ALL;
	report->channel_count = config->channel_count;
	for (unsigned i = 0; i < config->channel_count; i++)
		channel_init(&report->channels[i], config->channels[i], log);
	*report_out = report;
	return 0;
}

void report_close(struct report *report)
{
	if (!report)
		return;
	for (unsigned i = 0; i < report->channel_count; i++)
		channel_close(&report->channels[i]);
	free(report);
}

static void flush(struct report *report)
{
	for (unsigned i = 0; i < report->channel_count; i++)
		channel_flush(&report->channels[i]);
}

static void send_line(struct report *report, const char *line, bool progress)
{
	log_printf(report->log, "%s", line);
	for (unsigned i = 0; i < report->channel_count; i++)
		channel_push(&report->channels[i], line, progress);
	flush(report);
}

static void send_percent(struct report *report, uint64_t now_ms)
{
	char line[CHANNEL_LINE_SIZE];

	(void)snprintf(line, sizeof(line), "+QIND: \"FOTA\",\"UPDATING\",%u", report->percent);
	send_line(report, line, true);
	report->told = true;
	report->told_percent = report->percent;
	report->last_ms = now_ms;
}

/* ---- The percentage file ---- */

/* "PERCENT UPGRADE\n"; 0 when it is not about this upgrade. */
static unsigned parse_percent(const char *text, uint32_t upgrade)
{
	char *end;
	unsigned long percent;
	unsigned long about;

	if (text[0] < '0' || text[0] > '9')
		return 0;
	percent = strtoul(text, &end, 10);
	if (*end != ' ')
		return 0;
	about = strtoul(end + 1, &end, 10);
	if (*end != '\n' || percent > 100)
		return 0;
	return about == upgrade || about == 0 || upgrade == 0 ? (unsigned)percent : 0;
}

void report_set_upgrade(struct report *report, uint32_t upgrade)
{
	report->upgrade = upgrade;
}

void report_set_updating_max(struct report *report, unsigned lines)
{
	report->updating_max = lines;
}

unsigned report_reached(struct report *report)
{
	char *text;
	size_t size;

	if (report->percent_loaded || !report->percent_path)
		return report->percent;
	report->percent_loaded = true;
	/* None, or one that cannot be read: then the percentage starts at 0, which is all that is lost. */
	if (storage_load(report->storage, report->percent_path, PERCENT_FILE_MAX, &text, &size, NULL) == 0) {
		report->percent = parse_percent(text, report->upgrade);
		free(text);
	}
	return report->percent;
}

static void keep_percent(struct report *report)
{
	char text[PERCENT_FILE_MAX];
	struct error error;
	int length;

	if (!report->percent_path)
		return;
	length = snprintf(text, sizeof(text), "%u %" PRIu32 "\n", report->percent, report->upgrade);
	if (storage_save(report->storage, report->percent_path, text, (size_t)length, 0644, &error))
		log_printf(report->log, "%s", error.message);
}

static void forget_percent(struct report *report)
{
	struct error error;

	report->percent = 0;
	report->percent_loaded = true;
	if (report->percent_path && storage_remove(report->storage, report->percent_path, &error) < 0)
		log_printf(report->log, "%s", error.message);
}

/* ---- The lines ---- */

void report_start(struct report *report, uint64_t now_ms)
{
	(void)report_reached(report); /* for its effect: the percentage goes on where it was */
	report->told = false;
	report->last_ms = now_ms;
	send_line(report, "+QIND: \"FOTA\",\"START\"", false);
}

static bool is_limited(const struct report *report)
{
	return report->updating_max < REPORT_UPDATING_ALL;
}

bool report_is_due(unsigned lines, int told, unsigned percent)
{
	/* The way from 0 to 100 in parts: one line for each of them that is behind us. */
	unsigned parts = lines - 1;

	if (lines == 0)
		return false;
	return told < 0 || percent * parts / 100 > (unsigned)told * parts / 100;
}

void report_percent(struct report *report, unsigned percent, uint64_t now_ms)
{
	if (percent > 100)
		percent = 100;
	if (percent > report->percent) {
		report->percent = percent;
		keep_percent(report); /* before the line goes out: what a host has seen must not be taken back */
	} else if (report->told) {
		return;
	}
	if (!is_limited(report) ||
	    report_is_due(report->updating_max, report->told ? (int)report->told_percent : -1, report->percent))
		send_percent(report, now_ms);
}

void report_tick(struct report *report, uint64_t now_ms)
{
	if (report->told && !is_limited(report) && now_ms - report->last_ms >= REPORT_HEARTBEAT_MS)
		send_percent(report, now_ms);
	else
		flush(report);
}

static uint64_t clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Wait until a slow channel takes more. False: none is slow. */
static bool wait_for_slow(struct report *report, int timeout_ms)
{
	struct pollfd fds[REPORT_CHANNELS_MAX];
	nfds_t count = 0;

	for (unsigned i = 0; i < report->channel_count; i++) {
		if (channel_is_slow(&report->channels[i]))
			fds[count++] = (struct pollfd){.fd = report->channels[i].fd, .events = POLLOUT};
	}
	if (count)
		(void)poll(fds, count, timeout_ms); /* whatever it says, the next write knows better */
	return count > 0;
}

void report_end(struct report *report, int code, unsigned wait_ms)
{
	uint64_t deadline = clock_ms() + wait_ms;
	char line[CHANNEL_LINE_SIZE];
	uint64_t now;

	(void)snprintf(line, sizeof(line), "+QIND: \"FOTA\",\"END\",%d", code);
	send_line(report, line, false);
	while ((now = clock_ms()) < deadline && wait_for_slow(report, (int)(deadline - now)))
		flush(report);
	report->told = false;
	forget_percent(report);
}
