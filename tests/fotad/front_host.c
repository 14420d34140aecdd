/* SPDX-License-Identifier: Apache-2.0 */
#include "front_host.h"

#include "fotad/front.h"
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

void host_start(struct host *host)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	host->link = ends[0];
	host->front = fork();
	ck_assert_int_ge(host->front, 0);
	if (host->front == 0) {
		struct log log = log_to_stderr();

		(void)close(ends[0]);
		_exit(front_run(ends[1], &log) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	(void)close(ends[1]);
	host_state(host, LINK_IDLE);
}

void host_end(struct host *host)
{
	int status;

	(void)close(host->link);
	ck_assert_int_eq(waitpid(host->front, &status, 0), host->front);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), EXIT_SUCCESS);
}

static void wait_until_readable(int fd)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};

	ck_assert_int_eq(poll(&readable, 1, HOST_PATIENCE_MS), 1);
}

void host_send(struct host *host, const struct link_message *message, int descriptor)
{
	int err;

	while ((err = link_send(host->link, message, descriptor)) == -EAGAIN) {
		struct pollfd writable = {.fd = host->link, .events = POLLOUT};

		ck_assert_int_eq(poll(&writable, 1, HOST_PATIENCE_MS), 1);
	}
	ck_assert_int_eq(err, 0);
}

void host_tell(struct host *host, const char *line)
{
	struct link_message message = {.kind = LINK_TELL};

	(void)snprintf(message.line, sizeof(message.line), "%s", line);
	host_send(host, &message, -1);
}

void host_state(struct host *host, enum link_state state)
{
	struct link_message message = {.kind = LINK_STATUS};

	message.status = (struct link_status){
		.state = state, .last.code = -1, .project = "P", .revision = "R1", .plain_text = true};
	host_send(host, &message, -1);
}

struct link_message host_expect(struct host *host, enum link_kind kind)
{
	struct link_message message;
	int descriptor;

	wait_until_readable(host->link);
	ck_assert_int_eq(link_receive(host->link, &message, &descriptor), 1);
	ck_assert_int_eq((int)message.kind, (int)kind);
	return message;
}

void host_open_device(struct host *host, unsigned index, struct talker *talker)
{
	struct link_message message = {.kind = LINK_CHANNEL};
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	message.channel = (struct link_channel){.index = index, .type = LINK_DEVICE};
	host_send(host, &message, ends[1]);
	(void)close(ends[1]);
	talker->fd = ends[0];
	talker->length = 0;
}

void talker_say(struct talker *talker, const char *text)
{
	ck_assert_int_eq(send(talker->fd, text, strlen(text), MSG_NOSIGNAL), (int)strlen(text));
}

const char *talker_expect(struct talker *talker, const char *text)
{
	static char taken[sizeof(talker->text) + 1];
	const char *found;
	size_t length;

	/* Echoed noise has NULs in it. */
	while (!(found = memmem(talker->text, talker->length, text, strlen(text)))) {
		ssize_t n;

		wait_until_readable(talker->fd);
		ck_assert_uint_lt(talker->length, sizeof(talker->text));
		n = read(talker->fd, talker->text + talker->length, sizeof(talker->text) - talker->length);
		ck_assert_msg(n > 0, "%zu bytes without \"%s\"", talker->length, text);
		talker->length += (size_t)n;
	}
	length = (size_t)(found - talker->text) + strlen(text);
	memcpy(taken, talker->text, length);
	taken[length] = '\0';
	talker->length -= length;
	memmove(talker->text, talker->text + length, talker->length);
	return taken;
}

int host_open_pty(char path[64])
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios raw;
	int slave;

	ck_assert_int_ge(master, 0);
	ck_assert_int_eq(grantpt(master) | unlockpt(master), 0);
	ck_assert_int_eq(ptsname_r(master, path, 64), 0);
	slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(slave, 0);
	ck_assert_int_eq(tcgetattr(slave, &raw), 0);
	cfmakeraw(&raw);
	ck_assert_int_eq(tcsetattr(slave, TCSANOW, &raw), 0);
	(void)close(slave);
	return master;
}
