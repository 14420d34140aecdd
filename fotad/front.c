/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/front.h"

#include "fotad/commands.h"
#include "fotad/link.h"
#include "fotad/port.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SEATS    (LINK_CHANNELS_MAX + FRONT_CONNECTIONS_MAX)
#define PAUSE_MS 1000 /* between two looks at a port with nobody at its other end */

/* The first ones are the configuration's ports, in its order; behind them are connections. */
struct seat {
	struct port port;
	bool listens; /* the port's descriptor is a listening socket */
	bool lost;    /* the keeper is to be told */
	uint64_t wake_ms;
};

struct front {
	int link;
	const struct log *log;
	bool ended;
	bool reboot; /* the keeper is to be told, once the answer is written */
	struct link_status status;
	struct seat seats[SEATS];
};

static uint64_t now_ms(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail: this clock exists */
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- To the keeper ---- */

static bool ask(struct front *front, const struct link_message *message)
{
	int err = link_send(front->link, message, -1);

	if (err < 0 && err != -EAGAIN)
		log_printf(front->log, "link: %s", strerror(-err));
	return err == 0;
}

static bool run_command(void *ctx, const struct at_command *command, struct at_reply *reply)
{
	struct front *front = ctx;
	struct commands_request request = {0};
	struct link_message message;

	if (!commands_run(&front->status, command, reply, &request, front->log))
		return false;
	if (!request.wanted)
		return true;
	if (request.kind == LINK_REBOOT) {
		front->reboot = true;
		return true;
	}
	message = (struct link_message){.kind = request.kind};
	message.start = request.start;
	if (!ask(front, &message))
		return false;
	if (request.kind == LINK_START) {
		/* A second command of the same instant must not be accepted, too. */
		front->status.state = request.start.source[0] == '/' ? LINK_CHECKING : LINK_DOWNLOADING;
		front->status.percent = 0;
	}
	return true;
}

/* What the keeper has to know but could not be told yet. */
static bool has_news(const struct front *front)
{
	bool news = front->reboot;

	for (unsigned i = 0; i < LINK_CHANNELS_MAX; i++)
		news = news || front->seats[i].lost;
	return news;
}

static void tell_news(struct front *front)
{
	struct link_message message = {.kind = LINK_LOST};

	for (unsigned i = 0; i < LINK_CHANNELS_MAX; i++) {
		message.channel.index = i;
		if (front->seats[i].lost)
			front->seats[i].lost = !ask(front, &message);
	}
	message.kind = LINK_REBOOT;
	if (front->reboot)
		front->reboot = !ask(front, &message);
}

/* ---- From the keeper ---- */

static void seat_channel(struct front *front, const struct link_channel *channel, int fd)
{
	static const enum port_type types[] = {
		[LINK_DEVICE] = PORT_DEVICE, [LINK_PTY] = PORT_PTY, [LINK_LISTENER] = PORT_CONNECTION};
	struct seat *seat;

	if (channel->index >= LINK_CHANNELS_MAX || channel->type >= sizeof(types) / sizeof(types[0])) {
		log_printf(front->log, "link: no place for channel %u of type %u", channel->index, channel->type);
		(void)close(fd); /* not ours to use */
		return;
	}
	seat = &front->seats[channel->index];
	port_open(&seat->port, fd, types[channel->type]);
	seat->listens = channel->type == LINK_LISTENER;
	seat->lost = false;
	seat->wake_ms = 0;
}

static bool is_progress(const char *line)
{
	return strstr(line, "\"DOWNLOADING\"") || strstr(line, "\"UPDATING\"");
}

/* A port that is lost just now gets the line when it is back. */
static void tell_ports(struct front *front, const char *line)
{
	for (unsigned i = 0; i < SEATS; i++)
		if (!front->seats[i].listens && (i < LINK_CHANNELS_MAX || front->seats[i].port.fd >= 0))
			port_tell(&front->seats[i].port, line, is_progress(line));
}

static void take_message(struct front *front, const struct link_message *message, int descriptor)
{
	switch (message->kind) {
	case LINK_STATUS:
		front->status = message->status;
		break;
	case LINK_TELL:
		tell_ports(front, message->line);
		break;
	case LINK_CHANNEL:
		seat_channel(front, &message->channel, descriptor);
		break;
	default:
		log_printf(front->log, "link: message %u from the keeper", message->kind);
	}
}

static int receive_messages(struct front *front)
{
	struct link_message message;
	int descriptor;
	int got;

	while ((got = link_receive(front->link, &message, &descriptor)) == 1)
		take_message(front, &message, descriptor);
	front->ended = got == 0;
	if (got == -EBADMSG)
		log_printf(front->log, "link: a message that cannot be understood");
	return got == -EAGAIN || got == -EBADMSG ? 0 : got;
}

/* ---- Ports ---- */

static struct seat *find_free_seat(struct front *front)
{
	for (unsigned i = LINK_CHANNELS_MAX; i < SEATS; i++)
		if (front->seats[i].port.fd < 0)
			return &front->seats[i];
	return NULL;
}

static void accept_connection(struct front *front, struct port *listener)
{
	struct seat *seat = find_free_seat(front);
	int fd;

	if (!seat)
		return; /* another listener was faster */
	fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0) {
		port_init(&seat->port, run_command, front);
		port_open(&seat->port, fd, PORT_CONNECTION);
		seat->wake_ms = 0;
	} else if (errno == EINVAL || errno == ENOTSOCK || errno == EOPNOTSUPP) {
		listener->failure = -errno;
	} else {
		listener->away = errno != EINTR && errno != ECONNABORTED; /* out of descriptors or memory, for now */
	}
}

