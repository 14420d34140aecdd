/* SPDX-License-Identifier: Apache-2.0 */
#include "fotad/fetch_reply.h"

#include <string.h>
#include <strings.h>

long fetch_reply_status(CURL *curl)
{
	long code = 0;

	return curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code) == CURLE_OK ? code : 0;
}

uint64_t fetch_reply_length(CURL *curl)
{
	curl_off_t length = -1;

	if (curl_easy_getinfo(curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length) != CURLE_OK || length < 0)
		return FETCH_NOWHERE;
	return (uint64_t)length;
}

static const char *header_of(CURL *curl, const char *name)
{
	struct curl_header *header;

	return curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value : NULL;
}

/* Digits only, and the one character behind them, which is passed too. */
static bool read_number(const char **text, char behind, uint64_t *number)
{
	const char *at = *text;

	for (*number = 0; *at >= '0' && *at <= '9'; at++) {
		if (*number > UINT64_MAX / 16)
			return false;
		*number = *number * 10 + (uint64_t)(*at - '0');
	}
	if (at == *text || *at != behind)
		return false;
	*text = at + 1;
	return true;
}

/* "bytes FIRST-LAST/TOTAL", TOTAL perhaps "*". A reply of several parts has none. */
static void read_content_range(const char *text, struct fetch_reply *reply)
{
	static const char unit[] = "bytes ";
	uint64_t first;
	uint64_t last;
	uint64_t total = 0;

	reply->first = FETCH_NOWHERE;
	if (!text || strncasecmp(text, unit, strlen(unit)) != 0)
		return;
	text += strlen(unit);
	if (!read_number(&text, '-', &first) || !read_number(&text, '/', &last) || first > last)
		return;
	if (strcmp(text, "*") != 0 && (!read_number(&text, '\0', &total) || last >= total))
		return;
	reply->first = first;
	reply->length = last - first + 1;
	reply->file.size = total;
}

void fetch_reply_read(CURL *curl, const struct fetch_transfer *transfer, struct fetch_reply *reply)
{
	uint64_t length = fetch_reply_length(curl);
	curl_off_t modified = -1;
	const char *etag;

	memset(reply, 0, sizeof(*reply));
	if (curl_easy_getinfo(curl, CURLINFO_FILETIME_T, &modified) == CURLE_OK && modified > 0)
		reply->file.modified = modified;
	if (fetch_family_of(transfer->url) == FETCH_FTP) {
		reply->partial = transfer->extent != FETCH_ALL && transfer->extent != FETCH_SIZE;
		reply->first = transfer->first;
		reply->length = transfer->extent == FETCH_SPAN ? transfer->length : 0;
		reply->file.size = !reply->partial && length != FETCH_NOWHERE ? length : 0;
		return;
	}
	etag = header_of(curl, "ETag");
	if (etag && strlen(etag) < sizeof(reply->file.etag))
		memcpy(reply->file.etag, etag, strlen(etag));
	reply->partial = fetch_reply_status(curl) == 206;
	if (reply->partial)
		read_content_range(header_of(curl, "Content-Range"), reply);
	else
		reply->length = reply->file.size = length != FETCH_NOWHERE ? length : 0;
}
