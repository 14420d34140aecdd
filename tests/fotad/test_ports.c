/* SPDX-License-Identifier: Apache-2.0 */
/* What users do to ports: shells on a pty, readers that do not read, noise, ends that come and go. */
#include "front_host.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define OK    "\r\nOK\r\n"
#define ERROR "\r\nERROR\r\n"

static struct host host;
static struct talker talkers[2];

static void setup(void)
{
	host_start(&host);
	host_open_device(&host, 0, &talkers[0]);
}

static void teardown(void)
{
	host_end(&host);
}

/* ---- A pty, as a shell uses it ---- */

static void give_pty(unsigned index, char path[64])
{
	struct link_message message = {.kind = LINK_CHANNEL, .channel = {.index = index, .type = LINK_PTY}};
	int master = host_open_pty(path);

	host_send(&host, &message, master);
	(void)close(master);
}

/* "cat PATH &" */
static pid_t start_cat(const char *path, struct talker *talker)
{
	int ends[2];
	pid_t cat;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	cat = fork();
	if (cat == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)execlp("cat", "cat", path, (char *)NULL);
		_exit(127);
	}
	ck_assert_int_gt(cat, 0);
	(void)close(ends[1]);
	talker->fd = ends[0];
	talker->length = 0;
	return cat;
}

static void end_cat(pid_t cat, struct talker *talker)
{
	(void)kill(cat, SIGTERM);
	ck_assert_int_eq(waitpid(cat, NULL, 0), cat);
	(void)close(talker->fd);
}

/* echo -e, of a shell that does not know it. */
static void echo(const char *text, const char *path)
{
	char line[512];

	(void)snprintf(line, sizeof(line), "printf '%%b\\n' '%s' >'%s'", text, path);
	ck_assert_int_eq(system(line), 0); /* NOLINT(cert-env33-c): a shell is what this is about */
}

START_TEST(test_shell)
{
	char path[64];
	pid_t cat;

	give_pty(1, path);
	cat = start_cat(path, &talkers[1]);
	echo("ATE0\\r\\n", path);
	(void)talker_expect(&talkers[1], OK);
	echo("AT+QFOTADL=\"/usrdata/cache/ufs/update.zip\"\\r\\n", path);
	ck_assert_str_eq(talker_expect(&talkers[1], OK), OK);
	ck_assert_str_eq(host_expect(&host, LINK_START).start.source, "/usrdata/cache/ufs/update.zip");
	host_state(&host, LINK_IDLE);
	host_tell(&host, "over");
	(void)talker_expect(&talkers[1], "over\r\n");
	/* The document's example as its quotes come out, a leading blank, lower case. */
	echo(" at+qfotadl=\"/usrdata/cache/ufs/update.zip\\r\\n", path);
	ck_assert_str_eq(talker_expect(&talkers[1], OK), OK);
	ck_assert_str_eq(host_expect(&host, LINK_START).start.source, "/usrdata/cache/ufs/update.zip");
	end_cat(cat, &talkers[1]);
	/* Nobody listens; who comes later gets it. */
	echo("AT+QFOTADL?\\r\\n", path);
	host_tell(&host, "+QIND: \"FOTA\",\"START\"");
	cat = start_cat(path, &talkers[1]);
	(void)talker_expect(&talkers[1], "START\"\r\n");
	echo("AT\\r", path);
	(void)talker_expect(&talkers[1], OK);
	end_cat(cat, &talkers[1]);
}
END_TEST

/* The terminal behind a device is gone for good: a hang-up. */
START_TEST(test_hung_up_tty)
{
	struct link_message message = {.kind = LINK_CHANNEL, .channel = {.index = 1, .type = LINK_DEVICE}};
	char path[64];
	int master = host_open_pty(path);
	int slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);

	host_send(&host, &message, slave);
	(void)close(slave);
	talkers[1] = (struct talker){.fd = master};
	ck_assert_int_eq(write(master, "AT\r", 3), 3);
	(void)talker_expect(&talkers[1], OK);
	(void)close(master);
	ck_assert_uint_eq(host_expect(&host, LINK_LOST).channel.index, 1);
}
END_TEST

/* ---- Readers that do not read ---- */

/* Send what the port takes until it takes no more for good: it has stopped reading. Returns bytes. */
static size_t flood(int fd, const char *text, size_t length)
{
	size_t sent = 0;

	for (;;) {
		struct pollfd writable = {.fd = fd, .events = POLLOUT};
		ssize_t n = send(fd, text + sent % length, length - sent % length, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			sent += (size_t)n;
			continue;
		}
		ck_assert_int_eq(errno, EAGAIN);
		/* Ask another port: by its answer the front has done what it could here. */
		talker_say(&talkers[0], "AT\rAT\r");
		(void)talker_expect(&talkers[0], OK);
		(void)talker_expect(&talkers[0], OK);
		if (poll(&writable, 1, 200) == 0)
			return sent;
	}
}

