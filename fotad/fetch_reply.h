/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_FETCH_REPLY_H
#define FOTAD_FETCH_REPLY_H

/* What libcurl knows of an answer, while it comes and afterwards. Private to qfota-fetch. */
#include "fotad/fetch_request.h"

long fetch_reply_status(CURL *curl); /* HTTP status or FTP reply; 0: none */

uint64_t fetch_reply_length(CURL *curl); /* bytes announced; FETCH_NOWHERE: none were */

void fetch_reply_read(CURL *curl, const struct fetch_transfer *transfer, struct fetch_reply *reply);

#endif
