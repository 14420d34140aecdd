/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/fetch_reply.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

#define REDIRECTS_MAX 5
/* A server may say so much that is not content, and such a long page with its refusal, before it is left. */
#define HEADERS_MAX 65536
#define PAGE_MAX    16384

struct run {
	struct fetch_session *session;
	const struct fetch_transfer *transfer;
	enum fetch_family family;
	bool only_https; /* a redirect never leads out of TLS again */
	bool begun;
	bool stopped;     /* by a callback */
	bool surplus;     /* more came than announced, or what was not asked for */
	uint64_t left;    /* bytes announced and not yet here; FETCH_NOWHERE: nothing was announced */
	uint64_t headers; /* bytes */
	uint64_t page;    /* bytes of a refusal */
};

enum fetch_family fetch_family_of(const char *url)
{
	return strncasecmp(url, "ftp:", 4) == 0 ? FETCH_FTP : FETCH_HTTP;
}

/* Content is about to come, or there is none: false ends the transfer. */
static bool begin(struct run *run)
{
	struct fetch_reply reply;

	run->begun = true;
	fetch_reply_read(run->session->curl, run->transfer, &reply);
	run->left = reply.length > 0 ? reply.length : fetch_reply_length(run->session->curl);
	if (reply.partial && run->transfer->extent == FETCH_ALL)
		run->surplus = true;
	else if (run->transfer->begin(run->transfer->ctx, &reply) < 0)
		run->stopped = true;
	return !run->surplus && !run->stopped;
}

static bool is_content(const struct run *run)
{
	long code = fetch_reply_status(run->session->curl);

	return run->family == FETCH_FTP || code == 200 || code == 206;
}

/* For libcurl, which takes any other number than that of all bytes for a failure. */
static size_t on_data(char *data, size_t size, size_t count, void *ctx)
{
	struct run *run = ctx;
	size_t length = size * count;

	if (run->transfer->extent == FETCH_SIZE) /* libcurl writes size and date like a server's header */
		return length;
	if (!is_content(run)) {
		run->page += length;
		return run->page <= PAGE_MAX ? length : 0;
	}
	if (!run->begun && !begin(run))
		return 0;
	if (run->left != FETCH_NOWHERE) {
		if (length > run->left) {
			run->surplus = true;
			return 0;
		}
		run->left -= length;
	}
	if (length > 0 && run->transfer->data(run->transfer->ctx, (const uint8_t *)data, length) < 0) {
		run->stopped = true;
		return 0;
	}
	return length;
}

static size_t on_header(char *data, size_t size, size_t count, void *ctx)
{
	struct run *run = ctx;

	(void)data;
	run->headers += size * count;
	return run->headers <= HEADERS_MAX ? size * count : 0;
}

static bool set_range(CURL *curl, const struct fetch_transfer *transfer)
{
	char range[64] = "";

	switch (transfer->extent) {
	case FETCH_FROM:
		(void)snprintf(range, sizeof(range), "%" PRIu64 "-", transfer->first);
		break;
	case FETCH_SPAN:
		(void)snprintf(range, sizeof(range), "%" PRIu64 "-%" PRIu64, transfer->first,
		               transfer->first + transfer->length - 1);
		break;
	case FETCH_LAST:
		(void)snprintf(range, sizeof(range), "-%" PRIu64, transfer->length);
		break;
	case FETCH_SIZE:
		return curl_easy_setopt(curl, CURLOPT_NOBODY, 1L) == CURLE_OK;
	case FETCH_ALL:
		return true;
	}
	return curl_easy_setopt(curl, CURLOPT_RANGE, range) == CURLE_OK;
}

static bool set_tls(CURL *curl, const struct fetch_options *options)
{
	struct stat status;
	bool is_directory = stat(options->ca, &status) == 0 && S_ISDIR(status.st_mode);

	/* Of a directory only the certificates that are needed come into memory. */
	return curl_easy_setopt(curl, CURLOPT_CAINFO, is_directory ? NULL : options->ca) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_CAPATH, is_directory ? options->ca : NULL) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, options->insecure ? 0L : 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, options->insecure ? 0L : 2L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSLCERT, options->certificate) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSLKEY, options->key) == CURLE_OK;
}

