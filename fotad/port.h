/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_PORT_H
#define FOTAD_PORT_H

/*
 * One place where AT commands come in and answers go out: a character device, a pty, a connection of a UNIX socket.
 * Never blocks. A reader that does not read loses progress, then other lines, and is not listened to any longer while
 * the answers to what it asked wait; see fotad/outbox.h. Devices that are no ttys are normal, so nothing here knows
 * of termios.
 */
#include "fotad/at.h"
#include "fotad/outbox.h"
#include <stdbool.h>
#include <stddef.h>

enum port_type { PORT_DEVICE, PORT_PTY, PORT_CONNECTION };

struct port {
	int fd; /* -1: closed */
	enum port_type type;
	int failure; /* negative errno: it cannot be used any longer, and is to be closed; 0: all is well */
	bool away;   /* nobody is at the other end: ask again later, not at once. Reset by the caller. */
	bool ended;  /* the other end said all it had to say */

	/* What a command does that the line discipline does not know: as at_session.run. */
	bool (*run)(void *ctx, const struct at_command *command, struct at_reply *reply);
	void *ctx;

	struct at_session session;
	char input[256];
	size_t received; /* bytes of input */
	size_t taken;    /* of them, by the session */
	struct outbox outbox;
	struct port_line *line; /* collects the line that is being framed */
};

/* Closed. Lines that are told to it wait until it is opened. */
void port_init(struct port *port, bool (*run)(void *, const struct at_command *, struct at_reply *), void *ctx);

/* A new session over fd, which becomes the port's. */
void port_open(struct port *port, int fd, enum port_type type);
void port_close(struct port *port);

/* What to poll() its descriptor for. */
short port_events(const struct port *port);

/* Read, answer and write what can be without waiting; revents as of poll(). */
void port_serve(struct port *port, short revents);

/* A line that nobody asked for, framed as the session wants it. */
void port_tell(struct port *port, const char *line, bool progress);

#endif
