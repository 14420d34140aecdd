/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_FETCH_H
#define FOTAD_FETCH_H

/*
 * How qfotad and qfota-fetch talk. qfota-fetch is a program of its own, so that libcurl and what it needs are resident
 * only while something is downloaded, and so that what a server sends is read without any privileges: it has this one
 * socket (SOCK_SEQPACKET, its standard input) and writes no file. It asks once for each request, and does not try
 * again: what a failure is worth is qfotad's decision. URLs come over the socket, because arguments are public.
 */
#include <stdbool.h>
#include <stdint.h>

#define FETCH_URL_SIZE     256
#define FETCH_TAG_SIZE     128
#define FETCH_VERSION_SIZE 2048
#define FETCH_DATA_MAX     16384

/* What tells one version of a file under a URL from another. */
struct fetch_validator {
	uint64_t size;             /* bytes; 0: the server does not say */
	int64_t modified;          /* Last-Modified or MDTM, seconds since 1970; 0: not known */
	char etag[FETCH_TAG_SIZE]; /* with its quotes; "": none, or longer than this */
};

/*
 * Do both speak of the same content, as far as both know? Equal strong tags settle it, whatever the dates say: servers
 * that share one content differ in its date.
 */
bool fetch_is_same(const struct fetch_validator *a, const struct fetch_validator *b);

enum fetch_request_kind {
	FETCH_MANIFEST, /* only the package's directory and its manifest, by ranges */
	FETCH_BODY,     /* the package from `offset` on */
};

struct fetch_request {
	uint32_t kind;   /* enum fetch_request_kind */
	uint64_t offset; /* bytes that are there already; when that is all of them, the answer starts from 0 */
	/* Of what is there already, when offset is not 0: a server with another content starts from 0. */
	struct fetch_validator have;
	char url[FETCH_URL_SIZE];
};

/*
 * Answers to FETCH_MANIFEST: FETCH_IS_PACKAGE, FETCH_NO_RANGES or nothing, then FETCH_DONE. Answers to FETCH_BODY:
 * FETCH_BEGINS, FETCH_DATA..., FETCH_DONE; or FETCH_DONE alone.
 */
enum fetch_answer_kind {
	FETCH_IS_PACKAGE, /* the manifest was read */
	FETCH_NO_RANGES,  /* the server gives whole files only: its manifest cannot be read before */
	FETCH_BEGINS,     /* data follow that begin at `offset`: the one asked for, or 0 */
	FETCH_DATA,       /* `length` bytes of content */
	FETCH_DONE,       /* the request is over */
};

/* What is known of a package before it is there. */
struct fetch_manifest {
	struct fetch_validator file;
	uint64_t largest;                 /* unpacked entry, bytes */
	uint64_t unpacked;                /* all entries, bytes */
	uint32_t has_version;             /* 0 or 1 */
	uint32_t is_signed;               /* 0 or 1: it claims to be */
	uint32_t rollback;                /* index that the package leads to */
	char version[FETCH_VERSION_SIZE]; /* content of quectel-project-version */
};

enum fetch_advice {
	FETCH_GIVE_UP, /* the same request fails again: wrong URL, no such file, refused */
	FETCH_RETRY,   /* the link or the server failed: later it may work, from where this one ended */
};

struct fetch_done {
	int32_t code;         /* 0, or the <err> of HTTPEND or FTPEND; enum result_code for what is not a package */
	uint32_t advice;      /* enum fetch_advice */
	uint32_t retry_after; /* seconds that the server asks for; 0: it does not say */
	char reason[256];     /* "" on success; never the URL's user, password or query */
};

struct fetch_answer {
	uint32_t kind; /* enum fetch_answer_kind */
	uint32_t length;
	uint64_t offset; /* of FETCH_BEGINS */
	union {
		struct fetch_manifest manifest;
		struct fetch_validator file; /* of FETCH_BEGINS */
		struct fetch_done done;
		uint8_t data[FETCH_DATA_MAX];
	};
};

/*
 * A message travels without what its kind does not use: FETCH_DATA with `length` bytes, the others with their member of
 * the union. Sending returns 0, -EAGAIN, or -EPIPE when the other side is gone; receiving returns 1, 0 at the end,
 * -EAGAIN, or -EBADMSG for a message of a wrong size or kind. Texts are NUL-terminated, whatever came.
 *
 * qfotad's side never blocks; qfota-fetch's always does: it has nothing else to do.
 */
int fetch_send_request(int fd, const struct fetch_request *request);
int fetch_receive_answer(int fd, struct fetch_answer *answer);

int fetch_receive_request(int fd, struct fetch_request *request);
int fetch_send_answer(int fd, const struct fetch_answer *answer);

#endif