static bool set_limits(CURL *curl, const struct fetch_options *options)
{
	return curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, options->connect_timeout) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, options->stall) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, options->stall) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, options->min_speed) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
}

static bool set_options(struct run *run, const char *url)
{
	const struct fetch_options *options = &run->session->options;
	CURL *curl = run->session->curl;
	const char *protocols = run->only_https ? "https" : url == run->transfer->url ? "https,http,ftp" : "https,http";

	curl_easy_reset(curl); /* the connections stay */
	return curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, protocols) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_USERAGENT, "qfota-fetch/" FOTA_VERSION) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_FILETIME, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_INTERFACE, options->interface) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, run->session->detail) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_WRITEDATA, run) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_HEADERDATA, run) == CURLE_OK && set_tls(curl, options) &&
	       set_limits(curl, options) && set_range(curl, run->transfer);
}

/* What a file there may have told us goes back to a server only when it is a tag that a server would write. */
static bool is_strong_tag(const char *etag)
{
	size_t length = strlen(etag);

	if (length < 2 || etag[0] != '"' || etag[length - 1] != '"')
		return false;
	for (size_t i = 1; i + 1 < length; i++)
		if (etag[i] <= ' ' || etag[i] == '"' || etag[i] == 0x7f)
			return false;
	return true;
}

/* If-Range; *headers stays NULL when nothing that may stand in one is known. */
static bool set_condition(CURL *curl, const struct fetch_validator *have, struct curl_slist **headers)
{
	char line[FETCH_TAG_SIZE + 16];
	time_t modified = (time_t)have->modified;
	struct tm date;

	if (is_strong_tag(have->etag))
		(void)snprintf(line, sizeof(line), "If-Range: %s", have->etag);
	else if (have->modified == 0 || gmtime_r(&modified, &date) == NULL ||
	         strftime(line, sizeof(line), "If-Range: %a, %d %b %Y %H:%M:%S GMT", &date) == 0)
		return true;
	*headers = curl_slist_append(NULL, line);
	return *headers && curl_easy_setopt(curl, CURLOPT_HTTPHEADER, *headers) == CURLE_OK;
}

static CURLcode perform(struct run *run, const char *url)
{
	CURL *curl = run->session->curl;
	struct curl_slist *headers = NULL;
	CURLcode result = CURLE_OUT_OF_MEMORY; /* the only reason for an option to be refused */
	long sent = 0;

	run->session->detail[0] = '\0';
	run->headers = 0;
	run->page = 0;
	if (set_options(run, url) &&
	    (!run->transfer->have || run->family == FETCH_FTP || set_condition(curl, run->transfer->have, &headers)))
		result = curl_easy_perform(curl);
	curl_slist_free_all(headers);
	/* The same word for a URL that is not allowed, and for a server that speaks something else. */
	if (result == CURLE_UNSUPPORTED_PROTOCOL && curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &sent) == CURLE_OK &&
	    sent > 0)
		result = CURLE_WEIRD_SERVER_REPLY;
	return result;
}

static int judge_ftp(const struct run *run, CURLcode result, struct fetch_done *done)
{
	long reply = fetch_reply_status(run->session->curl);

	if (fetch_code_is_reply((int)result, reply))
		fetch_code_ftp(reply, done);
	else if (result == CURLE_OPERATION_TIMEDOUT && run->begun)
		fetch_code_trouble(FETCH_FTP, FETCH_TROUBLE_STALLED, done);
	else
		fetch_code_curl(FETCH_FTP, (int)result, run->session->detail, done);
	return result == CURLE_FTP_COULDNT_USE_REST || result == CURLE_BAD_DOWNLOAD_RESUME ? -ERANGE : -EIO;
}

