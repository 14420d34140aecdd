/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_FETCH_CODES_H
#define FOTAD_FETCH_CODES_H

/* What a transfer came to, in the numbers that a host knows. Private to qfota-fetch. */
#include "fotad/fetch.h"

enum fetch_family { FETCH_HTTP, FETCH_FTP }; /* HTTPEND or FTPEND */

/* What can go wrong beyond a result of libcurl or an answer of the server. */
enum fetch_trouble {
	FETCH_TROUBLE_REDIRECTS, /* too many */
	FETCH_TROUBLE_LOCATION,  /* a redirect that leads nowhere */
	FETCH_TROUBLE_STALLED,   /* the content stopped coming */
	FETCH_TROUBLE_SURPLUS,   /* more or other bytes than announced */
	FETCH_TROUBLE_CHANGED,   /* another file under the same URL, in the middle of a request */
	FETCH_TROUBLE_MEMORY,
};

/*
 * Each fills *done whole; retry_after is left 0. detail: libcurl's own words, used only where they cannot hold a part
 * of the URL but the host, or NULL.
 */
void fetch_code_curl(enum fetch_family family, int result, const char *detail, struct fetch_done *done);
void fetch_code_trouble(enum fetch_family family, enum fetch_trouble trouble, struct fetch_done *done);
void fetch_code_http(long status, struct fetch_done *done);
void fetch_code_ftp(long reply, struct fetch_done *done);
/* RESULT_PRECHECK: what the server has is not a package. */
void fetch_code_package(const char *reason, struct fetch_done *done);

/* Is this an FTP result that the server's last reply explains better? */
bool fetch_code_is_reply(int result, long reply);

#endif
