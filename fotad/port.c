/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/port.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* At most what one command answers: two lines of information and the result, with what frames them. */
#define ANSWER_ROOM (2 * (AT_REPLY_MAX + 4) + 16)

/* A line and its frame. */
struct port_line {
	char bytes[AT_REPLY_MAX + 5];
	size_t length;
};

static void write_answer(void *ctx, const char *data, size_t length)
{
	struct port *port = ctx;
	struct port_line *line = port->line;

	if (!line) {
		if (!outbox_put(&port->outbox, OUTBOX_ANSWER, data, length))
			port->failure = -ENOBUFS; /* half an answer is worse than none */
	} else if (length <= sizeof(line->bytes) - line->length) {
		memcpy(line->bytes + line->length, data, length);
		line->length += length;
	}
}

/* A line may ask for more than there is room to answer: it ends in ERROR. */
static bool run_command(void *ctx, const struct at_command *command, struct at_reply *reply)
{
	struct port *port = ctx;

	return outbox_room(&port->outbox) >= ANSWER_ROOM && port->run(port->ctx, command, reply);
}

static void reset_session(struct port *port)
{
	port->session = (struct at_session){.run = run_command, .write = write_answer, .ctx = port};
	at_session_reset(&port->session);
}

void port_init(struct port *port, bool (*run)(void *, const struct at_command *, struct at_reply *), void *ctx)
{
	memset(port, 0, sizeof(*port));
	port->fd = -1;
	port->run = run;
	port->ctx = ctx;
	reset_session(port);
}

void port_open(struct port *port, int fd, enum port_type type)
{
	int flags = fcntl(fd, F_GETFL);

	port_close(port);
	port->fd = fd;
	port->type = type;
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		port->failure = -errno;
}

void port_close(struct port *port)
{
	if (port->fd >= 0)
		(void)close(port->fd); /* nothing durable is behind it */
	port->fd = -1;
	port->failure = 0;
	port->away = false;
	port->ended = false;
	port->received = 0;
	port->taken = 0;
	outbox_restart(&port->outbox);
	reset_session(port);
}

static bool has_output(const struct port *port)
{
	const char *data;

	return outbox_next(&port->outbox, &data) > 0;
}

static bool has_input(const struct port *port)
{
	return port->taken < port->received;
}

short port_events(const struct port *port)
{
	short in = port->ended || has_input(port) ? 0 : POLLIN;
	short out = has_output(port) ? POLLOUT : 0;

	return (short)(in | out);
}

/* Nothing can be read, and poll() may say so for ever. */
static void note_hang_up(struct port *port, short revents)
{
	if (revents & (POLLERR | POLLNVAL))
		port->failure = -EIO;
	else if (port->type == PORT_CONNECTION && (revents & POLLHUP))
		port->failure = -EPIPE;
	else if (revents & POLLHUP)
		port->away = true;
}

/* A pty says EIO while nobody has its other end open. */
static void note_error(struct port *port, int err)
{
	if (port->type == PORT_PTY && err == EIO)
		port->away = true;
	else
		port->failure = -err;
}

/* Write what the port takes. Returns whether that was anything. */
static bool flush(struct port *port)
{
	const char *data;
	size_t length;
	bool some = false;

	while (port->fd >= 0 && port->failure == 0 && (length = outbox_next(&port->outbox, &data)) > 0) {
		ssize_t n = write(port->fd, data, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			note_error(port, errno);
		if (n <= 0)
			break;
		outbox_take(&port->outbox, (size_t)n);
		some = true;
	}
	return some;
}

/* Byte by byte, as long as there is room for what one of them may cause; what is written makes room. */
static void answer(struct port *port)
{
	do {
		while (has_input(port) && outbox_room(&port->outbox) > ANSWER_ROOM)
			at_session_feed(&port->session, &port->input[port->taken++], 1);
	} while (flush(port) && has_input(port));
}

/* Some drivers call themselves readable for ever, so nothing to read is taken for nobody there. */
static void receive(struct port *port, short revents)
{
	ssize_t n = read(port->fd, port->input, sizeof(port->input));

	if (n > 0) {
		port->taken = 0;
		port->received = (size_t)n;
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		note_error(port, errno);
	} else if (n == 0 && port->type == PORT_CONNECTION) {
		port->ended = true;
	} else {
		port->away = true;
		note_hang_up(port, revents);
	}
}

void port_serve(struct port *port, short revents)
{
	if ((revents & POLLOUT) && !flush(port))
		port->away = true;
	answer(port);
	if (port->failure == 0 && (revents & ~POLLOUT)) {
		if (port->ended || has_input(port))
			note_hang_up(port, revents);
		else
			receive(port, revents);
	}
	answer(port);
	if (port->failure == 0 && port->ended && !has_input(port) && !has_output(port))
		port->failure = -EPIPE;
}

void port_tell(struct port *port, const char *line, bool progress)
{
	struct port_line framed = {.length = 0};

	port->line = &framed;
	at_session_tell(&port->session, line);
	port->line = NULL;
	/* A line that does not fit is the price of not reading. */
	(void)outbox_put(&port->outbox, progress ? OUTBOX_PROGRESS : OUTBOX_LINE, framed.bytes, framed.length);
	answer(port); /* not only flush: what is written makes room for input that waits */
}