static void serve(struct front *front, unsigned index, short revents)
{
	struct seat *seat = &front->seats[index];
	struct port *port = &seat->port;

	if (revents && seat->listens && (revents & (POLLERR | POLLHUP | POLLNVAL)))
		port->failure = -EIO;
	else if (revents && seat->listens)
		accept_connection(front, port);
	else if (revents)
		port_serve(port, revents);
	if (port->away)
		seat->wake_ms = now_ms() + PAUSE_MS;
	port->away = false;
	if (port->failure == 0 || port->fd < 0)
		return;
	if (index < LINK_CHANNELS_MAX) {
		log_printf(front->log, "channel %u: %s", index, strerror(-port->failure));
		seat->lost = true;
	}
	seat->listens = false;
	port_close(port);
}

/* ---- The loop ---- */

/* Returns for how many milliseconds nothing has to be done, unless something comes; -1: for ever. */
static int prepare(struct front *front, struct pollfd polls[SEATS + 1])
{
	uint64_t now = now_ms();
	bool full = find_free_seat(front) == NULL;
	uint64_t wait = UINT64_MAX;

	polls[SEATS] = (struct pollfd){.fd = front->link, .events = POLLIN};
	if (has_news(front))
		polls[SEATS].events |= POLLOUT;
	for (unsigned i = 0; i < SEATS; i++) {
		const struct seat *seat = &front->seats[i];
		bool asleep = seat->port.fd >= 0 && seat->wake_ms > now;

		polls[i] = (struct pollfd){.fd = asleep || (seat->listens && full) ? -1 : seat->port.fd,
		                           .events = port_events(&seat->port)};
		if (asleep && seat->wake_ms - now < wait)
			wait = seat->wake_ms - now;
	}
	return wait == UINT64_MAX ? -1 : (int)wait;
}

static int run_once(struct front *front)
{
	struct pollfd polls[SEATS + 1];
	int wait = prepare(front, polls);
	int err = 0;

	if (poll(polls, SEATS + 1, wait) < 0)
		return errno == EINTR ? 0 : -errno;
	for (unsigned i = 0; i < SEATS; i++)
		serve(front, i, polls[i].revents);
	if (polls[SEATS].revents & ~POLLOUT)
		err = receive_messages(front);
	tell_news(front);
	return err;
}

int front_run(int link, const struct log *log)
{
	struct front *front = calloc(1, sizeof(*front));
	int err = 0;

	if (!front)
		return -ENOMEM;
	front->link = link;
	front->log = log;
	front->status.last.code = -1;
	for (unsigned i = 0; i < SEATS; i++)
		port_init(&front->seats[i].port, run_command, front);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		err = -errno;
	while (err == 0 && !front->ended)
		err = run_once(front);
	for (unsigned i = 0; i < SEATS; i++)
		port_close(&front->seats[i].port);
	free(front);
	return err;
}