static int judge_http(const struct run *run, CURLcode result, struct fetch_done *done)
{
	CURL *curl = run->session->curl;
	long status = fetch_reply_status(curl);
	curl_off_t retry_after = 0;

	if (status == 0 || is_content(run)) {
		if (result == CURLE_OPERATION_TIMEDOUT && run->begun)
			fetch_code_trouble(FETCH_HTTP, FETCH_TROUBLE_STALLED, done);
		else
			fetch_code_curl(FETCH_HTTP, (int)result, run->session->detail, done);
		return -EIO;
	}
	fetch_code_http(status, done);
	if (curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after) == CURLE_OK && retry_after > 0)
		done->retry_after = retry_after < INT32_MAX ? (uint32_t)retry_after : INT32_MAX;
	return status == 416 ? -ERANGE : -EIO;
}

static int judge(struct run *run, CURLcode result, struct fetch_done *done)
{
	if (result == CURLE_OK && is_content(run) && !run->begun)
		(void)begin(run); /* of an empty file, or of nothing but a size */
	if (run->stopped)
		return -ECANCELED;
	if (run->surplus) {
		fetch_code_trouble(run->family, FETCH_TROUBLE_SURPLUS, done);
		return -EIO;
	}
	if (result == CURLE_OK && is_content(run)) {
		if (run->transfer->extent == FETCH_SIZE || run->left == 0 || run->left == FETCH_NOWHERE)
			return 0;
		result = CURLE_PARTIAL_FILE; /* a length that is right in itself, but not what was promised */
	}
	if (result == CURLE_WRITE_ERROR) /* too long a header */
		result = CURLE_WEIRD_SERVER_REPLY;
	return run->family == FETCH_FTP ? judge_ftp(run, result, done) : judge_http(run, result, done);
}

/* Where the server sends us, for the caller to free; NULL: nowhere. */
static char *redirected(const struct run *run)
{
	char *url = NULL;

	if (run->family == FETCH_FTP || is_content(run) ||
	    curl_easy_getinfo(run->session->curl, CURLINFO_REDIRECT_URL, &url) != CURLE_OK || !url)
		return NULL;
	return strdup(url);
}

static bool was_https(CURL *curl)
{
	const char *scheme = NULL;

	return curl_easy_getinfo(curl, CURLINFO_SCHEME, &scheme) == CURLE_OK && scheme &&
	       strcasecmp(scheme, "https") == 0;
}

/*
 * Redirects are followed here and not by libcurl: which protocols are allowed depends on all that was passed on the
 * way.
 */
int fetch_transfer(struct fetch_session *session, const struct fetch_transfer *transfer, struct fetch_done *done)
{
	struct run run = {.session = session, .transfer = transfer, .family = fetch_family_of(transfer->url)};
	unsigned redirects = 0;
	char *next = NULL;
	CURLcode result;
	bool astray;
	int err = -EIO;

	run.only_https = !session->options.plain_text;
	run.left = FETCH_NOWHERE;
	for (;;) {
		char *passed = next;

		result = perform(&run, passed ? passed : transfer->url);
		next = redirected(&run);
		run.only_https = run.only_https || was_https(session->curl);
		free(passed);
		if (!next || redirects == REDIRECTS_MAX)
			break;
		redirects++;
	}
	astray = redirects > 0 && (result == CURLE_UNSUPPORTED_PROTOCOL || result == CURLE_URL_MALFORMAT);
	if (next || astray)
		fetch_code_trouble(run.family, next ? FETCH_TROUBLE_REDIRECTS : FETCH_TROUBLE_LOCATION, done);
	else
		err = judge(&run, result, done);
	free(next);
	return err;
}

int fetch_session_open(struct fetch_session *session, const struct fetch_options *options)
{
	memset(session, 0, sizeof(*session));
	session->options = *options;
	session->curl = curl_easy_init();
	return session->curl ? 0 : -ENOMEM;
}

void fetch_session_close(struct fetch_session *session)
{
	curl_easy_cleanup(session->curl);
}
