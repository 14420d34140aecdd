/* SPDX-License-Identifier: Apache-2.0 */
/* The front between users and keeper: who gets which answer, and what is asked of the keeper. */
#include "front_host.h"
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define OK    "\r\nOK\r\n"
#define ERROR "\r\nERROR\r\n"

static struct host host;
static struct talker talkers[10];

static void setup(void)
{
	host_start(&host);
	for (unsigned i = 0; i < 3; i++)
		host_open_device(&host, i, &talkers[i]);
}

static void teardown(void)
{
	host_end(&host);
}

START_TEST(test_sessions)
{
	ck_assert_str_eq((talker_say(&talkers[0], "AT\r\n"), talker_expect(&talkers[0], OK)), "AT\r" OK);
	talker_say(&talkers[0], "ATE0\rATV0\r");
	ck_assert_str_eq(talker_expect(&talkers[0], OK "0\r"), "ATE0\r" OK "0\r");
	/* Another port knows nothing of it; a line may come in any pieces, between those of others. */
	talker_say(&talkers[1], "A");
	talker_say(&talkers[0], "at");
	talker_say(&talkers[2], "ATI;+QFOT");
	talker_say(&talkers[1], "T\rAT\rAT+NOTHING\rA");
	talker_say(&talkers[0], "\r");
	talker_say(&talkers[2], "ADL?\r");
	ck_assert_str_eq(talker_expect(&talkers[0], "0\r"), "0\r");
	ck_assert_str_eq(talker_expect(&talkers[1], ERROR), "AT\r" OK "AT\r" OK "AT+NOTHING\r" ERROR);
	ck_assert_str_eq(talker_expect(&talkers[2], OK),
	                 "ATI;+QFOTADL?\r\r\nP\r\n\r\nRevision: R1\r\n\r\n+QFOTADL: \"IDLE\",0,-1\r\n" OK);
}
END_TEST

START_TEST(test_lines_for_all)
{
	talker_say(&talkers[0], "ATE0V0\r");
	(void)talker_expect(&talkers[0], "ATE0V0\r0\r");
	host_tell(&host, "+QIND: \"FOTA\",\"HTTPSTART\"");
	ck_assert_str_eq(talker_expect(&talkers[0], "START\"\r\n"), "+QIND: \"FOTA\",\"HTTPSTART\"\r\n");
	for (unsigned i = 1; i < 3; i++)
		ck_assert_str_eq(talker_expect(&talkers[i], "START\"\r\n"), "\r\n+QIND: \"FOTA\",\"HTTPSTART\"\r\n");
	/* What was told before a port came is there when it comes. */
	host_tell(&host, "+QIND: \"FOTA\",\"HTTPEND\",0");
	host_open_device(&host, 7, &talkers[7]);
	(void)talker_expect(&talkers[7], "\r\n+QIND: \"FOTA\",\"HTTPEND\",0\r\n");
}
END_TEST

/* Only the first of several in the same instant is accepted, and once more when the keeper says that it is over. */
START_TEST(test_start)
{
	struct link_message message;

	talker_say(&talkers[1], "ATE0\r");
	(void)talker_expect(&talkers[1], OK);
	talker_say(&talkers[1], "AT+QFOTADL=\"http://u:p@h/u.zip\",1,5,0\rAT+QFOTADL=\"/u\"\rAT+QFOTADL?\r");
	ck_assert_str_eq(talker_expect(&talkers[1], ",-1\r\n"), OK ERROR "\r\n+QFOTADL: \"DOWNLOADING\",0,-1\r\n");
	talker_say(&talkers[0], "ATE0;+QFOTADL=\"/u\"\r");
	(void)talker_expect(&talkers[0], ERROR);
	message = host_expect(&host, LINK_START);
	ck_assert_str_eq(message.start.source, "http://u:p@h/u.zip");
	ck_assert_uint_eq(message.start.mode, 1);
	ck_assert_uint_eq(message.start.download_max, 5);
	ck_assert_uint_eq(message.start.update_max, 0);
	talker_say(&talkers[2], "AT+QFOTASTOP\r");
	(void)talker_expect(&talkers[2], OK);
	(void)host_expect(&host, LINK_CANCEL);
	host_state(&host, LINK_IDLE);
	host_tell(&host, "+QIND: \"FOTA\",\"HTTPEND\",730");
	(void)talker_expect(&talkers[0], ",730\r\n");
	talker_say(&talkers[0], "AT+QFOTASTOP\rAT+QFOTADL=\"/usrdata/u.zip\";+QFOTADL?\r");
	ck_assert_str_eq(talker_expect(&talkers[0], "-1\r\n" OK), ERROR "\r\n+QFOTADL: \"CHECKING\",0,-1\r\n" OK);
	ck_assert_str_eq(host_expect(&host, LINK_START).start.source, "/usrdata/u.zip");
}
END_TEST

