/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_FETCHER_H
#define FOTAD_FETCHER_H

/* qfota-fetch as the keeper sees it: a child process without privileges, at the other end of a socket. */
#include "fotad/config.h"
#include "fotad/fetch.h"
#include <sys/types.h>

struct fetcher {
	pid_t pid; /* 0: none runs */
	int fd;    /* readable when there is an answer; -1 */
};

/* One that does not run. */
void fetcher_init(struct fetcher *fetcher);

/* Start it when it does not run. RESULT_ABNORMAL when it cannot be. */
int fetcher_start(struct fetcher *fetcher, const struct config *config, struct error *error);

/* Only one request at a time; its answers end with FETCH_DONE. */
int fetcher_ask(struct fetcher *fetcher, const struct fetch_request *request, struct error *error);

/* The next answer: 1, 0 when there is none yet, -EPIPE when the process has died, -EBADMSG when it talks nonsense. */
int fetcher_receive(struct fetcher *fetcher, struct fetch_answer *answer);

/* Kill it, whatever it does, and wait for it. */
void fetcher_stop(struct fetcher *fetcher);

#endif
