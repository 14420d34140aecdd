/* SPDX-License-Identifier: Apache-2.0 */
/* One port, without a front: what it says of its other end. */
#include "fotad/port.h"
#include "front_host.h"
#include "suites.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OK "\r\nOK\r\n"

static bool run_nothing(void *ctx, const struct at_command *command, struct at_reply *reply)
{
	(void)ctx;
	(void)command;
	(void)reply;
	return false;
}

static short serve_once(struct port *port)
{
	struct pollfd poll_port = {.fd = port->fd, .events = port_events(port)};

	port->away = false;
	ck_assert_int_ge(poll(&poll_port, 1, 0), 0);
	if (poll_port.revents)
		port_serve(port, poll_port.revents);
	return poll_port.revents;
}

/* Nobody there, somebody, nobody: never a failure, and never a reason to poll again at once. */
START_TEST(test_pty_away)
{
	static struct port port;
	char path[64];
	char answer[64] = "";
	int slave;

	port_init(&port, run_nothing, NULL);
	port_open(&port, host_open_pty(path), PORT_PTY);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_ne(serve_once(&port), 0);
		ck_assert(port.away);
		ck_assert_int_eq(port.failure, 0);
		slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
		ck_assert_int_eq(write(slave, "AT\r", 3), 3);
		while (port.session.length > 0 || !(serve_once(&port) & POLLIN))
			ck_assert_int_eq(port.failure, 0);
		ck_assert(!port.away);
		ck_assert_int_eq(read(slave, answer, sizeof(answer) - 1), (int)strlen("AT\r" OK));
		(void)close(slave);
	}
	port_close(&port);
}
END_TEST

/* A device whose host end is closed reads as ended all the time (virtio-serial); so does a connection, once. */
START_TEST(test_device_away)
{
	static struct port port;
	int ends[2];

	port_init(&port, run_nothing, NULL);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	port_open(&port, ends[0], PORT_DEVICE);
	ck_assert_int_eq(serve_once(&port), 0);
	(void)close(ends[1]);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_ne(serve_once(&port), 0);
		ck_assert(port.away);
		ck_assert_int_eq(port.failure, 0);
	}
	port_close(&port);

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	port_open(&port, ends[0], PORT_CONNECTION);
	(void)close(ends[1]);
	ck_assert_int_ne(serve_once(&port), 0);
	ck_assert_int_eq(port.failure, -EPIPE);
	port_close(&port);
}
END_TEST

/* A driver without poll() calls itself readable and writable for ever. */
START_TEST(test_always_ready)
{
	static struct port port;
	int ends[2];

	port_init(&port, run_nothing, NULL);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	port_open(&port, ends[0], PORT_DEVICE);
	port_serve(&port, POLLIN);
	ck_assert(port.away);
	ck_assert_int_eq(port.failure, 0);
	for (unsigned i = 0; i < 100000; i++)
		port_tell(&port, "more than it takes", false);
	port.away = false;
	port_serve(&port, POLLOUT);
	ck_assert(port.away);
	ck_assert_int_eq(port.failure, 0);
	(void)close(ends[1]);
	port_close(&port);
}
END_TEST

START_TEST(test_port_errors)
{
	static struct port port;
	char path[64];

	port_init(&port, run_nothing, NULL);
	port_open(&port, open("/dev/null", O_WRONLY | O_CLOEXEC), PORT_DEVICE);
	port_serve(&port, POLLIN);
	ck_assert_int_eq(port.failure, -EBADF);
	port_close(&port);
	port_open(&port, host_open_pty(path), PORT_DEVICE); /* EIO is away for a pty only */
	port_serve(&port, POLLHUP);
	ck_assert_int_eq(port.failure, -EIO);
	port_close(&port);
	port_open(&port, open("/dev/full", O_RDWR | O_CLOEXEC), PORT_DEVICE);
	port_tell(&port, "line", false);
	ck_assert_int_eq(port.failure, -ENOSPC);
	port_close(&port);
	ck_assert_int_eq(port.failure, 0);
}
END_TEST

Suite *suite_port(void)
{
	Suite *suite = suite_create("port");
	TCase *tests = tcase_create("port");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, test_pty_away);
	tcase_add_test(tests, test_device_away);
	tcase_add_test(tests, test_always_ready);
	tcase_add_test(tests, test_port_errors);
	suite_add_tcase(suite, tests);
	return suite;
}
