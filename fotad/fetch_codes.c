/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/fetch_codes.h"

#include "base/error.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

/*
 * The numbers and their meanings are documented (spec/requirements.md 3.4): 601-613 and 701-730 in the order listed
 * there, 614-629 for FTP replies in the order of their numbers. Which result of libcurl and which HTTP status gets
 * which of them is our choice, with two that others made: 711 for a URL that is refused, 703 for a server that is busy.
 *
 *   601 unknown  604 DNS  605 network  606 control closed  607 data closed  609 time-out  610 parameter  613 file error
 *   701 unknown  702 time-out  703 busy  707 open failed  710 network error  711 URL error  714 DNS  716 connect
 *   717 read  718 write  719 closed  721 decode  722 read time-out  723 response failed  729 no memory
 */
struct meaning {
	int number; /* what the row is about: CURLcode, enum fetch_trouble, status or reply */
	int http;
	int ftp;
	enum fetch_advice advice;
	bool detail; /* libcurl's words hold no part of the URL but the host */
	const char *reason;
};

static const struct meaning curl_meanings[] = {
	{CURLE_URL_MALFORMAT, 711, 610, FETCH_GIVE_UP, false, "not a URL that can be used"},
	{CURLE_UNSUPPORTED_PROTOCOL, 711, 610, FETCH_GIVE_UP, false, "protocol not allowed here"},
	{CURLE_COULDNT_RESOLVE_HOST, 714, 604, FETCH_RETRY, false, "cannot resolve the server's name"},
	{CURLE_COULDNT_RESOLVE_PROXY, 714, 604, FETCH_RETRY, false, "cannot resolve the proxy's name"},
	{CURLE_COULDNT_CONNECT, 716, 605, FETCH_RETRY, false, "cannot connect to the server"},
	{CURLE_INTERFACE_FAILED, 710, 605, FETCH_RETRY, false, "cannot use the network interface"},
	{CURLE_OPERATION_TIMEDOUT, 702, 609, FETCH_RETRY, false, "no answer in time"},
	{CURLE_SSL_CONNECT_ERROR, 707, 605, FETCH_RETRY, true, "TLS handshake failed"},
	{CURLE_PEER_FAILED_VERIFICATION, 707, 605, FETCH_GIVE_UP, true, "server's certificate refused"},
	{CURLE_SSL_CACERT_BADFILE, 707, 605, FETCH_GIVE_UP, true, "cannot use the CA certificates"},
	{CURLE_SSL_CERTPROBLEM, 707, 605, FETCH_GIVE_UP, true, "cannot use the client's certificate"},
	{CURLE_SSL_ISSUER_ERROR, 707, 605, FETCH_GIVE_UP, true, "server's certificate refused"},
	{CURLE_SSL_INVALIDCERTSTATUS, 707, 605, FETCH_GIVE_UP, true, "server's certificate refused"},
	{CURLE_SSL_CLIENTCERT, 707, 605, FETCH_GIVE_UP, true, "the server wants a client certificate"},
	{CURLE_SSL_CIPHER, 707, 605, FETCH_GIVE_UP, true, "no cipher in common with the server"},
	{CURLE_SEND_ERROR, 718, 606, FETCH_RETRY, true, "cannot send to the server"},
	{CURLE_RECV_ERROR, 717, 606, FETCH_RETRY, true, "cannot receive from the server"},
	{CURLE_GOT_NOTHING, 719, 606, FETCH_RETRY, false, "the server closed the connection without an answer"},
	{CURLE_PARTIAL_FILE, 719, 607, FETCH_RETRY, true, "the connection closed too early"},
	{CURLE_WEIRD_SERVER_REPLY, 723, 601, FETCH_RETRY, false, "the server's answer makes no sense"},
	{CURLE_BAD_CONTENT_ENCODING, 721, 601, FETCH_RETRY, false, "the answer's encoding is broken"},
	{CURLE_OUT_OF_MEMORY, 729, 601, FETCH_RETRY, false, "out of memory"},
	{CURLE_LOGIN_DENIED, 723, 625, FETCH_GIVE_UP, false, "the server refuses user and password"},
	{CURLE_REMOTE_FILE_NOT_FOUND, 723, 627, FETCH_GIVE_UP, false, "no such file on the server"},
	{CURLE_FTP_ACCEPT_TIMEOUT, 702, 609, FETCH_RETRY, false, "no answer in time"},
	{CURLE_FTP_CANT_GET_HOST, 701, 604, FETCH_RETRY, false, "cannot resolve the server's name"},
};