/* The answer is on its way before the keeper hears of it. */
START_TEST(test_reboot)
{
	char answer[64] = "";

	talker_say(&talkers[1], "ATE0\r");
	(void)talker_expect(&talkers[1], OK);
	talker_say(&talkers[1], "AT+CFUN=1,1\r");
	(void)host_expect(&host, LINK_REBOOT);
	ck_assert_int_gt(recv(talkers[1].fd, answer, sizeof(answer) - 1, MSG_DONTWAIT), 0);
	ck_assert_str_eq(answer, OK);
}
END_TEST

/* A device that fails is reported, and is there again in its first settings when it was opened again. */
START_TEST(test_lost_device)
{
	struct link_message message;

	talker_say(&talkers[1], "ATE0\r");
	(void)talker_expect(&talkers[1], OK);
	host_tell(&host, "unread: closing resets the connection");
	(void)talker_expect(&talkers[2], "connection\r\n"); /* the last one to get it */
	(void)close(talkers[1].fd);
	message = host_expect(&host, LINK_LOST);
	ck_assert_uint_eq(message.channel.index, 1);
	host_tell(&host, "+QIND: \"FOTA\",\"START\"");
	host_open_device(&host, 1, &talkers[1]);
	talker_say(&talkers[1], "AT\r");
	ck_assert_str_eq(talker_expect(&talkers[1], OK), "\r\n+QIND: \"FOTA\",\"START\"\r\nAT\r" OK);
	(void)talker_expect(&talkers[0], "START\"\r\n");
	talker_say(&talkers[0], "AT\r");
	(void)talker_expect(&talkers[0], OK);
}
END_TEST

/* A device that only writing finds broken is reported at once, not at the next command. */
START_TEST(test_unwritable_device)
{
	ck_assert_int_eq(shutdown(talkers[1].fd, SHUT_RD), 0);
	host_tell(&host, "+QIND: \"FOTA\",\"START\"");
	ck_assert_uint_eq(host_expect(&host, LINK_LOST).channel.index, 1);
}
END_TEST

/* A keeper that does not read: ERROR for requests, and what it must know is told later. */
START_TEST(test_busy_keeper)
{
	unsigned accepted = 0;
	const char *answer;

	host_state(&host, LINK_CHECKING);
	host_tell(&host, "ready");
	(void)talker_expect(&talkers[0], "ready\r\n");
	talker_say(&talkers[0], "ATE0\r");
	(void)talker_expect(&talkers[0], OK);
	do {
		talker_say(&talkers[0], "AT+QFOTASTOP\r");
		(void)talker_expect(&talkers[0], "\r\n");
		answer = talker_expect(&talkers[0], "\r\n");
		accepted += strcmp(answer, "OK\r\n") == 0;
	} while (strcmp(answer, "OK\r\n") == 0 && accepted < 100000);
	ck_assert_str_eq(answer, "ERROR\r\n");
	(void)close(talkers[1].fd); /* "ready" was not read */
	talker_say(&talkers[0], "AT+CFUN=1,1\r");
	(void)talker_expect(&talkers[0], OK);
	while (accepted--)
		(void)host_expect(&host, LINK_CANCEL);
	ck_assert_uint_eq(host_expect(&host, LINK_LOST).channel.index, 1);
	(void)host_expect(&host, LINK_REBOOT);
}
END_TEST

/* ---- UNIX sockets ---- */

static char socket_path[64];

static void listen_as(unsigned index)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct link_message message = {.kind = LINK_CHANNEL, .channel = {.index = index, .type = LINK_LISTENER}};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(socket_path, sizeof(socket_path), "/tmp/fota-front-%d", (int)getpid());
	(void)unlink(socket_path);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 16), 0);
	host_send(&host, &message, fd);
	(void)close(fd);
}

