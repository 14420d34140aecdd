/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_FETCH_RUN_H
#define FOTAD_FETCH_RUN_H

/* From a request to its answers on a socket: 0, or -EPIPE and the like when nobody listens there. Private to
 * qfota-fetch. */
#include "fotad/fetch_request.h"

int fetch_body(struct fetch_session *session, const struct fetch_request *request, int socket);
int fetch_manifest(struct fetch_session *session, const char *url, int socket);

int fetch_send_done(int socket, const struct fetch_done *done);

#endif