static const struct meaning troubles[] = {
	[FETCH_TROUBLE_REDIRECTS] = {FETCH_TROUBLE_REDIRECTS, 723, 601, FETCH_GIVE_UP, false, "too many redirects"},
	[FETCH_TROUBLE_LOCATION] = {FETCH_TROUBLE_LOCATION, 711, 601, FETCH_GIVE_UP, false,
                                    "redirected to where it must not go"},
	[FETCH_TROUBLE_STALLED] = {FETCH_TROUBLE_STALLED, 722, 609, FETCH_RETRY, false, "the content stopped coming"},
	[FETCH_TROUBLE_SURPLUS] = {FETCH_TROUBLE_SURPLUS, 723, 613, FETCH_RETRY, false,
                                   "the server sends other bytes than it announced"},
	[FETCH_TROUBLE_CHANGED] = {FETCH_TROUBLE_CHANGED, 723, 613, FETCH_RETRY, false,
                                   "the file changed on the server"},
	[FETCH_TROUBLE_MEMORY] = {FETCH_TROUBLE_MEMORY, 729, 601, FETCH_RETRY, false, "out of memory"},
};

static const struct meaning statuses[] = {
	{202, 703, 0, FETCH_RETRY, false, "not ready yet"},
	{401, 723, 0, FETCH_GIVE_UP, false, "the server wants another user or password"},
	{403, 711, 0, FETCH_GIVE_UP, false, "access refused, or the URL has expired"},
	{404, 723, 0, FETCH_GIVE_UP, false, "no such file on the server"},
	{408, 703, 0, FETCH_RETRY, false, "the server is busy"},
	{410, 711, 0, FETCH_GIVE_UP, false, "access refused, or the URL has expired"},
	{425, 703, 0, FETCH_RETRY, false, "the server is busy"},
	{429, 703, 0, FETCH_RETRY, false, "the server is busy"},
	{500, 703, 0, FETCH_RETRY, false, "the server failed"},
	{502, 703, 0, FETCH_RETRY, false, "the server failed"},
	{503, 703, 0, FETCH_RETRY, false, "the server is busy"},
	{504, 703, 0, FETCH_RETRY, false, "the server failed"},
};

static const struct meaning replies[] = {
	{421, 0, 614, FETCH_RETRY, false, "the service closes"},
	{425, 0, 615, FETCH_RETRY, false, "cannot open a data connection"},
	{426, 0, 616, FETCH_RETRY, false, "transfer aborted"},
	{450, 0, 617, FETCH_RETRY, false, "file not available now"},
	{451, 0, 618, FETCH_RETRY, false, "error in the server"},
	{452, 0, 619, FETCH_RETRY, false, "no room in the server"},
	{500, 0, 620, FETCH_GIVE_UP, false, "syntax error"},
	{501, 0, 621, FETCH_GIVE_UP, false, "error in an argument"},
	{502, 0, 622, FETCH_GIVE_UP, false, "not implemented"},
	{503, 0, 623, FETCH_GIVE_UP, false, "wrong order of commands"},
	{504, 0, 624, FETCH_GIVE_UP, false, "not implemented for this argument"},
	{530, 0, 625, FETCH_GIVE_UP, false, "login refused"},
	{532, 0, 626, FETCH_GIVE_UP, false, "an account is needed"},
	{550, 0, 627, FETCH_GIVE_UP, false, "no such file, or no access"},
	{551, 0, 628, FETCH_GIVE_UP, false, "page type unknown"},
	{552, 0, 629, FETCH_GIVE_UP, false, "beyond the allowed storage"},
};