START_TEST(test_reader_that_does_not_read)
{
	static const char line[] = "AT+QFOTADL=?\r";
	size_t length = strlen(line);
	size_t sent;

	host_open_device(&host, 1, &talkers[1]);
	sent = flood(talkers[1].fd, line, length);
	ck_assert_uint_gt(sent, 100 * length);
	for (unsigned i = 0; i < 1000; i++) {
		char progress[64];

		(void)snprintf(progress, sizeof(progress), "+QIND: \"FOTA\",\"UPDATING\",%u", i);
		host_tell(&host, progress);
		(void)talker_expect(&talkers[0], progress);
	}
	host_tell(&host, "+QIND: \"FOTA\",\"END\",0");
	(void)talker_expect(&talkers[0], ",0\r\n");
	/* Now it reads: an answer for every line, and of the lines between them the last ones, whole. */
	for (size_t i = 0; i < sent / length; i++) {
		const char *answer = talker_expect(&talkers[1], OK);
		const char *told = strstr(answer, "+QIND");

		if (told)
			ck_assert_ptr_nonnull(strstr(told, "\"UPDATING\",999\r\n\r\n+QIND: \"FOTA\",\"END\",0\r\n"));
	}
	talker_say(&talkers[1], line + sent % length);
	talker_say(&talkers[1], "ATE0\r");
	(void)talker_expect(&talkers[1], "ATE0\r" OK);
}
END_TEST

/* A line whose answer is larger than there is room ends in ERROR, and the port goes on. */
START_TEST(test_large_answer)
{
	talker_say(&talkers[0], "ATE0");
	for (unsigned i = 0; i < 80; i++)
		talker_say(&talkers[0], ";+QFOTADL=?");
	talker_say(&talkers[0], "\r");
	(void)talker_expect(&talkers[0], "+QFOTADL: ");
	(void)talker_expect(&talkers[0], ERROR);
	talker_say(&talkers[0], "AT\r");
	ck_assert_str_eq(talker_expect(&talkers[0], OK), OK);
}
END_TEST

/* ---- Noise ---- */

START_TEST(test_noise)
{
	unsigned seed = 1;
	char noise[1000];
	char back[65536];
	size_t left = 0;
	unsigned blocks = 0;

	while (blocks < 1000 || left) {
		struct pollfd port = {.fd = talkers[0].fd, .events = POLLIN | POLLOUT};

		if (left == 0) {
			for (left = 0; left < sizeof(noise); left++)
				noise[left] = (char)(rand_r(&seed) >> 7);
			blocks++;
		}
		ck_assert_int_eq(poll(&port, 1, HOST_PATIENCE_MS), 1);
		if (port.revents & POLLOUT) {
			ssize_t n = send(port.fd, noise + sizeof(noise) - left, left, MSG_DONTWAIT | MSG_NOSIGNAL);

			ck_assert(n > 0 || errno == EAGAIN);
			left -= n > 0 ? (size_t)n : 0;
		}
		if (port.revents & POLLIN)
			ck_assert_int_gt(recv(port.fd, back, sizeof(back), MSG_DONTWAIT), 0);
	}
	talker_say(&talkers[0], "\rATZ;E0\rAT+QFOTADL?\r");
	(void)talker_expect(&talkers[0], "+QFOTADL: \"IDLE\",0,-1\r\n" OK);
	talker_say(&talkers[0], "AT\r");
	ck_assert_str_eq(talker_expect(&talkers[0], OK), OK);
}
END_TEST

START_TEST(test_long_line)
{
	char line[5000];

	talker_say(&talkers[0], "ATE0\r");
	(void)talker_expect(&talkers[0], OK);
	memset(line, 'A', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	talker_say(&talkers[0], line);
	talker_say(&talkers[0], "\rAT\r");
	ck_assert_str_eq(talker_expect(&talkers[0], OK), ERROR OK);
}
END_TEST

Suite *suite_ports(void)
{
	Suite *suite = suite_create("ports");
	TCase *tests = tcase_create("ports");

	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_shell);
	tcase_add_test(tests, test_hung_up_tty);
	tcase_add_test(tests, test_reader_that_does_not_read);
	tcase_add_test(tests, test_large_answer);
	tcase_add_test(tests, test_noise);
	tcase_add_test(tests, test_long_line);
	suite_add_tcase(suite, tests);
	return suite;
}
