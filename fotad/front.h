/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_FRONT_H
#define FOTAD_FRONT_H

/*
 * The process of qfotad that strangers talk to: it holds the ports and their AT sessions, and asks the keeper for
 * whatever needs a privilege (fotad/link.h). Whoever starts it forks first and gives up its privileges.
 */
#include "base/log.h"

#define FRONT_CONNECTIONS_MAX 8 /* of all UNIX sockets that listen */

/*
 * Serve until the keeper's end of the link is gone (0), or no more can be done (negative errno). link stays the
 * caller's. Ignores SIGPIPE from then on. A request is never lost: one that the keeper does not take now is an ERROR
 * for whoever asked, and lost ports and an accepted reboot are told to it later.
 */
int front_run(int link, const struct log *log);

#endif