#define FIND(table, number) find(table, sizeof(table) / sizeof((table)[0]), number)

static const struct meaning *find(const struct meaning *table, size_t count, long number)
{
	for (size_t i = 0; i < count; i++)
		if (table[i].number == number)
			return &table[i];
	return NULL;
}

/* It will be a line of a log, and of a channel that has its own idea of control characters. */
static void make_printable(char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static void fill(struct fetch_done *done, int code, enum fetch_advice advice)
{
	memset(done, 0, sizeof(*done));
	done->code = code;
	done->advice = advice;
}

static void explain(struct fetch_done *done, const char *reason, const char *detail)
{
	if (detail && detail[0] != '\0')
		(void)snprintf(done->reason, sizeof(done->reason), "%s: %s", reason, detail);
	else
		(void)snprintf(done->reason, sizeof(done->reason), "%s", reason);
	make_printable(done->reason);
}

void fetch_code_curl(enum fetch_family family, int result, const char *detail, struct fetch_done *done)
{
	const struct meaning *meaning = FIND(curl_meanings, result);

	if (meaning) {
		fill(done, family == FETCH_FTP ? meaning->ftp : meaning->http, meaning->advice);
		explain(done, meaning->reason, meaning->detail ? detail : NULL);
	} else {
		fill(done, family == FETCH_FTP ? 601 : 701, FETCH_RETRY);
		explain(done, "transfer failed", curl_easy_strerror((CURLcode)result));
	}
}

void fetch_code_trouble(enum fetch_family family, enum fetch_trouble trouble, struct fetch_done *done)
{
	const struct meaning *meaning = &troubles[trouble];

	fill(done, family == FETCH_FTP ? meaning->ftp : meaning->http, meaning->advice);
	explain(done, meaning->reason, NULL);
}

void fetch_code_http(long status, struct fetch_done *done)
{
	const struct meaning *meaning = FIND(statuses, status);

	if (meaning)
		fill(done, meaning->http, meaning->advice);
	else
		fill(done, 723, status >= 500 ? FETCH_RETRY : FETCH_GIVE_UP);
	(void)snprintf(done->reason, sizeof(done->reason), "%s: HTTP status %ld",
	               meaning ? meaning->reason : "the server does not give the file", status);
}

void fetch_code_ftp(long reply, struct fetch_done *done)
{
	const struct meaning *meaning = FIND(replies, reply);

	if (meaning)
		fill(done, meaning->ftp, meaning->advice);
	else
		fill(done, 601, reply >= 500 ? FETCH_GIVE_UP : FETCH_RETRY);
	(void)snprintf(done->reason, sizeof(done->reason), "%s: FTP reply %ld",
	               meaning ? meaning->reason : "the server does not give the file", reply);
}

void fetch_code_package(const char *reason, struct fetch_done *done)
{
	fill(done, RESULT_PRECHECK, FETCH_GIVE_UP);
	explain(done, reason, NULL);
}

bool fetch_code_is_reply(int result, long reply)
{
	switch (result) {
	case CURLE_OPERATION_TIMEDOUT: /* libcurl's word for the server's own time-out */
		return reply == 421;
	case CURLE_LOGIN_DENIED:
	case CURLE_REMOTE_ACCESS_DENIED:
	case CURLE_REMOTE_FILE_NOT_FOUND:
	case CURLE_FTP_COULDNT_RETR_FILE:
	case CURLE_FTP_COULDNT_SET_TYPE:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_QUOTE_ERROR:
		return reply >= 400;
	default:
		return false;
	}
}
