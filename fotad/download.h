/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FOTAD_DOWNLOAD_H
#define FOTAD_DOWNLOAD_H

/*
 * A package while it is downloaded: the bytes that are there, and beside them what they belong to, so that a download
 * that a restart or a power cut interrupted goes on where it was.
 *
 * The bytes are written in whole blocks, each durable before the next begins. A file that is found again therefore is
 * sound but for its last block, whole or not, which is fetched once more.
 */
#include "base/error.h"
#include "fotad/fetch.h"
#include "fotad/link.h"
#include "storage/storage.h"
#include <stdbool.h>
#include <stdint.h>

#define DOWNLOAD_PACKAGE "/usrdata/cache/fota/ipth_package.bin" /* where it belongs once it is armed */
#define DOWNLOAD_PATH    "/usrdata/cache/fota/ipth_package.bin.dd"
#define DOWNLOAD_STATE   "/usrdata/cache/fota/ipth_package.bin.dd.txt"
#define DOWNLOAD_BLOCK   (256U << 10) /* bytes */

/* So many starts without one more block, and it is given up: what restarts the module may be the download itself. */
#define DOWNLOAD_STARTS_MAX 5

struct download {
	struct storage *storage;
	struct link_start request;
	struct fetch_validator file; /* what the bytes belong to, as far as known */
	unsigned starts;             /* of the program, without progress */
	bool complete;
	bool ended;       /* the job that wanted it is over: only a new one goes on with it */
	uint64_t durable; /* bytes on the medium */
	uint8_t *block;   /* bytes behind them, `filled` of DOWNLOAD_BLOCK; NULL while nothing is written */
	uint32_t filled;
};

/* Nothing is there. download_close() frees. */
void download_init(struct download *download, struct storage *storage);

/* What an earlier start left: 1, or 0 when there is none, or none that can be used; leftovers are removed then. */
int download_load(struct download *download, struct error *error);

/* Begin anew for this request. */
int download_begin(struct download *download, const struct link_start *request, struct error *error);

/* The bytes that follow begin at offset: where it stands, or 0, for which what is there is dropped. Durable. */
int download_continue(struct download *download, uint64_t offset, const struct fetch_validator *file,
                      struct error *error);

/* The next bytes. RESULT_TOO_LARGE when the medium has no room for them. */
int download_write(struct download *download, const void *data, size_t length, struct error *error);

/* All is there: the last bytes are made durable, and that this is so. */
int download_finish(struct download *download, struct error *error);

/* A start of the program goes on with it; durable. */
int download_count_start(struct download *download, struct error *error);

uint64_t download_size(const struct download *download); /* bytes that are there */

/* The job is over, but another one may go on from here. Durable. */
int download_end(struct download *download, struct error *error);

/* Remove all of it from the medium. */
int download_forget(struct download *download, struct error *error);

void download_close(struct download *download);

#endif
