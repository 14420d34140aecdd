/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_FETCH_REQUEST_H
#define FOTAD_FETCH_REQUEST_H

/* One question to a server and its answer. Private to qfota-fetch. */
#include "fotad/fetch_codes.h"
#include <curl/curl.h>
#include <stddef.h>

struct fetch_options {
	const char *ca;          /* file of certificates, or directory as c_rehash makes it */
	const char *certificate; /* the client's, or NULL */
	const char *key;         /* the client's, or NULL */
	const char *interface;   /* network interface to use, or NULL */
	bool insecure;           /* whoever answers is believed */
	bool plain_text;         /* http and ftp too */
	long connect_timeout;    /* seconds */
	long stall;              /* seconds below min_speed that end a transfer */
	long min_speed;          /* bytes of content in a second */
};

/* A connection, kept from one transfer to the next. */
struct fetch_session {
	struct fetch_options options;
	CURL *curl;
	char detail[CURL_ERROR_SIZE];
};

int fetch_session_open(struct fetch_session *session, const struct fetch_options *options);
void fetch_session_close(struct fetch_session *session);

enum fetch_extent {
	FETCH_ALL,
	FETCH_FROM, /* from `first` to the end */
	FETCH_SPAN, /* `length` bytes from `first` on */
	FETCH_LAST, /* the last `length` bytes; not of ftp */
	FETCH_SIZE, /* nothing but size and date; of ftp only, where no other answer tells them */
};

#define FETCH_NOWHERE UINT64_MAX

struct fetch_reply {
	struct fetch_validator file; /* of the whole file */
	bool partial;                /* content of a part of the file: from `first` on, `length` bytes */
	uint64_t first;              /* FETCH_NOWHERE: the server does not say */
	uint64_t length;             /* bytes; 0: the server does not say */
};

struct fetch_transfer {
	const char *url;
	enum fetch_extent extent;
	uint64_t first;
	uint64_t length;
	const struct fetch_validator *have; /* of FETCH_FROM: a server with another file shall send all of it */
	/* Called once, when the server gives what was asked for and before its first byte. Negative: end the transfer.
	 */
	int (*begin)(void *ctx, const struct fetch_reply *reply);
	int (*data)(void *ctx, const uint8_t *data, size_t length); /* likewise; never more than begin() was told */
	void *ctx;
};

enum fetch_family fetch_family_of(const char *url);

/*
 * 0 when all that was announced has come, -ECANCELED when a callback ended it, -ERANGE when the server has no such
 * part, or another negative value; *done says why, except after -ECANCELED.
 */
int fetch_transfer(struct fetch_session *session, const struct fetch_transfer *transfer, struct fetch_done *done);

#endif
