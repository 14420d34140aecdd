/* SPDX-License-Identifier: Apache-2.0 */
/* +QIND lines on files, FIFOs and ttys: complete, monotone, never in the way. */
#include "report/report.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define START        "\r\n+QIND: \"FOTA\",\"START\"\r\n"
#define UPDATING(n)  "\r\n+QIND: \"FOTA\",\"UPDATING\"," #n "\r\n"
#define END(code)    "\r\n+QIND: \"FOTA\",\"END\"," #code "\r\n"
#define PERCENT_FILE "/a/ipth_percent.txt"

static struct scratch scratch;
static char channel[256];

static void setup(void)
{
	scratch_open(&scratch);
	(void)scratch_path(&scratch, "channel", channel);
}

static void teardown(void)
{
	scratch_close(&scratch);
}

static struct report *open_report(const char *path, const char *percent_path)
{
	static const char *channels[1];
	struct report_config config = {.channels = channels, .channel_count = 1, .percent_path = percent_path};
	struct report *report;

	channels[0] = path;
	ck_assert_int_eq(report_open(scratch.storage, &config, NULL, &report, NULL), 0);
	return report;
}

static void make_file(void)
{
	int fd = open(channel, O_CREAT | O_WRONLY, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(close(fd), 0);
}

START_TEST(test_lines)
{
	struct report *report;

	make_file();
	report = open_report(channel, NULL);
	report_start(report, 0);
	report_percent(report, 0, 0);
	report_percent(report, 3, 1);
	report_percent(report, 3, 2);
	report_percent(report, 2, 3);
	report_percent(report, 250, 4);
	report_end(report, 0, 0);
	report_close(report);
	ck_assert_str_eq(scratch_text(&scratch, "channel"), START UPDATING(0) UPDATING(3) UPDATING(100) END(0));
}
END_TEST

/* After a reboot the percentage goes on; a new upgrade starts at 0; an ended one is forgotten. */
START_TEST(test_percent_over_reboots)
{
	struct report *report;

	make_file();
	report = open_report(channel, PERCENT_FILE);
	report_set_upgrade(report, 7);
	report_start(report, 0);
	report_percent(report, 41, 0);
	report_close(report);
	ck_assert_str_eq(scratch_text(&scratch, PERCENT_FILE), "41 7\n");

	report = open_report(channel, PERCENT_FILE);
	report_set_upgrade(report, 7);
	ck_assert_uint_eq(report_reached(report), 41);
	report_start(report, 0);
	report_percent(report, 0, 0);
	report_percent(report, 5, 0);
	report_percent(report, 42, 0);
	report_close(report);

	report = open_report(channel, PERCENT_FILE);
	report_set_upgrade(report, 8);
	report_start(report, 0);
	report_percent(report, 0, 0);
	report_percent(report, 7, 0);
	report_end(report, 510, 0);
	ck_assert_uint_eq(report_reached(report), 0);
	report_close(report);
	ck_assert_str_eq(scratch_text(&scratch, "channel"),
	                 START UPDATING(41) START UPDATING(41) UPDATING(42) START UPDATING(0) UPDATING(7) END(510));
	ck_assert_str_eq(scratch_text(&scratch, PERCENT_FILE), "");
}
END_TEST

START_TEST(test_percent_file_garbage)
{
	static const char *const texts[] = {"",       "x",    "-1",  "101 7\n", "99999999999", "1e1 7\n",
	                                    " 5 7\n", "7x\n", "7\n", "7 7",     "7 7x\n",      "\xff\xff"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct report *report = open_report(channel, PERCENT_FILE);

		ck_assert_int_eq(storage_save(scratch.storage, PERCENT_FILE, texts[i], strlen(texts[i]), 0644, NULL),
		                 0);
		ck_assert_uint_eq(report_reached(report), 0);
		report_close(report);
	}
}
END_TEST

START_TEST(test_heartbeat)
{
	struct report *report;

	make_file();
	report = open_report(channel, NULL);
	report_tick(report, 1000000); /* nothing runs: nothing is said */
	report_start(report, 1000);
	report_percent(report, 8, 1000);
	report_tick(report, 1000 + REPORT_HEARTBEAT_MS - 1);
	ck_assert_str_eq(scratch_text(&scratch, "channel"), START UPDATING(8));
	report_tick(report, 1000 + REPORT_HEARTBEAT_MS);
	report_tick(report, 1000 + REPORT_HEARTBEAT_MS + 1);
	ck_assert_str_eq(scratch_text(&scratch, "channel"), START UPDATING(8) UPDATING(8));
	report_percent(report, 9, 1000 + 2 * REPORT_HEARTBEAT_MS - 1);
	report_tick(report, 1000 + 2 * REPORT_HEARTBEAT_MS);
	ck_assert_str_eq(scratch_text(&scratch, "channel"), START UPDATING(8) UPDATING(8) UPDATING(9));
	report_end(report, 502, 0);
	report_tick(report, 9000000);
	ck_assert_str_eq(scratch_text(&scratch, "channel"), START UPDATING(8) UPDATING(8) UPDATING(9) END(502));
	report_close(report);
}
END_TEST

/* A channel that comes late gets what happened: START, the newest percentages, END. */
START_TEST(test_late_channel)
{
	struct report *report = open_report(channel, NULL);
	const char *text;

	report_start(report, 0);
	for (unsigned percent = 0; percent <= 100; percent++)
		report_percent(report, percent, percent);
	make_file();
	report_tick(report, 100);
	text = scratch_text(&scratch, "channel");
	ck_assert_int_eq(strncmp(text, START UPDATING(86), strlen(START UPDATING(86))), 0);
	ck_assert_ptr_nonnull(strstr(text, UPDATING(99) UPDATING(100)));
	report_end(report, 0, 0);
	text = scratch_text(&scratch, "channel");
	ck_assert_str_eq(text + strlen(text) - strlen(END(0)), END(0));
	report_close(report);
}
END_TEST

/* A missing channel costs nothing, not even in the end. */
START_TEST(test_missing_channel)
{
	struct report *report = open_report(channel, NULL);

	report_start(report, 0);
	report_percent(report, 1, 1);
	report_tick(report, 2);
	report_end(report, 0, 60000);
	report_close(report);
	ck_assert_int_lt(access(channel, F_OK), 0); /* and is not made */
}
END_TEST

/* Fill a FIFO so far that only part of a line fits. */
static void stuff(int fd, size_t left_free)
{
	char block[4096];
	int size = fcntl(fd, F_GETPIPE_SZ);

	ck_assert_int_gt(size, 0);
	memset(block, '.', sizeof(block));
	for (size_t left = (size_t)size - left_free; left > 0;) {
		size_t n = left < sizeof(block) ? left : sizeof(block);

		ck_assert_int_eq(write(fd, block, n), (ssize_t)n);
		left -= n;
	}
}

static size_t drain(int fd, char *text, size_t size)
{
	size_t used = 0;
	ssize_t n;

	while (used < size - 1 && (n = read(fd, text + used, size - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	return used;
}

/* Full: nothing blocks. Emptied: START and END are there, every line whole. */
START_TEST(test_full_channel)
{
	static char text[256 * 1024];
	struct report *report;
	int reader;
	int filler;

	ck_assert_int_eq(mkfifo(channel, 0600), 0);
	reader = open(channel, O_RDONLY | O_NONBLOCK);
	filler = open(channel, O_WRONLY | O_NONBLOCK);
	ck_assert_int_ge(reader, 0);
	ck_assert_int_ge(filler, 0);
	stuff(filler, 0);
	report = open_report(channel, NULL);
	report_start(report, 0);
	for (unsigned percent = 0; percent <= 100; percent++)
		report_percent(report, percent, percent);
	report_end(report, 0, 0);
	(void)drain(reader, text, sizeof(text));
	report_tick(report, 200);
	(void)drain(reader, text, sizeof(text));
	ck_assert_int_eq(strncmp(text, START UPDATING(87) UPDATING(88), strlen(START UPDATING(87) UPDATING(88))), 0);
	ck_assert_ptr_nonnull(strstr(text, UPDATING(99) UPDATING(100) END(0)));
	report_close(report);
	ck_assert_int_eq(close(filler), 0);
	ck_assert_int_eq(close(reader), 0);
}
END_TEST

/* Nobody reads, somebody reads, hangs up, comes again. */
START_TEST(test_hung_up_channel)
{
	char text[4096];
	struct report *report;
	int reader;

	ck_assert_int_eq(mkfifo(channel, 0600), 0);
	report = open_report(channel, NULL);
	report_start(report, 0);
	reader = open(channel, O_RDONLY | O_NONBLOCK);
	ck_assert_int_ge(reader, 0);
	report_percent(report, 1, 1);
	(void)drain(reader, text, sizeof(text));
	ck_assert_str_eq(text, START UPDATING(1));
	ck_assert_int_eq(close(reader), 0);
	report_percent(report, 2, 2); /* broken pipe */
	report_percent(report, 3, 3);
	reader = open(channel, O_RDONLY | O_NONBLOCK);
	report_tick(report, 4);
	(void)drain(reader, text, sizeof(text));
	ck_assert_str_eq(text, UPDATING(2) UPDATING(3));
	report_end(report, 0, 0);
	(void)drain(reader, text, sizeof(text));
	ck_assert_str_eq(text, END(0));
	ck_assert_int_eq(close(reader), 0);
	report_close(report);
}
END_TEST

/* A tty takes parts of lines; what comes out at the other end is whole lines all the same. */
START_TEST(test_slow_tty)
{
	static char text[64 * 1024];
	struct report *report;
	struct termios raw;
	size_t used = 0;
	int master;
	int slave;
	const char *at;
	unsigned last = 0;

	ck_assert_int_eq(openpty(&master, &slave, channel, NULL, NULL), 0);
	ck_assert_int_eq(tcgetattr(slave, &raw), 0);
	cfmakeraw(&raw);
	ck_assert_int_eq(tcsetattr(slave, TCSANOW, &raw), 0);
	ck_assert_int_eq(fcntl(master, F_SETFL, O_NONBLOCK), 0);
	report = open_report(channel, NULL);
	report_start(report, 0);
	for (unsigned i = 0; i < 3000; i++) {
		report_tick(report, (uint64_t)i * REPORT_HEARTBEAT_MS);
		report_percent(report, i / 30, (uint64_t)i * REPORT_HEARTBEAT_MS);
		if (i % 700 == 0) { /* a reader that sleeps most of the time */
			ssize_t n = read(master, text + used, 777);

			used += n > 0 ? (size_t)n : 0;
		}
	}
	report_end(report, 0, 0);
	for (int i = 0; i < 100; i++) {
		ssize_t n;

		while ((n = read(master, text + used, sizeof(text) - 1 - used)) > 0)
			used += (size_t)n;
		report_tick(report, 0);
	}
	text[used] = '\0';
	ck_assert_int_eq(strncmp(text, START, strlen(START)), 0);
	for (at = text + strlen(START); strcmp(at, END(0)) != 0; at = strchr(at, '\n') + 1) {
		static const char head[] = "\r\n+QIND: \"FOTA\",\"UPDATING\",";
		unsigned long percent;
		char *end;

		ck_assert_msg(strncmp(at, head, strlen(head)) == 0, "not a line: %.40s", at);
		percent = strtoul(at + strlen(head), &end, 10);
		ck_assert_uint_ge(percent, last);
		last = (unsigned)percent;
		ck_assert_int_eq(strncmp(end, "\r\n", 2), 0);
		at = end;
	}
	report_close(report);
	ck_assert_int_eq(close(slave), 0);
	ck_assert_int_eq(close(master), 0);
}
END_TEST

/* END waits for a host that is slow, as long as it may. */
START_TEST(test_end_waits)
{
	static char text[256 * 1024];
	struct report *report;
	int reader;
	int filler;
	pid_t pid;

	ck_assert_int_eq(mkfifo(channel, 0600), 0);
	reader = open(channel, O_RDONLY | O_NONBLOCK);
	filler = open(channel, O_WRONLY | O_NONBLOCK);
	stuff(filler, 0);
	pid = fork();
	if (pid == 0) {
		(void)usleep(50000);
		/* One read takes what stuffs the channel and nothing that is written afterwards. */
		_exit(read(reader, text, sizeof(text)) < 0);
	}
	report = open_report(channel, NULL);
	report_start(report, 0);
	report_end(report, 0, 60000);
	(void)drain(reader, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, END(0)));
	report_close(report);
	ck_assert_int_eq(close(filler), 0);
	ck_assert_int_eq(close(reader), 0);
}
END_TEST

START_TEST(test_too_many_channels)
{
	struct report_config config = {.channel_count = REPORT_CHANNELS_MAX + 1};
	struct report *report;

	ck_assert_int_eq(report_open(scratch.storage, &config, NULL, &report, NULL), -E2BIG);
	ck_assert_ptr_null(report);
}
END_TEST

/* As many lines as the limit allows, first and last among them; no heartbeat that would make them more. */
START_TEST(test_limited)
{
	static const char *const expected[] = {
		START END(0),
		START UPDATING(0) END(0),
		START UPDATING(0) UPDATING(100) END(0),
		START UPDATING(0) UPDATING(50) UPDATING(100) END(0),
		START UPDATING(0) UPDATING(34) UPDATING(67) UPDATING(100) END(0),
		START UPDATING(0) UPDATING(25) UPDATING(50) UPDATING(75) UPDATING(100) END(0),
	};
	struct report *report;

	make_file();
	report = open_report(channel, NULL);
	report_set_updating_max(report, (unsigned)_i);
	report_start(report, 0);
	for (unsigned percent = 0; percent <= 100; percent++) {
		report_percent(report, percent, percent);
		report_tick(report, percent + 2 * REPORT_HEARTBEAT_MS);
	}
	report_end(report, 0, 0);
	report_close(report);
	ck_assert_str_eq(scratch_text(&scratch, "channel"), expected[_i]);
}
END_TEST

/* Every limit is kept to, used up when the percentages are many, and passed over when they are few. */
START_TEST(test_limit_is_used)
{
	for (unsigned limit = 2; limit <= REPORT_UPDATING_ALL; limit++) {
		struct report *report;
		unsigned lines = 0;

		make_file();
		report = open_report(channel, NULL);
		report_set_updating_max(report, limit);
		report_start(report, 0);
		for (unsigned percent = 0; percent <= 100; percent++)
			report_percent(report, percent, 0);
		report_close(report);
		for (const char *at = scratch_text(&scratch, "channel"); (at = strstr(at, "UPDATING")); at++)
			lines++;
		ck_assert_uint_eq(lines, limit < REPORT_UPDATING_ALL ? limit : 101);
		ck_assert_ptr_nonnull(strstr(scratch_text(&scratch, "channel"), UPDATING(100)));
		ck_assert_int_eq(remove(channel), 0);
	}
}
END_TEST

/* After a reboot the first line says how far it is, and the spread goes on from there. */
START_TEST(test_limit_over_reboots)
{
	struct report *report;

	make_file();
	report = open_report(channel, PERCENT_FILE);
	report_set_updating_max(report, 5);
	report_start(report, 0);
	report_percent(report, 0, 0);
	report_percent(report, 41, 0);
	report_percent(report, 47, 0);
	report_close(report);
	report = open_report(channel, PERCENT_FILE);
	report_set_updating_max(report, 5);
	report_start(report, 0);
	report_percent(report, 0, 0);
	report_percent(report, 49, 0);
	report_percent(report, 51, 0);
	report_close(report);
	ck_assert_str_eq(scratch_text(&scratch, "channel"),
	                 START UPDATING(0) UPDATING(41) START UPDATING(47) UPDATING(51));
}
END_TEST

TCase *urc_tests(void)
{
	TCase *tests = tcase_create("urc");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_lines);
	tcase_add_test(tests, test_percent_over_reboots);
	tcase_add_test(tests, test_percent_file_garbage);
	tcase_add_test(tests, test_heartbeat);
	tcase_add_loop_test(tests, test_limited, 0, 6);
	tcase_add_test(tests, test_limit_is_used);
	tcase_add_test(tests, test_limit_over_reboots);
	tcase_add_test(tests, test_late_channel);
	tcase_add_test(tests, test_missing_channel);
	tcase_add_test(tests, test_full_channel);
	tcase_add_test(tests, test_hung_up_channel);
	tcase_add_test(tests, test_slow_tty);
	tcase_add_test(tests, test_end_waits);
	tcase_add_test(tests, test_too_many_channels);
	return tests;
}
