/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FOTAD_FRONT_HOST_H
#define TESTS_FOTAD_FRONT_HOST_H

/* A front in a process of its own, with the test as its keeper and as whoever uses its ports. */
#include "fotad/link.h"
#include <stddef.h>
#include <sys/types.h>

#define HOST_PATIENCE_MS 20000 /* behind it a test has failed; what is right comes at once */

struct host {
	int link;
	pid_t front;
};

/* The other end of a port, and what came out of it that nobody asked for yet. */
struct talker {
	int fd;
	size_t length;
	char text[1 << 16];
};

void host_start(struct host *host);
/* The keeper is gone: the front must end by itself, well. */
void host_end(struct host *host);

void host_send(struct host *host, const struct link_message *message, int descriptor);
void host_tell(struct host *host, const char *line);
void host_state(struct host *host, enum link_state state);
/* The front's next message, which must be of this kind. */
struct link_message host_expect(struct host *host, enum link_kind kind);

/* Port index is the other end of a socket pair, as a device. */
void host_open_device(struct host *host, unsigned index, struct talker *talker);

/* A pty: returns its master; path: of the other end, which is raw as the keeper makes it. */
int host_open_pty(char path[64]);

void talker_say(struct talker *talker, const char *text);
/* Read until text has come; returns all up to its end, good until the next call. */
const char *talker_expect(struct talker *talker, const char *text);

#endif