static void connect_to(struct talker *talker)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	talker->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	talker->length = 0;
	ck_assert_int_eq(connect(talker->fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

static void expect_end(struct talker *talker)
{
	char byte;

	ck_assert_uint_eq(talker->length, 0);
	ck_assert_int_eq(read(talker->fd, &byte, 1), 0);
	(void)close(talker->fd);
}

START_TEST(test_connections)
{
	listen_as(5);
	for (unsigned i = 0; i < 9; i++) {
		connect_to(&talkers[i]);
		talker_say(&talkers[i], "ATE0\r");
	}
	for (unsigned i = 0; i < 8; i++)
		(void)talker_expect(&talkers[i], OK);
	host_tell(&host, "one");
	for (unsigned i = 0; i < 8; i++)
		(void)talker_expect(&talkers[i], "\r\none\r\n");
	/* The ninth waits for a place. */
	(void)close(talkers[3].fd);
	ck_assert_str_eq(talker_expect(&talkers[8], OK), "ATE0\r" OK);
	host_tell(&host, "two");
	(void)talker_expect(&talkers[8], "\r\ntwo\r\n");
	/* A new connection is a new session. */
	(void)close(talkers[8].fd);
	connect_to(&talkers[8]);
	talker_say(&talkers[8], "AT\r");
	ck_assert_str_eq(talker_expect(&talkers[8], OK), "AT\r" OK);
	(void)unlink(socket_path);
}
END_TEST

/* Who has said all, gets all answers, and then the end. */
START_TEST(test_half_closed)
{
	listen_as(0);
	connect_to(&talkers[9]);
	talker_say(&talkers[9], "ATE0\r");
	for (unsigned i = 0; i < 100; i++)
		talker_say(&talkers[9], "AT+QFOTADL=?\r");
	ck_assert_int_eq(shutdown(talkers[9].fd, SHUT_WR), 0);
	(void)talker_expect(&talkers[9], OK);
	for (unsigned i = 0; i < 100; i++)
		(void)talker_expect(&talkers[9], "(0,5-100)\r\n" OK);
	expect_end(&talkers[9]);
	(void)unlink(socket_path);
}
END_TEST

/* A listener takes over a device's place, and gives it back. */
START_TEST(test_changed_place)
{
	listen_as(1);
	expect_end(&talkers[1]);
	connect_to(&talkers[9]);
	talker_say(&talkers[9], "AT\r");
	(void)talker_expect(&talkers[9], OK);
	host_open_device(&host, 1, &talkers[1]);
	talker_say(&talkers[1], "AT\r");
	(void)talker_expect(&talkers[1], OK);
	talker_say(&talkers[9], "AT\r");
	(void)talker_expect(&talkers[9], OK);
	(void)unlink(socket_path);
}
END_TEST

/* What no keeper of ours sends does not end the front, and its descriptors do not pile up. */
START_TEST(test_strange_keeper)
{
	struct link_message message = {.kind = LINK_CHANNEL, .channel = {.index = LINK_CHANNELS_MAX}};
	struct talker other;
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	host_send(&host, &message, ends[1]);
	message.channel = (struct link_channel){.index = 4, .type = LINK_LISTENER + 1};
	host_send(&host, &message, ends[1]);
	(void)close(ends[1]);
	other = (struct talker){.fd = ends[0]};
	expect_end(&other);
	message.kind = LINK_REBOOT;
	host_send(&host, &message, -1);
	ck_assert_int_eq(send(host.link, "noise", 5, 0), 5);
	talker_say(&talkers[0], "AT\r");
	(void)talker_expect(&talkers[0], OK);
}
END_TEST

Suite *suite_front(void)
{
	Suite *suite = suite_create("front");
	TCase *tests = tcase_create("front");

	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_sessions);
	tcase_add_test(tests, test_lines_for_all);
	tcase_add_test(tests, test_start);
	tcase_add_test(tests, test_reboot);
	tcase_add_test(tests, test_lost_device);
	tcase_add_test(tests, test_unwritable_device);
	tcase_add_test(tests, test_busy_keeper);
	tcase_add_test(tests, test_connections);
	tcase_add_test(tests, test_half_closed);
	tcase_add_test(tests, test_changed_place);
	tcase_add_test(tests, test_strange_keeper);
	suite_add_tcase(suite, tests);
	return suite;
}
